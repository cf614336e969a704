package dev.gramian.core;

/** Checks of operands that several operations share; each speaks for the operation it is given. */
final class OpRules {
    private OpRules() {}

    static Spec[] one(Shape shape, DType dtype) {
        return new Spec[] {new Spec(shape, dtype)};
    }

    static DType same(String op, View a, View b) {
        if (a.dtype() != b.dtype()) {
            throw new DTypeException(op + ": element types differ: " + a.dtype() + " and " + b.dtype() + "; a "
                    + a.shape() + ", b " + b.shape() + "; cast one with .to(DType." + a.dtype() + ")");
        }
        return a.dtype();
    }

    static DType floating(String op, View x) {
        if (!x.dtype().isFloat()) {
            throw new DTypeException(op + ": needs a float type; x is " + x.dtype() + " " + x.shape()
                    + "; cast with .to(DType.F32)");
        }
        return x.dtype();
    }

    static DType realFloat(String op, View x) {
        if (x.dtype() != DType.F32 && x.dtype() != DType.F64) {
            throw new DTypeException(op + ": needs F32 or F64; x is " + x.dtype() + " " + x.shape()
                    + "; cast with .to(DType.F32)");
        }
        return x.dtype();
    }

    static void index(String op, View i) {
        if (i.dtype() != DType.I64 && i.dtype() != DType.I32) {
            throw new DTypeException(op + ": index is " + i.dtype() + "; index " + i.shape() + "; use I64 or I32");
        }
    }

    static DType matrix(String op, View x) {
        if (x.shape().rank() < 2) {
            throw new ShapeException(op + ": needs a matrix; x " + x.shape() + "; give (..., rows, columns)");
        }
        return x.dtype();
    }

    static void square(String op, View x) {
        matrix(op, x);
        Shape s = x.shape();
        if (s.dim(-1) != s.dim(-2)) {
            throw new ShapeException(op + ": matrix is not square; x " + s + " has " + s.dim(-2) + " rows and "
                    + s.dim(-1) + " columns; last two axes must be equal");
        }
    }
}
