package dev.gramian.core;

import static dev.gramian.core.FnRule.BITS;
import static dev.gramian.core.FnRule.FLOAT;
import static dev.gramian.core.FnRule.NUMBER;
import static dev.gramian.core.FnRule.TEST;

/**
 * Elementwise functions of two operands, each declared once: name, accepted types, F64 kernel, integer kernel and CUDA
 * expression side by side.
 */
public enum ZipFn {
    ADD("add", NUMBER, "x + y", "T((u64)x + (u64)y)") {
        @Override
        public double apply(double x, double y) {
            return x + y;
        }

        @Override
        public long apply(long x, long y) {
            return x + y;
        }
    },
    SUB("sub", NUMBER, "x - y", "T((u64)x - (u64)y)") {
        @Override
        public double apply(double x, double y) {
            return x - y;
        }

        @Override
        public long apply(long x, long y) {
            return x - y;
        }
    },
    MUL("mul", NUMBER, "x * y", "T((u64)x * (u64)y)") {
        @Override
        public double apply(double x, double y) {
            return x * y;
        }

        @Override
        public long apply(long x, long y) {
            return x * y;
        }
    },
    /** Floats only: integers have no exact quotient. */
    DIV("div", FLOAT, "x / y", null) {
        @Override
        public double apply(double x, double y) {
            return x / y;
        }
    },
    /** Integers wrap; a negative integer exponent is a {@link DTypeException} while the kernel runs. */
    POW("pow", NUMBER, "pow(x, y)", "ipow(x, y, flag)") {
        @Override
        public double apply(double x, double y) {
            return Special.pow(x, y);
        }

        @Override
        public long apply(long x, long y) {
            return Special.pow(x, y);
        }
    },
    /** NaN wins. */
    MAXIMUM("maximum", NUMBER, "maximum(x, y)", "maximum(x, y)") {
        @Override
        public double apply(double x, double y) {
            return Math.max(x, y);
        }

        @Override
        public long apply(long x, long y) {
            return Math.max(x, y);
        }
    },
    /** NaN wins. */
    MINIMUM("minimum", NUMBER, "minimum(x, y)", "minimum(x, y)") {
        @Override
        public double apply(double x, double y) {
            return Math.min(x, y);
        }

        @Override
        public long apply(long x, long y) {
            return Math.min(x, y);
        }
    },
    /** Angle of the point (y, x): the first operand is the ordinate. */
    ATAN2("atan2", FLOAT, "atan2(x, y)", null) {
        @Override
        public double apply(double x, double y) {
            return Math.atan2(x, y);
        }
    },
    /** With y's sign, as Python's; for integers 0 where y is 0, as NumPy's. */
    REMAINDER("remainder", NUMBER, "floormod(x, y)", "y == 0 ? 0 : floormod(x, y)") {
        @Override
        public double apply(double x, double y) {
            return Special.remainder(x, y);
        }

        @Override
        public long apply(long x, long y) {
            return y == 0 ? 0 : Math.floorMod(x, y);
        }
    },
    EQ("eq", TEST, "x == y", "x == y") {
        @Override
        public double apply(double x, double y) {
            return x == y ? 1 : 0;
        }

        @Override
        public long apply(long x, long y) {
            return x == y ? 1 : 0;
        }
    },
    NE("ne", TEST, "x != y", "x != y") {
        @Override
        public double apply(double x, double y) {
            return x != y ? 1 : 0;
        }

        @Override
        public long apply(long x, long y) {
            return x != y ? 1 : 0;
        }
    },
    LT("lt", TEST, "x < y", "x < y") {
        @Override
        public double apply(double x, double y) {
            return x < y ? 1 : 0;
        }

        @Override
        public long apply(long x, long y) {
            return x < y ? 1 : 0;
        }
    },
    LE("le", TEST, "x <= y", "x <= y") {
        @Override
        public double apply(double x, double y) {
            return x <= y ? 1 : 0;
        }

        @Override
        public long apply(long x, long y) {
            return x <= y ? 1 : 0;
        }
    },
    GT("gt", TEST, "x > y", "x > y") {
        @Override
        public double apply(double x, double y) {
            return x > y ? 1 : 0;
        }

        @Override
        public long apply(long x, long y) {
            return x > y ? 1 : 0;
        }
    },
    GE("ge", TEST, "x >= y", "x >= y") {
        @Override
        public double apply(double x, double y) {
            return x >= y ? 1 : 0;
        }

        @Override
        public long apply(long x, long y) {
            return x >= y ? 1 : 0;
        }
    },
    /** Of every bit; logical for BOOL. */
    AND("and", BITS, "", "x & y") {
        @Override
        public long apply(long x, long y) {
            return x & y;
        }
    },
    /** Of every bit; logical for BOOL. */
    OR("or", BITS, "", "x | y") {
        @Override
        public long apply(long x, long y) {
            return x | y;
        }
    },
    /** Of every bit; logical for BOOL. */
    XOR("xor", BITS, "", "x ^ y") {
        @Override
        public long apply(long x, long y) {
            return x ^ y;
        }
    };

    private final String label;
    private final FnRule rule;
    private final String cuda;
    private final String cudaInteger;

    ZipFn(String label, FnRule rule, String cuda, String cudaInteger) {
        this.label = label;
        this.rule = rule;
        this.cuda = cuda;
        this.cudaInteger = cudaInteger;
    }

    /** Name in errors, traces and kernels. */
    public String label() {
        return label;
    }

    /** True if operands may be of type {@code x}. */
    public boolean accepts(DType x) {
        return rule.accepts(x);
    }

    /** True where the result is BOOL whatever the operands are. */
    public boolean isTest() {
        return rule == TEST;
    }

    /** The result's element type for operands of type {@code x}, or a {@link DTypeException}. */
    public DType result(DType x) {
        return rule.result(label, x);
    }

    /** The value in F64; what all other float kernels are held against. */
    public double apply(double x, double y) {
        throw new DTypeException(label + ": has no float kernel; " + this + "; check with accepts");
    }

    /** The exact value for integers and BOOL, before wrapping to the type's width. */
    public long apply(long x, long y) {
        throw new DTypeException(label + ": has no integer kernel; " + this + "; check with accepts");
    }

    /**
     * CUDA C++ expression in {@code x} and {@code y} of compute type {@code T} ({@code long long} for integers), for
     * operands of type {@code x}; the functions it names are CUDA's or those of functions.cuh. Integers wrap, which C++
     * promises of unsigned numbers only. {@code flag} is lowered to an exponent that is refused.
     */
    public String cuda(DType x) {
        return x.isFloat() ? cuda : cudaInteger;
    }
}
