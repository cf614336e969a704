package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Sums across lanes have one order, whether code is interpreted or compiled: the same product gives the same bits. */
final class VectorTileTest {
    /** Halves are added to each other until one value is left. */
    private static double halved(double[] v, int n) {
        for (; n > 1; n /= 2) {
            for (int i = 0; i < n / 2; i++) {
                v[i] += v[i + n / 2];
            }
        }
        return v[0];
    }

    /** Lanes whose sum is another in any other order. */
    private static double lane(int i, double ulp) {
        return (i % 2 == 0 ? 1 : -1) * (1 / ulp + i) * (1 + i * ulp * 16) / 3;
    }

    @Test
    void dotsOfF64AddHalves() {
        int n = VectorTileF64.SPECIES.length();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rows = arena.allocate(8L * 8 * n, 64);
            MemorySegment x = arena.allocate(8L * 2 * n, 64);
            MemorySegment y = arena.allocate(4L * 8);
            double[] want = new double[n];
            for (int i = 0; i < n; i++) {
                want[i] = lane(i, 0x1p-52);
                x.setAtIndex(ValueLayout.JAVA_DOUBLE, i, 1);
                for (int r = 0; r < 4; r++) {
                    rows.setAtIndex(ValueLayout.JAVA_DOUBLE, 2L * n * r + i, want[i]);
                }
            }
            double sum = halved(want, n);
            for (int round = 0; round < 20_000; round++) {
                VectorTileF64.dots4(2L * n, rows.address(), 16L * n, x.address(), y.address());
                for (int r = 0; r < 4; r++) {
                    assertEquals(sum, y.getAtIndex(ValueLayout.JAVA_DOUBLE, r), 0.0);
                }
            }
        }
    }

    @Test
    void dotsOfF32AddInDoublePrecision() {
        int n = VectorTileF32.SPECIES.length();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rows = arena.allocate(4L * 8 * n, 64);
            MemorySegment x = arena.allocate(4L * 2 * n, 64);
            MemorySegment y = arena.allocate(4L * 4);
            double sum = 0;
            for (int i = 0; i < n; i++) {
                float v = (float) lane(i, 0x1p-23);
                sum += v;
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
                for (int r = 0; r < 4; r++) {
                    rows.setAtIndex(ValueLayout.JAVA_FLOAT, 2L * n * r + i, v);
                }
            }
            for (int round = 0; round < 20_000; round++) {
                VectorTileF32.dots4(2L * n, rows.address(), 8L * n, x.address(), y.address());
                for (int r = 0; r < 4; r++) {
                    assertEquals((float) sum, y.getAtIndex(ValueLayout.JAVA_FLOAT, r), 0f);
                }
            }
        }
    }
}
