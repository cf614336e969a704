package dev.gramian.benchmarks;

import dev.gramian.Tensor;

/** What a benchmark must show before it is timed: that its variants compute the same. */
final class Agree {
    private Agree() {}

    /** Every element within {@code tolerance} of the largest magnitude of {@code expected}. */
    static void check(String what, float[] got, float[] expected, double tolerance) {
        if (got.length != expected.length) {
            throw new AssertionError(what + ": " + got.length + " values, expected " + expected.length);
        }
        double largest = 0;
        for (float v : expected) {
            largest = Math.max(largest, Math.abs(v));
        }
        for (int i = 0; i < got.length; i++) {
            if (!(Math.abs((double) got[i] - expected[i]) <= tolerance * largest)) {
                throw new AssertionError(what + ": element " + i + " is " + got[i] + ", expected " + expected[i]);
            }
        }
    }

    static void check(String what, Tensor got, float[] expected, double tolerance) {
        check(what, got.toFloatArray(), expected, tolerance);
    }
}
