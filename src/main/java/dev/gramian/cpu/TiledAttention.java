package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Op.AttentionWeights.Extra;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Attention without its scores in memory. Query rows of one key head, those of all its query heads one after another, are
 * cut into strips; a task is some strips, which meet the keys and values a block at a time. The block is packed once for
 * all strips of the task; for each strip its scores come into first-level cache, become weights there and are multiplied
 * with the values. Sums and results so far are relative to a score that is at least the largest so far, and are scaled
 * when a larger one comes.
 *
 * <p>What a strip computes depends on nothing but its rows, so results are the same for every number of threads.
 */
final class TiledAttention {
    private static final int STRIP = VectorAttention.STRIP;
    private static final long ROW = VectorAttention.ROW;
    private static final int ROWS = VectorAttention.ROWS;

    /** Keys of a block: their scores and a strip of queries and results fit into the first-level cache. */
    private static final int BLOCK = 128;

    /** Bytes of packed queries and results of a task, beside which a block of keys fits into the second-level cache. */
    private static final long TASK = 288 << 10;

    /**
     * How far above the largest score so far the reference lies, as a power of two: scores of later blocks are seldom
     * larger by more, so that what is there already is seldom scaled.
     */
    private static final float MARGIN = 8;

    private static final double LOG2E = 1.4426950408889634;

    private final Workers workers;

    TiledAttention(Workers workers) {
        this.workers = workers;
    }

    void run(Op.Attention op, View[] in, View[] out) {
        Shape lead = out[1].shape().slice(0, out[1].shape().rank() - 1);
        Call c = new Call(op, in, out, lead);
        if (c.heads * c.rows == 0) {
            return;
        }
        long strips = (c.rows + STRIP - 1) / STRIP;
        long fit = Math.max(2, TASK / (ROW * Math.max(1, c.size + c.valueRows)));
        // tasks enough for all threads to end together
        long most = Math.max(2, c.heads * strips / (4L * workers.threads()));
        long parts = (strips - 1) / Math.min(fit, most) + 1;
        long each = (strips - 1) / parts + 1;
        workers.parallelEach(parts * c.heads, task -> {
            // causal ones with most keys first
            long part = parts - 1 - task / c.heads;
            long first = part * each;
            new Task(c, task % c.heads, first, (int) Math.min(each, strips - first)).run();
        });
    }

    /** All that is the same for every task. */
    private static final class Call {
        final Op.Attention op;
        final DType type;
        final long queries;
        final long keys;
        final int size;
        final int valueSize;
        /** Channels of a value, filled up to whole groups. */
        final int valueRows;
        final long groups;
        /** Rows of queries of a key head. */
        final long rows;
        /** Key heads of all sequences. */
        final long heads;
        final long q;
        final long k;
        final long v;
        final Walk qHeads;
        final Walk kHeads;
        final Walk vHeads;
        final long qGroup;
        final long qRow;
        final long qStep;
        final long kRow;
        final long kStep;
        final long vRow;
        final long vStep;
        final AttentionRows.Matrix mask;
        final AttentionRows.Matrix bias;
        final AttentionRows.PerHead slopes;
        final AttentionRows.PerHead sinks;
        final AttentionRows.PerHead shifts;
        final AttentionRows.PerHead lengths;
        final boolean masked;
        final long output;
        final long sums;

        Call(Op.Attention op, View[] in, View[] out, Shape lead) {
            this.op = op;
            type = in[0].dtype();
            int r = lead.rank();
            Shape outer = lead.slice(0, r - 1);
            groups = lead.at(r - 1);
            queries = in[0].shape().at(in[0].shape().rank() - 2);
            size = (int) in[0].shape().at(in[0].shape().rank() - 1);
            keys = in[1].shape().at(in[1].shape().rank() - 2);
            valueSize = (int) in[2].shape().at(in[2].shape().rank() - 1);
            valueRows = (valueSize + ROWS - 1) / ROWS * ROWS;
            rows = groups * queries;
            heads = outer.size();
            View wq = wide(in[0], lead.plus(queries, size));
            View wk = wide(in[1], outer.plus(1, keys, size));
            View wv = wide(in[2], outer.plus(1, keys, valueSize));
            int[] axes = Reductions.others(r - 1);
            q = CpuStorage.address(wq);
            k = CpuStorage.address(wk);
            v = CpuStorage.address(wv);
            qHeads = Walk.of(wq, axes);
            kHeads = Walk.of(wk, axes);
            vHeads = Walk.of(wv, axes);
            int w = type.bytes();
            qGroup = wq.layout().stride(r - 1) * w;
            qRow = wq.layout().stride(r) * w;
            qStep = wq.layout().stride(r + 1) * w;
            kRow = wk.layout().stride(r) * w;
            kStep = wk.layout().stride(r + 1) * w;
            vRow = wv.layout().stride(r) * w;
            vStep = wv.layout().stride(r + 1) * w;
            Shape scores = lead.plus(queries, keys);
            mask = AttentionRows.Matrix.of(op.extra(Extra.MASK, in), scores);
            bias = AttentionRows.Matrix.of(op.extra(Extra.BIAS, in), scores);
            slopes = AttentionRows.PerHead.of(op.extra(Extra.SLOPES, in), lead);
            sinks = AttentionRows.PerHead.of(op.extra(Extra.SINKS, in), lead);
            shifts = AttentionRows.PerHead.of(op.extra(Extra.SHIFTS, in), lead);
            lengths = AttentionRows.PerHead.of(op.extra(Extra.LENGTHS, in), lead);
            masked = mask != null || bias != null || lengths != null || shifts != null
                    || !op.band().covers(queries, keys);
            output = CpuStorage.address(out[0]);
            sums = CpuStorage.address(out[1]);
        }

        private static View wide(View v, Shape shape) {
            return new View(v.storage(), v.layout().expand("attention", shape), v.dtype());
        }
    }

    /** Some strips of one key head. */
    private static final class Task {
        private final Call c;
        private final long head;
        private final long firstRow;
        private final int rows;
        private final int strips;
        /** Keys that each row sees, for rows beyond the last as for the last. */
        private final long[] from;
        private final long[] to;
        /** Of each strip: the keys that some row sees, those that all see, and whether every row has a reference yet. */
        private final long[] low;
        private final long[] high;
        private final long[] fullFrom;
        private final long[] fullTo;
        private final boolean[] known;

        private final long queries;
        private final long results;
        private final long tops;
        private final long sums;
        private final long keys;
        private final long values;
        private final long scores;
        private final long added;
        private final long mask;
        private final long blockSums;
        private final long factor;
        private final long ones;
        private final long largest;
        private final long finite;
        private final long firsts;
        private final long lasts;
        private final long lines;
        /** NaN and infinities of the values of the present block: rows of the block, channels, values. */
        private int odd;
        private int[] oddAt = new int[0];
        private float[] oddValue = new float[0];

        Task(Call c, long head, long firstStrip, int strips) {
            this.c = c;
            this.head = head;
            this.strips = strips;
            firstRow = firstStrip * STRIP;
            rows = (int) Math.min(c.rows - firstRow, (long) strips * STRIP);
            from = new long[strips * STRIP];
            to = new long[strips * STRIP];
            low = new long[strips];
            high = new long[strips];
            fullFrom = new long[strips];
            fullTo = new long[strips];
            known = new boolean[strips];

            int block = (int) Math.min(BLOCK, (c.keys + ROWS - 1) / ROWS * ROWS);
            int width = Math.max(Math.max(c.size, c.valueRows), BLOCK);
            long[] sizes = {
                strips * c.size * ROW, strips * c.valueRows * ROW, strips * ROW, strips * ROW,
                4L * block * c.size, 4L * block * c.valueRows, block * ROW,
                c.bias == null && c.slopes == null ? 0 : block * ROW, c.mask == null ? 0 : block * STRIP,
                ROW, ROW, ROW, ROW, ROW, ROW, ROW, 4L * width * STRIP
            };
            long[] at = new long[sizes.length];
            long all = 0;
            for (int i = 0; i < sizes.length; i++) {
                at[i] = all;
                all += (sizes[i] + 63) / 64 * 64;
            }
            long base = Scratch.take(Scratch.Slot.ATTENTION, all);
            queries = base + at[0];
            results = base + at[1];
            tops = base + at[2];
            sums = base + at[3];
            keys = base + at[4];
            values = base + at[5];
            scores = base + at[6];
            added = base + at[7];
            mask = base + at[8];
            blockSums = base + at[9];
            factor = base + at[10];
            ones = base + at[11];
            largest = base + at[12];
            finite = base + at[13];
            firsts = base + at[14];
            lasts = base + at[15];
            lines = base + at[16];
        }

        void run() {
            long first = c.keys;
            long last = 0;
            for (int i = 0; i < strips; i++) {
                limits(i);
                packQueries(i);
                first = Math.min(first, low[i]);
                last = Math.max(last, high[i]);
            }
            Mem.zero(results, strips * c.valueRows * ROW);
            Mem.zero(sums, strips * ROW);
            for (int l = 0; l < strips * STRIP; l++) {
                Mem.f32(tops + 4L * l, Float.NEGATIVE_INFINITY);
            }
            for (int l = 0; l < STRIP; l++) {
                Mem.f32(ones + 4L * l, 1);
            }
            // blocks begin where they would for any other task
            for (long at = first / BLOCK * BLOCK; at < last; at += BLOCK) {
                long begin = Math.max(at, first) / ROWS * ROWS;
                int n = (int) (Math.min(at + BLOCK, last) - begin);
                packKeys(begin, n);
                packValues(begin, n);
                for (int i = 0; i < strips; i++) {
                    long lo = Math.max(begin, low[i] / ROWS * ROWS);
                    long hi = Math.min(begin + n, high[i]);
                    if (lo < hi) {
                        block(i, begin, (int) (lo - begin), (int) (hi - lo), n);
                    }
                }
            }
            for (int i = 0; i < strips; i++) {
                finish(i);
            }
        }

        private long group(long row) {
            return Math.min(firstRow + row, c.rows - 1) / c.queries;
        }

        private long query(long row) {
            return Math.min(firstRow + row, c.rows - 1) % c.queries;
        }

        private void limits(int strip) {
            low[strip] = c.keys;
            fullTo[strip] = c.keys;
            for (int r = strip * STRIP; r < (strip + 1) * STRIP; r++) {
                long h = head * c.groups + group(r);
                long i = query(r);
                if (c.shifts != null) {
                    i = AttentionRows.saturated(i, c.shifts.whole(h));
                }
                long end = c.lengths == null ? c.keys : Math.clamp(c.lengths.whole(h), 0, c.keys);
                to[r] = Math.min(end, c.op.band().to(i, c.keys));
                from[r] = Math.min(to[r], c.op.band().from(i, c.keys));
                fullFrom[strip] = Math.max(fullFrom[strip], from[r]);
                fullTo[strip] = Math.min(fullTo[strip], to[r]);
                if (from[r] < to[r]) {
                    low[strip] = Math.min(low[strip], from[r]);
                    high[strip] = Math.max(high[strip], to[r]);
                }
            }
        }

        // ---- packing ------------------------------------------------------------------------------------------------

        /** Queries times scale as powers of two, along the lanes. */
        private void packQueries(int strip) {
            long x = c.q + c.qHeads.offset(head);
            float f = (float) (c.op.softcap() > 0 ? c.op.scale() : c.op.scale() * LOG2E);
            for (int l = 0; l < STRIP; l++) {
                int r = strip * STRIP + l;
                long line = lines + 4L * l * c.size;
                if (r < rows) {
                    read(x + group(r) * c.qGroup + query(r) * c.qRow, c.qStep, c.size, line);
                    VectorRowsF32.INSTANCE.times(line, line, c.size, f);
                } else {
                    Mem.zero(line, 4L * c.size);
                }
            }
            long out = queries + strip * c.size * ROW;
            for (int p = 0; p < c.size; p += 32) {
                Tiles.band(4, lines + 4L * p, 4, out + p * ROW, ROW, Math.min(32, c.size - p), STRIP, 4L * c.size);
            }
        }

        private void read(long at, long step, int n, long line) {
            int w = c.type.bytes();
            if (step == w) {
                Casts.run(true, c.type, DType.F32, at, line, n);
            } else {
                Gather.read(c.type, at, step, n, line);
            }
        }

        /** In groups of keys, channel after channel; keys beyond the last are zero. */
        private void packKeys(long begin, int n) {
            boolean direct = c.type == DType.F32 && c.kStep == 4;
            long x = c.k + c.kHeads.offset(head) + begin * c.kRow;
            for (int j = 0; j < n; j += ROWS) {
                long a = x + j * c.kRow;
                long step = c.kRow;
                if (!direct || j + ROWS > n) {
                    step = 4L * c.size;
                    for (int r = 0; r < ROWS; r++) {
                        if (j + r < n) {
                            read(a + r * c.kRow, c.kStep, c.size, lines + r * step);
                        } else {
                            Mem.zero(lines + r * step, step);
                        }
                    }
                    a = lines;
                }
                four(c.size, a, a + step, a + 2 * step, a + 3 * step, keys + 4L * j * c.size);
            }
        }

        private static void four(int n, long a, long b, long c, long d, long to) {
            int even = n & -2;
            for (int p = 0; p < even; p += 2) {
                long w = Mem.i64(a + 4L * p);
                long x = Mem.i64(b + 4L * p);
                long y = Mem.i64(c + 4L * p);
                long z = Mem.i64(d + 4L * p);
                long at = to + 16L * p;
                Mem.i64(at, w & 0xFFFFFFFFL | x << 32);
                Mem.i64(at + 8, y & 0xFFFFFFFFL | z << 32);
                Mem.i64(at + 16, w >>> 32 | x & 0xFFFFFFFF00000000L);
                Mem.i64(at + 24, y >>> 32 | z & 0xFFFFFFFF00000000L);
            }
            if (even < n) {
                Mem.i32(to + 16L * even, Mem.i32(a + 4L * even));
                Mem.i32(to + 16L * even + 4, Mem.i32(b + 4L * even));
                Mem.i32(to + 16L * even + 8, Mem.i32(c + 4L * even));
                Mem.i32(to + 16L * even + 12, Mem.i32(d + 4L * even));
            }
        }

        /** In groups of channels, key after key; channels beyond the last are zero. */
        private void packValues(long begin, int n) {
            boolean direct = c.type == DType.F32 && c.vStep == 4 && c.valueSize == c.valueRows;
            long x = c.v + c.vHeads.offset(head) + begin * c.vRow;
            odd = 0;
            for (int j = 0; j < n; j++) {
                long a = x + j * c.vRow;
                if (!direct) {
                    Mem.zero(lines, 4L * c.valueRows);
                    read(a, c.vStep, c.valueSize, lines);
                    a = lines;
                }
                if (c.masked && !finite(a, c.valueRows)) {
                    if (a != lines) {
                        Mem.copy(a, lines, 4L * c.valueRows);
                        a = lines;
                    }
                    clean(j);
                }
                long at = values + 16L * j;
                for (int p = 0; p < c.valueRows; p += 4) {
                    Mem.i64(at, Mem.i64(a + 4L * p));
                    Mem.i64(at + 8, Mem.i64(a + 4L * p + 8));
                    at += 16L * n;
                }
            }
        }

        /** Adding one to the exponent field of |x| turns the sign bit on just for NaN and infinities. */
        private static boolean finite(long a, int n) {
            int any = 0;
            for (int p = 0; p < n; p++) {
                any |= (Mem.i32(a + 4L * p) & 0x7FFFFFFF) + 0x00800000;
            }
            return any >= 0;
        }

        /** Takes NaN and infinities of a value's line away: they are added later where weights are not zero. */
        private void clean(int row) {
            for (int p = 0; p < c.valueSize; p++) {
                float v = Mem.f32(lines + 4L * p);
                if (!Float.isFinite(v)) {
                    if (odd == oddValue.length) {
                        oddAt = Arrays.copyOf(oddAt, 2 * Math.max(16, 2 * odd));
                        oddValue = Arrays.copyOf(oddValue, Math.max(16, 2 * odd));
                    }
                    oddAt[2 * odd] = row;
                    oddAt[2 * odd + 1] = p;
                    oddValue[odd++] = v;
                    Mem.f32(lines + 4L * p, 1);
                }
            }
        }

        // ---- a strip and a block of keys -----------------------------------------------------------------------------

        /** Keys {@code lo} to {@code lo + n} of the block that begins at {@code begin} and has {@code all}. */
        private void block(int strip, long begin, int lo, int n, int all) {
            boolean select = false;
            if (c.mask != null) {
                switch (readMask(strip, begin + lo, n)) {
                    case NONE -> {
                        return;
                    }
                    case SOME -> select = true;
                    case ALL -> {}
                }
            }
            if (c.bias != null || c.slopes != null) {
                readAdded(strip, begin + lo, n);
            }
            long top = tops + strip * ROW;
            // with the references there are; with new ones; with NaN where there is one
            int attempt = known[strip] ? 0 : 1;
            for (; attempt < 3; attempt++) {
                scores(strip, begin, lo, n, select);
                if (attempt == 1) {
                    VectorAttention.max(n, scores, largest);
                    known[strip] = raise(top);
                } else if (attempt == 2) {
                    known[strip] = false;
                    spoil(n, top);
                }
                if (VectorAttention.exp(n, scores, attempt == 0 ? top : finite, blockSums)) {
                    break;
                }
            }
            long by = attempt == 0 ? ones : factor;
            VectorAttention.add(sums + strip * ROW, by, blockSums);
            long result = results + strip * c.valueRows * ROW;
            VectorAttention.accumulate(c.valueRows / ROWS, n, values + 16L * lo, 16L * all, scores, result, by);
            if (odd > 0) {
                addOdd(lo, n, result);
            }
        }

        /** Final scores of a strip, as powers of two. */
        private void scores(int strip, long begin, int lo, int n, boolean select) {
            VectorAttention.multiply(
                    (n + ROWS - 1) / ROWS, c.size, keys + 4L * lo * c.size, 4L * ROWS * c.size,
                    queries + strip * c.size * ROW, scores);
            long count = (long) n * STRIP;
            RowKernels k = VectorRowsF32.INSTANCE;
            if (c.op.softcap() > 0) {
                k.softcap(scores, count, c.op.softcap());
                k.times(scores, scores, count, LOG2E);
            }
            if (c.bias != null || c.slopes != null) {
                k.plus(scores, added, scores, count);
            }
            if (select) {
                k.select(scores, mask, count);
            }
            long at = begin + lo;
            int open = Math.clamp(fullFrom[strip] - at, 0, n);
            int end = Math.clamp(fullTo[strip] - at, open, n);
            if (open > 0 || end < n) {
                for (int l = 0; l < STRIP; l++) {
                    Mem.f32(firsts + 4L * l, Math.clamp(from[strip * STRIP + l] - at, 0, n));
                    Mem.f32(lasts + 4L * l, Math.clamp(to[strip * STRIP + l] - at, 0, n));
                }
                VectorAttention.select(open, 0, scores, firsts, lasts);
                VectorAttention.select(n - end, end, scores + end * ROW, firsts, lasts);
            }
        }

        /** Row of all scores that row {@code l} of a strip is, the last one for rows beyond it. */
        private long line(int strip, int l) {
            return head * c.rows + Math.min(firstRow + strip * STRIP + l, c.rows - 1);
        }

        private enum Seen {
            NONE,
            SOME,
            ALL
        }

        /** The mask of {@code n} keys for a strip, as its scores lie. */
        private Seen readMask(int strip, long key, int n) {
            for (int l = 0; l < STRIP; l++) {
                long a = c.mask.at(line(strip, l), key);
                long step = c.mask.step();
                long to = lines + (long) l * BLOCK;
                if (step == 1) {
                    Mem.copy(a, to, n);
                } else {
                    for (int j = 0; j < n; j++) {
                        Mem.u8(to + j, Mem.u8(a + j * step));
                    }
                }
            }
            int side = Tiles.side(1);
            for (int j = 0; j < n; j += side) {
                Tiles.band(1, lines + j, 1, mask + (long) j * STRIP, STRIP, Math.min(side, n - j), STRIP, BLOCK);
            }
            long every = -1;
            long any = 0;
            for (long a = mask; a < mask + (long) n * STRIP; a += 8) {
                long eight = Mem.i64(a);
                every &= eight;
                any |= eight;
            }
            return any == 0 ? Seen.NONE : every == 0x0101010101010101L ? Seen.ALL : Seen.SOME;
        }

        /** What is added to the scores of {@code n} keys, as they lie and as powers of two. */
        private void readAdded(int strip, long key, int n) {
            for (int l = 0; l < STRIP; l++) {
                long line = lines + 4L * l * BLOCK;
                if (c.bias == null) {
                    Mem.zero(line, 4L * n);
                } else {
                    Gather.read(DType.F32, c.bias.at(line(strip, l), key), c.bias.step(), n, line);
                }
                if (c.slopes != null) {
                    int r = strip * STRIP + l;
                    long h = head * c.groups + group(r);
                    double slope = c.slopes.number(h);
                    long i = c.shifts == null ? query(r) : AttentionRows.saturated(query(r), c.shifts.whole(h));
                    long center = i + c.op.center() - key;
                    for (int j = 0; j < n; j++) {
                        long a = line + 4L * j;
                        Mem.f32(a, (float) (Mem.f32(a) - slope * Math.abs((double) (center - j))));
                    }
                }
            }
            int side = Tiles.side(4);
            for (int j = 0; j < n; j += side) {
                Tiles.band(4, lines + 4L * j, 4, added + j * ROW, ROW, Math.min(side, n - j), STRIP, 4L * BLOCK);
            }
            VectorRowsF32.INSTANCE.times(added, added, (long) n * STRIP, LOG2E);
        }

        /**
         * References to above the largest scores of a block where those are larger; factors for what is relative to the former
         * ones, and the references again, with 0 where there is none or no number. True if all are numbers.
         */
        private boolean raise(long top) {
            boolean all = true;
            for (long l = 0; l < ROW; l += 4) {
                float old = Mem.f32(top + l);
                float most = Mem.f32(largest + l);
                float now = most <= old ? old : Float.isNaN(old) ? old : most + MARGIN;
                Mem.f32(top + l, now);
                Mem.f32(factor + l,
                        now == old ? 1 : old == Float.NEGATIVE_INFINITY ? 0 : (float) Math.pow(2, (double) old - now));
                boolean number = Float.isFinite(now);
                Mem.f32(finite + l, number ? now : 0);
                all &= number;
            }
            return all;
        }

        /** NaN as reference where there is a NaN among the scores. */
        private void spoil(int n, long top) {
            for (long l = 0; l < ROW; l += 4) {
                for (int j = 0; j < n; j++) {
                    if (Float.isNaN(Mem.f32(scores + j * ROW + l))) {
                        Mem.f32(top + l, Float.NaN);
                        Mem.f32(finite + l, 0);
                    }
                }
            }
        }

        /** Values that are not finite, where their weights are not zero. */
        private void addOdd(int lo, int n, long result) {
            for (int e = 0; e < odd; e++) {
                int j = oddAt[2 * e] - lo;
                if (j < 0 || j >= n) {
                    continue;
                }
                for (long l = 0; l < ROW; l += 4) {
                    float w = Mem.f32(scores + j * ROW + l);
                    if (w != 0) {
                        long a = result + oddAt[2 * e + 1] * ROW + l;
                        Mem.f32(a, Mem.f32(a) + w * oddValue[e]);
                    }
                }
            }
        }

        private void finish(int strip) {
            int n = Math.min(STRIP, rows - strip * STRIP);
            long row = head * c.rows + firstRow + strip * STRIP;
            for (int l = 0; l < STRIP; l++) {
                double top = Mem.f32(tops + strip * ROW + 4L * l);
                double sum = Mem.f32(sums + strip * ROW + 4L * l);
                boolean number = Double.isFinite(top);
                double lse = number ? (top + Math.log(sum) * LOG2E) / LOG2E : top;
                double f = number ? 1 / sum : top == Double.NEGATIVE_INFINITY ? 0 : Double.NaN;
                if (c.sinks != null) {
                    double both = AttentionRows.logAddExp(
                            lse, c.sinks.number(head * c.groups + group(strip * STRIP + l)));
                    if (lse != Double.NEGATIVE_INFINITY && both != lse) {
                        f *= Math.exp(lse - both);
                    }
                    lse = both;
                }
                Mem.f32(factor + 4L * l, (float) f);
                if (l < n) {
                    Mem.f32(c.sums + 4 * (row + l), (float) lse);
                }
            }
            long result = results + strip * c.valueRows * ROW;
            VectorAttention.scale(c.valueRows, result, factor);
            int width = c.type.bytes();
            long to = c.output + row * c.valueSize * width;
            boolean direct = c.type == DType.F32;
            long line = 4L * c.valueSize;
            Tiles.band(4, result, 4, direct ? to : lines, line, n, c.valueSize, ROW);
            if (!direct) {
                Casts.run(true, DType.F32, c.type, lines, to, (long) n * c.valueSize);
            }
        }
    }
}
