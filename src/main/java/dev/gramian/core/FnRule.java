package dev.gramian.core;

/** Which element types an elementwise function takes, and what comes out. */
enum FnRule {
    /** Floats only. */
    FLOAT,
    /** Floats and integers. */
    NUMBER,
    /** Integers and BOOL. */
    BITS,
    /** Every type; the result is BOOL, and kernels give 0 or 1. */
    TEST;

    boolean accepts(DType x) {
        return switch (this) {
            case FLOAT -> x.isFloat();
            case NUMBER -> x != DType.BOOL;
            case BITS -> !x.isFloat();
            case TEST -> true;
        };
    }

    DType result(String label, DType x) {
        if (!accepts(x)) {
            throw new DTypeException(switch (this) {
                case FLOAT -> label + ": needs a float type; x is " + x + "; "
                        + (label.equals("div")
                                ? "divide after casting with .to(DType.F64)"
                                : "cast with .to(DType.F32)");
                case NUMBER, TEST -> label + ": needs numbers; x is " + x + "; cast with .to(DType.I32)";
                case BITS -> label + ": needs BOOL or integers; x is " + x + "; compare first, e.g. x.gt(0)";
            });
        }
        return this == TEST ? DType.BOOL : x;
    }
}
