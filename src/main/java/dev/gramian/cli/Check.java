package dev.gramian.cli;

import dev.gramian.core.DType;

/**
 * A result held against float64: the largest errors, and whether every element lies within its own rounding bound. The
 * bounds are worst cases of the element type's arithmetic for short sums and of sums in blocks for long ones: a correct
 * result does not miss them, a wrong one can hardly meet them.
 */
final class Check {
    private final String what;
    private final DType dtype;
    private final String coverage;
    private long checked;
    private double maxError;
    private double maxReference;
    private double worst;
    private double bound;
    private boolean used;

    /** {@code coverage} says how much of the result is looked at: "all", "10 of 99 rows". */
    Check(String what, DType dtype, String coverage) {
        this.what = what;
        this.dtype = dtype;
        this.coverage = coverage;
    }

    /** Unit roundoff of the type that results of {@code dtype} are computed in; 0 for integers. */
    static double roundoff(DType dtype) {
        // float64 is checked by float64: both sides err
        return dtype.compute() == DType.F64 ? 2 * 0x1p-53 : dtype.isFloat() ? 0x1p-24 : 0;
    }

    /** Unit roundoff of storing a value. */
    static double storage(DType dtype) {
        return switch (dtype) {
            case F64 -> 0x1p-53;
            case F32 -> 0x1p-24;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            default -> 0;
        };
    }

    /** Below this, a value may be stored as zero or a neighbouring subnormal. */
    private static double tiny(DType dtype) {
        return switch (dtype) {
            case F64 -> Double.MIN_NORMAL;
            case F32, BF16 -> Float.MIN_NORMAL;
            case F16 -> 0x1p-24;
            default -> 0;
        };
    }

    static double largest(DType dtype) {
        return switch (dtype) {
            case F64 -> Double.MAX_VALUE;
            case F32 -> Float.MAX_VALUE;
            case F16 -> 65504;
            case BF16 -> 0x1.FEp127;
            case I64 -> 0x1p53; // beyond, float64 itself is not exact
            case I32 -> Integer.MAX_VALUE;
            case U8 -> 255;
            case BOOL -> 1;
        };
    }

    /**
     * One element. {@code slack} is how far it may be off before it is stored; {@code magnitude} bounds every partial
     * sum on its way, which may have overflowed beyond the largest number.
     */
    void add(double actual, double reference, double magnitude, double slack) {
        checked++;
        if (Double.isNaN(reference) || Double.isInfinite(reference)) {
            if (Double.compare(actual, reference) != 0) {
                maxError = Double.POSITIVE_INFINITY;
                worst = Double.POSITIVE_INFINITY;
            }
            return;
        }
        double limit = slack + storage(dtype) * Math.abs(reference) + tiny(dtype);
        if (magnitude + limit >= largest(dtype.compute()) || Math.abs(reference) + limit >= largest(dtype)) {
            return; // overflowed or not: anything can come of it
        }
        double error = Math.abs(actual - reference);
        if (Double.isNaN(error)) {
            error = Double.POSITIVE_INFINITY;
        }
        maxError = Math.max(maxError, error);
        maxReference = Math.max(maxReference, Math.abs(reference));
        bound = Math.max(bound, limit);
        worst = Math.max(worst, error == 0 ? 0 : error / limit);
    }

    /** Says that there is something to look at, be it empty. */
    void use() {
        used = true;
    }

    boolean isUsed() {
        return used;
    }

    double maxError() {
        return maxError;
    }

    /** Largest error over largest value. */
    double relativeError() {
        return maxError == 0 ? 0 : maxError / maxReference;
    }

    /** Largest error any element may have. */
    double bound() {
        return bound;
    }

    boolean passed() {
        return worst <= 1;
    }

    Verdict verdict() {
        return new Verdict("check  " + what + " in float64: " + Text.count(checked) + " values, " + coverage
                + "; max abs error " + Text.error(maxError) + ", max rel error " + Text.error(relativeError())
                + "; bound " + Text.error(bound) + ": " + (passed() ? "pass" : "FAIL"), passed());
    }
}
