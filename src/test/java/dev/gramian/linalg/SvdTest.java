package dev.gramian.linalg;

import static dev.gramian.linalg.Reals.uniform;
import static dev.gramian.linalg.SvdChecks.check;
import static dev.gramian.linalg.SvdChecks.eps;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Decomposition;
import dev.gramian.core.DType;
import dev.gramian.core.SvdMode;
import dev.gramian.spec.DeviceSpec;
import java.util.Random;

/** Singular values on every device, below {@link Linalg}. */
class SvdTest {
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64};

    private static String what() {
        return "-Dgramian.seed=" + SEED;
    }

    @DeviceSpec
    void manyShapes(Device device) {
        Random random = new Random(SEED);
        int[][] shapes = {
            {1, 1}, {1, 2}, {2, 1}, {1, 17}, {17, 1}, {2, 2}, {3, 3}, {5, 4}, {4, 5}, {7, 31}, {31, 7}, {32, 32},
            {33, 33}, {65, 65}, {64, 33}, {33, 64}, {97, 131}, {131, 97}, {300, 20}, {20, 300}, {150, 150}
        };
        for (DType t : TYPES) {
            for (int[] mn : shapes) {
                try (Scope s = device.open()) {
                    check(s, what(), s.tensor(uniform(random, mn[0], mn[1]), mn[0], mn[1]).to(t));
                }
            }
        }
    }

    @DeviceSpec
    void difficultMatrices(Device device) {
        for (DType t : TYPES) {
            for (int[] mn : new int[][] {{1, 1}, {3, 2}, {2, 3}, {40, 40}, {70, 41}, {41, 70}}) {
                int number = 0;
                for (double[] x : SvdChecks.difficult(t, mn[0], mn[1], SEED)) {
                    try (Scope s = device.open()) {
                        check(s, what() + " difficult " + number++, s.tensor(x, mn[0], mn[1]).to(t));
                    }
                }
            }
        }
    }

    @DeviceSpec
    void knownValues(Device device) {
        // Hadamard matrix of order 16: all values 4; diagonal: the sorted magnitudes
        double[] hadamard = new double[256];
        for (int i = 0; i < 256; i++) {
            hadamard[i] = Integer.bitCount((i >> 4) & i & 15) % 2 == 0 ? 1 : -1;
        }
        double[] diagonal = new double[25];
        for (int i = 0; i < 5; i++) {
            diagonal[6 * i] = (i % 2 == 0 ? -1 : 1) * (i + 1);
        }
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                for (double v : check(s, "Hadamard", s.tensor(hadamard, 16, 16).to(t))) {
                    assertEquals(4, v, 100 * eps(t));
                }
                assertArrayEquals(new double[] {5, 4, 3, 2, 1},
                        check(s, "diagonal", s.tensor(diagonal, 5, 5).to(t)), 10 * eps(t));
            }
        }
    }

    @DeviceSpec
    void stacksInAnyLayout(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor base = s.tensor(uniform(new Random(SEED + 2), 6, 4 * 5 * 7), 6, 4, 5, 7).to(t);
                Tensor[] views = {
                    base, base.transpose(-2, -1), base.permute(1, 2, 3, 0), base.flip(0).slice(2, 0, 4).slice(3, 1, 5),
                    base.slice(2, 0, 1).expand(6, 4, 9, 7), base.slice(1, 2, 3).expand(6, 30, 5, 7),
                    base.flip(-1).flip(-2).slice(0, 0, 6, 2)
                };
                for (Tensor a : views) {
                    check(s, what(), a);
                }
            }
        }
    }

    @DeviceSpec
    void empties(Device device) {
        for (DType t : TYPES) {
            for (long[] shape : new long[][] {{0, 3}, {3, 0}, {0, 0}, {0, 3, 3}, {2, 0, 3}, {2, 3, 0}}) {
                try (Scope s = device.open()) {
                    Tensor a = s.zeros(t, shape);
                    for (Tensor x : s.runAll(new Decomposition.Svd(SvdMode.THIN), a)) {
                        assertEquals(0, x.size());
                    }
                    Tensor[] full = s.runAll(new Decomposition.Svd(SvdMode.FULL), a);
                    for (Tensor f : new Tensor[] {full[0], full[2]}) {
                        int n = (int) f.dim(-1);
                        double[] x = f.toDoubleArray();
                        for (int i = 0; i < x.length; i++) {
                            assertEquals(i % (n * n) % (n + 1) == 0 ? 1 : 0, x[i]);
                        }
                    }
                    assertEquals(0, s.run(new Decomposition.Svd(SvdMode.VALUES), a).size());
                }
            }
        }
    }
}
