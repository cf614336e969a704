package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.Op.AttentionWeights.Extra;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.core.View;
import java.util.Arrays;
import java.util.List;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Set;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RowsTest {
    private static final Workers TWO = new Workers(2);
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;
    private static final DType[] FLOATS = {DType.F64, DType.F32, DType.F16, DType.BF16};

    // ---- softmax ------------------------------------------------------------------------------------------------------

    private static View softmax(CpuPath path, View x, int axis, boolean log) {
        Op.Softmax op = new Op.Softmax(axis, log);
        View out = Sample.fresh(op.results(x)[0]);
        new Rows(path, TWO).softmax(op, x, out);
        return out;
    }

    private static double[] softmaxReference(double[] x, int n, int inner, boolean log) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            int first = i - i / inner % n * inner;
            double max = -INF;
            for (int j = 0; j < n; j++) {
                max = Math.max(max, x[first + j * inner]);
            }
            double sum = 0;
            for (int j = 0; j < n; j++) {
                sum += Math.exp(x[first + j * inner] - max);
            }
            y[i] = log ? x[i] - max - Math.log(sum) : Math.exp(x[i] - max) / sum;
        }
        return y;
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void softmaxOverEveryAxisTypeAndLayout(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : FLOATS) {
            for (Sample.Kind kind : Sample.Kind.values()) {
                for (long[] dims : new long[][] {{5, 7, 33}, {1, 1, 1}, {2, 16, 3}, {0, 2, 3}, {2, 0, 3},
                    {3, 2, 130}}) {
                    for (double spread : new double[] {1, 30, 1000}) {
                        View x = Sample.of(t, kind, () -> r.nextGaussian() * spread, dims);
                        double[] in = Sample.values(x);
                        for (int axis = 0; axis < 3; axis++) {
                            for (boolean log : new boolean[] {false, true}) {
                                int inner = 1;
                                for (int i = axis + 1; i < 3; i++) {
                                    inner *= (int) dims[i];
                                }
                                double[] want = softmaxReference(in, (int) dims[axis], inner, log);
                                close(want, Sample.values(softmax(path, x, axis, log)), t, spread, log,
                                        path + " " + t + " " + x.layout() + " axis " + axis + " log " + log);
                            }
                        }
                    }
                }
            }
        }
    }

    /** Relative to each value; inputs of the given size are exact, but differences of them are rounded in F32. */
    private static void close(double[] want, double[] got, DType t, double spread, boolean log, String where) {
        double inner = t == DType.F64 ? 0x1p-53 : 0x1p-24;
        for (int i = 0; i < want.length; i++) {
            if (Double.isNaN(want[i]) || Double.isInfinite(want[i])) {
                assertEquals(want[i], got[i], where + " at " + i);
                continue;
            }
            if (t == DType.F16 && Math.abs(want[i]) > 65519) {
                assertEquals(want[i] < 0 ? -INF : INF, got[i], where + " at " + i);
                continue;
            }
            double bound = Math.abs(want[i]) * (Sample.eps(t) * 1.01 + inner * (6 + 8 * spread))
                    + inner * 16 * (log ? 1 : 0)
                    + (t == DType.F64 ? 1e-320 : t == DType.F16 ? 0x1p-24 : 0x1p-132);
            assertTrue(Math.abs(want[i] - got[i]) <= bound,
                    where + " at " + i + ": got " + got[i] + ", want " + want[i]);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void softmaxSpecialValues(CpuPath path) {
        for (DType t : FLOATS) {
            double[][] rows = {
                {-INF, -INF, -INF}, {1, INF, 2}, {1, NAN, 2}, {-INF, 3, -INF}, {60000, 60000, -60000}, {1e-5, 0, -0.0},
            };
            for (double[] row : rows) {
                for (int n : new int[] {3, 19, 64, 100}) {
                    int[] at = {0};
                    View x = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> row[at[0]++ % 3], 2, n);
                    for (boolean log : new boolean[] {false, true}) {
                        double[] in = Sample.values(x);
                        double[] want = softmaxReference(in, n, 1, log);
                        close(want, Sample.values(softmax(path, x, 1, log)), t, 1, log,
                                path + " " + t + Arrays.toString(row));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void softmaxRowsSumToOne(CpuPath path) {
        Random r = new Random(Sample.seed());
        View x = Sample.of(DType.F32, Sample.Kind.CONTIGUOUS, () -> r.nextGaussian() * 5, 50, 5003);
        double[] y = Sample.values(softmax(path, x, 1, false));
        for (int i = 0; i < 50; i++) {
            assertEquals(1, Arrays.stream(y, i * 5003, (i + 1) * 5003).sum(), 1e-6);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void softmaxOfColumnsIsThatOfRows(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            View x = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> r.nextGaussian() * 5, 3, 130, 37);
            View rows = new View(x.storage(), x.layout().transpose(1, 2), t);
            for (boolean log : new boolean[] {false, true}) {
                double[] want = Sample.values(softmax(path, rows, 2, log));
                double[] got = Sample.values(softmax(path, x, 1, log));
                for (int i = 0; i < got.length; i++) {
                    int column = i % 37;
                    int row = i / 37 % 130;
                    int j = (i / (130 * 37) * 37 + column) * 130 + row;
                    assertEquals(want[j], got[i], t + " at " + i);
                }
            }
        }
    }

    @Test
    void vectorExpAndTanhAreGoodToTwoUlp() {
        int n = 1 << 16;
        View x = Sample.fresh(DType.F32, Shape.of(n));
        View y = Sample.fresh(DType.F32, Shape.of(n));
        long a = CpuStorage.address(x);
        long b = CpuStorage.address(y);
        RowKernels k = RowKernels.of(CpuPath.VECTOR, DType.F32);
        for (int i = 0; i < n; i++) {
            Mem.f32(a + 4L * i, -110f + 205f * i / n);
        }
        new FnKernels(true).map(MapFn.EXP, DType.F32).run(a, b, n, 0, 0);
        expIsGoodToTwoUlp(a, b, n);
        int m = n * 22 / 41; // the negative ones, which have a form of their own
        k.expInto(a, b, m, 0);
        expIsGoodToTwoUlp(a, b, m);
        for (int i = 0; i < n; i++) {
            Mem.f32(a + 4L * i, 12f * (i - n / 2) / n);
        }
        Mem.copy(a, b, 4L * n);
        k.softcap(b, n, 1);
        for (int i = 0; i < n; i++) {
            double want = Math.tanh(Mem.f32(a + 4L * i));
            assertEquals(want, Mem.f32(b + 4L * i), 2.0 * Math.ulp((float) want), "tanh of " + Mem.f32(a + 4L * i));
        }
        View d = Sample.fresh(DType.F64, Shape.of(n));
        long c = CpuStorage.address(d);
        for (int i = 0; i < n; i++) {
            Mem.f64(c + 8L * i, -760 + 1480.0 * i / n);
        }
        double[] in = Sample.values(d);
        RowKernels.of(CpuPath.VECTOR, DType.F64).expInto(c, c, n, 0);
        for (int i = 0; i < n; i++) {
            double want = Math.exp(in[i]);
            assertEquals(want, Mem.f64(c + 8L * i), 2 * Math.ulp(want), "exp of " + in[i]);
        }
    }

    private static void expIsGoodToTwoUlp(long a, long b, int n) {
        for (int i = 0; i < n; i++) {
            double want = Math.exp(Mem.f32(a + 4L * i));
            if (want > Float.MAX_VALUE) {
                assertEquals(Float.POSITIVE_INFINITY, Mem.f32(b + 4L * i));
            } else {
                assertEquals(want, Mem.f32(b + 4L * i), 2.0 * Math.ulp((float) want), "exp of " + Mem.f32(a + 4L * i));
            }
        }
    }

    // ---- attention weights ----------------------------------------------------------------------------------------------

    private static View[] attend(CpuPath path, Op.AttentionWeights op, View... in) {
        Spec[] s = op.results(in);
        View[] out = {Sample.fresh(s[0]), Sample.fresh(s[1])};
        new AttentionRows(path, TWO).run(op, in, out);
        return out;
    }

    private static double at(View v, Shape scores, long[] c) {
        Layout l = v.layout().expand("test", scores);
        return Sample.get(v.dtype(), ((CpuStorage) v.storage()).address + l.index(c) * v.dtype().bytes());
    }

    /** By the definition, one position at a time; what is masked is never read. */
    private static void checkAttend(CpuPath path, Op.AttentionWeights op, View... in) {
        View[] out = attend(path, op, in);
        double[] weights = Sample.values(out[0]);
        double[] lse = Sample.values(out[1]);
        Shape shape = in[0].shape();
        int keys = (int) shape.dim(-1);
        long queries = shape.dim(-2);
        List<long[]> at = Sample.coordinates(shape);
        View mask = op.extra(Extra.MASK, in);
        View bias = op.extra(Extra.BIAS, in);
        View slopes = op.extra(Extra.SLOPES, in);
        View sinks = op.extra(Extra.SINKS, in);
        View shifts = op.extra(Extra.SHIFTS, in);
        View lengths = op.extra(Extra.LENGTHS, in);
        Shape lead = shape.slice(0, shape.rank() - 2);
        boolean wide = in[0].dtype() == DType.F64;
        double eps = wide ? 0x1p-53 : 0x1p-24;
        for (int row = 0; row < lse.length; row++) {
            double[] t = new double[keys];
            double max = -INF;
            double size = 1;
            for (int j = 0; j < keys; j++) {
                long[] c = at.get(row * keys + j);
                long[] head = Arrays.copyOf(c, lead.rank());
                double i = c[shape.rank() - 2] + (shifts == null ? 0 : at(shifts, lead, head));
                boolean allowed = (mask == null || at(mask, shape, c) != 0)
                        && (op.band().last() == Long.MAX_VALUE || j <= i + (double) op.band().last())
                        && (op.band().first() == Long.MIN_VALUE || j >= i + (double) op.band().first())
                        && (lengths == null || j < at(lengths, lead, head));
                double b = bias == null || !allowed ? 0 : at(bias, shape, c);
                if (slopes != null) {
                    b -= at(slopes, lead, head) * Math.abs(i + op.center() - j);
                }
                if (!allowed || b == -INF) {
                    t[j] = -INF;
                    continue;
                }
                double s = at(in[0], shape, c) * op.scale();
                double big = Math.abs(s) + Math.abs(b);
                size = Double.isFinite(big) ? Math.max(size, big) : size;
                if (op.softcap() > 0) {
                    s = op.softcap() * Math.tanh(s / op.softcap());
                }
                t[j] = s + b;
                max = Math.max(max, t[j]);
            }
            double sink = sinks == null ? -INF : at(sinks, lead, Arrays.copyOf(at.get(row * keys), lead.rank()));
            max = Math.max(max, sink);
            double sum = sink == -INF ? 0 : Math.exp(sink - max);
            for (double v : t) {
                sum += v == -INF ? 0 : Math.exp(v - max);
            }
            String where = path + " " + op + " " + in[0].dtype() + " " + in[0].layout() + " row " + row;
            double want = max == -INF ? -INF : max == INF ? INF : max + Math.log(sum);
            assertEquals(want, lse[row], Double.isFinite(want) ? eps * 12 * size : 0, where + " lse");
            for (int j = 0; j < keys; j++) {
                double w = t[j] == -INF ? 0 : Math.exp(t[j] - max) / sum;
                double bound = Double.isNaN(w) ? 0 : w * eps * (8 + 10 * size) + (wide ? 0 : 0x1p-132);
                assertEquals(w, weights[row * keys + j], bound, where + " column " + j + " of query " + row % queries);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void attentionInEveryCombination(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (long[] dims : new long[][] {{2, 3, 5, 37}, {1, 2, 4, 64}, {1, 1, 7, 3}, {2, 1, 1, 1}}) {
                Sample.Kind[] kinds = Sample.Kind.values();
                for (int c = 0; c < 64; c++) {
                    boolean mask = (c & 1) != 0;
                    boolean bias = (c & 2) != 0;
                    boolean causal = (c & 4) != 0;
                    double softcap = (c & 8) != 0 ? 5 : 0;
                    double scale = (c & 16) != 0 ? 0.3 : (c & 32) != 0 ? 0 : 1;
                    for (long offset : causal
                            ? new long[] {0, 2, -3, -100, 100, Long.MIN_VALUE, Long.MAX_VALUE}
                            : new long[] {0}) {
                        Op.AttentionWeights op = new Op.AttentionWeights(scale, softcap, causal, offset, mask, bias);
                        View s = Sample.of(t, kinds[r.nextInt(5)], () -> 3 * r.nextGaussian(), dims);
                        View m = Sample.of(DType.BOOL, kinds[r.nextInt(5)], () -> r.nextInt(3), shorter(r, dims));
                        View b = Sample.of(t, kinds[r.nextInt(5)], () -> r.nextInt(9) == 0 ? -INF : r.nextGaussian(),
                                shorter(r, dims));
                        View[] in = mask
                                ? bias ? new View[] {s, m, b} : new View[] {s, m}
                                : bias ? new View[] {s, b} : new View[] {s};
                        checkAttend(path, op, in);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void attentionByPositionsDistancesAndSinks(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (int n = 0; n < 600; n++) {
            DType t = n % 2 == 0 ? DType.F32 : DType.F64;
            long[] dims = {1 + r.nextInt(3), 1 + r.nextInt(3), 1 + r.nextInt(9), 1 + r.nextInt(50)};
            long[] lead = Arrays.copyOf(dims, 2);
            Set<Extra> extras = EnumSet.noneOf(Extra.class);
            List<View> in = new ArrayList<>();
            in.add(Sample.of(t, Sample.Kind.values()[r.nextInt(5)], () -> 3 * r.nextGaussian(), dims));
            for (Extra e : Extra.values()) {
                if (r.nextInt(2) == 0) {
                    continue;
                }
                extras.add(e);
                in.add(switch (e) {
                    case MASK -> Sample.of(DType.BOOL, Sample.Kind.CONTIGUOUS, () -> r.nextInt(3), shorter(r, dims));
                    case BIAS -> Sample.of(t, Sample.Kind.CONTIGUOUS, r::nextGaussian, shorter(r, dims));
                    case SLOPES -> Sample.of(t, Sample.Kind.CONTIGUOUS, () -> 0.1 * r.nextInt(4), shorter(r, lead));
                    case SINKS -> Sample.of(t, Sample.Kind.CONTIGUOUS,
                            () -> r.nextInt(4) == 0 ? -INF : r.nextGaussian(), shorter(r, lead));
                    case SHIFTS ->
                        Sample.of(DType.I64, Sample.Kind.CONTIGUOUS, () -> r.nextInt(40) - 10, shorter(r, lead));
                    case LENGTHS ->
                        Sample.of(DType.I64, Sample.Kind.CONTIGUOUS, () -> r.nextInt(60) - 5, shorter(r, lead));
                });
            }
            long first = r.nextInt(3) == 0 ? Long.MIN_VALUE : r.nextInt(30) - 20;
            long last = r.nextInt(3) == 0 ? Long.MAX_VALUE : r.nextInt(30) - 5;
            checkAttend(path, new Op.AttentionWeights(0.4, r.nextInt(2) * 3, new Band(first, last), r.nextInt(20) - 10,
                    extras), in.toArray(new View[0]));
        }
    }

    /** A shape that broadcasts to dims. */
    private static long[] shorter(Random r, long[] dims) {
        long[] d = Arrays.copyOfRange(dims, r.nextInt(dims.length + 1), dims.length);
        for (int i = 0; i < d.length; i++) {
            d[i] = r.nextInt(3) == 0 ? 1 : d[i];
        }
        return d;
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void poisonInMaskedPositionsStaysThere(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (double poison : new double[] {NAN, INF, -INF, 3e38}) {
                for (int keys : new int[] {3, 16, 45}) {
                    View s = Sample.of(t, Sample.Kind.CONTIGUOUS, r::nextGaussian, 6, keys);
                    View m = Sample.of(DType.BOOL, Sample.Kind.CONTIGUOUS, () -> r.nextInt(2), 6, keys);
                    View b = Sample.of(t, Sample.Kind.CONTIGUOUS, r::nextGaussian, 6, keys);
                    for (int i = 0; i < 6; i++) {
                        for (int j = 0; j < keys; j++) {
                            long e = (long) i * keys + j;
                            if (i == 4) {
                                Mem.u8(CpuStorage.address(m) + e, 0); // a row with nothing to attend to
                            }
                            if (Mem.u8(CpuStorage.address(m) + e) == 0 || j > i) {
                                Sample.set(t, CpuStorage.address(s) + e * t.bytes(), poison);
                                Sample.set(t, CpuStorage.address(b) + e * t.bytes(), r.nextBoolean() ? poison : 1);
                            }
                        }
                    }
                    for (double cap : new double[] {0, 2}) {
                        Op.AttentionWeights op = new Op.AttentionWeights(0.5, cap, true, 0, true, true);
                        for (double w : Sample.values(attend(path, op, s, m, b)[0])) {
                            assertTrue(w >= 0 && w <= 1, poison + " leaked: " + w);
                        }
                        checkAttend(path, op, s, m, b);
                    }
                    // the same values attended to do show
                    Op.AttentionWeights open = new Op.AttentionWeights(1, 0, false, 0, false, false);
                    checkAttend(path, open, s);
                }
            }
            // a score of NaN under a bias of -inf
            View s = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> NAN, 2, 40);
            View b = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> -INF, 2, 40);
            checkAttend(path, new Op.AttentionWeights(1, 0, false, 0, false, true), s, b);
        }
    }

    @Test
    void attentionOverNoKeysOrNoQueries() {
        Op.AttentionWeights op = new Op.AttentionWeights(1, 0, true, 0, false, false);
        View[] none = attend(CpuPath.VECTOR, op, Sample.fresh(DType.F32, Shape.of(2, 3, 0)));
        assertEquals(0, none[0].shape().size());
        assertArrayEquals(new double[] {-INF, -INF, -INF, -INF, -INF, -INF}, Sample.values(none[1]));
        assertEquals(0, attend(CpuPath.VECTOR, op, Sample.fresh(DType.F32, Shape.of(2, 0, 4)))[1].shape().size());
    }

    // ---- normalisation --------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void normalizeOverTypesLayoutsAndAxes(CpuPath path) {
        Random r = new Random(Sample.seed());
        Sample.Kind[] kinds = Sample.Kind.values();
        for (DType t : FLOATS) {
            for (Sample.Kind kind : kinds) {
                for (long[] dims : new long[][] {{3, 7, 33}, {2, 1, 768}, {1, 2, 1}, {4, 2, 9001}, {0, 2, 2}}) {
                    double mean = kind == Sample.Kind.REVERSED ? 100 : 0;
                    View x = Sample.of(t, kind, () -> mean + r.nextGaussian(), dims);
                    for (int c = 0; c < 8; c++) {
                        int axes = dims[2] > 1000 ? 1 : 1 + r.nextInt(2);
                        long[] tail = Arrays.copyOfRange(dims, 3 - axes, 3);
                        boolean center = (c & 4) != 0;
                        boolean weight = (c & 1) != 0;
                        boolean bias = (c & 2) != 0;
                        DoubleSupplier s = r::nextGaussian;
                        View w = Sample.of(t, kinds[r.nextInt(5)], s, tail);
                        View b = Sample.of(t, kinds[r.nextInt(5)], s, tail);
                        View[] in = weight
                                ? bias ? new View[] {x, w, b} : new View[] {x, w}
                                : bias ? new View[] {x, b} : new View[] {x};
                        Op.Normalize op = new Op.Normalize(center, axes, 1e-5, weight, bias);
                        View out = Sample.fresh(op.results(in)[0]);
                        new Rows(path, TWO).normalize(op, in, out);
                        int n = (int) Shape.of(tail).size();
                        checkNormalized(op, n, t, Sample.values(x), weight ? Sample.values(w) : null,
                                bias ? Sample.values(b) : null, Sample.values(out), path + " " + op + " " + x.layout());
                    }
                }
            }
        }
    }

    private static void checkNormalized(
            Op.Normalize op, int n, DType t, double[] x, double[] w, double[] b, double[] got, String where) {
        assertEquals(x.length, got.length);
        double inner = t == DType.F64 ? 0x1p-53 : 0x1p-24;
        for (int row = 0; row < x.length; row += n) {
            double mean = op.center() ? Arrays.stream(x, row, row + n).average().getAsDouble() : 0;
            double squares = Arrays.stream(x, row, row + n).map(v -> (v - mean) * (v - mean)).sum();
            double scale = 1 / Math.sqrt(squares / n + op.eps());
            for (int j = 0; j < n; j++) {
                double y = (x[row + j] - mean) * scale * (w == null ? 1 : w[j]);
                double want = y + (b == null ? 0 : b[j]);
                // one element or a constant row: the mean's own rounding over sqrt(eps)
                double bound = Sample.eps(t) * 1.01 * Math.abs(want)
                        + inner * 16 * (Math.abs(y) + Math.abs(want))
                        + 16 * 0x1p-52 * (1 + Math.abs(mean)) * scale * (w == null ? 1 : Math.abs(w[j]))
                        + (t == DType.F16 ? 0x1p-24 : 1e-40);
                assertTrue(
                        Math.abs(want - got[row + j]) <= bound,
                        where + " row " + row / n + " column " + j + ": got " + got[row + j] + ", want " + want);
            }
        }
    }

    // ---- triangles and the scan -------------------------------------------------------------------------------------------

    @Test
    void trianglesOfEveryTypeAndLayout() {
        Random r = new Random(Sample.seed());
        for (DType t : DType.values()) {
            for (Sample.Kind kind : Sample.Kind.values()) {
                for (long[] dims : new long[][] {{2, 5, 7}, {1, 7, 4}, {3, 1, 1}, {2, 0, 3}, {2, 3, 0}}) {
                    View x = Sample.of(t, kind, () -> 1 + r.nextInt(9), dims);
                    for (long k : new long[] {0, 1, -1, 3, -4, 100, -100, Long.MAX_VALUE, Long.MIN_VALUE}) {
                        for (boolean lower : new boolean[] {true, false}) {
                            Op.Triangle op = new Op.Triangle(lower, k);
                            View out = Sample.fresh(op.results(x)[0]);
                            new Triangle(CpuPath.VECTOR, TWO).triangle(op, x, out);
                            double[] want = Sample.values(x);
                            List<long[]> at = Sample.coordinates(x.shape());
                            for (int i = 0; i < want.length; i++) {
                                long d = at.get(i)[2] - at.get(i)[1];
                                want[i] = (lower ? d <= k : d >= k) ? want[i] : 0;
                            }
                            assertArrayEquals(want, Sample.values(out), op + " " + t + " " + x.layout());
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void firstNonFiniteInRowMajorOrder(CpuPath path) {
        Random r = new Random(Sample.seed());
        View out = Sample.fresh(DType.I64, Shape.SCALAR);
        Triangle scan = new Triangle(path, TWO);
        for (DType t : DType.values()) {
            for (Sample.Kind kind : Sample.Kind.values()) {
                for (long[] dims : new long[][] {{1, 1}, {0, 4}, {3, 70}, {90, 1501}}) {
                    View x = Sample.of(t, kind, () -> r.nextInt(2), dims);
                    scan.firstNonFinite(x, out);
                    assertEquals(-1, Mem.i64(CpuStorage.address(out)));
                    if (!t.isFloat() || x.shape().size() == 0) {
                        continue;
                    }
                    for (double bad : new double[] {NAN, INF, -INF}) {
                        long[] c = {r.nextInt((int) dims[0]), r.nextInt((int) dims[1])};
                        long element = ((CpuStorage) x.storage()).address + x.layout().index(c) * t.bytes();
                        Sample.set(t, element, bad);
                        double[] all = Sample.values(x);
                        int want = 0;
                        while (Double.isFinite(all[want])) {
                            want++;
                        }
                        scan.firstNonFinite(x, out);
                        assertEquals(want, Mem.i64(CpuStorage.address(out)), t + " " + x.layout());
                    }
                }
            }
        }
    }
}
