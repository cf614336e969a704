package dev.gramian.core;

/** Elementwise functions of one operand. */
public enum MapFn {
    NEG, ABS, SIGN, SQRT, RSQRT, RECIPROCAL, SQUARE, EXP, EXPM1, LOG, LOG1P, LOG2, SIN, COS, TAN, TANH, ERF, SIGMOID, RELU,
    GELU, GELU_TANH, SILU, FLOOR, CEIL, ROUND, TRUNC, CLAMP, IS_NAN, IS_INF, IS_FINITE, NOT;

    /** Name in errors, traces and kernels. */
    public String label() {
        return name();
    }

    /** The result's element type for an operand of type {@code x}, or a {@link DTypeException}. */
    public DType result(DType x) {
        return x;
    }
}
