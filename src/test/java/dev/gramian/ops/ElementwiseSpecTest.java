package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.ZipFn;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;

/** Every elementwise function on every type and layout, against its definition in F64 or long. */
final class ElementwiseSpecTest {
    private static final long SEED = Seed.VALUE;

    /** Ways that two operands lie beside each other: rows, anyhow, transposed. */
    private static final Lie[][] PAIRS = {
        {Lie.CONTIGUOUS, Lie.OFFSET}, {Lie.INSET, Lie.FIRST_REPEATED}, {Lie.LAST_REPEATED, Lie.CONTIGUOUS},
        {Lie.BACKWARDS, Lie.SKIPPING}, {Lie.ALL_REPEATED, Lie.SKIPPING},
        {Lie.TRANSPOSED, Lie.CONTIGUOUS}, {Lie.ROTATED, Lie.TRANSPOSED}
    };
    private static final long[][] SHAPES = {{}, {0}, {1}, {7}, {67}, {3, 0, 2}, {5, 16}, {3, 1, 33}, {2, 17, 5, 3},
        {41, 53}};

    private static String seed(String what) {
        return what + ", replay with -Dgramian.seed=" + SEED;
    }

    // ---- special values ----------------------------------------------------------------------------------------------

    @DeviceSpec
    void mapsOfSpecialValues(Device device) {
        for (MapFn fn : MapFn.values()) {
            for (DType t : DType.values()) {
                if (fn.accepts(t)) {
                    try (Scope s = device.open()) {
                        map(s, fn, -1.5, 40.25, specials(s, t));
                        if (fn == MapFn.CLAMP) {
                            // bounds that cross, that are open, that are zeros
                            map(s, fn, 3, -2, specials(s, t));
                            map(s, fn, Double.NEGATIVE_INFINITY, 2, specials(s, t));
                            map(s, fn, -0.0, Double.POSITIVE_INFINITY, specials(s, t));
                            map(s, fn, -1e300, 1e300, specials(s, t));
                            if (t.isFloat()) {
                                map(s, fn, Double.NaN, 2, specials(s, t));
                            }
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void zipsOfAllPairsOfSpecialValues(Device device) {
        for (ZipFn fn : ZipFn.values()) {
            for (DType t : DType.values()) {
                if (fn.accepts(t)) {
                    try (Scope s = device.open()) {
                        long[] some = specials(s, t).bits();
                        int n = some.length;
                        long[] a = new long[n * n];
                        long[] b = new long[n * n];
                        for (int i = 0; i < n * n; i++) {
                            a[i] = some[i / n];
                            b[i] = exponent(fn, t, some[i % n]);
                        }
                        zip(s, fn, laid(s, t, a), laid(s, t, b));
                    }
                }
            }
        }
    }

    private static Laid specials(Scope s, DType t) {
        List<Long> all = new ArrayList<>();
        if (t.isFloat()) {
            for (double v : Laid.SPECIAL) {
                all.add(Laid.bits(t, v));
            }
        } else {
            for (long v : new long[] {
                0, 1, -1, 2, 3, -3, 7, 40, 41, 127, 128, 255, 256, Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE,
                Long.MIN_VALUE, Long.MIN_VALUE + 1, 1L << 53, 3037000500L
            }) {
                all.add(Laid.bits(t, v));
            }
        }
        return laid(s, t, all.stream().mapToLong(Long::longValue).toArray());
    }

    private static Laid laid(Scope s, DType t, long[] bits) {
        return new Laid(s.tensor(Laid.segment(t, bits), t), bits);
    }

    /** Integers have no negative powers. */
    private static long exponent(ZipFn fn, DType t, long v) {
        return fn == ZipFn.POW && t.isInteger() ? Math.abs(v % 64) : v;
    }

    // ---- layouts -----------------------------------------------------------------------------------------------------

    @DeviceSpec
    void mapsOfEveryLayout(Device device) {
        Random random = new Random(SEED);
        Laid.Source source = Laid.any(random);
        int turn = random.nextInt(3);
        for (MapFn fn : MapFn.values()) {
            for (DType t : DType.values()) {
                if (fn.accepts(t)) {
                    Lie[] lies = lies(device, turn++, Lie.values().length, i -> Lie.values()[i]).toArray(Lie[]::new);
                    for (Lie lie : lies) {
                        for (long[] shape : SHAPES) {
                            try (Scope s = device.open()) {
                                map(s, fn, -1.5, 40.25, Laid.of(s, source, t, lie, shape));
                            }
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void zipsOfEveryLayout(Device device) {
        Random random = new Random(SEED);
        Laid.Source source = Laid.any(random);
        int turn = random.nextInt(3);
        for (ZipFn fn : ZipFn.values()) {
            for (DType t : DType.values()) {
                if (fn.accepts(t)) {
                    for (Lie[] lie : lies(device, turn++, PAIRS.length, i -> PAIRS[i])) {
                        for (long[] shape : SHAPES) {
                            try (Scope s = device.open()) {
                                Laid x = Laid.of(s, source, t, lie[0], shape);
                                Laid y = Laid.of(s, d -> exponent(fn, t, source.next(d)), t, lie[1], shape);
                                zip(s, fn, x, y);
                            }
                        }
                    }
                }
            }
        }
    }

    /**
     * All of {@code n}; on CUDA, where the first call of each way over a layout compiles a kernel, a third by turns unless
     * {@code -Dgramian.layouts=all}.
     */
    private static <T> List<T> lies(Device device, int turn, int n, IntFunction<T> get) {
        boolean every = !device.name().startsWith("cuda") || "all".equals(System.getProperty("gramian.layouts"));
        List<T> some = new ArrayList<>();
        for (int i = every ? 0 : turn % 3; i < n; i += every ? 1 : 3) {
            some.add(get.apply(i));
        }
        return some;
    }

    @DeviceSpec
    void scalarsOnEitherSide(Device device) {
        Random random = new Random(SEED);
        for (ZipFn fn : ZipFn.values()) {
            for (DType t : DType.values()) {
                if (fn.accepts(t)) {
                    double[] scalars = t == DType.BOOL
                            ? new double[] {0, 1}
                            : t.isFloat()
                                    ? new double[] {2.7, -0.0, Double.NaN, Double.NEGATIVE_INFINITY, 1e300}
                                    : new double[] {3, 0};
                    for (double c : scalars) {
                        try (Scope s = device.open()) {
                            Laid x = Laid.of(s, d -> exponent(fn, t, Laid.any(random).next(d)), t, Lie.CONTIGUOUS, 67);
                            long[] same = new long[67];
                            java.util.Arrays.fill(same, t.isFloat() ? Laid.bits(t, c) : Laid.bits(t, (long) c));
                            Laid y = new Laid(null, same);
                            check(seed(fn + " " + t + " with " + c), fn, t, x.bits(), y.bits(),
                                    s.run(new Op.ZipScalar(fn, c, false), x.tensor()));
                            check(seed(fn + " " + t + " of " + c), fn, t, y.bits(), x.bits(),
                                    s.run(new Op.ZipScalar(fn, c, true), x.tensor()));
                        }
                    }
                }
            }
        }
    }

    /** More elements than one pass of a grid, or one thread's share: a few functions of each kind. */
    @DeviceSpec
    void manyElements(Device device) {
        Random random = new Random(SEED);
        Laid.Source source = Laid.any(random);
        for (DType t : new DType[] {DType.F64, DType.F32, DType.BF16, DType.I32, DType.U8}) {
            for (Lie lie : Lie.values()) {
                try (Scope s = device.open()) {
                    Laid x = Laid.of(s, source, t, lie, 3, 149, 160);
                    Laid y = Laid.of(s, source, t, Lie.CONTIGUOUS, 3, 149, 160);
                    map(s, MapFn.NEG, 0, 0, x);
                    zip(s, ZipFn.ADD, x, y);
                    zip(s, ZipFn.LT, y, x);
                }
            }
        }
    }

    // ---- refusals ----------------------------------------------------------------------------------------------------

    @DeviceSpec
    void negativeExponentsOfIntegersAreRefused(Device device) {
        String text = "pow: negative exponent -2; integers have no such power; cast with .to(DType.F64)";
        try (Scope s = device.open()) {
            for (DType t : new DType[] {DType.I64, DType.I32}) {
                Tensor x = s.full(t, 3, 5, 7);
                Tensor y = s.full(t, -2, 7);
                List<Runnable> calls = List.of(
                        () -> x.pow(y), () -> x.pow(-2), () -> x.transpose(0, 1).pow(s.full(t, -2, 7, 1)),
                        () -> s.run(new Op.ZipScalar(ZipFn.POW, 3, true), y));
                for (Runnable call : calls) {
                    assertEquals(text, assertThrows(DTypeException.class, call::run).getMessage());
                }
                assertEquals(9, x.pow(2).get(4, 6));
                assertEquals(0, s.full(t, 3, 0).pow(-2).size());
            }
            assertEquals(3 * 3, s.full(DType.U8, 3, 5).pow(s.full(DType.U8, 2, 5)).get(4));
        }
    }

    // ---- against the definition --------------------------------------------------------------------------------------

    private static void map(Scope s, MapFn fn, double p, double q, Laid x) {
        DType t = x.tensor().dtype();
        Tensor out = s.run(new Op.Map(fn, p, q), x.tensor());
        assertEquals(fn.isTest() ? DType.BOOL : t, out.dtype());
        assertEquals(x.tensor().shape(), out.shape());
        long[] is = Laid.read(out);
        // the bounds take the type that is computed in
        boolean single = t.isFloat() && t != DType.F64;
        double a = single ? (float) p : p;
        double b = single ? (float) q : q;
        for (int i = 0; i < is.length; i++) {
            String miss;
            if (!t.isFloat()) {
                long want = Laid.bits(out.dtype(), fn.apply(x.bits()[i], MapFn.lower(t, p), MapFn.upper(t, q)));
                miss = is[i] == want ? null : "is " + is[i] + ", not " + want;
            } else {
                double v = x.real(i);
                double want = fn.apply(v, a, b);
                miss = fn.isTest()
                        ? is[i] == want ? null : "is " + is[i] + ", not " + want
                        : Near.miss(t, want, Laid.real(t, is[i]), ulps(fn, v), floor(fn, t));
            }
            if (miss != null) {
                fail(seed(fn + " " + t + " " + x.tensor().layout() + " [" + i + "] of "
                        + (t.isFloat() ? x.real(i) : x.bits()[i]) + " " + miss));
            }
        }
    }

    private static void zip(Scope s, ZipFn fn, Laid x, Laid y) {
        Tensor out = s.run(new Op.Zip(fn), x.tensor(), y.tensor());
        assertEquals(x.tensor().shape(), out.shape());
        check(seed(fn + " " + x.tensor().dtype() + " " + x.tensor().layout() + ", " + y.tensor().layout()), fn,
                x.tensor().dtype(), x.bits(), y.bits(), out);
    }

    private static void check(String what, ZipFn fn, DType t, long[] x, long[] y, Tensor out) {
        assertEquals(fn.isTest() ? DType.BOOL : t, out.dtype());
        long[] is = Laid.read(out);
        for (int i = 0; i < is.length; i++) {
            String miss;
            if (!t.isFloat()) {
                long want = Laid.bits(out.dtype(), fn.apply(x[i], y[i]));
                miss = is[i] == want ? null : "is " + is[i] + ", not " + want;
            } else {
                double want = fn.apply(Laid.real(t, x[i]), Laid.real(t, y[i]));
                miss = fn.isTest()
                        ? is[i] == want ? null : "is " + is[i] + ", not " + want
                        : Near.miss(t, want, Laid.real(t, is[i]), ulps(fn), 0);
            }
            if (miss != null) {
                fail(what + " [" + i + "] of " + Laid.real(t, x[i]) + ", " + Laid.real(t, y[i]) + " " + miss);
            }
        }
    }

    /**
     * Beside the rounding of the result, in units of the compute type: what CUDA documents for its functions, and what the
     * CPU's vector forms are tested for elsewhere.
     */
    private static double ulps(MapFn fn, double x) {
        return switch (fn) {
            case NEG, ABS, SIGN, SQRT, RECIPROCAL, SQUARE, RELU, FLOOR, CEIL, ROUND, TRUNC, CLAMP, IS_NAN, IS_INF,
                    IS_FINITE,
                    NOT ->
                0;
            case RSQRT -> 1;
            case EXP, EXPM1, LOG, LOG1P, LOG2, SIN, COS, TANH, ERF -> 2;
            case SIGMOID, SILU -> 3;
            case TAN -> 4;
            case GELU -> 8;
            // the exponential's argument is rounded
            case GELU_TANH -> 2 + Math.min(4000, 4 * Math.abs(1.6 * x * (1 + 0.044715 * x * x)));
        };
    }

    private static double ulps(ZipFn fn) {
        return switch (fn) {
            case ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, EQ, NE, LT, LE, GT, GE, AND, OR, XOR -> 0;
            case REMAINDER -> 0.5;
            case ATAN2 -> 3;
            case POW -> 4;
        };
    }

    /** An exponential that is subnormal has few digits. */
    private static double floor(MapFn fn, DType t) {
        return switch (fn) {
            case SIGMOID, SILU, GELU, GELU_TANH -> t == DType.F64 ? 0x1p-1066 : t == DType.F32 ? 0x1p-141 : 0;
            default -> 0;
        };
    }
}
