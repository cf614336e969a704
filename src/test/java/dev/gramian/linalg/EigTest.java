package dev.gramian.linalg;

import static dev.gramian.linalg.Reals.part;
import static dev.gramian.linalg.Reals.scaled;
import static dev.gramian.linalg.Reals.uniform;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.Arrays;
import java.util.Random;

/** General eigenvalues, held against what they must satisfy: vectors of equal values are arbitrary. */
class EigTest {
    private static final double BOUND = 30;
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64};

    private static void onTheCpu(Device device) {
        assumeFalse(device.name().startsWith("cuda"), "eig is computed on the CPU alone");
    }

    /** Residuals of each matrix of a stack; values alone against values with vectors where they are well conditioned. */
    private static double[][] check(String what, Tensor a) {
        int n = (int) a.dim(-1);
        Eig eig = Linalg.eig(a);
        double[] x = a.toDoubleArray();
        double[] re = eig.w().re().toDoubleArray();
        double[] im = eig.w().im().toDoubleArray();
        double[] vre = eig.v().re().toDoubleArray();
        double[] vim = eig.v().im().toDoubleArray();
        for (int i = 0; i < x.length / (n * n); i++) {
            String one = what + " " + a.dtype() + " " + a.shape() + " matrix " + i + "; -Dgramian.seed=" + SEED;
            check(one, a.dtype(), n, part(x, i, n * n), part(re, i, n), part(im, i, n), part(vre, i, n * n),
                    part(vim, i, n * n));
        }
        return new double[][] {re, im};
    }

    private static void check(
            String what, DType t, int n, double[] a, double[] re, double[] im, double[] vre, double[] vim) {
        double eps = SvdChecks.eps(t);
        double max = Reals.max(a);
        double[] unit = max == 0 ? a : scaled(a, 1 / max);
        double norm = Math.max(Reals.norm(unit), Double.MIN_NORMAL);
        double trace = 0;
        double sum = 0;
        for (int k = 0; k < n; k++) {
            if (im[k] > 0) {
                assertEquals(re[k], re[k + 1], what + ": conjugates side by side");
                assertEquals(im[k], -im[k + 1], what + ": conjugates side by side");
            }
            double length = 0;
            double residual = 0;
            for (int i = 0; i < n; i++) {
                double r = 0;
                double s = 0;
                for (int j = 0; j < n; j++) {
                    r += unit[i * n + j] * vre[j * n + k];
                    s += unit[i * n + j] * vim[j * n + k];
                }
                double x = vre[i * n + k];
                double y = vim[i * n + k];
                double lr = max == 0 ? re[k] : re[k] / max;
                double li = max == 0 ? im[k] : im[k] / max;
                residual = Math.hypot(residual, Math.hypot(r - (lr * x - li * y), s - (lr * y + li * x)));
                length = Math.hypot(length, Math.hypot(x, y));
                if (im[k] == 0) {
                    assertEquals(0, y, what + ": a real vector");
                }
            }
            assertEquals(1, length, BOUND * n * eps, what + ": length of vector " + k);
            double ratio = residual / (norm * n * eps);
            assertTrue(ratio < BOUND, what + ": A v - w v of vector " + k + ": " + ratio);
            trace += unit[k * (n + 1)];
            sum += max == 0 ? re[k] : re[k] / max;
        }
        assertEquals(trace, sum, BOUND * n * n * eps * norm, what + ": trace");
    }

    @DeviceSpec
    void manySizes(Device device) {
        onTheCpu(device);
        Random random = new Random(SEED);
        for (DType t : TYPES) {
            for (int n : new int[] {1, 2, 3, 4, 5, 8, 17, 32, 33, 66, 120}) {
                try (Scope s = device.open()) {
                    Tensor a = s.tensor(uniform(random, n, n), n, n).to(t);
                    double[][] w = check("uniform", a);
                    Complex alone = Linalg.eigvals(a);
                    double scale = BOUND * n * n * SvdChecks.eps(t);
                    assertArrayEquals(sorted(w[0]), sorted(alone.re().toDoubleArray()), scale);
                    assertArrayEquals(sorted(w[1]), sorted(alone.im().toDoubleArray()), scale);
                }
            }
        }
    }

    private static double[] sorted(double[] x) {
        double[] y = x.clone();
        Arrays.sort(y);
        return y;
    }

    @DeviceSpec
    void difficultMatrices(Device device) {
        onTheCpu(device);
        for (DType t : TYPES) {
            for (int n : new int[] {1, 2, 3, 17, 40}) {
                int number = 0;
                for (double[] x : SvdChecks.difficult(t, n, n, SEED)) {
                    try (Scope s = device.open()) {
                        check("difficult " + number++, s.tensor(x, n, n).to(t));
                    }
                }
                double[] jordan = new double[n * n];
                double[] companion = new double[n * n];
                double[] blocks = uniform(new Random(SEED + n), n, n);
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        jordan[i * n + j] = i == j ? 2 : i + 1 == j ? 1 : 0;
                        companion[i * n + j] = i == 0 ? j - 3 : i == j + 1 ? 1 : 0;
                        blocks[i * n + j] *= i / 2 > j / 2 ? 0 : i / 2 == j / 2 && i > j ? -1e-3 : 1;
                    }
                }
                for (double[] x : new double[][] {jordan, companion, blocks}) {
                    try (Scope s = device.open()) {
                        check("structured", s.tensor(x, n, n).to(t));
                        check("structured, transposed", s.tensor(x, n, n).to(t).transpose(0, 1));
                    }
                }
            }
        }
    }

    @DeviceSpec
    void knownValues(Device device) {
        onTheCpu(device);
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                // a quarter turn: i and -i; vectors (1, -i) / sqrt 2 and its conjugate
                Eig turn = Linalg.eig(s.tensor(new double[] {0, -1, 1, 0}, 2, 2).to(t));
                assertArrayEquals(new double[] {0, 0}, turn.w().re().toDoubleArray(), 1e-7);
                assertArrayEquals(new double[] {1, -1}, turn.w().im().toDoubleArray(), 1e-7);
                assertArrayEquals(new double[] {1, 1}, turn.w().abs().toDoubleArray(), 1e-6);
                double root = Math.sqrt(0.5);
                double[] vre = turn.v().re().toDoubleArray();
                double[] vim = turn.v().im().toDoubleArray();
                for (int k = 0; k < 2; k++) {
                    double product = vre[k] * vim[2 + k] - vim[k] * vre[2 + k]; // v1 / v0 is -i, then i
                    assertEquals(k == 0 ? -0.5 : 0.5, product, 1e-6);
                    assertEquals(root, Math.hypot(vre[k], vim[k]), 1e-6);
                }
                // the cyclic shift of 5: fifth roots of one
                double[][] w = check("shift", shift(s, t, 5));
                for (int k = 0; k < 5; k++) {
                    assertEquals(1, Math.hypot(w[0][k], w[1][k]), 1e-5);
                }
                // triangular: the diagonal; symmetric: eigh's, all real
                Tensor triangle = s.tensor(new double[] {3, 7, 9, 0, -2, 5, 0, 0, 0.5}, 3, 3).to(t);
                assertArrayEquals(new double[] {-2, 0.5, 3}, sorted(check("triangle", triangle)[0]), 1e-5);
                Tensor x = s.normal(t, SEED, 20, 20);
                Tensor symmetric = x.add(x.transpose(0, 1));
                w = check("symmetric", symmetric);
                assertArrayEquals(Linalg.eigvalsh(symmetric).toDoubleArray(), sorted(w[0]),
                        1000 * SvdChecks.eps(t));
                assertArrayEquals(new double[20], w[1]);
            }
        }
    }

    private static Tensor shift(Scope s, DType t, int n) {
        double[] x = new double[n * n];
        for (int i = 0; i < n; i++) {
            x[i * n + (i + 1) % n] = 1;
        }
        return s.tensor(x, n, n).to(t);
    }

    @DeviceSpec
    void stacksInAnyLayoutAndEmpties(Device device) {
        onTheCpu(device);
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor base = s.normal(t, SEED, 6, 4, 5, 7);
                for (Tensor a : new Tensor[] {
                    base.slice(3, 0, 5), base.slice(3, 1, 6).transpose(-2, -1), base.permute(1, 2, 0, 3).slice(3, 0, 6),
                    base.slice(1, 2, 3).slice(3, 0, 5).expand(6, 30, 5, 5), base.slice(3, 0, 5).flip(-1).flip(0)
                }) {
                    check("stack", a);
                }
                assertEquals("[2, 0]", Linalg.eigvals(s.zeros(t, 2, 0, 0)).re().shape().toString());
                assertEquals("[0, 3, 3]", Linalg.eig(s.zeros(t, 0, 3, 3)).v().im().shape().toString());
            }
        }
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor nan = s.tensor(new double[] {1, 2, 3, Double.NaN}, 1, 2, 2);
            assertEquals("eig: x is not finite: NaN at [0, 1, 1]; x F64 [1, 2, 2]; replace such values first, "
                    + "e.g. x.isFinite().where(x, ...)",
                    assertThrows(GramianException.class, () -> Linalg.eig(nan)).getMessage());
            assertEquals(
                    "eigvals: matrix is not square; x [2, 3] has 2 rows and 3 columns; last two axes must be equal",
                    assertThrows(ShapeException.class, () -> Linalg.eigvals(s.zeros(2, 3))).getMessage());
            assertEquals("eig: needs F32 or F64; x is I32 [2, 2]; cast with .to(DType.F32)",
                    assertThrows(DTypeException.class, () -> Linalg.eig(s.zeros(DType.I32, 2, 2))).getMessage());
            if (device.name().startsWith("cuda")) {
                assertEquals("eigvals: not computed on CUDA; x F32 [2, 2] on " + device.name()
                        + "; move it first with x.to(Device.cpu())",
                        assertThrows(DeviceException.class, () -> Linalg.eigvals(s.ones(2, 2))).getMessage());
            }
        }
    }
}
