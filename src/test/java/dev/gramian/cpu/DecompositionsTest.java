package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.Decomposition;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.core.SvdMode;
import dev.gramian.core.View;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Residuals in LAPACK's manner: ratios to size and machine precision, under one bound for all. */
class DecompositionsTest {
    private static final double BOUND = 30;
    private static final long SEED = Seed.VALUE;
    private static final CpuMemory MEMORY = new CpuMemory(Long.MAX_VALUE / 4, 64 << 20);
    private static final Workers WORKERS = new Workers(3);

    record Case(Lapack lapack, DType t) {
        Decompositions on() {
            return new Decompositions(lapack, WORKERS);
        }

        double eps() {
            return t == DType.F64 ? Math.ulp(1.0) : Math.ulp(1f);
        }

        @Override
        public String toString() {
            return lapack.describe() + " " + t + " seed " + SEED;
        }
    }

    static Stream<Case> cases() {
        return LapackTestSupport.implementations()
                .flatMap(l -> Stream.of(new Case(l, DType.F32), new Case(l, DType.F64)));
    }

    // ---- singular values -------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("cases")
    void svdOfManyShapes(Case c) {
        Random random = new Random(SEED);
        long[][] shapes = {
            {1, 1}, {1, 2}, {2, 1}, {1, 17}, {17, 1}, {2, 2}, {3, 3}, {5, 4}, {4, 5}, {7, 31}, {31, 7}, {32, 32},
            {33, 33},
            {65, 65}, {64, 33}, {33, 64}, {97, 131}, {131, 97}, {300, 20}, {20, 300}, {150, 150}
        };
        for (long[] s : shapes) {
            checkSvd(c, uniform(random, s[0], s[1]), s[0], s[1]);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void svdOfDifficultMatrices(Case c) {
        Random random = new Random(SEED + 1);
        long[][] shapes = {{1, 1}, {3, 2}, {2, 3}, {40, 40}, {70, 41}, {41, 70}};
        for (long[] s : shapes) {
            int m = (int) s[0];
            int n = (int) s[1];
            checkSvd(c, new double[m * n], m, n);
            double[] identity = new double[m * n];
            double[] ones = new double[m * n];
            double[] graded = uniform(random, m, n);
            double[] gradedUp = graded.clone();
            double[] bidiagonal = new double[m * n];
            double[] stepped = uniform(random, m, n);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    int at = i * n + j;
                    identity[at] = i == j ? 1 : 0;
                    ones[at] = 1;
                    graded[at] *= Math.pow(10, -0.4 * i - 0.3 * j);
                    gradedUp[at] *= Math.pow(10, 0.4 * (i - m) + 0.3 * (j - n));
                    bidiagonal[at] = i == j ? i % 5 : i + 1 == j ? 1 : 0; // zeros on the diagonal
                    stepped[at] *= j % 3 == 0 ? 1 : 1e-9;
                }
            }
            checkSvd(c, identity, m, n);
            checkSvd(c, ones, m, n);
            checkSvd(c, graded, m, n);
            checkSvd(c, gradedUp, m, n);
            checkSvd(c, bidiagonal, m, n);
            checkSvd(c, stepped, m, n);
            for (int rank = 1; rank < Math.min(m, n); rank += 13) {
                checkSvd(c, product(uniform(random, m, rank), uniform(random, rank, n), m, rank, n), m, n);
            }
            for (double scale : c.t == DType.F64 ? new double[] {1e-300, 1e300, 1e-307} : new double[] {1e-35, 1e35}) {
                double[] x = uniform(random, m, n);
                for (int i = 0; i < x.length; i++) {
                    x[i] *= scale;
                }
                checkSvd(c, x, m, n);
            }
            double[] wild = uniform(random, m, n);
            for (int i = 0; i < wild.length; i++) {
                wild[i] *= Math.pow(10, (c.t == DType.F64 ? 250 : 30) * (2 * random.nextDouble() - 1));
            }
            checkSvd(c, wild, m, n);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void svdFindsKnownValues(Case c) {
        // Hadamard matrix of order 16: all values 4; diagonal: the sorted magnitudes
        double[] hadamard = new double[256];
        for (int i = 0; i < 256; i++) {
            hadamard[i] = Integer.bitCount((i >> 4) & i & 15) % 2 == 0 ? 1 : -1;
        }
        for (double s : checkSvd(c, hadamard, 16, 16)) {
            assertEquals(4, s, 100 * c.eps());
        }
        double[] diagonal = new double[25];
        for (int i = 0; i < 5; i++) {
            diagonal[6 * i] = (i % 2 == 0 ? -1 : 1) * (i + 1);
        }
        double[] s = checkSvd(c, diagonal, 5, 5);
        for (int i = 0; i < 5; i++) {
            assertEquals(5 - i, s[i], 10 * c.eps());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void svdOfStacksInAnyLayout(Case c) {
        Random random = new Random(SEED + 2);
        View base = view(c.t, uniform(random, 6, 4 * 5 * 7), 6, 4, 5, 7);
        List<Layout> layouts = new ArrayList<>();
        Layout l = base.layout();
        layouts.add(l);
        layouts.add(l.transpose(-2, -1));
        layouts.add(l.permute(1, 2, 3, 0));
        layouts.add(l.slice(0, Long.MAX_VALUE, Long.MIN_VALUE, -2).slice(3, 6, 0, -2));
        layouts.add(l.slice(2, 0, 1, 1).expand("expand", Shape.of(6, 4, 9, 7)));
        layouts.add(l.slice(1, 2, 3, 1).expand("expand", Shape.of(6, 300, 5, 7)));
        for (Layout layout : layouts) {
            View a = new View(base.storage(), layout, c.t);
            double[] x = values(a);
            long m = a.shape().dim(-2);
            long n = a.shape().dim(-1);
            View[] out = svd(c, SvdMode.THIN, a);
            int step = (int) (m * n);
            for (int i = 0; i < x.length / step; i++) {
                double[] u = part(values(out[0]), i, m * Math.min(m, n));
                double[] s = part(values(out[1]), i, Math.min(m, n));
                double[] vt = part(values(out[2]), i, n * Math.min(m, n));
                checkThin(c, part(x, i, step), (int) m, (int) n, u, s, vt);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void emptyMatricesAndStacks(Case c) {
        for (long[] d : new long[][] {{0, 3}, {3, 0}, {0, 0}, {0, 3, 3}, {2, 0, 3}, {2, 3, 0}}) {
            View a = view(c.t, new double[0], d);
            int r = d.length;
            View[] thin = svd(c, SvdMode.THIN, a);
            assertEquals(0, thin[0].shape().size() + thin[1].shape().size() + thin[2].shape().size());
            View[] full = svd(c, SvdMode.FULL, a);
            for (View v : new View[] {full[0], full[2]}) {
                double[] x = values(v);
                int n = (int) v.shape().dim(-1);
                for (int i = 0; i < x.length; i++) {
                    assertEquals(i % (n * n) % (n + 1) == 0 ? 1 : 0, x[i]);
                }
            }
            svd(c, SvdMode.VALUES, a);
            assertEquals(d[r - 2], full[0].shape().dim(-1));
        }
        View none = view(c.t, new double[0], 2, 0, 0);
        View[] det = determinant(c, false, none);
        assertEquals(1, values(det[0])[1]);
        View[] slogdet = determinant(c, true, none);
        assertEquals(1, values(slogdet[0])[1]);
        assertEquals(0, values(slogdet[1])[1]);
        assertEquals(0, values(inverse(c, none)).length);
        assertEquals(0, values(inverse(c, view(c.t, new double[0], 0, 2, 2))).length);
        assertEquals(0, values(solve(c, none, view(c.t, new double[0], 2, 0, 3))).length);
        assertEquals(0, values(solve(c, view(c.t, new double[] {1}, 1, 1), view(c.t, new double[0], 1, 0))).length);
    }

    // ---- linear systems --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("cases")
    void solvesAndInverts(Case c) {
        Random random = new Random(SEED + 3);
        for (int n : new int[] {1, 2, 3, 5, 8, 31, 32, 33, 64, 67, 130}) {
            for (int r : new int[] {1, 2, 5, 33}) {
                double[] a = uniform(random, n, n);
                double[] b = uniform(random, n, r);
                View av = view(c.t, a, n, n);
                View bv = view(c.t, b, n, r);
                double[] x = values(solve(c, av, bv));
                double[] ax = product(values(av), x, n, n, r);
                double ratio = norm(minus(ax, values(bv))) / (norm(a) * norm(x) * n * c.eps());
                assertTrue(ratio < BOUND, "solve " + n + " x " + r + ": " + ratio);
            }
            double[] a = uniform(random, n, n);
            for (int i = 0; i < n; i++) {
                a[i * (n + 1)] += n; // well-conditioned
            }
            View av = view(c.t, a, n, n);
            double[] inverse = values(inverse(c, av));
            double[] rest = product(values(av), inverse, n, n, n);
            for (int i = 0; i < n; i++) {
                rest[i * (n + 1)] -= 1;
            }
            double ratio = norm(rest) / (norm(a) * norm(inverse) * n * c.eps());
            assertTrue(ratio < BOUND, "inv " + n + ": " + ratio);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void solvesStacksInAnyLayout(Case c) {
        Random random = new Random(SEED + 4);
        View ab = view(c.t, uniform(random, 7, 49 * 40), 40, 7, 49);
        View a = new View(
                ab.storage(), ab.layout().slice(2, Long.MAX_VALUE, Long.MIN_VALUE, -7).transpose(-2, -1), c.t);
        View bb = view(c.t, uniform(random, 3, 7), 3, 7);
        View b = new View(
                bb.storage(), bb.layout().transpose(0, 1).unsqueeze(0).expand("expand", Shape.of(40, 7, 3)), c.t);
        double[] x = values(solve(c, a, b));
        double[] inverse = values(inverse(c, a));
        double[] det = values(determinant(c, false, a)[0]);
        for (int i = 0; i < 40; i++) {
            double[] ai = part(values(a), i, 49);
            double[] xi = part(x, i, 21);
            double ratio = norm(minus(product(ai, xi, 7, 7, 3), part(values(b), i, 21)))
                    / (norm(ai) * norm(xi) * 7 * c.eps());
            assertTrue(ratio < BOUND, "matrix " + i + ": " + ratio);
            double[] one = product(ai, part(inverse, i, 49), 7, 7, 7);
            for (int k = 0; k < 49; k++) {
                assertEquals(k % 8 == 0 ? 1 : 0, one[k], 100 * c.eps() * norm(ai) * norm(part(inverse, i, 49)));
            }
            assertEquals(
                    values(determinant(c, false, view(c.t, ai, 7, 7))[0])[0], det[i], 100 * c.eps() * Math.abs(det[i]));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void determinantsAgainstExactArithmetic(Case c) {
        Random random = new Random(SEED + 5);
        for (int n = 1; n <= 12; n++) {
            for (int round = 0; round < 5; round++) {
                double[] a = new double[n * n];
                for (int i = 0; i < a.length; i++) {
                    a[i] = random.nextInt(19) - 9;
                }
                if (round == 4 && n > 1) {
                    System.arraycopy(a, 0, a, n, n); // two equal rows: singular, found exactly
                }
                double exact = exactDeterminant(a, n).doubleValue();
                View v = view(c.t, a, n, n);
                double det = values(determinant(c, false, v)[0])[0];
                double scale = Math.pow(norm(a) / Math.sqrt(n), n);
                assertEquals(exact, det, 50 * n * c.eps() * scale);
                View[] log = determinant(c, true, v);
                if (det == 0) {
                    assertEquals(0, values(log[0])[0]);
                    assertEquals(Double.NEGATIVE_INFINITY, values(log[1])[0]);
                } else {
                    assertEquals(Math.signum(det), values(log[0])[0]);
                    assertEquals(Math.log(Math.abs(det)), values(log[1])[0], 100 * c.eps() * n);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void determinantsOutsideTheRange(Case c) {
        double big = c.t == DType.F64 ? 1e200 : 1e30;
        double[] a = new double[16];
        a[0] = big;
        a[5] = -big;
        a[10] = 1 / big;
        a[15] = 1 / big;
        View v = view(c.t, a, 4, 4);
        assertEquals(-1, values(determinant(c, false, v)[0])[0], 1e-5);
        a[10] = big;
        View large = view(c.t, a, 4, 4);
        assertEquals(Double.NEGATIVE_INFINITY, values(determinant(c, false, large)[0])[0]);
        View[] log = determinant(c, true, large);
        assertEquals(-1, values(log[0])[0]);
        assertEquals(2 * Math.log(big), values(log[1])[0], 1e-3);
        assertEquals(0, values(determinant(c, false, view(c.t, new double[9], 3, 3))[0])[0]);
        assertEquals(-1, values(determinant(c, false, view(c.t, new double[] {0, 1, 1, 0}, 2, 2))[0])[0]);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void singularMatricesAreNamed(Case c) {
        View one = view(c.t, new double[] {1, 2, 0, 2, 4, 0, 0, 0, 1}, 3, 3);
        assertEquals(
                "inv: matrix is singular; x [3, 3], pivot 1 is zero; use Linalg.pinv or check the rank",
                assertThrows(GramianException.class, () -> inverse(c, one)).getMessage());
        double[] stack = new double[2 * 50 * 4];
        for (int i = 0; i < 100; i++) {
            stack[4 * i] = 1;
            stack[4 * i + 3] = i == 63 || i == 90 ? 0 : 1;
        }
        View many = view(c.t, stack, 2, 50, 2, 2);
        View b = view(c.t, new double[200], 2, 50, 2, 1);
        assertEquals(
                "solve: matrix is singular; a [2, 50, 2, 2] at batch [1, 13], pivot 1 is zero; "
                        + "use Linalg.pinv or check the rank",
                assertThrows(GramianException.class, () -> solve(c, many, b)).getMessage());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void manyThreadsAtOnce(Case c) throws Exception {
        Random random = new Random(SEED + 6);
        double[] x = uniform(random, 20 * 24, 24);
        View a = view(c.t, x, 20, 24, 24);
        double[] s = values(svd(c, SvdMode.THIN, a)[1]);
        double[] inverse = values(inverse(c, a));
        try (var threads = Executors.newFixedThreadPool(6)) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                all.add(threads.submit(() -> {
                    org.junit.jupiter.api.Assertions.assertArrayEquals(s, values(svd(c, SvdMode.THIN, a)[1]));
                    org.junit.jupiter.api.Assertions.assertArrayEquals(inverse, values(inverse(c, a)));
                }));
            }
            for (Future<?> f : all) {
                f.get();
            }
        }
    }

    // ---- checks -----------------------------------------------------------------------------------------------------

    /** All three modes of one matrix; returns the values. */
    private static double[] checkSvd(Case c, double[] a, long rows, long columns) {
        int m = (int) rows;
        int n = (int) columns;
        View v = view(c.t, a, m, n);
        double[] x = values(v);
        View[] thin = svd(c, SvdMode.THIN, v);
        double[] s = values(thin[1]);
        checkThin(c, x, m, n, values(thin[0]), s, values(thin[2]));
        View[] full = svd(c, SvdMode.FULL, v);
        checkOrthogonal(c, values(full[0]), m, m);
        checkOrthogonal(c, transposed(values(full[2]), n, n), n, n);
        int k = Math.min(m, n);
        double[] u = new double[m * k];
        for (int i = 0; i < m; i++) {
            System.arraycopy(values(full[0]), i * m, u, i * k, k);
        }
        checkThin(c, x, m, n, u, values(full[1]), java.util.Arrays.copyOf(values(full[2]), k * n));
        double[] alone = values(svd(c, SvdMode.VALUES, v)[0]);
        for (int i = 0; i < k; i++) {
            assertEquals(s[i], alone[i], BOUND * Math.max(m, n) * c.eps() * s[0] + Double.MIN_NORMAL);
        }
        return s;
    }

    private static void checkThin(Case c, double[] a, int m, int n, double[] u, double[] s, double[] vt) {
        int k = Math.min(m, n);
        for (int i = 0; i < k; i++) {
            assertTrue(s[i] >= 0 && (i == 0 || s[i] <= s[i - 1]), "value " + i + " is " + s[i]);
        }
        double max = 0;
        for (double v : a) {
            max = Math.max(max, Math.abs(v));
        }
        if (max == 0) {
            assertEquals(0, s[0]);
        } else {
            double[] us = new double[m * k];
            double[] scaled = new double[m * n];
            for (int i = 0; i < m * k; i++) {
                us[i] = u[i] * (s[i % k] / max);
            }
            for (int i = 0; i < m * n; i++) {
                scaled[i] = a[i] / max;
            }
            double ratio = norm(minus(scaled, product(us, vt, m, k, n))) / (norm(scaled) * Math.max(m, n) * c.eps());
            assertTrue(ratio < BOUND, "A - U S Vt of " + m + " x " + n + ": " + ratio);
        }
        checkOrthogonal(c, u, m, k);
        checkOrthogonal(c, transposed(vt, k, n), n, k);
    }

    private static void checkOrthogonal(Case c, double[] u, int m, int k) {
        double[] g = product(transposed(u, m, k), u, k, m, k);
        for (int i = 0; i < k; i++) {
            g[i * (k + 1)] -= 1;
        }
        double ratio = norm(g) / (m * c.eps());
        assertTrue(ratio < BOUND, "UtU - I of " + m + " x " + k + ": " + ratio);
    }

    private static BigInteger exactDeterminant(double[] a, int n) {
        // Bareiss: every division is exact
        BigInteger[][] x = new BigInteger[n][n];
        for (int i = 0; i < n * n; i++) {
            x[i / n][i % n] = BigInteger.valueOf((long) a[i]);
        }
        BigInteger previous = BigInteger.ONE;
        int sign = 1;
        for (int k = 0; k < n - 1; k++) {
            int p = k;
            while (p < n && x[p][k].signum() == 0) {
                p++;
            }
            if (p == n) {
                return BigInteger.ZERO;
            }
            if (p != k) {
                BigInteger[] row = x[p];
                x[p] = x[k];
                x[k] = row;
                sign = -sign;
            }
            for (int i = k + 1; i < n; i++) {
                for (int j = k + 1; j < n; j++) {
                    x[i][j] = x[i][j].multiply(x[k][k]).subtract(x[i][k].multiply(x[k][j])).divide(previous);
                }
            }
            previous = x[k][k];
        }
        return x[n - 1][n - 1].multiply(BigInteger.valueOf(sign));
    }

    // ---- plain helpers ----------------------------------------------------------------------------------------------

    private static View[] svd(Case c, SvdMode mode, View a) {
        Decomposition.Svd op = new Decomposition.Svd(mode);
        View[] out = results(op, a);
        c.on().svd(op, a, out);
        return out;
    }

    private static View solve(Case c, View a, View b) {
        View[] out = results(new Decomposition.Solve(), a, b);
        c.on().solve(a, b, out[0]);
        return out[0];
    }

    private static View inverse(Case c, View a) {
        View[] out = results(new Decomposition.Inverse(), a);
        c.on().inverse(a, out[0]);
        return out[0];
    }

    private static View[] determinant(Case c, boolean log, View a) {
        Decomposition.Determinant op = new Decomposition.Determinant(log);
        View[] out = results(op, a);
        c.on().determinant(op, a, out);
        return out;
    }

    /** Results filled with NaN, so that what is left unwritten shows. */
    private static View[] results(Op op, View... in) {
        Spec[] specs = op.results(in);
        View[] out = new View[specs.length];
        for (int i = 0; i < out.length; i++) {
            double[] x = new double[(int) specs[i].shape().size()];
            java.util.Arrays.fill(x, Double.NaN);
            out[i] = view(specs[i].dtype(), x, specs[i].shape().toArray());
        }
        return out;
    }

    private static View view(DType t, double[] x, long... shape) {
        CpuStorage storage = MEMORY.allocate((long) x.length * t.bytes());
        for (int i = 0; i < x.length; i++) {
            if (t == DType.F64) {
                Mem.f64(storage.address + 8L * i, x[i]);
            } else {
                Mem.f32(storage.address + 4L * i, (float) x[i]);
            }
        }
        return new View(storage, Layout.contiguous(Shape.of(shape)), t);
    }

    private static double[] values(View v) {
        double[] x = new double[(int) v.shape().size()];
        long address = ((CpuStorage) v.storage()).address;
        long[] at = new long[v.layout().rank()];
        for (int i = 0; i < x.length; i++) {
            long rest = i;
            for (int axis = at.length - 1; axis >= 0; axis--) {
                at[axis] = rest % v.shape().at(axis);
                rest /= v.shape().at(axis);
            }
            long index = v.layout().index(at);
            x[i] = v.dtype() == DType.F64 ? Mem.f64(address + 8 * index) : Mem.f32(address + 4 * index);
        }
        return x;
    }

    private static double[] uniform(Random random, long rows, long columns) {
        double[] x = new double[(int) (rows * columns)];
        for (int i = 0; i < x.length; i++) {
            x[i] = 2 * random.nextDouble() - 1;
        }
        return x;
    }

    private static double[] part(double[] x, int i, long size) {
        return java.util.Arrays.copyOfRange(x, (int) (i * size), (int) ((i + 1) * size));
    }

    private static double[] transposed(double[] x, int m, int n) {
        double[] t = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                t[j * m + i] = x[i * n + j];
            }
        }
        return t;
    }

    private static double[] product(double[] a, double[] b, int m, int k, int n) {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int l = 0; l < k; l++) {
                for (int j = 0; j < n; j++) {
                    c[i * n + j] += a[i * k + l] * b[l * n + j];
                }
            }
        }
        return c;
    }

    private static double[] minus(double[] a, double[] b) {
        double[] c = a.clone();
        for (int i = 0; i < c.length; i++) {
            c[i] -= b[i];
        }
        return c;
    }

    /** Frobenius. */
    private static double norm(double[] x) {
        double sum = 0;
        for (double v : x) {
            sum += v * v;
        }
        return Math.sqrt(sum);
    }
}
