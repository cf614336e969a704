package dev.gramian.linalg;

import static dev.gramian.linalg.Reals.max;
import static dev.gramian.linalg.Reals.minus;
import static dev.gramian.linalg.Reals.norm;
import static dev.gramian.linalg.Reals.part;
import static dev.gramian.linalg.Reals.product;
import static dev.gramian.linalg.Reals.scaled;
import static dev.gramian.linalg.Reals.transposed;
import static dev.gramian.linalg.Reals.uniform;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Decomposition;
import dev.gramian.core.DType;
import dev.gramian.core.SvdMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Singular value decompositions held against LAPACK's residuals, and the matrices that make trouble. */
public final class SvdChecks {
    private static final double BOUND = 30;

    private SvdChecks() {}

    public static double eps(DType t) {
        return t == DType.F64 ? Math.ulp(1.0) : Math.ulp(1f);
    }

    /** All modes of a stack of one batch axis or of a matrix, whose elements may be views; returns the values. */
    public static double[] check(Scope s, String what, Tensor a) {
        int m = (int) a.dim(-2);
        int n = (int) a.dim(-1);
        int k = Math.min(m, n);
        Tensor[] thin = s.runAll(new Decomposition.Svd(SvdMode.THIN), a);
        Tensor[] full = s.runAll(new Decomposition.Svd(SvdMode.FULL), a);
        double[] alone = s.run(new Decomposition.Svd(SvdMode.VALUES), a).toDoubleArray();
        double[] x = a.toDoubleArray();
        double[] u = thin[0].toDoubleArray();
        double[] values = thin[1].toDoubleArray();
        double[] vt = thin[2].toDoubleArray();
        double[] fullU = full[0].toDoubleArray();
        double[] fullValues = full[1].toDoubleArray();
        double[] fullVt = full[2].toDoubleArray();
        DType t = a.dtype();
        String all = what + " " + t + " " + a.shape();
        for (int i = 0; i < x.length / (m * n); i++) {
            String one = all + " matrix " + i;
            double[] xi = part(x, i, m * n);
            double[] si = part(values, i, k);
            thin(one, t, xi, m, n, part(u, i, m * k), si, part(vt, i, k * n));
            double[] ui = part(fullU, i, m * m);
            double[] vi = part(fullVt, i, n * n);
            orthogonal(one + " full u", t, ui, m, m);
            orthogonal(one + " full vt", t, transposed(vi, n, n), n, n);
            double[] columns = new double[m * k];
            for (int row = 0; row < m; row++) {
                System.arraycopy(ui, row * m, columns, row * k, k);
            }
            thin(one + " full", t, xi, m, n, columns, part(fullValues, i, k), Arrays.copyOf(vi, k * n));
            for (int j = 0; j < k; j++) {
                assertEquals(si[j], alone[i * k + j], BOUND * Math.max(m, n) * eps(t) * si[0] + Double.MIN_NORMAL,
                        one + " value " + j + " alone");
            }
        }
        return values;
    }

    private static void thin(String what, DType t, double[] a, int m, int n, double[] u, double[] s, double[] vt) {
        int k = Math.min(m, n);
        for (int i = 0; i < k; i++) {
            assertTrue(s[i] >= 0 && (i == 0 || s[i] <= s[i - 1]), what + ": value " + i + " is " + s[i]);
        }
        double max = max(a);
        if (max == 0) {
            assertEquals(0, s[0], what);
        } else {
            double[] us = new double[m * k];
            double[] unit = new double[m * n];
            for (int i = 0; i < m * k; i++) {
                us[i] = u[i] * (s[i % k] / max);
            }
            for (int i = 0; i < m * n; i++) {
                unit[i] = a[i] / max;
            }
            double ratio = norm(minus(unit, product(us, vt, m, k, n))) / (norm(unit) * Math.max(m, n) * eps(t));
            assertTrue(ratio < BOUND, what + ": A - U S Vt: " + ratio);
        }
        orthogonal(what + " u", t, u, m, k);
        orthogonal(what + " vt", t, transposed(vt, k, n), n, k);
    }

    private static void orthogonal(String what, DType t, double[] u, int m, int k) {
        double ratio = norm(minus(product(transposed(u, m, k), u, k, m, k), Reals.identity(k))) / (m * eps(t));
        assertTrue(ratio < BOUND, what + ": UtU - I: " + ratio);
    }

    /** A matrix with these singular values: orthonormal columns either side. */
    static double[] withValues(Random random, int m, int n, double[] values) {
        int k = values.length;
        double[] u = orthonormal(random, m, k);
        double[] v = orthonormal(random, n, k);
        for (int i = 0; i < m * k; i++) {
            u[i] *= values[i % k];
        }
        return product(u, transposed(v, n, k), m, k, n);
    }

    /** By Gram and Schmidt, twice. */
    static double[] orthonormal(Random random, int m, int k) {
        double[] rows = uniform(random, k, m);
        for (int i = 0; i < k; i++) {
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < i; j++) {
                    double dot = 0;
                    for (int l = 0; l < m; l++) {
                        dot += rows[i * m + l] * rows[j * m + l];
                    }
                    for (int l = 0; l < m; l++) {
                        rows[i * m + l] -= dot * rows[j * m + l];
                    }
                }
                double length = norm(part(rows, i, m));
                for (int l = 0; l < m; l++) {
                    rows[i * m + l] /= length;
                }
            }
        }
        return transposed(rows, k, m);
    }

    /** Zero, one, graded, stepped, of low rank, with clustered and repeated values, tiny, huge, wild. */
    public static List<double[]> difficult(DType t, int m, int n, long seed) {
        Random random = new Random(seed);
        int k = Math.min(m, n);
        List<double[]> all = new ArrayList<>();
        double[] identity = new double[m * n];
        double[] ones = new double[m * n];
        double[] graded = uniform(random, m, n);
        double[] gradedUp = graded.clone();
        double[] bidiagonal = new double[m * n];
        double[] stepped = uniform(random, m, n);
        double[] wild = uniform(random, m, n);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                int at = i * n + j;
                identity[at] = i == j ? 1 : 0;
                ones[at] = 1;
                graded[at] *= Math.pow(10, -0.4 * i - 0.3 * j);
                gradedUp[at] *= Math.pow(10, 0.4 * (i - m) + 0.3 * (j - n));
                bidiagonal[at] = i == j ? i % 5 : i + 1 == j ? 1 : 0; // zeros on the diagonal
                stepped[at] *= j % 3 == 0 ? 1 : 1e-9;
                wild[at] *= Math.pow(10, (t == DType.F64 ? 250 : 30) * (2 * random.nextDouble() - 1));
            }
        }
        all.addAll(List.of(new double[m * n], identity, ones, graded, gradedUp, bidiagonal, stepped, wild));
        for (int rank = 1; rank < k; rank += 13) {
            all.add(product(uniform(random, m, rank), uniform(random, rank, n), m, rank, n));
        }
        double[] falling = new double[k];
        double[] clustered = new double[k];
        double[] repeated = new double[k];
        for (double decades : new double[] {3, 7, 15}) {
            for (int i = 0; i < k; i++) {
                falling[i] = Math.pow(10, -decades * i / Math.max(1, k - 1));
                clustered[i] = i == k - 1 ? Math.pow(10, -decades) : 1 + i * Math.pow(10, -decades);
                repeated[i] = i < k / 2 ? 1 : Math.pow(10, -decades);
            }
            all.add(withValues(random, m, n, falling));
            all.add(withValues(random, m, n, clustered));
            all.add(withValues(random, m, n, repeated));
        }
        double[] scales = t == DType.F64
                ? new double[] {1e-30, 1e-300, 1e300, 1e-307}
                : new double[] {1e-30, 1e-35, 1e35};
        for (double scale : scales) {
            all.add(scaled(uniform(random, m, n), scale));
        }
        return all;
    }
}
