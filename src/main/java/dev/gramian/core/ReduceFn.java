package dev.gramian.core;

/**
 * Reductions. Half types accumulate in F32; F32 sums are blocked so that the error grows with the logarithm of the count.
 * NaN propagates through every float reduction, {@code argMin}/{@code argMax} give the first NaN's index (NumPy).
 */
public enum ReduceFn {
    SUM("sum"),
    PROD("prod"),
    MEAN("mean"),
    /** Sum of squared distances from the mean over {@code n - ddof}; param is ddof. Two passes, no cancellation. */
    VAR("var"),
    /** Square root of {@link #VAR}. */
    STD("std"),
    MIN("min"),
    MAX("max"),
    /** Index of the first smallest element, I64. */
    ARGMIN("argMin"),
    /** Index of the first largest element, I64. */
    ARGMAX("argMax"),
    ANY("any"),
    ALL("all"),
    /** log(sum(exp(x))) with the maximum taken out; -inf for an empty or all -inf slice. */
    LOGSUMEXP("logSumExp"),
    /** Sum of magnitudes. */
    NORM1("norm1"),
    /** Square root of the sum of squares, scaled so that nothing over- or underflows on the way. */
    NORM2("norm2"),
    /** Largest magnitude. */
    NORM_INF("normInf");

    private final String label;

    ReduceFn(String label) {
        this.label = label;
    }

    public String label() {
        return label;
    }

    /** The result's element type, or a {@link DTypeException}. Integer sums and products are I64, as NumPy's. */
    public DType result(DType x) {
        return switch (this) {
            case SUM, PROD -> x.isFloat() ? x : DType.I64;
            case MEAN, VAR, STD, LOGSUMEXP, NORM1, NORM2, NORM_INF -> {
                if (!x.isFloat()) {
                    throw new DTypeException(label + ": needs a float type; x is " + x + "; cast with .to(DType.F32)");
                }
                yield x;
            }
            case MIN, MAX -> x;
            case ARGMIN, ARGMAX -> DType.I64;
            case ANY, ALL -> DType.BOOL;
        };
    }

    /** True where an empty slice has no answer (min of nothing). */
    public boolean needsElements() {
        return switch (this) {
            case MIN, MAX, ARGMIN, ARGMAX -> true;
            case SUM, PROD, MEAN, VAR, STD, ANY, ALL, LOGSUMEXP, NORM1, NORM2, NORM_INF -> false;
        };
    }
}
