package dev.gramian.core;

import static dev.gramian.core.FnRule.BITS;
import static dev.gramian.core.FnRule.FLOAT;
import static dev.gramian.core.FnRule.NUMBER;
import static dev.gramian.core.FnRule.TEST;

/**
 * Elementwise functions of one operand, each declared once: name, accepted types, F64 kernel, integer kernel and CUDA
 * expression side by side. {@code p} and {@code q} are the parameters of {@link Op.Map}; only {@link #CLAMP} reads them.
 */
public enum MapFn {
    NEG("neg", NUMBER, "-x", "T(-(u64)x)") {
        @Override
        public double apply(double x, double p, double q) {
            return -x;
        }

        @Override
        public long apply(long x, long p, long q) {
            return -x;
        }
    },
    ABS("abs", NUMBER, "fabs(x)", "x < 0 ? T(-(u64)x) : x") {
        @Override
        public double apply(double x, double p, double q) {
            return Math.abs(x);
        }

        @Override
        public long apply(long x, long p, long q) {
            return Math.abs(x);
        }
    },
    /** -1, 0 or 1; zeros keep their sign, NaN stays NaN. */
    SIGN("sign", NUMBER, "x > 0 ? T(1) : x < 0 ? T(-1) : x", "x > 0 ? 1 : x < 0 ? -1 : 0") {
        @Override
        public double apply(double x, double p, double q) {
            return Math.signum(x);
        }

        @Override
        public long apply(long x, long p, long q) {
            return Long.signum(x);
        }
    },
    SQRT("sqrt", FLOAT, "sqrt(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.sqrt(x);
        }
    },
    RSQRT("rsqrt", FLOAT, "T(1) / sqrt(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return 1 / Math.sqrt(x);
        }
    },
    RECIPROCAL("reciprocal", FLOAT, "T(1) / x", null) {
        @Override
        public double apply(double x, double p, double q) {
            return 1 / x;
        }
    },
    SQUARE("square", NUMBER, "x * x", "T((u64)x * (u64)x)") {
        @Override
        public double apply(double x, double p, double q) {
            return x * x;
        }

        @Override
        public long apply(long x, long p, long q) {
            return x * x;
        }
    },
    EXP("exp", FLOAT, "exp(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.exp(x);
        }
    },
    EXPM1("expm1", FLOAT, "expm1(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.expm1(x);
        }
    },
    LOG("log", FLOAT, "log(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.log(x);
        }
    },
    LOG1P("log1p", FLOAT, "log1p(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.log1p(x);
        }
    },
    LOG2("log2", FLOAT, "log2(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Special.log2(x);
        }
    },
    SIN("sin", FLOAT, "sin(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.sin(x);
        }
    },
    COS("cos", FLOAT, "cos(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.cos(x);
        }
    },
    TAN("tan", FLOAT, "tan(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.tan(x);
        }
    },
    TANH("tanh", FLOAT, "tanh(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.tanh(x);
        }
    },
    ERF("erf", FLOAT, "erf(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Special.erf(x);
        }
    },
    /** 1 / (1 + exp(-x)). */
    SIGMOID("sigmoid", FLOAT, "sigmoid(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Special.sigmoid(x);
        }
    },
    /** max(x, 0); NaN stays NaN. */
    RELU("relu", FLOAT, "maximum(x, T(0))", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.max(x, 0);
        }
    },
    /** x times the normal distribution function, exact by erf; -0 at -inf. */
    GELU("gelu", FLOAT, "gelu(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Special.gelu(x);
        }
    },
    /** GELU with tanh in place of erf, as GPT-2 has it; -0 at -inf. */
    GELU_TANH("geluTanh", FLOAT, "gelu_tanh(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Special.geluTanh(x);
        }
    },
    /** x * sigmoid(x); -0 at -inf. */
    SILU("silu", FLOAT, "silu(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Special.silu(x);
        }
    },
    FLOOR("floor", FLOAT, "floor(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.floor(x);
        }
    },
    CEIL("ceil", FLOAT, "ceil(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.ceil(x);
        }
    },
    /** To the nearest whole number, halves to the even one. */
    ROUND("round", FLOAT, "rint(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return Math.rint(x);
        }
    },
    /** Toward zero. */
    TRUNC("trunc", FLOAT, "trunc(x)", null) {
        @Override
        public double apply(double x, double p, double q) {
            return x < 0 ? Math.ceil(x) : Math.floor(x);
        }
    },
    /** min(max(x, p), q): NaN stays NaN, q wins where p exceeds it. */
    CLAMP("clamp", NUMBER, "minimum(maximum(x, p), q)", "minimum(maximum(x, p), q)") {
        @Override
        public double apply(double x, double p, double q) {
            return Math.min(Math.max(x, p), q);
        }

        @Override
        public long apply(long x, long p, long q) {
            return Math.min(Math.max(x, p), q);
        }
    },
    IS_NAN("isNan", TEST, "x != x", "false") {
        @Override
        public double apply(double x, double p, double q) {
            return x != x ? 1 : 0;
        }

        @Override
        public long apply(long x, long p, long q) {
            return 0;
        }
    },
    IS_INF("isInf", TEST, "fabs(x) == T(INFINITY)", "false") {
        @Override
        public double apply(double x, double p, double q) {
            return Math.abs(x) == Double.POSITIVE_INFINITY ? 1 : 0;
        }

        @Override
        public long apply(long x, long p, long q) {
            return 0;
        }
    },
    IS_FINITE("isFinite", TEST, "fabs(x) < T(INFINITY)", "true") {
        @Override
        public double apply(double x, double p, double q) {
            return Math.abs(x) < Double.POSITIVE_INFINITY ? 1 : 0;
        }

        @Override
        public long apply(long x, long p, long q) {
            return 1;
        }
    },
    /** Of every bit; logical for BOOL, whose kernels keep the lowest bit. */
    NOT("not", BITS, "", "~x") {
        @Override
        public long apply(long x, long p, long q) {
            return ~x;
        }
    };

    private final String label;
    private final FnRule rule;
    private final String cuda;
    private final String cudaInteger;

    MapFn(String label, FnRule rule, String cuda, String cudaInteger) {
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

    /** The result's element type for an operand of type {@code x}, or a {@link DTypeException}. */
    public DType result(DType x) {
        return rule.result(label, x);
    }

    /** The value in F64; what all other float kernels are held against. */
    public double apply(double x, double p, double q) {
        throw new DTypeException(label + ": has no float kernel; " + this + "; check with accepts");
    }

    /** The exact value for integers and BOOL, before wrapping to the type's width. */
    public long apply(long x, long p, long q) {
        throw new DTypeException(label + ": has no integer kernel; " + this + "; check with accepts");
    }

    /** A lower bound {@code p} as a value of an integer type, or BOOL, that says the same of that type's values. */
    public static long lower(DType type, double p) {
        return limit(type, (long) Math.ceil(p));
    }

    /** An upper bound {@code q}, as {@link #lower}. */
    public static long upper(DType type, double q) {
        return limit(type, (long) Math.floor(q));
    }

    private static long limit(DType type, long v) {
        return switch (type) {
            case I32 -> Math.clamp(v, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case U8 -> Math.clamp(v, 0, 255);
            case F64, F32, F16, BF16, I64, BOOL -> v;
        };
    }

    /**
     * CUDA C++ expression in {@code x}, {@code p} and {@code q} of compute type {@code T} ({@code long long} for integers),
     * for operands of type {@code x}; the functions it names are CUDA's or those of functions.cuh. Integers wrap, which
     * C++ promises of unsigned numbers only.
     */
    public String cuda(DType x) {
        return x.isFloat() ? cuda : cudaInteger;
    }
}
