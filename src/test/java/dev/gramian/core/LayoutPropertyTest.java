package dev.gramian.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random chains of views against an explicit list of element indices in row-major order. */
class LayoutPropertyTest {
    private static final long SEED = Seed.VALUE;

    private static long[] coordinates(Shape s, long position) {
        long[] c = new long[s.rank()];
        for (int i = c.length - 1; i >= 0; i--) {
            c[i] = position % s.at(i);
            position /= s.at(i);
        }
        return c;
    }

    private static long[] elements(Layout l) {
        long[] e = new long[(int) l.size()];
        for (int i = 0; i < e.length; i++) {
            e[i] = l.index(coordinates(l.shape(), i));
        }
        return e;
    }

    private static long position(Shape s, long[] c) {
        long p = 0;
        for (int i = 0; i < c.length; i++) {
            p = p * s.at(i) + c[i];
        }
        return p;
    }

    /** Where the elements of a Python slice lie on an axis of n, by walking from start to stop. */
    private static long[] python(long n, long start, long stop, long step) {
        long low = step > 0 ? 0 : -1;
        long high = step > 0 ? n : n - 1;
        long from = Math.clamp(start < 0 ? start + n : start, low, high);
        long to = Math.clamp(stop < 0 ? stop + n : stop, low, high);
        long[] r = new long[(int) n];
        int m = 0;
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            r[m++] = i;
        }
        return Arrays.copyOf(r, m);
    }

    private interface Source {
        long[] of(long[] coordinates);
    }

    /** The elements a view must have: for each coordinate of the result, those of the source it shows. */
    private static long[] shown(Shape before, long[] elements, Shape after, Source source) {
        long[] e = new long[(int) after.size()];
        for (int i = 0; i < e.length; i++) {
            e[i] = elements[(int) position(before, source.of(coordinates(after, i)))];
        }
        return e;
    }

    @Test
    void chainsOfViewsShowTheRightElements() {
        for (int round = 0; round < 4000; round++) {
            Random r = new Random(SEED + round);
            long[] d = new long[r.nextInt(5)];
            for (int i = 0; i < d.length; i++) {
                d[i] = r.nextInt(15) == 0 ? 0 : 1 + r.nextInt(5);
            }
            Layout l = r.nextInt(4) == 0 ? Layout.columnMajor(Shape.of(d)) : Layout.contiguous(Shape.of(d));
            long storage = l.size();
            long[] e = elements(l);
            StringBuilder chain = new StringBuilder("seed " + (SEED + round) + ": " + l);
            for (int step = 0; step < 6; step++) {
                Layout before = l;
                long[] old = e;
                Shape s = l.shape();
                int rank = s.rank();
                int a = rank == 0 ? 0 : r.nextInt(rank);
                int b = rank == 0 ? 0 : r.nextInt(rank);
                int named = rank > 0 && r.nextBoolean() ? a - rank : a;
                switch (rank == 0 ? 5 : r.nextInt(8)) {
                    case 0 -> {
                        l = l.transpose(named, b);
                        e = shown(s, old, l.shape(), c -> {
                            long t = c[a];
                            c[a] = c[b];
                            c[b] = t;
                            return c;
                        });
                    }
                    case 1 -> {
                        long n = s.at(a);
                        long start = r.nextInt(20) == 0 ? Long.MIN_VALUE : r.nextLong(-n - 3, n + 4);
                        long stop = r.nextInt(20) == 0 ? Long.MAX_VALUE : r.nextLong(-n - 3, n + 4);
                        long by = r.nextBoolean() ? 1 + r.nextInt(3) : -1 - r.nextInt(3);
                        long[] kept = python(n, start, stop, by);
                        l = l.slice(named, start, stop, by);
                        assertEquals(s.with(a, kept.length), l.shape(), chain.toString());
                        e = shown(s, old, l.shape(), c -> {
                            c[a] = kept[(int) c[a]];
                            return c;
                        });
                    }
                    case 2 -> {
                        if (s.at(a) > 0) {
                            long i = r.nextLong(s.at(a));
                            l = l.select(named, r.nextBoolean() ? i : i - s.at(a));
                            e = shown(s, old, l.shape(), c -> insert(c, a, i));
                        }
                    }
                    case 3 -> {
                        if (a != b && rank > 1) {
                            long k = r.nextInt(7) - 3;
                            l = l.diagonal(k, named, b);
                            e = shown(s, old, l.shape(), c -> {
                                long[] x = new long[rank];
                                int j = 0;
                                for (int i = 0; i < rank; i++) {
                                    x[i] = i == a || i == b ? c[rank - 2] : c[j++];
                                }
                                x[k < 0 ? a : b] += Math.abs(k);
                                return x;
                            });
                        }
                    }
                    case 4 -> {
                        if (s.at(a) == 1) {
                            Shape wide = s.with(a, 3);
                            l = l.expand("test", wide);
                            e = shown(s, old, wide, c -> {
                                c[a] = 0;
                                return c;
                            });
                        }
                    }
                    case 5 -> l = rank < 6 ? l.unsqueeze(r.nextInt(2 * rank + 2) - rank - 1) : l.squeeze();
                    case 6 -> l = s.at(a) == 1 ? l.squeeze(named) : l.squeeze();
                    default -> {
                        long[] t = {l.size()};
                        if (l.size() > 0 && l.size() % 2 == 0) {
                            t = new long[] {2, l.size() / 2};
                        }
                        Layout reshaped = l.reshape(Shape.of(t));
                        l = reshaped == null ? l : reshaped;
                    }
                }
                chain.append("; ").append(l);
                assertArrayEquals(e, elements(l), chain.toString());
                long least = Arrays.stream(e).min().orElse(l.offset());
                long most = Arrays.stream(e).max().orElse(l.offset() - 1);
                assertEquals(least, l.first(), chain.toString());
                assertEquals(most + 1, l.end(), chain.toString());
                assertTrue(l.first() >= 0 && l.end() <= storage, chain.toString());
                boolean runs = true;
                for (int i = 1; i < e.length; i++) {
                    runs &= e[i] == e[i - 1] + 1;
                }
                assertEquals(runs, l.isContiguous(), chain.toString());
                assertEquals(before.size() == 0 && l.size() > 0, false, chain.toString());
            }
        }
    }

    private static long[] insert(long[] c, int at, long value) {
        long[] x = new long[c.length + 1];
        System.arraycopy(c, 0, x, 0, at);
        x[at] = value;
        System.arraycopy(c, at, x, at + 1, c.length - at);
        return x;
    }
}
