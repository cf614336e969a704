package dev.gramian.core;

import java.lang.foreign.MemorySegment;

/** Host memory that a device copies from and to by itself, while the host and the device do other things. */
public interface Pinned extends AutoCloseable {
    MemorySegment segment();

    /** Waits for every copy into and out of this memory that was asked for. */
    void await();

    /** Waits, then gives the memory back. */
    @Override
    void close();
}
