package dev.gramian.core;

/** Operations made ready to be run again on the same memory; see {@link Backend#prepare}. */
public interface Replay extends AutoCloseable {
    /** Runs all operations in order; on the thread that prepared them. */
    void run();

    /** Gives back what the device holds for it; never throws. */
    @Override
    void close();
}
