package dev.gramian.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class PhiloxTest {
    private static int[] block(int c0, int c1, int c2, int c3, int k0, int k1) {
        int[] out = new int[4];
        Philox.block(c0, c1, c2, c3, k0, k1, out);
        return out;
    }

    @Test
    void knownAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, block(0, 0, 0, 0, 0, 0));
        assertArrayEquals(
                new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, block(-1, -1, -1, -1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    @Test
    void bitsOfAnElementDoNotDependOnWhereOneStarts() {
        long[] all = new long[20];
        Philox.bits(7, 0, all, 20);
        for (int i = 0; i < 20; i++) {
            long[] one = new long[1];
            Philox.bits(7, i, one, 1);
            assertEquals(all[i], one[0]);
        }
        assertEquals(0xe169c58d6627e8d5L, first(0));
    }

    private static long first(long seed) {
        long[] one = new long[1];
        Philox.bits(seed, 0, one, 1);
        return one[0];
    }

    @Test
    void uniformNeverReachesItsEnd() {
        double[][] ranges = {{0, 1}, {0, 0.1}, {0.7, 1.3}, {-5, -0.1}, {-1e308, 1.7e308}, {1, Math.nextUp(1f)},
            {-1, 0}};
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            for (double[] r : ranges) {
                if (t.isHalf() && (r[1] > 1e300 || r[1] - r[0] < 1e-6) || t == DType.F32 && r[1] > 1e300) {
                    continue;
                }
                for (long bits : new long[] {0, -1, -2048, 1L << 62, Long.MIN_VALUE}) {
                    double v = Philox.within(t, Philox.uniform(bits, r[0], r[1]), r[0], r[1]);
                    assertTrue(v >= r[0] && v < r[1], t + " [" + r[0] + ", " + r[1] + ") gave " + v);
                }
            }
        }
    }
}
