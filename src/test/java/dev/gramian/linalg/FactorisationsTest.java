package dev.gramian.linalg;

import static dev.gramian.linalg.Reals.identity;
import static dev.gramian.linalg.Reals.max;
import static dev.gramian.linalg.Reals.minus;
import static dev.gramian.linalg.Reals.norm;
import static dev.gramian.linalg.Reals.part;
import static dev.gramian.linalg.Reals.product;
import static dev.gramian.linalg.Reals.scaled;
import static dev.gramian.linalg.Reals.transposed;
import static dev.gramian.linalg.Reals.uniform;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Residuals in LAPACK's manner: ratios to size and machine precision, under one bound for all. */
class FactorisationsTest {
    private static final double BOUND = 30;
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64};
    private static final int[][] SHAPES = {
        {1, 1}, {1, 2}, {2, 1}, {1, 17}, {17, 1}, {2, 2}, {3, 3}, {5, 4}, {4, 5}, {7, 31}, {31, 7}, {32, 32}, {33, 33},
        {64, 33}, {33, 64}, {67, 65}, {65, 67}, {130, 20}, {20, 130}
    };

    private static double eps(DType t) {
        return t == DType.F64 ? Math.ulp(1.0) : Math.ulp(1f);
    }

    private static String seed() {
        return "; -Dgramian.seed=" + SEED;
    }

    /** Matrices that make trouble, as doubles of the type's range. */
    private static List<double[]> difficult(DType t, int m, int n) {
        Random random = new Random(SEED + 31L * m + n);
        List<double[]> all = new ArrayList<>();
        double[] ones = new double[m * n];
        double[] eye = new double[m * n];
        double[] graded = uniform(random, m, n);
        double[] gradedUp = graded.clone();
        double[] stepped = uniform(random, m, n);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                int at = i * n + j;
                ones[at] = 1;
                eye[at] = i == j ? 1 : 0;
                graded[at] *= Math.pow(10, -15.0 * (i + j) / (m + n));
                gradedUp[at] *= Math.pow(10, -15.0 * (m + n - i - j) / (m + n));
                stepped[at] *= j % 3 == 0 ? 1 : 1e-9;
            }
        }
        all.add(new double[m * n]);
        all.add(ones);
        all.add(eye);
        all.add(graded);
        all.add(gradedUp);
        all.add(stepped);
        for (int rank = 1; rank < Math.min(m, n); rank += 13) {
            all.add(product(uniform(random, m, rank), uniform(random, rank, n), m, rank, n));
        }
        double[] scales = t == DType.F64 ? new double[] {1e-300, 1e300, 1e-307} : new double[] {1e-35, 1e35};
        for (double scale : scales) {
            all.add(scaled(uniform(random, m, n), scale));
        }
        return all;
    }

    /** {@code x} with its lower triangle mirrored. */
    private static double[] symmetric(double[] x, int n) {
        double[] a = x.clone();
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                a[j * n + i] = a[i * n + j];
            }
        }
        return a;
    }

    private static void check(String what, double error, double scale, int size, DType t) {
        double ratio = error == 0 ? 0 : error / (scale * size * eps(t));
        assertTrue(ratio < BOUND, () -> what + " " + t + ": ratio " + ratio + seed());
    }

    private static void orthonormal(String what, double[] q, int m, int k, DType t) {
        check(what + " QᵀQ - I of " + m + " x " + k,
                norm(minus(product(transposed(q, m, k), q, k, m, k), identity(k))), 1, m, t);
    }

    /** Both in units of the larger's largest element, so that products of tiny and huge matrices stay in range. */
    private static void same(String what, double[] a, double[] left, double[] right, int m, int k, int n, DType t) {
        double unit = max(a);
        if (unit == 0) {
            assertEquals(0, max(product(left, right, m, k, n)), what);
            return;
        }
        double half = Math.scalb(1.0, -Math.getExponent(unit) / 2);
        double[] small = scaled(scaled(a, half), half);
        double[] r = scaled(scaled(right, half), half);
        check(what + " of " + m + " x " + n, norm(minus(small, product(left, r, m, k, n))), norm(small),
                Math.max(m, n), t);
    }

    // ---- QR ----------------------------------------------------------------------------------------------------------

    private static void checkQr(Scope s, DType t, double[] values, int m, int n) {
        Tensor a = s.tensor(values, m, n).to(t);
        double[] x = a.toDoubleArray();
        for (boolean full : new boolean[] {false, true}) {
            Qr qr = Linalg.qr(a, full);
            int k = full ? m : Math.min(m, n);
            double[] q = qr.q().toDoubleArray();
            double[] r = qr.r().toDoubleArray();
            for (int i = 0; i < k; i++) {
                for (int j = 0; j < Math.min(i, n); j++) {
                    assertEquals(0, r[i * n + j], "r below its diagonal");
                }
            }
            orthonormal("qr", q, m, k, t);
            same("qr", x, q, r, m, k, n, t);
        }
    }

    @DeviceSpec
    void qrOfManyShapes(Device device) {
        Random random = new Random(SEED);
        for (DType t : TYPES) {
            for (int[] mn : SHAPES) {
                try (Scope s = device.open()) {
                    checkQr(s, t, uniform(random, mn[0], mn[1]), mn[0], mn[1]);
                }
            }
        }
    }

    @DeviceSpec
    void qrOfDifficultMatrices(Device device) {
        for (DType t : TYPES) {
            for (int[] mn : new int[][] {{1, 1}, {3, 2}, {2, 3}, {40, 40}, {70, 41}, {41, 70}}) {
                for (double[] x : difficult(t, mn[0], mn[1])) {
                    try (Scope s = device.open()) {
                        checkQr(s, t, x, mn[0], mn[1]);
                    }
                }
            }
        }
    }

    // ---- symmetric eigenvalues ---------------------------------------------------------------------------------------

    private static double[] checkEigh(Scope s, DType t, double[] values, int n) {
        Tensor a = s.tensor(values, n, n).to(t);
        double[] x = symmetric(a.toDoubleArray(), n);
        Eigh e = Linalg.eigh(a);
        double[] w = e.w().toDoubleArray();
        double[] v = e.v().toDoubleArray();
        for (int i = 1; i < n; i++) {
            assertTrue(w[i] >= w[i - 1], "eigenvalue " + i + " of " + t + " is below the one before" + seed());
        }
        orthonormal("eigh", v, n, n, t);
        double[] vt = transposed(v, n, n);
        double[] right = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                right[i * n + j] = w[i] * vt[i * n + j];
            }
        }
        same("eigh", x, v, right, n, n, n, t);
        double[] alone = Linalg.eigvalsh(a).toDoubleArray();
        for (int i = 0; i < n; i++) {
            check("eigvalsh, value " + i, Math.abs(w[i] - alone[i]), Math.max(Math.abs(w[0]), Math.abs(w[n - 1])), n,
                    t);
        }
        return w;
    }

    @DeviceSpec
    void eighOfManySizes(Device device) {
        Random random = new Random(SEED + 1);
        for (DType t : TYPES) {
            for (int n : new int[] {1, 2, 3, 5, 8, 31, 32, 33, 65, 97, 130}) {
                try (Scope s = device.open()) {
                    // the upper triangle holds other numbers: it must not be read
                    checkEigh(s, t, uniform(random, n, n), n);
                }
            }
        }
    }

    @DeviceSpec
    void eighOfDifficultMatrices(Device device) {
        Random random = new Random(SEED + 2);
        for (DType t : TYPES) {
            for (int n : new int[] {1, 2, 5, 40, 70}) {
                List<double[]> all = difficult(t, n, n);
                double[] x = uniform(random, n, n);
                double[] q;
                try (Scope s = device.open()) {
                    q = Linalg.qr(s.tensor(x, n, n)).q().toDoubleArray();
                }
                double[] clustered = new double[n * n];
                double[] tridiagonal = new double[n * n];
                double[] wilkinson = new double[n * n];
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        clustered[i * n + j] = q[j * n + i] * (i % 3 == 0 ? 2 : 1 + 1e-14 * i);
                        tridiagonal[i * n + j] = Math.abs(i - j) == 1 ? 1 : 0;
                        wilkinson[i * n + j] = i == j ? Math.abs(n / 2 - i) : Math.abs(i - j) == 1 ? 1 : 0;
                    }
                }
                all.add(product(q, clustered, n, n, n));
                all.add(tridiagonal);
                all.add(wilkinson);
                all.add(product(x, transposed(x, n, n), n, n, n)); // positive definite
                for (double[] a : all) {
                    try (Scope s = device.open()) {
                        checkEigh(s, t, a, n);
                    }
                }
            }
        }
    }

    @DeviceSpec
    void eighFindsKnownValues(Device device) {
        int n = 60;
        double[] x = new double[n * n];
        for (int i = 0; i < n; i++) {
            x[i * (n + 1)] = 2;
            if (i > 0) {
                x[i * n + i - 1] = -1; // the second difference: values 2 - 2 cos(pi k / (n + 1))
            }
        }
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                double[] w = checkEigh(s, t, x, n);
                for (int k = 1; k <= n; k++) {
                    assertEquals(2 - 2 * Math.cos(Math.PI * k / (n + 1)), w[k - 1], 10 * n * eps(t));
                }
            }
        }
    }

    // ---- Cholesky ----------------------------------------------------------------------------------------------------

    @DeviceSpec
    void choleskyOfManySizes(Device device) {
        Random random = new Random(SEED + 3);
        for (DType t : TYPES) {
            double[] scales = t == DType.F64 ? new double[] {1, 1e-290, 1e290} : new double[] {1, 1e-30, 1e30};
            for (int n : new int[] {1, 2, 3, 5, 31, 33, 64, 97, 130}) {
                for (double scale : scales) {
                    try (Scope s = device.open()) {
                        double[] g = uniform(random, n, n + 3);
                        double[] spd = scaled(product(g, transposed(g, n, n + 3), n, n + 3, n), scale);
                        for (int i = 0; i < n; i++) {
                            spd[i * (n + 1)] += scale * 0.1;
                            for (int j = i + 1; j < n; j++) {
                                spd[i * n + j] = Double.NaN; // not read
                            }
                        }
                        Tensor a = s.tensor(spd, n, n).to(t);
                        double[] l = Linalg.cholesky(a).toDoubleArray();
                        for (int i = 0; i < n; i++) {
                            assertTrue(l[i * (n + 1)] > 0);
                            for (int j = i + 1; j < n; j++) {
                                assertEquals(0, l[i * n + j]);
                            }
                        }
                        double[] x = symmetric(a.toDoubleArray(), n);
                        double root = 1 / Math.sqrt(scale);
                        double[] unit = scaled(l, root);
                        check("cholesky " + n,
                                norm(minus(scaled(x, 1 / scale), product(unit, transposed(unit, n, n), n, n, n))),
                                norm(x) / scale, n, t);
                    }
                }
            }
        }
    }

    @DeviceSpec
    void choleskyNamesTheMinorThatFails(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.tensor(new double[] {4, 0, 0, 2, 1, 0, 0, 0, 1}, 3, 3);
            assertEquals(
                    "cholesky: matrix is not positive definite; x [3, 3], leading minor of order 2; add to the diagonal,"
                            + " or use eigh",
                    assertThrows(GramianException.class, () -> Linalg.cholesky(a)).getMessage());
            Tensor stack = s.eye(DType.F32, 3).expand(2, 40, 3, 3).copy();
            Tensor bad = s.eye(DType.F32, 3).mul(-1).expand(2, 2, 3, 3);
            Tensor mixed = dev.gramian.Join.concat(1, stack, bad);
            assertEquals(
                    "cholesky: matrix is not positive definite; x [2, 42, 3, 3] at batch [0, 40], leading minor of order"
                            + " 1; add to the diagonal, or use eigh",
                    assertThrows(GramianException.class, () -> Linalg.cholesky(mixed)).getMessage());
        }
    }

    // ---- LU ----------------------------------------------------------------------------------------------------------

    private static void checkLu(Scope s, DType t, double[] values, int m, int n) {
        Tensor a = s.tensor(values, m, n).to(t);
        double[] x = a.toDoubleArray();
        Lu lu = Linalg.lu(a);
        int k = Math.min(m, n);
        long[] order = lu.order().toLongArray();
        double[] l = lu.l().toDoubleArray();
        double[] u = lu.u().toDoubleArray();
        double[] rows = new double[m * n];
        boolean[] seen = new boolean[m];
        for (int i = 0; i < m; i++) {
            assertTrue(!seen[(int) order[i]], "a permutation");
            seen[(int) order[i]] = true;
            System.arraycopy(x, (int) order[i] * n, rows, i * n, n);
            for (int j = 0; j < k; j++) {
                double v = l[i * k + j];
                assertTrue(j > i ? v == 0 : j == i ? v == 1 : Math.abs(v) <= 1, "l");
            }
        }
        for (int i = 0; i < k; i++) {
            for (int j = 0; j < i; j++) {
                assertEquals(0, u[i * n + j], "u");
            }
        }
        same("lu", rows, l, u, m, k, n, t);
        double[] p = lu.p().toDoubleArray();
        assertArrayEquals(x, product(p, rows, m, m, n), "p takes the rows back");
    }

    @DeviceSpec
    void luOfManyMatrices(Device device) {
        Random random = new Random(SEED + 4);
        for (DType t : TYPES) {
            for (int[] mn : SHAPES) {
                try (Scope s = device.open()) {
                    checkLu(s, t, uniform(random, mn[0], mn[1]), mn[0], mn[1]);
                }
            }
            for (int[] mn : new int[][] {{3, 2}, {2, 3}, {40, 40}, {70, 41}, {41, 70}}) {
                for (double[] x : difficult(t, mn[0], mn[1])) {
                    try (Scope s = device.open()) {
                        checkLu(s, t, x, mn[0], mn[1]);
                    }
                }
            }
        }
    }

    // ---- triangular systems ------------------------------------------------------------------------------------------

    @DeviceSpec
    void triangularSystems(Device device) {
        Random random = new Random(SEED + 5);
        for (DType t : TYPES) {
            for (int n : new int[] {1, 2, 5, 32, 33, 67}) {
                for (int choice = 0; choice < 8; choice++) {
                    boolean lower = (choice & 1) != 0;
                    boolean transpose = (choice & 2) != 0;
                    boolean unit = (choice & 4) != 0;
                    for (int r : new int[] {1, 3, 40}) {
                        try (Scope s = device.open()) {
                            double[] full = uniform(random, n, n);
                            double[] read = new double[n * n];
                            for (int i = 0; i < n; i++) {
                                for (int j = 0; j < n; j++) {
                                    int at = i * n + j;
                                    full[at] = i == j ? full[at] + Math.copySign(2, full[at]) : full[at] / n;
                                    boolean in = i == j ? !unit : lower == (j < i);
                                    full[at] = in ? (float) full[at] : Double.NaN; // what is not read may be anything
                                    read[at] = in ? full[at] : i == j ? 1 : 0;
                                }
                            }
                            double[] b = scaled(uniform(random, n, r), 1);
                            Tensor bt = s.tensor(b, n, r).to(t);
                            double[] x = Linalg.solveTriangular(
                                    s.tensor(full, n, n).to(t), bt, lower, transpose, unit)
                                    .toDoubleArray();
                            double[] op = transpose ? transposed(read, n, n) : read;
                            check("solveTriangular " + n + " choice " + choice,
                                    norm(minus(product(op, x, n, n, r), bt.toDoubleArray())), norm(read) * norm(x), n,
                                    t);
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void triangularSystemsBroadcastAndAreRefused(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.tensor(new double[] {2, 0, 1, 4}, 2, 2);
            assertArrayEquals(
                    new double[] {1, 0.5},
                    Linalg.solveTriangular(a, s.tensor(new double[] {2, 3}), true, false, false)
                            .toDoubleArray());
            Tensor b = s.tensor(new double[] {2, 3, 4, 4}, 2, 2, 1);
            Tensor x = Linalg.solveTriangular(a, b, true, false, false);
            assertArrayEquals(new double[] {1, 0.5, 2, 0.5}, x.toDoubleArray());
            assertEquals(
                    "solveTriangular: right side does not fit; a [2, 2], b [3, 1]; a is (..., n, n) and b (n) or (..., n, r)",
                    assertThrows(ShapeException.class, () -> Linalg.solveTriangular(
                            a, s.zeros(DType.F64, 3, 1), true, false, false)).getMessage());
            Tensor zero = s.tensor(new double[] {2, 0, 1, 0}, 2, 2).expand(3, 2, 2);
            assertEquals(
                    "solveTriangular: matrix is singular; a [3, 2, 2] at batch [0], diagonal element 1 is zero; use"
                            + " Linalg.lstsq or check the rank",
                    assertThrows(GramianException.class, () -> Linalg.solveTriangular(
                            zero, b.slice(0, 0, 1), true, false, false)).getMessage());
        }
    }

    @DeviceSpec
    void endsOfTheRange(Device device) {
        for (DType t : TYPES) {
            double huge = t == DType.F64 ? 0x1p1022 : 0x1p126;
            double tiny = t == DType.F64 ? 0x1p-1060 : 0x1p-135; // subnormal
            try (Scope s = device.open()) {
                double root = Math.sqrt(3);
                // r of equal columns is one row, and with other columns than the first nothing may overflow on the way
                for (double scale : new double[] {huge, tiny}) {
                    double[] r = Linalg.qr(s.full(t, scale, 3, 3)).r().toDoubleArray();
                    for (int j = 0; j < 3; j++) {
                        assertEquals(root, Math.abs(r[j]) / scale, t == DType.F64 ? 1e-3 : 1e-2, t + " " + scale);
                        assertEquals(0, r[3 + j] / scale, 1e-2);
                    }
                    double[] w = Linalg.eigvalsh(s.eye(t, 3).mul(scale)).toDoubleArray();
                    for (double v : w) {
                        assertEquals(1, v / scale, 1e-3);
                    }
                }
                Tensor a = s.tensor(new double[] {tiny, 0, 0, 1}, 2, 2).to(t);
                Tensor b = s.tensor(new double[] {tiny, 1}).to(t);
                double[] x = Linalg.solveTriangular(a, b, true, false, false).toDoubleArray();
                assertArrayEquals(new double[] {1, 1}, x);
            }
        }
    }

    // ---- stacks, empties, refusals -----------------------------------------------------------------------------------

    @DeviceSpec
    void stacksInAnyLayout(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor base = s.uniform(DType.F64, SEED, -1, 1, 6, 4, 5, 5).to(t);
                List<Tensor> views = List.of(
                        base, base.transpose(-2, -1), base.permute(1, 2, 0, 3).slice(2, 0, 5),
                        base.flip(0).slice(2, 0, 4).slice(3, 1, 5), base.slice(1, 2, 3).expand(6, 30, 5, 5),
                        base.flip(-1).flip(-2).slice(0, 0, 6, 2));
                for (Tensor a : views) {
                    int n = (int) a.dim(-1);
                    double[] x = a.toDoubleArray();
                    Qr qr = Linalg.qr(a);
                    Eigh eigh = Linalg.eigh(a);
                    double[] alone = Linalg.eigvalsh(a).toDoubleArray();
                    Lu lu = Linalg.lu(a);
                    double[] back = lu.p().matmul(lu.l()).matmul(lu.u()).toDoubleArray();
                    Tensor spd = a.matmul(a.transpose(-2, -1)).add(s.eye(t, n));
                    double[] l = Linalg.cholesky(spd.transpose(-2, -1)).toDoubleArray();
                    for (int i = 0; i < x.length / (n * n); i++) {
                        double[] xi = part(x, i, n * n);
                        double[] q = part(qr.q().toDoubleArray(), i, n * n);
                        orthonormal("stack", q, n, n, t);
                        same("stack qr", xi, q, part(qr.r().toDoubleArray(), i, n * n), n, n, n, t);
                        same("stack lu", xi, part(back, i, n * n), identity(n), n, n, n, t);
                        double[] v = part(eigh.v().toDoubleArray(), i, n * n);
                        double[] av = product(symmetric(xi, n), v, n, n, n);
                        double[] w = part(eigh.w().toDoubleArray(), i, n);
                        for (int j = 0; j < n * n; j++) {
                            assertEquals(av[j], v[j] * w[j % n], 100 * eps(t) * norm(xi));
                        }
                        for (int j = 0; j < n; j++) {
                            assertEquals(w[j], part(alone, i, n)[j], 100 * eps(t) * norm(xi));
                        }
                        double[] li = part(l, i, n * n);
                        same("stack cholesky", part(spd.toDoubleArray(), i, n * n), li, transposed(li, n, n), n, n, n,
                                t);
                    }
                }
            }
        }
    }

    @DeviceSpec
    void empties(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor none = s.zeros(t, 2, 0, 0);
                assertEquals("[2, 0]", Linalg.eigh(none).w().shape().toString());
                assertEquals("[2, 0]", Linalg.eigvalsh(none).shape().toString());
                assertEquals("[2, 0, 0]", Linalg.cholesky(none).shape().toString());
                Qr tall = Linalg.qr(s.zeros(t, 3, 0), true);
                assertArrayEquals(identity(3), tall.q().toDoubleArray());
                assertEquals("[3, 0]", tall.r().shape().toString());
                assertEquals("[0, 3]", Linalg.qr(s.zeros(t, 0, 3)).r().shape().toString());
                assertEquals("[0, 4, 3]", Linalg.qr(s.zeros(t, 0, 4, 3)).q().shape().toString());
                Lu lu = Linalg.lu(s.zeros(t, 2, 3, 0));
                assertArrayEquals(new long[] {0, 1, 2, 0, 1, 2}, lu.order().toLongArray());
                assertEquals("[2, 3, 0]", lu.l().shape().toString());
                assertEquals("[0, 3]", Linalg.lu(s.zeros(t, 0, 3)).u().shape().toString());
                assertEquals("[2, 0, 3]", Linalg.solveTriangular(
                        none, s.zeros(t, 2, 0, 3), true, false, false).shape().toString());
                assertEquals("[3, 0]", Linalg.solveTriangular(
                        s.eye(t, 3), s.zeros(t, 3, 0), true, false, false).shape().toString());
            }
        }
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            double[] x = identity(3);
            x[5] = Double.NaN;
            Tensor upper = s.tensor(x, 3, 3);
            assertArrayEquals(new double[] {1, 1, 1}, Linalg.eigvalsh(upper).toDoubleArray());
            String what = " x is not finite: NaN at [1, 2]; x F64 [3, 3]; replace such values first, "
                    + "e.g. x.isFinite().where(x, ...)";
            assertEquals("qr:" + what,
                    assertThrows(GramianException.class, () -> Linalg.qr(upper)).getMessage());
            assertEquals("lu:" + what,
                    assertThrows(GramianException.class, () -> Linalg.lu(upper)).getMessage());
            Tensor lower = upper.transpose(0, 1).mul(-1).expand(2, 3, 3);
            String where = " x is not finite: NaN at [0, 2, 1]; x F64 [2, 3, 3]; replace such values first, "
                    + "e.g. x.isFinite().where(x, ...)";
            assertEquals("eigh:" + where,
                    assertThrows(GramianException.class, () -> Linalg.eigh(lower)).getMessage());
            assertEquals("eigvalsh:" + where,
                    assertThrows(GramianException.class, () -> Linalg.eigvalsh(lower)).getMessage());
            assertEquals("cholesky:" + where,
                    assertThrows(GramianException.class, () -> Linalg.cholesky(lower)).getMessage());
            assertEquals("eigh: matrix is not square; x [2, 3] has 2 rows and 3 columns; last two axes must be equal",
                    assertThrows(ShapeException.class, () -> Linalg.eigh(s.zeros(2, 3))).getMessage());
            assertEquals("cholesky: needs a matrix; x [3]; give (..., rows, columns)",
                    assertThrows(ShapeException.class, () -> Linalg.cholesky(s.zeros(3))).getMessage());
            assertEquals("qr: needs F32 or F64; x is I64 [2, 2]; cast with .to(DType.F32)",
                    assertThrows(DTypeException.class, () -> Linalg.qr(s.zeros(DType.I64, 2, 2)))
                            .getMessage());
        }
    }
}
