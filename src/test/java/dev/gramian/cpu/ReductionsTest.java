package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ReductionsTest {
    private static final Workers TWO = new Workers(2);
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;

    private static final int[][] SUBSETS = {{}, {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}};

    private static boolean admits(ReduceFn fn, DType t) {
        try {
            fn.result(t);
            return true;
        } catch (DTypeException e) {
            return false;
        }
    }

    private static View reduce(CpuPath path, Workers w, ReduceFn fn, View x, double param, int... axes) {
        Op.Reduce op = new Op.Reduce(fn, axes, false, param);
        View out = Sample.fresh(op.results(x)[0]);
        new Reductions(path, w).reduce(op, x, out);
        return out;
    }

    /** The definition, in double, over one slice in row-major order. */
    private static double reference(ReduceFn fn, double[] v, double ddof) {
        int n = v.length;
        double sum = 0;
        double c = 0;
        double max = -INF;
        double min = INF;
        double prod = 1;
        double abs = 0;
        double big = 0;
        for (double x : v) {
            double y = x - (Double.isFinite(c) ? c : 0);
            double t = sum + y;
            c = t - sum - y;
            sum = t;
            max = Math.max(max, x);
            min = Math.min(min, x);
            prod *= x;
            abs += Math.abs(x);
            big = Math.max(big, Math.abs(x));
        }
        double mean = sum / n;
        switch (fn) {
            case SUM :
                return sum;
            case PROD :
                return prod;
            case MEAN :
                return mean;
            case VAR, STD :
                double s = 0;
                for (double x : v) {
                    s += (x - mean) * (x - mean);
                }
                s = n - ddof > 0 ? s / (n - ddof) : NAN;
                return fn == ReduceFn.VAR ? s : Math.sqrt(s);
            case MIN :
                return min;
            case MAX :
                return max;
            case ARGMIN, ARGMAX :
                double best = fn == ReduceFn.ARGMIN ? min : max;
                for (int i = 0; i < n; i++) {
                    if (v[i] == best || Double.isNaN(v[i])) {
                        return i;
                    }
                }
                throw new AssertionError();
            case ANY :
                return Arrays.stream(v).anyMatch(x -> x != 0) ? 1 : 0;
            case ALL :
                return Arrays.stream(v).allMatch(x -> x != 0) ? 1 : 0;
            case LOGSUMEXP :
                if (Double.isNaN(max) || Double.isInfinite(max)) {
                    return max;
                }
                double e = 0;
                for (double x : v) {
                    e += Math.exp(x - max);
                }
                return max + Math.log(e);
            case NORM1 :
                return abs;
            case NORM2 :
                if (big == 0 || Double.isInfinite(big) || Double.isNaN(big)) {
                    return big;
                }
                double q = 0;
                for (double x : v) {
                    q += (x / big) * (x / big);
                }
                return big * Math.sqrt(q);
            case NORM_INF :
                return big;
        }
        throw new AssertionError();
    }

    private static void check(CpuPath path, ReduceFn fn, View x, double param, int... axes) {
        double[] got = Sample.values(reduce(path, TWO, fn, x, param, axes));
        double[] all = Sample.values(x);
        List<long[]> at = Sample.coordinates(x.shape());
        int[] kept = Reductions.others(x.shape().rank(), axes);
        List<List<Double>> slices = new ArrayList<>();
        for (int i = 0; i < got.length; i++) {
            slices.add(new ArrayList<>());
        }
        for (int i = 0; i < all.length; i++) {
            int o = 0;
            for (int k : kept) {
                o = (int) (o * x.shape().at(k) + at.get(i)[k]);
            }
            slices.get(o).add(all[i]);
        }
        for (int o = 0; o < got.length; o++) {
            double[] v = slices.get(o).stream().mapToDouble(Double::doubleValue).toArray();
            double want = reference(fn, v, param);
            DType t = fn.result(x.dtype());
            String where = path + " " + fn + " " + x.dtype() + " " + x.layout() + " axes " + Arrays.toString(axes)
                    + " result " + o;
            if (Double.isNaN(want) || Double.isInfinite(want)) {
                assertEquals(want, got[o], where);
                continue;
            }
            double magnitude = Math.abs(want);
            double rounding = 1.01 * Sample.eps(t);
            // the reference itself adds one by one
            double exact = t == DType.F64 ? 4e-14 : fn == ReduceFn.LOGSUMEXP ? 2e-7 : 1e-14;
            double bound = t.isFloat() ? magnitude * (rounding + exact) + 1e-300 : 0;
            if (t.isFloat() && (fn == ReduceFn.SUM || fn == ReduceFn.MEAN)) {
                // terms cancel: the error of the sum itself goes with the sum of magnitudes
                double abs = Arrays.stream(v).map(Math::abs).sum();
                bound += 4e-15 * (fn == ReduceFn.MEAN ? abs / v.length : abs);
            }
            if (fn == ReduceFn.VAR || fn == ReduceFn.STD) {
                // the mean is rounded: what a slice of equal elements is left with
                double floor = 8 * Sample.eps(DType.F64) * Arrays.stream(v).map(Math::abs).max().getAsDouble();
                bound += fn == ReduceFn.VAR ? floor * floor : floor;
            }
            if (fn == ReduceFn.LOGSUMEXP) {
                bound += exact;
            }
            bound += t == DType.F32 ? 0x1p-149 : t == DType.BF16 ? 0x1p-133 : 0; // subnormals
            if (t == DType.F16) {
                bound += 0x1p-25;
                if (magnitude > 65519) {
                    continue;
                }
            }
            if (!(Math.abs(got[o] - want) <= bound)) {
                fail(where + ": got " + got[o] + ", want " + want);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void everyFunctionTypeLayoutAndAxes(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : DType.values()) {
            DoubleSupplier s = t.isFloat()
                    ? r::nextGaussian
                    : () -> t == DType.BOOL ? r.nextInt(2) : t == DType.U8 ? r.nextInt(256) : r.nextInt(13) - 6;
            for (Sample.Kind kind : Sample.Kind.values()) {
                for (long[] dims : new long[][] {{5, 7, 33}, {1, 1, 1}, {37, 3, 17}}) {
                    View x = Sample.of(t, kind, s, dims);
                    for (ReduceFn fn : ReduceFn.values()) {
                        if (!admits(fn, t)) {
                            continue;
                        }
                        for (int[] axes : SUBSETS) {
                            if (fn == ReduceFn.PROD && t.isInteger()
                                    && (axes.length > 1 || axes.length == 1 && dims[axes[0]] > 6)) {
                                continue; // wraps around; has its own test
                            }
                            check(path, fn, x, fn == ReduceFn.VAR ? 1 : 0, axes);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void manyBlocks(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : new DType[] {DType.F64, DType.F32, DType.BF16}) {
            for (Sample.Kind kind : new Sample.Kind[] {
                Sample.Kind.CONTIGUOUS, Sample.Kind.TRANSPOSED, Sample.Kind.SLICED
            }) {
                for (long[] dims : new long[][] {{3, 10007}, {1501, 21}}) {
                    View x = Sample.of(t, kind, r::nextGaussian, dims);
                    for (ReduceFn fn : ReduceFn.values()) {
                        if (fn != ReduceFn.PROD) {
                            check(path, fn, x, 1, 0);
                            check(path, fn, x, 1, 1);
                            check(path, fn, x, 1, 0, 1);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void specialValues(CpuPath path) {
        Random r = new Random(Sample.seed());
        double[][] specials = {
            {NAN}, {INF}, {-INF}, {INF, -INF}, {NAN, INF}, {0.0, -0.0}, {NAN, NAN}, {0.0}, {5, 5, -5, -5},
        };
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            for (double[] special : specials) {
                for (int rows : new int[] {1, 2, 9, 40}) {
                    View x = Sample.of(t, Sample.Kind.CONTIGUOUS, r::nextGaussian, rows, 70);
                    for (double v : special) {
                        Sample.set(t, CpuStorage.address(x) + r.nextInt(rows * 70) * t.bytes(), v);
                    }
                    for (ReduceFn fn : ReduceFn.values()) {
                        if (fn != ReduceFn.PROD) {
                            check(path, fn, x, 0, 0);
                            check(path, fn, x, 0, 1);
                            check(path, fn, x, 0, 0, 1);
                        }
                    }
                }
            }
            for (double all : new double[] {INF, -INF, NAN, 0}) {
                View x = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> all, 9, 40);
                for (ReduceFn fn : ReduceFn.values()) {
                    check(path, fn, x, 0, 0);
                    check(path, fn, x, 0, 1);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void emptySlices(CpuPath path) {
        double[] want = {0, 1, NAN, NAN, NAN, 0, 1, -INF, 0, 0, 0};
        ReduceFn[] fns = {
            ReduceFn.SUM, ReduceFn.PROD, ReduceFn.MEAN, ReduceFn.VAR, ReduceFn.STD, ReduceFn.ANY, ReduceFn.ALL,
            ReduceFn.LOGSUMEXP, ReduceFn.NORM1, ReduceFn.NORM2, ReduceFn.NORM_INF
        };
        for (DType t : DType.values()) {
            View x = Sample.fresh(t, Shape.of(3, 0, 2));
            for (int i = 0; i < fns.length; i++) {
                if (admits(fns[i], t)) {
                    for (double v : Sample.values(reduce(path, TWO, fns[i], x, 0, 1))) {
                        assertEquals(want[i], v, fns[i] + " " + t);
                    }
                    assertEquals(0, reduce(path, TWO, fns[i], x, 0, 0).shape().size());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void normsNeitherOverflowNorUnderflow(CpuPath path) {
        for (double scale : new double[] {1e300, 1e-300, 1e-310, 1}) {
            for (long n : new long[] {4, 100, 9000}) {
                View x = Sample.of(DType.F64, Sample.Kind.CONTIGUOUS, () -> scale, n, 8);
                for (double v : Sample.values(reduce(path, TWO, ReduceFn.NORM2, x, 0, 0))) {
                    assertEquals(1, v / scale / Math.sqrt(n), 1e-10);
                }
            }
        }
        for (float scale : new float[] {1e30f, 1e-30f}) {
            View x = Sample.of(DType.F32, Sample.Kind.CONTIGUOUS, () -> scale, 400, 9);
            for (int axis = 0; axis < 2; axis++) {
                double n = axis == 0 ? 400 : 9;
                for (double v : Sample.values(reduce(path, TWO, ReduceFn.NORM2, x, 0, axis))) {
                    assertEquals(1, v / scale / Math.sqrt(n), 1e-6);
                }
            }
        }
        // blocks of very different size meet in one tree
        int[] count = {0};
        View mixed = Sample.of(
                DType.F64, Sample.Kind.CONTIGUOUS, () -> count[0]++ < 5000 ? 0 : count[0] < 9000 ? 1e-300 : 1e200,
                9001);
        assertEquals(1.0, Sample.values(reduce(path, TWO, ReduceFn.NORM2, mixed, 0, 0))[0] / (1e200 * Math.sqrt(2)),
                1e-12);
    }

    @Test
    void integersWrapAround() {
        View x = Sample.of(DType.I64, Sample.Kind.CONTIGUOUS, () -> 3, 50);
        Mem.i64(CpuStorage.address(x), Long.MAX_VALUE);
        assertEquals(Long.MAX_VALUE + 49 * 3,
                Mem.i64(CpuStorage.address(reduce(CpuPath.SCALAR, TWO, ReduceFn.SUM, x, 0, 0))));
        long p = Long.MAX_VALUE;
        for (int i = 0; i < 49; i++) {
            p *= 3;
        }
        assertEquals(p, Mem.i64(CpuStorage.address(reduce(CpuPath.VECTOR, TWO, ReduceFn.PROD, x, 0, 0))));
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void accuracyOfLongSums(CpuPath path) {
        int n = 10_000_000;
        View x = Sample.fresh(DType.F32, Shape.of(n));
        long a = CpuStorage.address(x);
        for (int i = 0; i < n; i++) {
            Mem.f32(a + 4L * i, 0.1f);
        }
        assertEquals((float) (0.1f * (double) n), (float) Sample.values(reduce(path, TWO, ReduceFn.SUM, x, 0, 0))[0]);
        assertEquals(0.1f, (float) Sample.values(reduce(path, TWO, ReduceFn.MEAN, x, 0, 0))[0]);
        for (int i = 0; i < n; i++) {
            Mem.f32(a + 4L * i, (i & 1) == 0 ? 1e8f + 1024 : -1e8f);
        }
        assertEquals(n / 2 * 1024.0, Sample.values(reduce(path, TWO, ReduceFn.SUM, x, 0, 0))[0], 0);
        // variance about a large mean
        for (int i = 0; i < n; i++) {
            Mem.f32(a + 4L * i, 16384 + (i & 1));
        }
        assertEquals(0.25, Sample.values(reduce(path, TWO, ReduceFn.VAR, x, 0, 0))[0], 1e-7);
        View columns = new View(x.storage(), Layout.contiguous(Shape.of(n / 16, 16)).transpose(0, 1), DType.F32);
        double[] v = Sample.values(reduce(path, TWO, ReduceFn.MEAN, columns, 0, 1));
        assertEquals(16385, v[15]);
        Sample.MEMORY.free((CpuStorage) x.storage());
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void threadCountDoesNotChangeABit(CpuPath path) {
        Random r = new Random(Sample.seed());
        Workers[] workers = {new Workers(1), TWO, new Workers(5)};
        for (DType t : new DType[] {DType.F32, DType.F64, DType.F16}) {
            for (long[] dims : new long[][] {{1, 300_001}, {3001, 100}, {40, 7001}}) {
                View x = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> r.nextGaussian() * 100, dims);
                for (ReduceFn fn : ReduceFn.values()) {
                    for (int[] axes : new int[][] {{0}, {1}, {0, 1}}) {
                        double[] one = Sample.values(reduce(path, workers[0], fn, x, 1, axes));
                        for (int w = 1; w < workers.length; w++) {
                            double[] other = Sample.values(reduce(path, workers[w], fn, x, 1, axes));
                            assertTrue(Arrays.equals(one, other), fn + " " + t + " " + Arrays.toString(dims));
                        }
                    }
                }
            }
        }
    }

    /** Many rows and columns at once against one row after the other; some columns hold NaN, infinities, zeros and ties. */
    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void leadingAxesAsRows(CpuPath path) {
        Random r = new Random(Sample.seed());
        double[] special = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1};
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            for (int cols : new int[] {8, 21, 1027}) {
                int[] at = {0};
                View x = Sample.of(t, Sample.Kind.CONTIGUOUS, () -> {
                    int column = at[0]++ % cols;
                    return column < special.length && r.nextInt(200) == 0
                            ? special[column]
                            : column == 6
                                    ? Double.NEGATIVE_INFINITY
                                    : column == 7 ? r.nextInt(3) : 1 + r.nextDouble() / 100;
                }, 600, cols);
                View turned = new View(x.storage(), x.layout().transpose(0, 1), t);
                View rows = Sample.fresh(t, turned.shape());
                new Elementwise(path, TWO).copy(new View[] {turned}, rows);
                for (ReduceFn fn : ReduceFn.values()) {
                    double[] want = Sample.values(reduce(path, TWO, fn, rows, 0, 1));
                    double[] got = Sample.values(reduce(path, TWO, fn, x, 0, 0));
                    for (int j = 0; j < cols; j++) {
                        double eps = switch (fn) {
                            case MIN, MAX, ARGMIN, ARGMAX, ANY, ALL, NORM_INF -> 0;
                            case SUM, PROD, MEAN, VAR, STD, LOGSUMEXP, NORM1, NORM2 ->
                                Math.abs(want[j]) * Math.max(4 * Sample.eps(t), 1e-6);
                        };
                        assertEquals(want[j], got[j], Double.isFinite(eps) ? eps : 0, fn + " " + t + " column " + j);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"VECTOR", "SCALAR"})
    void runningSums(CpuPath path) {
        Random r = new Random(Sample.seed());
        for (DType t : DType.values()) {
            for (Sample.Kind kind : Sample.Kind.values()) {
                for (long[] dims : new long[][] {{3, 50, 5}, {1, 9000, 2}, {1, 1500, 21}, {0, 3, 2}, {2, 0, 2}}) {
                    View x = Sample.of(t, kind, () -> t.isFloat() ? r.nextGaussian() : r.nextInt(2), dims);
                    for (int axis = 0; axis < 3; axis++) {
                        Op.CumSum op = new Op.CumSum(axis);
                        View out = Sample.fresh(op.results(x)[0]);
                        new Reductions(path, TWO).cumSum(op, x, out);
                        double[] in = Sample.values(x);
                        double[] got = Sample.values(out);
                        int inner = 1;
                        for (int i = axis + 1; i < 3; i++) {
                            inner *= (int) dims[i];
                        }
                        double[] exact = new double[in.length];
                        for (int i = 0; i < in.length; i++) {
                            exact[i] = in[i] + (i / inner % dims[axis] == 0 ? 0 : exact[i - inner]);
                            double eps = 1.01 * Sample.eps(out.dtype()) * Math.abs(exact[i])
                                    + (t == DType.F16 ? 0x1p-24 : t.isFloat() ? 1e-12 : 0);
                            assertEquals(exact[i], got[i], eps, t + " " + x.layout() + " axis " + axis + " at " + i);
                        }
                    }
                }
            }
        }
    }
}
