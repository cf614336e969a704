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
                    + a.shape() + ", b " + b.shape() + "; cast one with .to(DType." + wider(a.dtype(), b.dtype())
                    + ")");
        }
        return a.dtype();
    }

    /** The one of two types that a hint suggests casting to. */
    static DType wider(DType a, DType b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /** A number that must be a value of {@code dtype}, which floats take always; {@code what} names it in the error. */
    static void fits(String op, String what, double v, DType dtype, Shape shape) {
        boolean fits = switch (dtype) {
            case I64 -> Math.abs(v) <= 0x1p53;
            case I32 -> v == (int) v;
            case U8 -> v >= 0 && v <= 255;
            case BOOL -> v == 0 || v == 1;
            case F64, F32, F16, BF16 -> true;
        };
        if (fits && (dtype.isFloat() || v == Math.rint(v))) {
            return;
        }
        String head = op + ": " + what + " " + number(v);
        String of = "; " + dtype + " " + shape + "; ";
        if (v != Math.rint(v) || Double.isInfinite(v)) {
            throw new DTypeException(head + " is not a whole number" + of + "use a float type");
        }
        throw new DTypeException(head + (dtype != DType.I64
                ? " does not fit " + dtype + of + "use I64 or a float type"
                : " is beyond 2^53, where doubles skip whole numbers" + of + "give it in a tensor of long values"));
    }

    /** {@code 2.0} as {@code 2}, as people give whole numbers. */
    static String number(double v) {
        return v == (long) v && Math.abs(v) < 1e15 ? Long.toString((long) v) : Double.toString(v);
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

    /** Places along an ordered axis are counted in 31 bits. */
    static void orderable(String op, Shape x, int axis) {
        long most = Integer.MAX_VALUE - 16;
        if (x.at(axis) > most && x.size() > 0) {
            throw new ShapeException(op + ": axis " + axis + " is too long; x " + x + "; at most " + most
                    + " entries can be ordered");
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

    /** Result of a system a x = b: a (..., n, n), b and x (..., n, r), equal batch axes. */
    static Spec[] rightSide(String op, View av, View bv) {
        square(op, av);
        matrix(op, bv);
        same(op, av, bv);
        realFloat(op, av);
        Shape a = av.shape();
        Shape b = bv.shape();
        int r = a.rank();
        if (b.rank() != r || !b.with(r - 1, a.at(r - 1)).equals(a)) {
            throw new ShapeException(op + ": right side does not fit; a " + a + ", b " + b
                    + "; b needs a's batch axes and as many rows as a");
        }
        return one(b, bv.dtype());
    }
}
