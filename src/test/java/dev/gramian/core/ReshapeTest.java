package dev.gramian.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Reshape keeps the row-major order, and refuses exactly the layouts that no strides describe. */
class ReshapeTest {
    private static final long SEED = Seed.VALUE;

    private static long[] elements(Layout l) {
        long[] e = new long[(int) l.size()];
        for (int i = 0; i < e.length; i++) {
            long at = l.offset();
            long rest = i;
            for (int a = l.rank() - 1; a >= 0; a--) {
                at += rest % l.shape().at(a) * l.stride(a);
                rest /= l.shape().at(a);
            }
            e[i] = at;
        }
        return e;
    }

    /** True if element indices in row-major order of {@code s} are an offset plus a stride per axis. */
    private static boolean strided(long[] e, Shape s) {
        long[] stride = new long[s.rank()];
        long block = 1;
        for (int a = s.rank() - 1; a >= 0; a--) {
            stride[a] = s.at(a) > 1 ? e[(int) block] - e[0] : 0;
            block *= s.at(a);
        }
        for (int i = 0; i < e.length; i++) {
            long at = e[0];
            long rest = i;
            for (int a = s.rank() - 1; a >= 0; a--) {
                at += rest % s.at(a) * stride[a];
                rest /= s.at(a);
            }
            if (at != e[i]) {
                return false;
            }
        }
        return true;
    }

    /** A random factorisation of n, with ones strewn in. */
    private static Shape factors(Random r, long n) {
        List<Long> f = new ArrayList<>();
        for (long p = 2; n > 1;) {
            if (n % p == 0) {
                f.add(p);
                n /= p;
            } else {
                p++;
            }
        }
        java.util.Collections.shuffle(f, r);
        while (f.size() > 1 && r.nextInt(3) > 0) {
            int i = r.nextInt(f.size() - 1);
            f.set(i, f.get(i) * f.remove(i + 1));
        }
        while (r.nextInt(3) == 0) {
            f.add(r.nextInt(f.size() + 1), 1L);
        }
        return Shape.of(f.stream().mapToLong(Long::longValue).toArray());
    }

    @Test
    void nullExactlyWhereACopyIsNeeded() {
        int copies = 0;
        for (int round = 0; round < 20_000; round++) {
            Random r = new Random(SEED + round);
            Layout l = Layout.contiguous(factors(r, 1 + r.nextInt(96)));
            int[] order = new int[l.rank()];
            for (int i = 0; i < order.length; i++) {
                order[i] = i;
            }
            if (order.length > 1 && r.nextBoolean()) {
                int i = r.nextInt(order.length);
                int j = r.nextInt(order.length);
                int t = order[i];
                order[i] = order[j];
                order[j] = t;
            }
            l = l.permute(order);
            for (int a = 0; a < l.rank(); a++) {
                switch (r.nextInt(8)) {
                    case 0 -> l = l.slice(a, Long.MAX_VALUE, Long.MIN_VALUE, -1);
                    case 1 -> l = l.slice(a, 0, Long.MAX_VALUE, 2);
                    case 2 -> l = l.shape().at(a) == 1 ? l.expand("test", l.shape().with(a, 4)) : l;
                    default -> {}
                }
            }
            Shape target = factors(r, l.size());
            long[] e = elements(l);
            Layout got = l.reshape(target);
            String what = "seed " + (SEED + round) + ": " + l + " to " + target + " gives " + got;
            assertEquals(strided(e, target), got != null, what);
            if (got != null) {
                assertArrayEquals(e, elements(got), what);
            } else {
                copies++;
            }
        }
        assertEquals(true, copies > 1000, "copies " + copies);
    }
}
