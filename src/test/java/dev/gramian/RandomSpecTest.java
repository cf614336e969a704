package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One seed, the same numbers: on every device, bit for bit, in every shape, alone or as the head of more. */
final class RandomSpecTest {
    private static final long[] SIZES = {0, 1, 3, 7, 64, 1001, 40_003};
    private static final long[] SEEDS = {0, 1, -1, 42, Long.MIN_VALUE};

    private static byte[] bytes(Tensor t) {
        byte[] b = new byte[Math.toIntExact(t.size() * t.dtype().bytes())];
        t.copyTo(MemorySegment.ofArray(b));
        return b;
    }

    private static List<Tensor> all(Scope s, long seed, long n) {
        List<Tensor> r = new ArrayList<>();
        for (DType t : DType.values()) {
            if (t.isFloat()) {
                r.add(s.uniform(t, seed, -2, 3, n));
                r.add(s.normal(t, seed, n));
            }
            r.add(s.integers(t, seed, 0, t == DType.BOOL ? 2 : 200, n));
        }
        r.add(s.integers(DType.I64, seed, Long.MIN_VALUE >> 11, Long.MAX_VALUE >> 11, n));
        return r;
    }

    @DeviceSpec
    void everyDeviceGivesTheSameBits(Device device) {
        Device plain = Device.of("cpu:scalar");
        for (long seed : SEEDS) {
            for (long n : SIZES) {
                try (Scope s = device.open();
                        Scope p = plain.open()) {
                    List<Tensor> here = all(s, seed, n);
                    List<Tensor> there = all(p, seed, n);
                    for (int i = 0; i < here.size(); i++) {
                        assertArrayEquals(bytes(there.get(i)), bytes(here.get(i)),
                                here.get(i).describe() + ", seed " + seed + ", number " + i);
                    }
                }
            }
        }
    }

    @DeviceSpec
    void anElementDependsOnSeedAndPlaceAlone(Device device) {
        try (Scope s = device.open()) {
            for (DType t : DType.values()) {
                if (t.isFloat()) {
                    assertArrayEquals(bytes(s.normal(t, 7, 5000).slice(0, 0, 77)), bytes(s.normal(t, 7, 7, 11)));
                    assertArrayEquals(bytes(s.uniform(t, 7, 0, 1, 5000).slice(0, 0, 77)),
                            bytes(s.uniform(t, 7, 0, 1, 77)));
                    assertFalse(Arrays.equals(bytes(s.normal(t, 7, 77)), bytes(s.normal(t, 8, 77))));
                }
            }
        }
    }

    @DeviceSpec
    void numbersAreAsStated(Device device) {
        int n = 200_000;
        try (Scope s = device.open()) {
            for (DType t : new DType[] {DType.F64, DType.F32}) {
                Tensor u = s.uniform(t, 3, -2, 3, n);
                assertTrue(u.min().item() >= -2 && u.max().item() < 3);
                assertEquals(0.5, u.mean().item(), 5 * 1.4434 / Math.sqrt(n));
                assertEquals(25 / 12.0, u.var().item(), 0.05);
                Tensor g = s.normal(t, 3, n);
                assertEquals(0, g.mean().item(), 5 / Math.sqrt(n));
                assertEquals(1, g.std().item(), 0.02);
                // a normal variable exceeds 3 in 27 of 10,000 cases
                assertEquals(0.0027, g.abs().gt(3).to(DType.F64).mean().item(), 0.0006);
                // neighbours are unrelated
                assertEquals(0, g.slice(0, 1, n).mul(g.slice(0, 0, n - 1)).mean().item(), 5 / Math.sqrt(n));
            }
            Tensor i = s.integers(DType.I32, 3, -3, 4, n);
            for (int v = -3; v < 4; v++) {
                assertEquals(1 / 7.0, i.eq(v).to(DType.F64).mean().item(), 0.005, "share of " + v);
            }
        }
    }
}
