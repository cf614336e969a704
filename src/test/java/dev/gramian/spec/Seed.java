package dev.gramian.spec;

import java.util.SplittableRandom;

/**
 * The seed of drawn test cases: the same in every run, so that a build does not fail by luck; another one by
 * {@code -Dgramian.seed=N}, a new one in each run by {@code -Dgramian.seed=random}.
 */
public final class Seed {
    public static final long VALUE = read(System.getProperty("gramian.seed", "20261125"));

    private Seed() {}

    private static long read(String text) {
        return text.equals("random") ? new SplittableRandom().nextLong() >>> 1 : Long.parseLong(text);
    }
}
