package dev.gramian.benchmarks.gpu;

import dev.gramian.core.DType;

/** Compares values with their float64 reference, by the largest deviation over the largest magnitude of the reference. */
final class Agreement {
    private final double bound;
    private double deviation;
    private double magnitude;

    /** @param bound what the error may be */
    Agreement(double bound) {
        this.bound = bound;
    }

    /** Bound of results of that type whose terms were of it too: some roundings of the type, far below a wrong result. */
    static Agreement of(String type) {
        return new Agreement(switch (type) {
            case "TF32" -> 4e-3;
            case "F16" -> 4e-3;
            case "BF16" -> 2e-2;
            case "F64" -> 1e-12;
            default -> DType.valueOf(type).isFloat() ? 1e-5 : 0;
        });
    }

    void add(double got, double expected) {
        magnitude = Math.max(magnitude, Math.abs(expected));
        double d = Math.abs(got - expected);
        // NaN is the worst
        deviation = d <= deviation ? deviation : d;
    }

    /** Errors are relative to {@code scale} at least: the norm of a matrix whose elements are compared. */
    void relativeTo(double scale) {
        magnitude = Math.max(magnitude, scale);
    }

    void add(double[] got, double[] expected) {
        if (got.length != expected.length) {
            throw new AssertionError(got.length + " values, expected " + expected.length);
        }
        for (int i = 0; i < got.length; i++) {
            add(got[i], expected[i]);
        }
    }

    double error() {
        return deviation == 0 ? 0 : deviation / magnitude;
    }

    double bound() {
        return bound;
    }
}
