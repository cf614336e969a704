package dev.gramian.linalg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import org.junit.jupiter.api.Test;

class RandomizedSvdTest {
    private static final RandomizedSvd SAMPLER = new RandomizedSvd(5);

    /** Singular values {@code ratio}^i on random orthonormal vectors. */
    private static Tensor falling(Scope s, DType t, long m, long n, double ratio) {
        long k = Math.min(m, n);
        Tensor u = Linalg.orthonormalise(s.normal(DType.F64, 1, m, k));
        Tensor v = Linalg.orthonormalise(s.normal(DType.F64, 2, n, k));
        Tensor values = s.arange(DType.F64, k).mul(Math.log(ratio)).exp();
        return u.mul(values.unsqueeze(0)).matmul(v.transpose(0, 1)).to(t);
    }

    private static void checkParts(Scope s, Tensor a, TruncatedSvd r) {
        double e = a.dtype() == DType.F64 ? 0x1p-52 : 0x1p-23;
        Svd svd = r.svd();
        long k = svd.s().dim(0);
        for (Tensor q : new Tensor[] {svd.u(), svd.vt().transpose(0, 1)}) {
            Tensor g = q.transpose(0, 1).matmul(q).sub(s.eye(a.dtype(), k));
            assertTrue(Linalg.norm(g).item() < 30 * q.dim(0) * e, "orthonormal");
        }
        Tensor product = svd.u().mul(svd.s().unsqueeze(0)).matmul(svd.vt());
        double measured = Linalg.norm(a.sub(product)).item();
        double norm = Linalg.norm(a).item();
        assertEquals(norm, r.norm(), 1e-6 * norm);
        assertEquals(measured, r.error(), 1e-3 * measured + 100 * e * norm, "error of rank " + k);
    }

    @DeviceSpec
    void nearTheBestOfTheRank(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (long[] mn : new long[][] {{120, 70}, {70, 120}, {90, 90}, {200, 1}, {1, 200}}) {
                try (Scope s = device.open()) {
                    Tensor a = falling(s, t, mn[0], mn[1], 0.8);
                    Svd exact = Linalg.svd(a);
                    double[] values = exact.s().toDoubleArray();
                    for (long rank : new long[] {0, 1, 10, Math.min(mn[0], mn[1])}) {
                        if (rank > values.length) {
                            continue;
                        }
                        TruncatedSvd r = SAMPLER.ofRank(a, rank);
                        checkParts(s, a, r);
                        double best = 0;
                        for (int i = values.length - 1; i >= rank; i--) {
                            best = Math.hypot(best, values[i]);
                        }
                        double rounding = 100 * (t == DType.F64 ? 0x1p-52 : 0x1p-23);
                        assertTrue(r.error() <= 1.01 * best + rounding, r.error() + " against " + best);
                        assertTrue(r.error() >= 0.999 * best - rounding, "no better than the best");
                        double[] found = r.svd().s().toDoubleArray();
                        for (int i = 0; i < rank; i++) {
                            assertEquals(values[i], found[i], 1e-3 * values[i] + rounding);
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void exactWhereTheRankIsSmall(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.normal(DType.F64, 3, 150, 6).matmul(s.normal(DType.F64, 4, 6, 80));
            TruncatedSvd r = SAMPLER.ofTolerance(a, 1e-10);
            assertEquals(6, r.svd().s().dim(0));
            checkParts(s, a, r);
            assertTrue(r.relativeError() < 1e-13);
            // views, and powers of ten that leave the range when squared
            TruncatedSvd huge = SAMPLER.ofRank(a.mul(1e200).transpose(0, 1).flip(0), 6);
            assertTrue(huge.relativeError() < 1e-13, "" + huge);
            assertTrue(SAMPLER.ofRank(a.mul(1e-200), 6).relativeError() < 1e-13);
            assertEquals(0, SAMPLER.ofTolerance(s.zeros(DType.F64, 100, 90), 0.1).svd().s().dim(0));
            assertEquals(0, SAMPLER.ofTolerance(s.zeros(DType.F64, 100, 0), 0.1).svd().s().dim(0));
        }
    }

    @DeviceSpec
    void asFewAsTheToleranceNeeds(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            try (Scope s = device.open()) {
                Tensor a = falling(s, t, 130, 110, 0.9);
                double[] values = Linalg.svdValues(a).toDoubleArray();
                for (double tolerance : new double[] {0.5, 0.1, 1e-2, 1e-3}) {
                    TruncatedSvd r = SAMPLER.ofTolerance(a, tolerance);
                    checkParts(s, a, r);
                    assertTrue(r.relativeError() <= tolerance, r.relativeError() + " for " + tolerance);
                    double error = 0;
                    int least = values.length;
                    while (least > 0 && Math.hypot(error, values[least - 1]) <= tolerance * r.norm()) {
                        error = Math.hypot(error, values[--least]);
                    }
                    assertEquals(least, r.svd().s().dim(0), 1, "rank for " + tolerance);
                }
                assertEquals(110, SAMPLER.ofTolerance(a, 0).svd().s().dim(0));
            }
        }
    }

    @DeviceSpec
    void aSeedRepeatsAndOnlyResultsStay(Device device) {
        try (Scope s = device.open()) {
            Tensor a = falling(s, DType.F32, 100, 60, 0.7);
            long before = device.liveBytes();
            TruncatedSvd r = SAMPLER.ofRank(a, 4);
            assertEquals(before + 4 * 4 * (100 + 1 + 60), device.liveBytes());
            assertArrayEquals(r.svd().u().toFloatArray(), SAMPLER.ofRank(a, 4).svd().u().toFloatArray());
        }
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            assertEquals("randomizedSvd: rank is 4; x [3, 5] has 3 singular values; use 0 to 3",
                    assertThrows(ShapeException.class, () -> SAMPLER.ofRank(s.zeros(3, 5), 4)).getMessage());
            assertEquals("randomizedSvd: needs one matrix; x [2, 3, 5]; select it from the stack first",
                    assertThrows(ShapeException.class, () -> SAMPLER.ofRank(s.zeros(2, 3, 5), 1)).getMessage());
            assertEquals("randomizedSvd: tolerance is NaN; x [3, 5]; use a share of the norm such as 1e-3",
                    assertThrows(GramianException.class, () -> SAMPLER.ofTolerance(s.zeros(3, 5), Double.NaN))
                            .getMessage());
            Tensor a = s.tensor(new double[] {1, Double.POSITIVE_INFINITY, 2, 3}, 2, 2);
            assertEquals("randomizedSvd: x is not finite: inf at [0, 1]; x F64 [2, 2]; replace such values first, "
                    + "e.g. x.isFinite().where(x, ...)",
                    assertThrows(GramianException.class, () -> SAMPLER.ofRank(a, 1)).getMessage());
        }
    }

    @Test
    void settings() {
        assertEquals(
                "randomizedSvd: oversampling and power iterations count from 0; oversampling -1, powerIterations 2;"
                        + " use for example 10 and 2",
                assertThrows(GramianException.class, () -> new RandomizedSvd(-1, 2, 0)).getMessage());
    }
}
