package dev.gramian.peers;

/** A library, as {@link Turns} drives it. A constructor without parameters loads it. */
public interface Peer {
    /** What it says it is, on one line. */
    String version();

    /** How many threads it is to use; called once, before all works. */
    void threads(int count);

    /** Work on operands of its own; null where the library does not have such work. */
    Task task(Work work);

    /** Work that can be done again and again. */
    interface Task extends AutoCloseable {
        /** Does it once; the result is given up at once, as a user of the library would. */
        void run();

        /** What the last {@link #run} gave, as {@link Kind} describes it. */
        float[][] result();

        @Override
        default void close() {}
    }

    /** A work that the library has and cannot do here; the message says why. */
    final class Declined extends RuntimeException {
        private static final long serialVersionUID = 1;

        public Declined(String why) {
            super(why);
        }
    }
}
