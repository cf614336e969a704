package dev.gramian.cli;

import java.util.stream.LongStream;

/**
 * Nanoseconds of work run again and again.
 *
 * @param median of the runs
 * @param fastest of the runs
 * @param runs that were measured
 */
record Timing(long median, long fastest, int runs) {
    private static final int LEAST = 3;

    /**
     * Runs {@code work} for {@code budget} nanoseconds and at least three times, after half that time unmeasured, while the
     * JIT compiles.
     */
    static Timing of(long budget, Runnable work) {
        long start = System.nanoTime();
        do {
            work.run();
        } while (System.nanoTime() - start < budget / 2);
        LongStream.Builder times = LongStream.builder();
        int runs = 0;
        for (long end = System.nanoTime() + budget; runs < LEAST || System.nanoTime() < end; runs++) {
            long before = System.nanoTime();
            work.run();
            times.add(System.nanoTime() - before);
        }
        long[] sorted = times.build().sorted().toArray();
        return new Timing(sorted[sorted.length / 2], sorted[0], runs);
    }
}
