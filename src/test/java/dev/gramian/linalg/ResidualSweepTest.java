package dev.gramian.linalg;

import static dev.gramian.linalg.Reals.identity;
import static dev.gramian.linalg.Reals.max;
import static dev.gramian.linalg.Reals.minus;
import static dev.gramian.linalg.Reals.norm;
import static dev.gramian.linalg.Reals.product;
import static dev.gramian.linalg.Reals.scaled;
import static dev.gramian.linalg.Reals.transposed;
import static dev.gramian.linalg.Reals.uniform;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Every routine but those whose own tests do so over matrices with given singular values: graded with conditions from 1 to
 * 1e15, clustered, repeated, of low rank, zero, tiny and huge. LAPACK's residuals, one bound for all.
 */
class ResidualSweepTest {
    private static final double BOUND = 30;
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64};
    private static final int[][] SHAPES = {{1, 1}, {1, 9}, {9, 1}, {14, 5}, {5, 14}, {14, 14}, {30, 12}, {12, 30},
        {41, 41}};

    /** Emulated, larger ones take minutes. */
    private static final int LARGEST_EMULATED = 14;

    private static double eps(DType t) {
        return SvdChecks.eps(t);
    }

    private static void small(String what, DType t, double error, double scale, int size) {
        double ratio = error == 0 ? 0 : error / (scale * size * eps(t));
        assertTrue(ratio < BOUND, () -> what + " " + t + ": ratio " + ratio + "; -Dgramian.seed=" + SEED);
    }

    /** Values to be given to a matrix of smaller side k, largest 1. */
    private static List<double[]> spectra(int k) {
        List<double[]> all = new ArrayList<>();
        for (double decades : new double[] {0, 4, 8, 15}) {
            double[] graded = new double[k];
            double[] clustered = new double[k];
            double[] repeated = new double[k];
            for (int i = 0; i < k; i++) {
                graded[i] = Math.pow(10, -decades * i / Math.max(1, k - 1));
                clustered[i] = i > 0 && i == k - 1 ? Math.pow(10, -decades) : 1 - i * Math.pow(10, -decades) / k;
                repeated[i] = i < (k + 1) / 2 ? 1 : Math.pow(10, -decades);
            }
            all.add(graded);
            all.add(clustered);
            all.add(repeated);
        }
        double[] deficient = new double[k];
        for (int i = 0; i < (k + 2) / 3; i++) {
            deficient[i] = 1;
        }
        all.add(deficient);
        all.add(new double[k]);
        return all;
    }

    private static double[] scales(DType t) {
        return t == DType.F64 ? new double[] {1, 0x1p-900, 0x1p900} : new double[] {1, 0x1p-90, 0x1p90};
    }

    @FunctionalInterface
    private interface Check {
        /** {@code a} is {@code x} times {@code scale}, a power of two. */
        void run(String what, Scope s, Tensor a, double[] x, double scale, int m, int n);
    }

    /** Each spectrum at one of the scales, in turn, or at 1 where not {@code scales}. */
    private static void sweep(Device device, boolean squareOnly, boolean scales, Check check) {
        Random random = new Random(SEED);
        int number = 0;
        for (DType t : TYPES) {
            for (int[] mn : SHAPES) {
                int m = mn[0];
                int n = mn[1];
                if (squareOnly && m != n || Math.max(m, n) > LARGEST_EMULATED && device.name().startsWith("cuda")) {
                    continue;
                }
                for (double[] values : spectra(Math.min(m, n))) {
                    double[] x = SvdChecks.withValues(random, m, n, values);
                    double scale = scales ? scales(t)[number % 3] : 1;
                    try (Scope s = device.open()) {
                        Tensor a = s.tensor(scaled(x, scale), m, n).to(t);
                        String what = m + " x " + n + " matrix " + number++ + " scale " + scale;
                        check.run(what, s, a, scaled(a.toDoubleArray(), 1 / scale), scale, m, n);
                    }
                }
            }
        }
    }

    private static void orthonormal(String what, DType t, double[] q, int m, int k) {
        small(what + ": orthonormal", t, norm(minus(product(transposed(q, m, k), q, k, m, k), identity(k))), 1, m);
    }

    @DeviceSpec
    void factorsOfAnyShape(Device device) {
        sweep(device, false, true, (what, s, a, x, scale, m, n) -> {
            DType t = a.dtype();
            int k = Math.min(m, n);
            int most = Math.max(m, n);
            Qr qr = Linalg.qr(a);
            double[] q = qr.q().toDoubleArray();
            double[] r = scaled(qr.r().toDoubleArray(), 1 / scale);
            small("qr " + what, t, norm(minus(x, product(q, r, m, k, n))), norm(x), most);
            orthonormal("qr " + what, t, q, m, k);
            Lu lu = Linalg.lu(a);
            double[] rows = product(lu.l().toDoubleArray(), scaled(lu.u().toDoubleArray(), 1 / scale), m, k, n);
            small("lu " + what, t, norm(minus(x, product(lu.p().toDoubleArray(), rows, m, m, n))), norm(x), most);
            Polar polar = Linalg.polar(a);
            double[] u = polar.u().toDoubleArray();
            double[] p = scaled(polar.p().toDoubleArray(), 1 / scale);
            small("polar " + what, t, norm(minus(x, product(u, p, m, n, n))), norm(x), most);
            orthonormal("polar " + what, t, m >= n ? u : transposed(u, m, n), most, k);
            if (m >= n) {
                orthonormal("orthonormalise " + what, t, Linalg.orthonormalise(a).toDoubleArray(), m, n);
            }
        });
    }

    @DeviceSpec
    void sampledDecompositions(Device device) {
        sweep(device, false, true, (what, s, a, x, scale, m, n) -> {
            DType t = a.dtype();
            double[] values = Linalg.svdValues(a).toDoubleArray();
            int r = Math.min(3, values.length);
            TruncatedSvd found = new RandomizedSvd(2, 2, SEED).ofRank(a, r);
            orthonormal("randomised u " + what, t, found.svd().u().toDoubleArray(), m, r);
            orthonormal("randomised v " + what, t, transposed(found.svd().vt().toDoubleArray(), r, n), n, r);
            double best = 0;
            for (int i = values.length - 1; i >= r; i--) {
                best = Math.hypot(best, values[i] / scale);
            }
            double rounding = BOUND * Math.max(m, n) * eps(t) * norm(x);
            assertTrue(found.error() / scale >= best - rounding, what + ": no better than the best");
            assertTrue(found.error() / scale <= 2 * best + rounding,
                    what + ": " + found.error() / scale + ", best " + best);
        });
    }

    @DeviceSpec
    void symmetricMatrices(Device device) {
        sweep(device, true, true, (what, s, a, x, scale, n, same) -> {
            DType t = a.dtype();
            // the same values with signs, and their squares
            double[] q = SvdChecks.orthonormal(new Random(SEED), n, n);
            double[] values = Linalg.svdValues(a).toDoubleArray();
            double[] signed = q.clone();
            for (int i = 0; i < n * n; i++) {
                signed[i] *= values[i % n] * (i % n % 2 == 0 ? 1 : -1);
            }
            Tensor b = s.tensor(product(signed, transposed(q, n, n), n, n, n), n, n).to(t);
            b = b.add(b.transpose(0, 1)).mul(0.5);
            double[] y = scaled(b.toDoubleArray(), 1 / scale);
            Eigh eigh = Linalg.eigh(b);
            double[] v = eigh.v().toDoubleArray();
            double[] w = scaled(eigh.w().toDoubleArray(), 1 / scale);
            double[] vw = v.clone();
            for (int i = 0; i < n * n; i++) {
                vw[i] *= w[i % n];
            }
            small("eigh " + what, t, norm(minus(y, product(vw, transposed(v, n, n), n, n, n))), norm(y), n);
            orthonormal("eigh " + what, t, v, n, n);
            // positive definite by a shift well above the rounding
            double[] c = product(transposed(x, n, n), x, n, n, n);
            for (int i = 0; i < n; i++) {
                c[i * (n + 1)] += n * n * 8 * eps(t);
            }
            Tensor spd = s.tensor(c, n, n).to(t);
            double[] l = Linalg.cholesky(spd).toDoubleArray();
            double[] d = spd.toDoubleArray();
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < i; j++) {
                    d[j * n + i] = d[i * n + j]; // the triangle that is read
                }
            }
            small("cholesky " + what, t, norm(minus(d, product(l, transposed(l, n, n), n, n, n))), norm(d), n);
        });
    }

    @DeviceSpec
    void systems(Device device) {
        Random random = new Random(SEED + 1);
        sweep(device, true, true, (what, s, a, x, scale, n, same) -> {
            DType t = a.dtype();
            Tensor right = s.tensor(scaled(uniform(random, n, 3), scale), n, 3).to(t);
            double[] b = scaled(right.toDoubleArray(), 1 / scale);
            Tensor unit = a.div(scale);
            if (Linalg.det(unit).item() != 0) { // what is exactly singular is refused
                double[] found = Linalg.solve(a, right).toDoubleArray();
                small("solve " + what, t, norm(minus(product(x, found, n, n, 3), b)), norm(x) * norm(found), n);
                double[] inverse = Linalg.inv(unit).toDoubleArray();
                // the method makes one of the two sides small
                double left = norm(minus(product(inverse, x, n, n, n), identity(n)));
                double side = norm(minus(product(x, inverse, n, n, n), identity(n)));
                small("inv " + what, t, Math.min(left, side), norm(x) * norm(inverse), n);
            }
            double[] upper = x.clone();
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < i; j++) {
                    upper[i * n + j] = 0;
                }
                upper[i * (n + 1)] = Math.copySign(Math.abs(upper[i * (n + 1)]) + 0.5, upper[i * (n + 1)]);
            }
            Tensor triangle = s.tensor(scaled(upper, scale), n, n).to(t);
            upper = scaled(triangle.toDoubleArray(), 1 / scale);
            double[] y = Linalg.solveTriangular(triangle, right, false, false, false).toDoubleArray();
            small("solveTriangular " + what, t, norm(minus(product(upper, y, n, n, 3), b)), norm(upper) * norm(y), n);
        });
    }

    @DeviceSpec
    void pseudoInversesAndLeastSquares(Device device) {
        sweep(device, false, false, (what, s, a, x, scale, m, n) -> { // ComposedTest has scales
            DType t = a.dtype();
            int most = Math.max(m, n);
            double[] p = Linalg.pinv(a).toDoubleArray();
            double[] px = product(p, x, n, m, n);
            double size = Math.max(norm(x) * norm(p), max(x));
            small("pinv, a p a = a, " + what, t, norm(minus(product(x, px, m, n, n), x)), norm(x) * size, most);
            small("pinv, p a p = p, " + what, t, norm(minus(product(px, p, n, n, m), p)), norm(p) * size, most);
            Tensor b = s.normal(t, SEED, m, 2);
            double[] found = Linalg.lstsq(a, b).x().toDoubleArray();
            double[] rest = minus(product(x, found, m, n, 2), b.toDoubleArray());
            // orthogonal to the columns that count
            double[] q = product(x, p, m, n, m);
            small("lstsq " + what, t, norm(product(q, rest, m, m, 2)), size * norm(b.toDoubleArray()), most);
        });
    }
}
