package dev.gramian.linalg;

import static dev.gramian.linalg.Reals.identity;
import static dev.gramian.linalg.Reals.minus;
import static dev.gramian.linalg.Reals.norm;
import static dev.gramian.linalg.Reals.part;
import static dev.gramian.linalg.Reals.product;
import static dev.gramian.linalg.Reals.uniform;
import static dev.gramian.linalg.SvdChecks.eps;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import java.math.BigInteger;
import java.util.Random;

/** Systems, inverses and determinants on every device. */
class SystemsTest {
    private static final double BOUND = 30;
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64};

    private static void small(String what, double ratio) {
        assertTrue(ratio < BOUND, () -> what + ": " + ratio + "; -Dgramian.seed=" + SEED);
    }

    @DeviceSpec
    void solvesAndInverts(Device device) {
        Random random = new Random(SEED + 3);
        for (DType t : TYPES) {
            for (int n : new int[] {1, 2, 3, 5, 8, 31, 32, 33, 64, 67, 130}) {
                for (int r : new int[] {1, 2, 5, 33, 100}) {
                    try (Scope s = device.open()) {
                        Tensor a = s.tensor(uniform(random, n, n), n, n).to(t);
                        Tensor b = s.tensor(uniform(random, n, r), n, r).to(t);
                        double[] x = Linalg.solve(a, b).toDoubleArray();
                        double[] rest = minus(product(a.toDoubleArray(), x, n, n, r), b.toDoubleArray());
                        small("solve " + n + " x " + r + " " + t,
                                norm(rest) / (norm(a.toDoubleArray()) * norm(x) * n * eps(t)));
                    }
                }
                try (Scope s = device.open()) {
                    double[] well = uniform(random, n, n);
                    for (int i = 0; i < n; i++) {
                        well[i * (n + 1)] += n;
                    }
                    Tensor a = s.tensor(well, n, n).to(t);
                    double[] inverse = Linalg.inv(a).toDoubleArray();
                    double[] rest = minus(product(a.toDoubleArray(), inverse, n, n, n), identity(n));
                    small("inv " + n + " " + t, norm(rest) / (norm(well) * norm(inverse) * n * eps(t)));
                }
            }
        }
    }

    @DeviceSpec
    void stacksInAnyLayout(Device device) {
        Random random = new Random(SEED + 4);
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor base = s.tensor(uniform(random, 7, 49 * 40), 40, 7, 49).to(t);
                Tensor a = base.flip(2).slice(2, 0, 49, 7).transpose(-2, -1);
                Tensor b = s.tensor(uniform(random, 3, 7), 3, 7).to(t).transpose(0, 1).unsqueeze(0).expand(40, 7, 3);
                double[] all = a.toDoubleArray();
                double[] right = b.toDoubleArray();
                double[] x = Linalg.solve(a, b).toDoubleArray();
                double[] inverse = Linalg.inv(a).toDoubleArray();
                double[] det = Linalg.det(a).toDoubleArray();
                for (int i = 0; i < 40; i++) {
                    double[] ai = part(all, i, 49);
                    double[] xi = part(x, i, 21);
                    small("matrix " + i, norm(minus(product(ai, xi, 7, 7, 3), part(right, i, 21)))
                            / (norm(ai) * norm(xi) * 7 * eps(t)));
                    double[] inv = part(inverse, i, 49);
                    small("inverse " + i, norm(minus(product(ai, inv, 7, 7, 7), identity(7)))
                            / (norm(ai) * norm(inv) * 7 * eps(t)));
                    assertEquals(Linalg.det(s.tensor(ai, 7, 7).to(t)).item(), det[i], 100 * eps(t) * Math.abs(det[i]));
                }
            }
        }
    }

    @DeviceSpec
    void determinantsAgainstExactArithmetic(Device device) {
        Random random = new Random(SEED + 5);
        for (DType t : TYPES) {
            for (int n = 1; n <= 12; n++) {
                for (int round = 0; round < 5; round++) {
                    double[] a = new double[n * n];
                    for (int i = 0; i < a.length; i++) {
                        a[i] = random.nextInt(19) - 9;
                    }
                    if (round == 4 && n > 1) {
                        System.arraycopy(a, 0, a, n, n); // two equal rows: singular, found exactly or nearly
                    }
                    try (Scope s = device.open()) {
                        Tensor x = s.tensor(a, n, n).to(t);
                        double det = Linalg.det(x).item();
                        double scale = Math.pow(norm(a) / Math.sqrt(n), n);
                        assertEquals(exact(a, n).doubleValue(), det, 50 * n * eps(t) * scale);
                        Linalg.LogDet log = Linalg.slogdet(x);
                        if (det == 0) {
                            assertEquals(0, log.sign().item());
                            assertEquals(Double.NEGATIVE_INFINITY, log.logAbs().item());
                        } else {
                            assertEquals(Math.signum(det), log.sign().item());
                            assertEquals(Math.log(Math.abs(det)), log.logAbs().item(), 100 * eps(t) * n);
                        }
                    }
                }
            }
        }
    }

    /** By Bareiss's elimination, whose every division is exact. */
    private static BigInteger exact(double[] a, int n) {
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

    @DeviceSpec
    void determinantsOutsideTheRange(Device device) {
        for (DType t : TYPES) {
            for (int n : new int[] {4, 90}) {
                try (Scope s = device.open()) {
                    double big = t == DType.F64 ? 1e200 : 1e30;
                    double[] a = identity(n);
                    a[0] = big;
                    a[n + 1] = -big;
                    a[2 * (n + 1)] = 1 / big;
                    a[3 * (n + 1)] = 1 / big;
                    assertEquals(-1, Linalg.det(s.tensor(a, n, n).to(t)).item(), 1e-5);
                    a[2 * (n + 1)] = big;
                    Tensor large = s.tensor(a, n, n).to(t);
                    assertEquals(Double.NEGATIVE_INFINITY, Linalg.det(large).item());
                    assertEquals(-1, Linalg.slogdet(large).sign().item());
                    assertEquals(2 * Math.log(big), Linalg.slogdet(large).logAbs().item(), 1e-3);
                    assertEquals(0, Linalg.det(s.zeros(t, n, n)).item());
                    assertEquals(1, Linalg.det(s.zeros(t, 0, 0)).item());
                    assertEquals(-1, Linalg.det(s.tensor(new double[] {0, 1, 1, 0}, 2, 2).to(t)).item());
                    Linalg.LogDet none = Linalg.slogdet(s.zeros(t, 2, 0, 0));
                    assertEquals(1, none.sign().get(1));
                    assertEquals(0, none.logAbs().get(1));
                }
            }
        }
    }

    @DeviceSpec
    void singularMatricesAreNamed(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor one = s.tensor(new double[] {1, 2, 0, 2, 4, 0, 0, 0, 1}, 3, 3).to(t);
                assertEquals("inv: matrix is singular; x [3, 3], pivot 1 is zero; use Linalg.pinv or check the rank",
                        assertThrows(GramianException.class, () -> Linalg.inv(one)).getMessage());
                for (int n : new int[] {2, 70}) {
                    double[] stack = new double[2 * 50 * n * n];
                    for (int i = 0; i < 100; i++) {
                        System.arraycopy(identity(n), 0, stack, i * n * n, n * n);
                        stack[i * n * n + n + 1] = i == 63 || i == 90 ? 0 : 1;
                    }
                    Tensor many = s.tensor(stack, 2, 50, n, n).to(t);
                    Tensor b = s.zeros(t, 2, 50, n, 1);
                    assertEquals("solve: matrix is singular; a [2, 50, " + n + ", " + n
                            + "] at batch [1, 13], pivot 1 is zero; use Linalg.pinv or check the rank",
                            assertThrows(GramianException.class, () -> Linalg.solve(many, b)).getMessage());
                }
                Tensor large = s.eye(t, 90).mul(s.arange(DType.I64, 90).ne(80).to(t));
                assertEquals("inv: matrix is singular; x [90, 90], pivot 80 is zero; use Linalg.pinv or check the rank",
                        assertThrows(GramianException.class, () -> Linalg.inv(large)).getMessage());
            }
        }
    }

    @DeviceSpec
    void nanTravels(Device device) {
        for (DType t : TYPES) {
            for (int n : new int[] {3, 80}) {
                try (Scope s = device.open()) {
                    double[] x = identity(n);
                    x[2 * n + 2] = Double.NaN;
                    double[] inverse = Linalg.inv(s.tensor(x, n, n).to(t)).toDoubleArray();
                    assertTrue(Double.isNaN(inverse[2 * n + 2]));
                    assertTrue(Double.isNaN(Linalg.det(s.tensor(x, n, n).to(t)).item()));
                }
            }
        }
    }
}
