package dev.gramian.core;

/** Elementwise functions of two operands. */
public enum ZipFn {
    ADD, SUB, MUL, DIV, POW, MAXIMUM, MINIMUM, ATAN2, REMAINDER, EQ, NE, LT, LE, GT, GE, AND, OR, XOR;

    /** Name in errors, traces and kernels. */
    public String label() {
        return name();
    }

    /** The result's element type for operands of type {@code x}, or a {@link DTypeException}. */
    public DType result(DType x) {
        return x;
    }
}
