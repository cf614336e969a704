package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Sort and top-k along an axis, values and I64 indices, for every element type. Stable; NaN counts as greater than
 * everything (last ascending, first descending, as PyTorch; NumPy ascending), -0.0 equals 0.0.
 *
 * <p>Keys and positions are sorted as packed longs, by digits where there are many; 64-bit keys go in two sorts by the JDK,
 * the low half only where high halves tie.
 */
final class Sorting {
    private static final long GRAIN = 16 << 10;
    private static final long LOW = 0xFFFF_FFFFL;

    /** Elements of a row looked at between two prunings of the candidates; fewer in short rows. */
    private static final int CHUNK = 1024;

    private static final int SMALL_CHUNK = 128;

    /** From here on sorting by digits is faster than by comparing. */
    private static final int DIGITS_FROM = 128;

    private final Workers workers;

    Sorting(Workers workers) {
        this.workers = workers;
    }

    /** In: x. Out: values in order along {@code axis}, their positions. */
    void sort(Op.Sort op, View x, View[] out) {
        order(x, op.axis(), op.descending() ? -1 : 0, x.shape().at(op.axis()), out);
    }

    /** In: x. Out: the k largest or smallest along {@code axis} in order, their positions; ties by lower position. */
    void topK(Op.TopK op, View x, View[] out) {
        order(x, op.axis(), op.largest() ? -1 : 0, op.k(), out);
    }

    /** The first {@code k} of each row in ascending order of {@code key ^ flip}. */
    private void order(View x, int axis, long flip, long k, View[] out) {
        long n = x.shape().at(axis);
        if (out[0].layout().size() == 0) {
            return;
        }
        Shape others = x.shape().without(axis);
        long inner = x.shape().slice(axis + 1, x.shape().rank()).size();
        Lines lines = new Lines(x, axis, (int) n, (int) k, inner, flip, out);
        int chunk = n > 2 * CHUNK ? CHUNK : SMALL_CHUNK;
        boolean all = k > n / 4 || n <= 2 * SMALL_CHUNK;
        workers.parallelFor(others.size(), Math.max(1, GRAIN / n), (first, last) -> {
            Odometer o = new Odometer(others, without(lines.strides, axis));
            long[] keys = new long[all ? (int) n : (int) (2 * k + chunk)];
            long[] ranks = SortKeys.packed(x.dtype()) ? keys : new long[keys.length];
            int[] positions = all || ranks == keys ? null : new int[keys.length];
            long[] spare = new long[all ? ranks == keys && n >= DIGITS_FROM ? (int) n : 0 : chunk];
            o.seek(first);
            for (long row = first; row < last; row++) {
                long from = lines.from + o.at(0);
                if (all) {
                    lines.sorted(from, keys, ranks, spare);
                } else if (ranks == keys) {
                    lines.selectPacked(from, keys, spare);
                } else {
                    lines.selectWide(from, keys, ranks, positions, spare);
                }
                lines.write(from, row, ranks);
                o.advance(1);
            }
        });
    }

    private static long[] without(long[] a, int i) {
        long[] r = new long[a.length - 1];
        System.arraycopy(a, 0, r, 0, i);
        System.arraycopy(a, i + 1, r, i, r.length - i);
        return r;
    }

    /** Sorts 64-bit keys stably: afterwards the low halves of {@code ranks} are the positions in order. */
    static void sortWide(long[] keys, long[] ranks, int n) {
        for (int i = 0; i < n; i++) {
            ranks[i] = keys[i] & ~LOW | i;
        }
        Arrays.sort(ranks, 0, n);
        for (int i = 0; i < n;) {
            int j = i + 1;
            while (j < n && ranks[j] >> 32 == ranks[i] >> 32) {
                j++;
            }
            if (j - i > 1) {
                for (int p = i; p < j; p++) {
                    long position = ranks[p] & LOW;
                    // the low half is unsigned: flipping its top bit makes it sort as signed
                    ranks[p] = (keys[(int) position] ^ 0x8000_0000L) << 32 | position;
                }
                Arrays.sort(ranks, i, j);
            }
            i = j;
        }
    }

    /** Sorts packed keys, whose positions ascend, by the four bytes of the key from the lowest on. */
    static void sortDigits(long[] keys, long[] spare, int n) {
        int[] starts = new int[4 * 256];
        for (int i = 0; i < n; i++) {
            int key = (int) (keys[i] >>> 32) ^ Integer.MIN_VALUE; // signed order as unsigned
            starts[key & 0xFF]++;
            starts[256 + (key >>> 8 & 0xFF)]++;
            starts[512 + (key >>> 16 & 0xFF)]++;
            starts[768 + (key >>> 24)]++;
        }
        long[] from = keys;
        long[] to = spare;
        for (int digit = 0; digit < 4; digit++) {
            int at = 0;
            boolean one = false;
            for (int b = 256 * digit; b < 256 * digit + 256; b++) {
                int count = starts[b];
                one |= count == n;
                starts[b] = at;
                at += count;
            }
            if (one) {
                continue; // all have the same digit
            }
            for (int i = 0; i < n; i++) {
                long key = from[i];
                int b = 256 * digit + (int) ((key ^ Long.MIN_VALUE) >>> 32 + 8 * digit & 0xFF);
                to[starts[b]++] = key;
            }
            long[] t = from;
            from = to;
            to = t;
        }
        if (from != keys) {
            System.arraycopy(from, 0, keys, 0, n);
        }
    }

    /** The rows of one call: where they are read from and written to. */
    private static final class Lines {
        private final DType dtype;
        private final long[] strides;
        private final long from;
        private final long step;
        private final int n;
        private final int k;
        private final long inner;
        private final long flip;
        private final long values;
        private final long indices;

        Lines(View x, int axis, int n, int k, long inner, long flip, View[] out) {
            Layout l = x.layout();
            dtype = x.dtype();
            strides = Odometer.bytes(l, dtype);
            from = CpuStorage.address(x);
            step = strides[axis];
            this.n = n;
            this.k = k;
            this.inner = inner;
            this.flip = flip;
            values = CpuStorage.address(out[0]);
            indices = CpuStorage.address(out[1]);
        }

        void sorted(long addr, long[] keys, long[] ranks, long[] spare) {
            SortKeys.read(dtype, addr, step, 0, n, flip, keys, 0);
            if (spare.length > 0) {
                sortDigits(keys, spare, n);
            } else if (ranks == keys) {
                Arrays.sort(keys, 0, n);
            } else {
                sortWide(keys, ranks, n);
            }
        }

        /** Leaves the k smallest packed keys in order at the front. */
        void selectPacked(long addr, long[] best, long[] chunk) {
            int m = 0;
            long limit = Long.MAX_VALUE; // above any packed key: positions stay below 2^31
            for (int at = 0; at < n; at += chunk.length) {
                int c = Math.min(chunk.length, n - at);
                SortKeys.read(dtype, addr + at * step, step, at, c, flip, chunk, 0);
                for (int i = 0; i < c; i++) {
                    if (chunk[i] < limit) {
                        best[m++] = chunk[i];
                    }
                }
                if (m > 2 * k || at + c == n) {
                    Arrays.sort(best, 0, m);
                    m = Math.min(m, k);
                    limit = m == k ? best[k - 1] : limit;
                }
            }
        }

        /** As {@link #selectPacked} for bare keys; {@code ranks} ends up with the positions. */
        void selectWide(long addr, long[] best, long[] ranks, int[] positions, long[] chunk) {
            int m = 0;
            boolean full = false;
            long limit = 0;
            long[] kept = new long[k];
            int[] keptPositions = new int[k];
            for (int at = 0; at < n; at += chunk.length) {
                int c = Math.min(chunk.length, n - at);
                SortKeys.read(dtype, addr + at * step, step, at, c, flip, chunk, 0);
                for (int i = 0; i < c; i++) {
                    // equal keys come later in the row than those kept, so they lose
                    if (!full || chunk[i] < limit) {
                        best[m] = chunk[i];
                        positions[m++] = at + i;
                    }
                }
                if (m > 2 * k || at + c == n) {
                    sortWide(best, ranks, m);
                    m = Math.min(m, k);
                    for (int i = 0; i < m; i++) {
                        int p = (int) ranks[i];
                        kept[i] = best[p];
                        keptPositions[i] = positions[p];
                    }
                    System.arraycopy(kept, 0, best, 0, m);
                    System.arraycopy(keptPositions, 0, positions, 0, m);
                    full = m == k;
                    limit = full ? best[k - 1] : limit;
                }
            }
            for (int i = 0; i < k; i++) {
                ranks[i] = positions[i];
            }
        }

        /** Values and positions of one row, {@code ranks} holding positions in the low halves. */
        void write(long addr, long row, long[] ranks) {
            int width = dtype.bytes();
            long start = row / inner * k * inner + row % inner;
            long v = values + start * width;
            long i = indices + start * 8;
            for (int j = 0; j < k; j++) {
                long p = ranks[j] & LOW;
                long source = addr + p * step;
                long to = v + j * inner * width;
                switch (width) {
                    case 8 -> Mem.i64(to, Mem.i64(source));
                    case 4 -> Mem.i32(to, Mem.i32(source));
                    case 2 -> Mem.i16(to, Mem.i16(source));
                    default -> Mem.u8(to, Mem.u8(source));
                }
                Mem.i64(i + j * inner * 8, p);
            }
        }
    }
}
