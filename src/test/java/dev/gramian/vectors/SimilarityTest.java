package dev.gramian.vectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;

class SimilarityTest {
    @DeviceSpec
    void asByPlainLoops(Device device) {
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16}) {
            double tolerance = t == DType.F64 ? 1e-12 : t == DType.F32 ? 1e-5 : 5e-3;
            try (Scope s = device.open()) {
                Tensor x = s.normal(DType.F64, Seed.VALUE, 7, 5).to(t);
                Tensor y = s.normal(DType.F64, Seed.VALUE + 1, 9, 5).to(t);
                double[] a = x.toDoubleArray();
                double[] b = y.toDoubleArray();
                for (Metric m : Metric.values()) {
                    Tensor r = Similarity.of(m, x, y);
                    assertEquals(t, r.dtype());
                    for (int i = 0; i < 7; i++) {
                        for (int j = 0; j < 9; j++) {
                            double expected = Plain.score(m, a, i, b, j, 5);
                            assertEquals(expected, r.get(i, j), tolerance * (1 + Math.abs(expected)), m + " " + t);
                        }
                    }
                    assertEquals("[3, 7, 9]",
                            Similarity.of(m, x, y.expand(3, 9, 5)).shape().toString());
                    assertEquals("[7, 0]", Similarity.of(m, x, y.slice(0, 0, 0)).shape().toString());
                    assertEquals("[0, 9]", Similarity.of(m, x.slice(0, 0, 0), y).shape().toString());
                    assertEquals("[7, 7]", Similarity.of(m, x).shape().toString());
                    assertArrayEquals(new double[63],
                            Similarity.of(m, x.slice(1, 0, 0), y.slice(1, 0, 0)).toDoubleArray());
                }
            }
        }
    }

    @DeviceSpec
    void zeroVectors(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new double[] {0, 0, 3, 4}, 2, 2);
            assertArrayEquals(new double[] {0, 0, 0, 1}, Similarity.of(Metric.COSINE, x).toDoubleArray(), 1e-15);
            assertArrayEquals(new double[] {0, 5, 5, 0}, Similarity.of(Metric.EUCLIDEAN, x).toDoubleArray(), 1e-15);
            assertArrayEquals(new double[] {0, 0, 0.6, 0.8}, Linalg.normalise(x, -1).toDoubleArray(), 1e-15);
            assertArrayEquals(new double[] {0, 0, 1, 1}, Linalg.normalise(x, 0).toDoubleArray(), 1e-15);
            Tensor huge = x.mul(1e300);
            assertArrayEquals(new double[] {0, 0, 0.6, 0.8}, Linalg.normalise(huge, 1).toDoubleArray(), 1e-15);
            assertArrayEquals(new double[] {0, 0, 0, 1}, Similarity.of(Metric.COSINE, huge).toDoubleArray(), 1e-15);
        }
    }

    /** Far from the origin and close together: where |x|² + |y|² - 2 x·y in F32 has no digit left. */
    @DeviceSpec
    void distancesFarFromTheOrigin(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, Seed.VALUE, 20, 8).add(1000);
            double[] a = x.toDoubleArray();
            Tensor r = Similarity.of(Metric.EUCLIDEAN, x);
            Tensor rounded = Similarity.of(Metric.COSINE, x);
            for (int i = 0; i < 20; i++) {
                for (int j = 0; j < 20; j++) {
                    double expected = Plain.score(Metric.EUCLIDEAN, a, i, a, j, 8);
                    assertEquals(expected, r.get(i, j), 1e-6 * expected);
                    assertTrue(Math.abs(rounded.get(i, j)) <= 1);
                }
            }
            Tensor same = s.full(DType.F64, 0.1, 3, 5);
            assertTrue(Similarity.of(Metric.EUCLIDEAN, same, same).max().item() < 1e-8);
        }
    }

    private static void refused(Class<? extends GramianException> type, String text, Runnable what) {
        assertEquals(text, assertThrows(type, what::run).getMessage());
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(4, 3);
            refused(DTypeException.class,
                    "similarity: needs one float type; x F32 [4, 3], y F64 [4, 3]; cast with .to(DType.F32)",
                    () -> Similarity.of(Metric.DOT, x, s.zeros(DType.F64, 4, 3)));
            refused(DTypeException.class,
                    "similarity: needs one float type; x I64 [4, 3], y I64 [4, 3]; cast with .to(DType.F32)",
                    () -> Similarity.of(Metric.DOT, s.zeros(DType.I64, 4, 3)));
            refused(ShapeException.class, "similarity: vectors differ in length, or are no rows; x [4, 3], y [4, 2];"
                    + " give (..., vectors, length) twice with one length",
                    () -> Similarity.of(Metric.COSINE, x, s.zeros(4, 2)));
            refused(ShapeException.class, "similarity: vectors differ in length, or are no rows; x [3], y [3];"
                    + " give (..., vectors, length) twice with one length",
                    () -> Similarity.of(Metric.DOT, s.zeros(3)));
            refused(DTypeException.class, "normalise: needs a float type; x I64 [2]; cast with .to(DType.F32)",
                    () -> Linalg.normalise(s.zeros(DType.I64, 2), 0));
        }
    }
}
