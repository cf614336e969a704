package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sizes as kernels divide by them. */
final class AxesTest {
    /** As divide of axes.cuh. */
    private static long divide(long n, long divisor) {
        return (n * (divisor & 0xffffffffL) >>> 32) >>> (int) (divisor >>> 32);
    }

    @Test
    void divisorsDivideEveryNumberBelow2To31() {
        Random r = new Random(1);
        long max = Integer.MAX_VALUE;
        for (int i = 0; i < 200_000; i++) {
            long d = i < 5000 ? i + 2 : Math.max(2, r.nextInt(Integer.MAX_VALUE) >>> r.nextInt(31));
            if (i % 100 == 0) {
                d = (1L << r.nextInt(1, 31)) + r.nextInt(-1, 2);
                d = Math.clamp(d, 2, max);
            }
            long divisor = Axes.divisor(d);
            long some = r.nextInt(Integer.MAX_VALUE);
            for (long n : new long[] {0, 1, d - 1, d, some, some / d * d, some / d * d - 1, max, max / d * d - 1}) {
                if (n >= 0) {
                    assertEquals(n / d, divide(n, divisor), n + " / " + d);
                }
            }
        }
        assertEquals(0, divide(max, Axes.divisor(1L << 31)));
        assertEquals(0, divide(max, Axes.divisor(1L << 40)));
    }
}
