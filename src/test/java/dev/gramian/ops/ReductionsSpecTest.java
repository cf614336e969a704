package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Every reduction on every type and layout, along any axes, against its definition in F64 or long. */
final class ReductionsSpecTest {
    private static final long SEED = Seed.VALUE;
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final DType[] FLOATS = {DType.F64, DType.F32, DType.F16, DType.BF16};

    /** A layout and the axes to reduce. */
    private record Case(Lie lie, long[] shape, int... axes) {}

    /** Rows and columns, with and without gaps, short ones. */
    private static final Case[] SHORT = {
        new Case(Lie.CONTIGUOUS, new long[] {5, 64}, 1),
        new Case(Lie.SKIPPING, new long[] {7, 3, 17}, 0, 2),
        new Case(Lie.CONTIGUOUS, new long[] {37, 24}, 0),
        new Case(Lie.OFFSET, new long[] {3, 19, 7}, 1),
    };

    /** Few long slices: they are cut into pieces, and what those give is merged. */
    private static final Case[] LONG = {
        new Case(Lie.CONTIGUOUS, new long[] {2, 34_000}, 1),
        new Case(Lie.BACKWARDS, new long[] {12_001}, 0),
        new Case(Lie.CONTIGUOUS, new long[] {700, 40}, 0),
        new Case(Lie.TRANSPOSED, new long[] {3, 5001}, 1),
    };

    private static boolean admits(ReduceFn fn, DType t) {
        try {
            fn.result(t);
            return true;
        } catch (DTypeException e) {
            return false;
        }
    }

    /** Numbers that the function's definition in F64 can follow; integers of all sizes. */
    private static Laid.Source source(Random r, ReduceFn fn) {
        return t -> {
            if (t.isFloat()) {
                double v = fn == ReduceFn.PROD
                        ? (r.nextBoolean() ? -1 : 1) * Math.exp(0.02 * r.nextGaussian())
                        : r.nextGaussian() * 3;
                return Laid.bits(t, v);
            }
            return switch (fn) {
                case ANY -> Laid.bits(t, r.nextInt(40) == 0 ? 1L : 0);
                case ALL -> Laid.bits(t, r.nextInt(40) == 0 ? 0L : 3);
                // few values: ties
                case MIN, MAX, ARGMIN, ARGMAX -> Laid.bits(t, r.nextBoolean() ? r.nextLong() : r.nextInt(9) - 4);
                default -> Laid.bits(t, r.nextLong());
            };
        };
    }

    // ---- everything --------------------------------------------------------------------------------------------------

    @DeviceSpec
    void everyFunctionAndType(Device device) {
        Random r = new Random(SEED);
        int turn = r.nextInt(SHORT.length);
        for (ReduceFn fn : ReduceFn.values()) {
            for (DType t : DType.values()) {
                if (admits(fn, t)) {
                    // kernels are compiled by function, type and way: all ways for one type, two of them for the others
                    int ways = t == DType.F32 ? SHORT.length : 2;
                    for (int i = 0; i < ways; i++) {
                        Case c = SHORT[(turn + i) % SHORT.length];
                        reduce(device, r, fn, t, c);
                    }
                    turn++;
                }
            }
        }
    }

    @DeviceSpec
    void longSlices(Device device) {
        Random r = new Random(SEED + 1);
        int turn = r.nextInt(LONG.length);
        for (ReduceFn fn : ReduceFn.values()) {
            for (DType t : DType.values()) {
                if (admits(fn, t) && (t == DType.F32 || t.ordinal() % 3 == turn % 3)) {
                    reduce(device, r, fn, t, LONG[turn % LONG.length]);
                }
                turn++;
            }
        }
    }

    private static void reduce(Device device, Random r, ReduceFn fn, DType t, Case c) {
        try (Scope s = device.open()) {
            check(s, fn, Laid.of(s, source(r, fn), t, c.lie, c.shape), r.nextBoolean(), 0, c.axes);
        }
    }

    /** One function of each kind on all axes and layouts; groups of threads of every size. */
    @DeviceSpec
    void everyAxesAndLayout(Device device) {
        Random r = new Random(SEED + 2);
        long[][] shapes = {{1}, {130}, {9, 40}, {2, 33, 5}, {3, 1, 4, 16}, {2, 3, 2, 5, 3}, {70, 3, 8}, {600, 3}};
        Object[][] kinds = {{ReduceFn.SUM, DType.F32}, {ReduceFn.ARGMAX, DType.I32}, {ReduceFn.VAR, DType.F16}};
        for (Object[] kind : kinds) {
            for (long[] shape : shapes) {
                for (Lie lie : Lie.values()) {
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, source(r, (ReduceFn) kind[0]), (DType) kind[1], lie, shape);
                        for (int set = 0; set < 1 << shape.length; set++) {
                            int chosen = set;
                            int[] axes = IntStream.range(0, shape.length).filter(a -> (chosen >> a & 1) != 0).toArray();
                            check(s, (ReduceFn) kind[0], x, r.nextBoolean(), r.nextInt(2), axes);
                        }
                    }
                }
            }
        }
    }

    /** Row lengths around which more threads share a row. */
    @DeviceSpec
    void everyLength(Device device) {
        Random r = new Random(SEED + 3);
        for (int n : new int[] {1, 2, 3, 4, 5, 31, 32, 33, 127, 128, 129, 511, 512, 513, 1023, 1024, 1025, 4096,
            4100}) {
            for (int rows : new int[] {1, 40}) {
                try (Scope s = device.open()) {
                    Laid x = Laid.of(s, source(r, ReduceFn.SUM), DType.F32,
                            r.nextBoolean() ? Lie.CONTIGUOUS : Lie.OFFSET,
                            rows, n);
                    check(s, ReduceFn.SUM, x, false, 0, 1);
                    Laid y = Laid.of(s, source(r, ReduceFn.MAX), DType.I32, Lie.TRANSPOSED, rows, n);
                    check(s, ReduceFn.ARGMAX, y, true, 0, 0);
                    check(s, ReduceFn.ARGMAX, y, true, 0, 1);
                }
            }
        }
    }

    /** Enough pieces that a block merges them, and enough results that a thread does. */
    @DeviceSpec
    void manyPieces(Device device) {
        long n = 65 * 65536L + 5;
        try (Scope s = device.open()) {
            Tensor x = s.full(DType.U8, 3, n);
            assertEquals(3 * n, x.sum().itemLong());
            assertEquals(2 * n, s.full(DType.BOOL, 1, 2).expand(n, 2).to(DType.U8).sum().itemLong());
            Random r = new Random(SEED + 4);
            Laid wide = Laid.of(s, source(r, ReduceFn.SUM), DType.I32, Lie.CONTIGUOUS, 300, 2, 130);
            check(s, ReduceFn.SUM, wide, false, 0, 0);
            Laid tall = Laid.of(s, source(r, ReduceFn.SUM), DType.F64, Lie.CONTIGUOUS, 140, 1300);
            check(s, ReduceFn.SUM, tall, false, 0, 1);
        }
    }

    /** Pieces are always the same and merged in one order. */
    @DeviceSpec
    void theSameBitsEachTime(Device device) {
        Random r = new Random(SEED + 5);
        try (Scope s = device.open()) {
            for (Lie lie : new Lie[] {Lie.CONTIGUOUS, Lie.TRANSPOSED}) {
                Tensor x = Laid
                        .of(s, t -> Laid.bits(t, r.nextGaussian() * Math.exp(5 * r.nextGaussian())), DType.F64, lie,
                                3, 20_001)
                        .tensor();
                for (ReduceFn fn : new ReduceFn[] {
                    ReduceFn.SUM, ReduceFn.VAR, ReduceFn.LOGSUMEXP, ReduceFn.NORM2
                }) {
                    for (int axis = 0; axis < 2; axis++) {
                        Op op = new Op.Reduce(fn, new int[] {axis}, false, 1);
                        assertArrayEquals(Laid.read(s.run(op, x)), Laid.read(s.run(op, x)), fn + " along " + axis);
                    }
                }
                assertArrayEquals(Laid.read(x.cumSum(1)), Laid.read(x.cumSum(1)));
            }
        }
    }

    // ---- special values ----------------------------------------------------------------------------------------------

    @DeviceSpec
    void nanAndInfinities(Device device) {
        Random r = new Random(SEED + 6);
        double[][] specials = {
            {Double.NaN}, {INF}, {-INF}, {INF, -INF}, {Double.NaN, INF}, {Double.NaN, Double.NaN}, {5, 5, -5, -5},
        };
        int turn = 0;
        for (ReduceFn fn : ReduceFn.values()) {
            for (double[] special : specials) {
                DType t = FLOATS[turn++ % 2];
                for (long[] shape : new long[][] {{2, 70}, {1, 9000}, {700, 12}}) {
                    double[] v = r.doubles(shape[0] * shape[1], 0.99, 1.01).toArray();
                    for (double x : special) {
                        v[r.nextInt(v.length)] = x;
                    }
                    try (Scope s = device.open()) {
                        Laid x = laid(s, t, v, shape);
                        int axis = shape[0] < shape[1] ? 1 : 0;
                        check(s, fn, x, false, 0, axis);
                    }
                }
            }
            for (double all : new double[] {INF, -INF, Double.NaN, 0, -0.0}) {
                try (Scope s = device.open()) {
                    double[] v = new double[3 * 40];
                    Arrays.fill(v, all);
                    for (DType t : new DType[] {FLOATS[turn++ % 4], DType.F32}) {
                        check(s, fn, laid(s, t, v, 3, 40), false, 0, 0);
                        check(s, fn, laid(s, t, v, 3, 40), false, 0, 1);
                    }
                }
            }
        }
    }

    private static Laid laid(Scope s, DType t, double[] values, long... shape) {
        long[] bits = Arrays.stream(values).mapToLong(v -> Laid.bits(t, v)).toArray();
        return new Laid(s.tensor(Laid.segment(t, bits), t).reshape(shape), bits);
    }

    @DeviceSpec
    void firstOfEqualsAndFirstNan(Device device) {
        try (Scope s = device.open()) {
            for (int n : new int[] {5, 40, 3000, 20_000}) {
                for (DType t : FLOATS) {
                    double[] v = new double[n];
                    assertEquals(0, laid(s, t, v, n).tensor().argMax().itemLong(), "all equal");
                    v[n - 1] = -0.0;
                    assertEquals(0, laid(s, t, v, n).tensor().argMin().itemLong(), "zeros are equal");
                    v[n / 2] = 3;
                    v[n - 2] = 3;
                    assertEquals(n / 2, laid(s, t, v, n).tensor().argMax().itemLong());
                    v[n - 1] = Double.NaN;
                    v[n - 2] = Double.NaN;
                    assertEquals(n - 2, laid(s, t, v, n).tensor().argMax().itemLong());
                    assertEquals(n - 2, laid(s, t, v, n).tensor().argMin().itemLong());
                    assertEquals(n - 2, laid(s, t, v, 1, n, 1).tensor().expand(1, n, 3).argMin(1).get(0, 2));
                }
            }
        }
    }

    @DeviceSpec
    void emptySlices(Device device) {
        ReduceFn[] fns = {
            ReduceFn.SUM, ReduceFn.PROD, ReduceFn.MEAN, ReduceFn.VAR, ReduceFn.STD, ReduceFn.ANY, ReduceFn.ALL,
            ReduceFn.LOGSUMEXP, ReduceFn.NORM1, ReduceFn.NORM2, ReduceFn.NORM_INF
        };
        double[] want = {0, 1, Double.NaN, Double.NaN, Double.NaN, 0, 1, -INF, 0, 0, 0};
        try (Scope s = device.open()) {
            for (DType t : new DType[] {DType.F64, DType.F32, DType.BF16, DType.I32}) {
                Tensor x = s.zeros(t, 3, 0, 2);
                for (int i = 0; i < fns.length; i++) {
                    if (admits(fns[i], t)) {
                        Tensor y = s.run(new Op.Reduce(fns[i], new int[] {1}, true, 0), x);
                        assertEquals(Shape.of(3, 1, 2), y.shape());
                        for (double v : y.to(DType.F64).toDoubleArray()) {
                            assertEquals(want[i], v, fns[i] + " " + t);
                        }
                        assertEquals(0, s.run(new Op.Reduce(fns[i], new int[] {0}, false, 0), x).size());
                    }
                }
                assertEquals(0, x.argMax(0).size());
                assertEquals(
                        "argMin: nothing to reduce; x [3, 0, 2] is empty along the reduced axes; an empty slice has"
                                + " no argMin",
                        assertThrows(ShapeException.class, () -> x.argMin(1)).getMessage());
            }
        }
    }

    @DeviceSpec
    void normsNeitherOverflowNorUnderflow(Device device) {
        try (Scope s = device.open()) {
            for (double scale : new double[] {1e300, 1e-300, 1e-310, 1}) {
                for (long n : new long[] {4, 100, 9000}) {
                    Tensor norms = s.run(new Op.Reduce(ReduceFn.NORM2, new int[] {0}, false, 0),
                            s.full(DType.F64, scale, n, 8));
                    for (double v : norms.toDoubleArray()) {
                        assertEquals(1, v / scale / Math.sqrt(n), 1e-10);
                    }
                }
            }
            // pieces of very different size meet
            double[] v = new double[9001];
            Arrays.fill(v, 5000, 9001, 1e-300);
            v[9000] = 1e200;
            v[8999] = 1e200;
            assertEquals(Math.sqrt(2), s.run(new Op.Reduce(ReduceFn.NORM2, new int[] {0}, false, 0), s.tensor(v)).item()
                    / 1e200, 1e-12);
        }
    }

    // ---- running sums ------------------------------------------------------------------------------------------------

    @DeviceSpec
    void runningSums(Device device) {
        Random r = new Random(SEED + 7);
        for (DType t : DType.values()) {
            for (Lie lie : Lie.values()) {
                for (long[] shape : new long[][] {{3, 50, 5}, {0, 3, 2}, {2, 0, 2}, {1, 200, 1}}) {
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, source(r, ReduceFn.SUM), t, lie, shape);
                        for (int axis = 0; axis < shape.length; axis++) {
                            checkSums(x, axis);
                        }
                    }
                }
            }
        }
    }

    /** Rows and columns that are cut into pieces. */
    @DeviceSpec
    void longRunningSums(Device device) {
        Random r = new Random(SEED + 8);
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.U8}) {
            try (Scope s = device.open()) {
                checkSums(Laid.of(s, source(r, ReduceFn.SUM), t, Lie.CONTIGUOUS, 1, 35_003), 1);
                checkSums(Laid.of(s, source(r, ReduceFn.SUM), t, Lie.BACKWARDS, 3, 17_000), 1);
                checkSums(Laid.of(s, source(r, ReduceFn.SUM), t, Lie.OFFSET, 40, 1100), 1);
                checkSums(Laid.of(s, source(r, ReduceFn.SUM), t, Lie.CONTIGUOUS, 1500, 17), 0);
                checkSums(Laid.of(s, source(r, ReduceFn.SUM), t, Lie.SKIPPING, 2, 140, 41), 1);
            }
        }
    }

    private static void checkSums(Laid x, int axis) {
        DType t = x.tensor().dtype();
        Tensor y = x.tensor().cumSum(axis);
        assertEquals(x.tensor().shape(), y.shape());
        assertEquals(ReduceFn.SUM.result(t), y.dtype());
        long[] got = Laid.read(y);
        Shape shape = y.shape();
        int inner = (int) shape.slice(axis + 1, shape.rank()).size();
        double[] exact = new double[got.length];
        double[] size = new double[got.length];
        long[] whole = new long[got.length];
        for (int i = 0; i < got.length; i++) {
            boolean first = i / inner % shape.at(axis) == 0;
            int at = i;
            Supplier<String> where = () -> "cumSum " + t + " " + x.tensor().layout() + " along " + axis + " [" + at
                    + "], replay with"
                    + " -Dgramian.seed=" + SEED;
            if (!t.isFloat()) {
                whole[i] = x.bits()[i] + (first ? 0 : whole[i - inner]);
                assertEquals(whole[i], got[i], where);
                continue;
            }
            exact[i] = x.real(i) + (first ? 0 : exact[i - inner]);
            size[i] = Math.abs(x.real(i)) + (first ? 0 : size[i - inner]);
            Near.within(t, exact[i], Laid.real(t, got[i]), 1e-14 * size[i], where);
        }
    }

    // ---- against the definition --------------------------------------------------------------------------------------

    private static void check(Scope s, ReduceFn fn, Laid x, boolean keepDims, double ddof, int... axes) {
        DType t = x.tensor().dtype();
        Shape shape = x.tensor().shape();
        Op.Reduce op = new Op.Reduce(fn, axes, keepDims, ddof);
        Tensor y = s.run(op, x.tensor());
        assertEquals(reduced(shape, keepDims, axes), y.shape());
        assertEquals(fn.result(t), y.dtype());
        long[] got = Laid.read(y);
        int[][] slices = slices(shape, axes, got.length);
        for (int o = 0; o < got.length; o++) {
            int result = o;
            Supplier<String> where = () -> fn + " " + t + " " + x.tensor().layout() + " along " + Arrays.toString(axes)
                    + " [" + result
                    + "], replay with -Dgramian.seed=" + SEED;
            if (!t.isFloat()) {
                assertEquals(whole(fn, x.bits(), slices[o]), got[o], where);
                continue;
            }
            double[] v = Arrays.stream(slices[o]).mapToDouble(x::real).toArray();
            if (!fn.result(t).isFloat()) {
                assertEquals((long) definition(fn, v, ddof), got[o], where);
                continue;
            }
            double want = definition(fn, v, ddof);
            Near.within(fn.result(t), want, Laid.real(y.dtype(), got[o]), slack(fn, t, v, want), where);
        }
    }

    private static Shape reduced(Shape shape, boolean keepDims, int... axes) {
        long[] kept = IntStream.range(0, shape.rank())
                .filter(a -> keepDims || Arrays.stream(axes).noneMatch(b -> a == b))
                .mapToLong(a -> Arrays.stream(axes).anyMatch(b -> a == b) ? 1 : shape.at(a)).toArray();
        return Shape.of(kept);
    }

    /** Row-major positions of the elements of each slice, slices in the order of their results. */
    private static int[][] slices(Shape shape, int[] axes, int count) {
        int n = count == 0 ? 0 : (int) (shape.size() / count);
        int[][] slices = new int[count][n];
        int[] filled = new int[count];
        long[] c = new long[shape.rank()];
        for (int i = 0; i < shape.size(); i++) {
            int o = 0;
            for (int a = 0; a < c.length; a++) {
                int axis = a;
                if (Arrays.stream(axes).noneMatch(b -> axis == b)) {
                    o = (int) (o * shape.at(a) + c[a]);
                }
            }
            slices[o][filled[o]++] = i;
            for (int a = c.length - 1; a >= 0 && ++c[a] == shape.at(a); a--) {
                c[a] = 0;
            }
        }
        return slices;
    }

    private static long whole(ReduceFn fn, long[] x, int[] at) {
        int best = 0;
        long sum = 0;
        long product = 1;
        boolean any = false;
        boolean all = true;
        for (int i = 0; i < at.length; i++) {
            long v = x[at[i]];
            sum += v;
            product *= v;
            any |= v != 0;
            all &= v != 0;
            boolean least = fn == ReduceFn.MIN || fn == ReduceFn.ARGMIN;
            best = least ? v < x[at[best]] ? i : best : v > x[at[best]] ? i : best;
        }
        return switch (fn) {
            case SUM -> sum;
            case PROD -> product;
            case MIN, MAX -> x[at[best]];
            case ARGMIN, ARGMAX -> best;
            case ANY -> any ? 1 : 0;
            case ALL -> all ? 1 : 0;
            default -> throw new AssertionError(fn);
        };
    }

    private static double definition(ReduceFn fn, double[] v, double ddof) {
        int n = v.length;
        return switch (fn) {
            case SUM -> Near.sum(v);
            case MEAN -> Near.sum(v) / n;
            case PROD -> Arrays.stream(v).reduce(1, (a, b) -> a * b);
            case VAR, STD -> {
                double mean = Near.sum(v) / n;
                double squares = Near.sum(Arrays.stream(v).map(x -> (x - mean) * (x - mean)).toArray());
                double variance = n - ddof > 0 ? squares / (n - ddof) : Double.NaN;
                yield fn == ReduceFn.VAR ? variance : Math.sqrt(variance);
            }
            case MIN -> Arrays.stream(v).reduce(INF, Math::min);
            case MAX -> Arrays.stream(v).reduce(-INF, Math::max);
            case ARGMIN, ARGMAX -> {
                double best = definition(fn == ReduceFn.ARGMIN ? ReduceFn.MIN : ReduceFn.MAX, v, 0);
                yield IntStream.range(0, n).filter(i -> v[i] == best || Double.isNaN(v[i])).findFirst().orElseThrow();
            }
            case ANY -> Arrays.stream(v).anyMatch(x -> x != 0) ? 1 : 0;
            case ALL -> Arrays.stream(v).allMatch(x -> x != 0) ? 1 : 0;
            case LOGSUMEXP -> {
                double top = definition(ReduceFn.MAX, v, 0);
                yield Double.isFinite(top) ? top + Math.log(Arrays.stream(v).map(x -> Math.exp(x - top)).sum()) : top;
            }
            case NORM1 -> Near.sum(Arrays.stream(v).map(Math::abs).toArray());
            case NORM2 -> Math.sqrt(Near.sum(Arrays.stream(v).map(x -> x * x).toArray()));
            case NORM_INF -> Arrays.stream(v).map(Math::abs).reduce(0, Math::max);
        };
    }

    /** How far a result may be from the definition before it is rounded. */
    private static double slack(ReduceFn fn, DType t, double[] v, double want) {
        double sizes = Arrays.stream(v).map(Math::abs).sum();
        // eight half values are added in F32
        double add = t.isHalf() ? 0x1p-22 : 4e-15;
        return switch (fn) {
            case SUM, NORM1 -> add * sizes;
            case MEAN -> add * sizes / v.length;
            case PROD -> 2e-16 * v.length * Math.abs(want);
            case VAR, STD -> {
                double floor = (t.isHalf() ? 0x1p-22 : 8 * 0x1p-53)
                        * Arrays.stream(v).map(Math::abs).max().orElse(0);
                yield 1e-13 * Math.abs(want) + (fn == ReduceFn.VAR ? floor * floor : floor);
            }
            case LOGSUMEXP -> t == DType.F64 ? 1e-14 : 6e-7;
            case NORM2 -> 1e-14 * Math.abs(want);
            case MIN, MAX, ARGMIN, ARGMAX, ANY, ALL, NORM_INF -> 0;
        };
    }
}
