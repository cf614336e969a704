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
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;

/** Approximations by two factors, and what a spectrum says of them. */
class LowRankTest {
    private static final long SEED = Seed.VALUE;

    /** Singular values 0.7^i. */
    private static Tensor falling(Scope s, DType t, long seed, long m, long n) {
        long k = Math.min(m, n);
        Tensor u = Linalg.orthonormalise(s.normal(DType.F64, seed, m, k));
        Tensor v = Linalg.orthonormalise(s.normal(DType.F64, seed + 1, n, k));
        Tensor values = s.arange(DType.F64, k).mul(Math.log(0.7)).exp();
        return u.mul(values.unsqueeze(0)).matmul(v.transpose(0, 1)).to(t);
    }

    @DeviceSpec
    void nothingOfTheRankIsNearer(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            double rounding = 100 * SvdChecks.eps(t);
            for (long[] mn : new long[][] {{30, 20}, {20, 30}, {1, 9}, {9, 1}, {25, 25}}) {
                try (Scope s = device.open()) {
                    Tensor a = falling(s, t, SEED, mn[0], mn[1]);
                    double norm = Linalg.norm(a).item();
                    Spectrum spectrum = Spectrum.of(Linalg.svdValues(a));
                    for (int r = 0; r <= spectrum.size(); r += 3) {
                        LowRank low = LowRank.ofRank(a, r);
                        assertEquals(r, low.rank());
                        // predicted by the values left out, predicted by the spectrum, measured
                        assertEquals(low.error().item(), low.distance(a).item(), rounding * norm);
                        assertEquals(spectrum.error(r), low.error().item() / norm, rounding);
                        assertEquals(1, spectrum.energy(r) + Math.pow(spectrum.error(r), 2), 1e-12);
                        // other factors of the same rank are farther (Eckart and Young)
                        for (int other = 0; other < 3 && r > 0; other++) {
                            Tensor q = Linalg.orthonormalise(
                                    low.left().add(s.normal(t, SEED + 5 + other, mn[0], r).mul(0.01)));
                            Tensor best = q.matmul(q.transpose(0, 1).matmul(a));
                            assertTrue(Linalg.norm(a.sub(best)).item() >= low.error().item() - rounding * norm);
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void ranksByEnergyAndTolerance(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            try (Scope s = device.open()) {
                Tensor a = falling(s, t, SEED, 24, 18);
                double[] values = Linalg.svdValues(a).toDoubleArray();
                for (double energy : new double[] {0, 0.3, 0.9, 0.999}) {
                    double total = 0;
                    for (double v : values) {
                        total += v * v;
                    }
                    int least = 0;
                    for (double kept = 0; kept < energy * total; least++) {
                        kept += values[least] * values[least];
                    }
                    assertEquals(least, LowRank.ofEnergy(a, energy).rank(), "energy " + energy);
                    LowRank low = LowRank.ofTolerance(a, Math.sqrt(1 - energy));
                    assertEquals(least, low.rank(), "tolerance of energy " + energy);
                    assertTrue(low.distance(a).item() <= Math.sqrt(1 - energy) * Linalg.norm(a).item() + 1e-6);
                }
                assertEquals(18, LowRank.ofEnergy(a, 1).rank());
                assertEquals(0, LowRank.ofTolerance(a, 2).rank());
                // a stack has one rank, which suffices for all
                Tensor flat = s.eye(t, 24, 18);
                Tensor stack = s.zeros(t, 3, 24, 18).add(flat.mul(s.tensor(new double[] {1, 0, 2}).to(t)
                        .reshape(3, 1, 1)));
                assertEquals(9, LowRank.ofEnergy(stack, 0.5).rank());
                assertEquals(Shape.of(3, 9, 18), LowRank.ofEnergy(stack, 0.5).right().shape());
                assertEquals(0, LowRank.ofEnergy(s.zeros(t, 4, 3), 0.9).rank());
                assertEquals(0, LowRank.ofEnergy(s.zeros(t, 4, 0), 0.9).rank());
                assertEquals(24.0 * 18 / (9 * 42), LowRank.ofRank(flat, 9).compression());
            }
        }
    }

    @DeviceSpec
    void whatASpectrumSays(Device device) {
        try (Scope s = device.open()) {
            Spectrum flat = Spectrum.of(s.full(DType.F32, 3, 5));
            assertEquals(5, flat.effectiveRank(), 1e-12);
            assertEquals(5, flat.stableRank(), 1e-12);
            assertEquals(0.4, flat.energy(2), 1e-12);
            Spectrum two = Spectrum.of(s.tensor(new double[] {3, 1, 0}));
            assertEquals(Math.exp(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25)), two.effectiveRank(), 1e-12);
            assertEquals(10.0 / 9, two.stableRank(), 1e-12);
            assertEquals(2, two.rankOfEnergy(1));
            assertArrayEquals(new double[] {3, 1, 0}, two.values());
            // squares outside the range
            Spectrum huge = Spectrum.of(s.tensor(new double[] {3e200, 1e200, 1e-200}));
            assertEquals(0.9, huge.energy(1), 1e-12);
            Spectrum none = Spectrum.of(s.zeros(DType.F64, 3));
            assertEquals(0, none.effectiveRank());
            assertEquals(0, none.stableRank());
            assertEquals(1, none.energy(0));
            assertEquals(0, none.error(0));
            assertEquals(0, none.rankOfEnergy(1));
        }
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.ones(3, 2);
            assertEquals("lowRank: energy is 1.5; it is a share; use 0 to 1, such as 0.99",
                    assertThrows(GramianException.class, () -> LowRank.ofEnergy(a, 1.5)).getMessage());
            assertEquals("lowRank: tolerance is NaN; it is a share of the norm; use for example 1e-2",
                    assertThrows(GramianException.class, () -> LowRank.ofTolerance(a, Double.NaN)).getMessage());
            assertEquals("spectrum: needs the values of one matrix; s [3, 2]; select them from the stack first",
                    assertThrows(ShapeException.class, () -> Spectrum.of(a)).getMessage());
            assertEquals("spectrum: rank is 4; there are 3 singular values; use 0 to 3",
                    assertThrows(ShapeException.class, () -> Spectrum.of(s.ones(3)).energy(4)).getMessage());
            assertEquals("spectrum: not descending from a finite number to 0; s [2] has 2.0 at [1]; give the singular"
                    + " values of a matrix",
                    assertThrows(GramianException.class, () -> Spectrum.of(s.tensor(new double[] {1, 2})))
                            .getMessage());
        }
    }
}
