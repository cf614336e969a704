package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/**
 * Reductions over any axes of any layout. A slice is cut into blocks of fixed size, blocks are reduced by vector kernels
 * and their states merged pairwise: float sums are good to about log n roundings, and the same bits come out for every
 * thread count. Where rows and not columns lie together, {@link ColumnReductions} takes many columns at once.
 */
final class Reductions {
    /** Elements per block: fits the first-level cache, long enough that calls do not count. */
    static final int BLOCK = 4096;

    /** Elements of a running sum's strip: its lines stay in the second-level cache. */
    private static final int STRIP = 1024;

    /** Elements worth handing to another thread. */
    static final long GRAIN = 32 << 10;

    private final CpuPath path;
    private final Workers workers;
    private final ColumnReductions columns;
    private final boolean vector;

    Reductions(CpuPath path, Workers workers) {
        this.path = path;
        this.workers = workers;
        this.columns = new ColumnReductions(path, workers);
        this.vector = path.vector();
    }

    void reduce(Op.Reduce op, View x, View out) {
        long outs = out.shape().size();
        if (outs == 0) {
            return;
        }
        long to = CpuStorage.address(out);
        int width = out.dtype().bytes();
        Reducer reducer = Reducer.of(op.fn(), path, x.dtype(), op.param());
        boolean ordered = switch (op.fn()) {
            case ARGMIN, ARGMAX -> true;
            case SUM, PROD, MEAN, VAR, STD, MIN, MAX, ANY, ALL, LOGSUMEXP, NORM1, NORM2, NORM_INF -> false;
        };
        Walk reduced = ordered ? Walk.of(x, op.axes()) : Walk.anyOrder(x, op.axes());
        if (reduced.size == 0) {
            for (long o = 0; o < outs; o++) {
                reducer.storeEmpty(out.dtype(), to + o * width);
            }
            return;
        }
        Walk kept = Walk.of(x, others(x.shape().rank(), op.axes()));
        if (ColumnReductions.fits(op.fn(), x.dtype(), kept, reduced)) {
            columns.reduce(op.fn(), op.param(), x, kept, reduced, out);
            return;
        }
        new Job(reducer, x, kept, reduced, out).run();
    }

    /** Axes of {@code 0..rank-1} that are not among {@code axes}. */
    static int[] others(int rank, int... axes) {
        int[] r = new int[rank - axes.length];
        int n = 0;
        for (int i = 0; i < rank; i++) {
            boolean in = false;
            for (int a : axes) {
                in |= a == i;
            }
            if (!in) {
                r[n++] = i;
            }
        }
        return r;
    }

    /** One reduction, its slices reduced one by one from contiguous blocks, gathered where they are not. */
    private final class Job {
        private final Reducer reducer;
        private final DType type;
        private final long from;
        private final Walk kept;
        private final Walk reduced;
        private final View out;
        private final boolean direct;
        private final int blocks;
        private final int blockWidth;

        Job(Reducer reducer, View x, Walk kept, Walk reduced, View out) {
            this.reducer = reducer;
            this.type = x.dtype();
            this.from = CpuStorage.address(x);
            this.kept = kept;
            this.reduced = reduced;
            this.out = out;
            this.direct = reduced.isEven() && (reduced.step() == type.bytes() || reduced.size == 1)
                    && Gather.block(type) == type;
            this.blocks = Math.toIntExact((reduced.size + BLOCK - 1) / BLOCK);
            this.blockWidth = Gather.block(type).bytes();
        }

        void run() {
            long n = reduced.size;
            // neighbouring slices that share cache lines go through the same block one after the other
            int lanes = direct || Math.abs(kept.step()) >= 64 ? 1 : (int) Math.min(16, kept.size);
            long groups = (kept.size + lanes - 1) / lanes;
            if (blocks == 1 || groups >= 4L * workers.threads()) {
                workers.parallelFor(groups, Math.max(1, GRAIN / (n * lanes)), (g0, g1) -> {
                    long[] state = new long[2 * lanes * blocks];
                    for (long g = g0; g < g1; g++) {
                        long o = g * lanes;
                        int count = (int) Math.min(lanes, kept.size - o);
                        for (int b = 0; b < blocks; b++) {
                            for (int t = 0; t < count; t++) {
                                block(o + t, b, state, 2 * (t * blocks + b));
                            }
                        }
                        for (int t = 0; t < count; t++) {
                            finish(o + t, state, 2 * t * blocks);
                        }
                    }
                });
                return;
            }
            int outs = (int) kept.size;
            long[] state = new long[Math.toIntExact(2L * outs * blocks)];
            // tasks run block by block, all slices of one block together
            workers.parallelFor((long) outs * blocks, GRAIN / BLOCK, (t0, t1) -> {
                for (long t = t0; t < t1; t++) {
                    int b = (int) (t / outs);
                    int o = (int) (t % outs);
                    block(o, b, state, 2 * (o * blocks + b));
                }
            });
            for (int o = 0; o < outs; o++) {
                finish(o, state, 2 * o * blocks);
            }
        }

        private void block(long o, int b, long[] state, int at) {
            long first = (long) b * BLOCK;
            long n = Math.min(BLOCK, reduced.size - first);
            long base = from + kept.offset(o);
            if (direct) {
                reducer.block(base + reduced.offset(first), n, first, state, at);
            } else {
                long buffer = Scratch.take(Scratch.Slot.X, (long) BLOCK * blockWidth);
                reduced.read(vector, type, base, first, n, buffer);
                reducer.block(buffer, n, first, state, at);
            }
        }

        private void finish(long o, long[] state, int at) {
            reducer.tree(state, at, blocks, BLOCK, reduced.size);
            reducer.store(
                    state, at, reduced.size, out.dtype(), CpuStorage.address(out) + o * out.dtype().bytes());
        }
    }

    /**
     * Running sums along an axis: half types and F32 in double, rounded at each store; F64 one addition after the other as
     * NumPy; integers in I64 with wraparound.
     */
    void cumSum(Op.CumSum op, View x, View out) {
        long n = x.shape().at(op.axis());
        if (out.shape().size() == 0) {
            return;
        }
        DType type = x.dtype();
        DType block = Gather.block(type);
        Walk along = Walk.of(x, op.axis());
        Walk kept = Walk.of(x, others(x.shape().rank(), op.axis()));
        Walk target = Walk.of(out, others(x.shape().rank(), op.axis()));
        long step = out.layout().stride(op.axis()) * out.dtype().bytes();
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        int width = type.bytes();
        if (out.dtype() == type && Strips.fit(kept, along.step(), target, step, width, STRIP)) {
            Strips source = new Strips(kept, from, width, along.step());
            Strips result = new Strips(target, to, width, step);
            workers.parallelFor(source.groups(), Math.max(1, GRAIN / (n * Strips.LANES)), (g0, g1) -> {
                long lines = Scratch.take(Scratch.Slot.X, (long) Strips.LANES * STRIP * width);
                long buffer = type == block ? 0 : Scratch.take(Scratch.Slot.OUT, (long) STRIP * block.bytes());
                for (long g = g0; g < g1; g++) {
                    long[] sums = new long[source.lanes(g)];
                    for (long i = 0; i < n; i += STRIP) {
                        long m = Math.min(STRIP, n - i);
                        source.read(g, i, m, lines);
                        for (int lane = 0; lane < sums.length; lane++) {
                            long line = lines + lane * m * width;
                            if (type != block) {
                                Casts.run(vector, type, block, line, buffer, m);
                            }
                            sums[lane] = runningSum(type, type == block ? line : buffer, line, width, m, sums[lane]);
                        }
                        result.write(g, i, m, lines);
                    }
                }
            });
            return;
        }
        workers.parallelFor(kept.size, Math.max(1, GRAIN / n), (o0, o1) -> {
            long buffer = Scratch.take(Scratch.Slot.X, (long) BLOCK * block.bytes());
            for (long o = o0; o < o1; o++) {
                long sum = 0;
                for (long i = 0; i < n; i += BLOCK) {
                    long m = Math.min(BLOCK, n - i);
                    along.read(vector, type, from + kept.offset(o), i, m, buffer);
                    sum = runningSum(type, buffer, to + target.offset(o) + i * step, step, m, sum);
                }
            }
        });
    }

    /** Sums of a block of elements of {@code type}; the sum before it and after it, a double by its bits. */
    private static long runningSum(DType type, long block, long to, long step, long n, long before) {
        if (!type.isFloat()) {
            long sum = before;
            for (long j = 0; j < n; j++) {
                sum += Mem.i64(block + 8 * j);
                Mem.i64(to + j * step, sum);
            }
            return sum;
        }
        double sum = Double.longBitsToDouble(before);
        if (type == DType.F64) {
            for (long j = 0; j < n; j++) {
                sum += Mem.f64(block + 8 * j);
                Mem.f64(to + j * step, sum);
            }
        } else if (type == DType.F32) {
            for (long j = 0; j < n; j++) {
                sum += Mem.f32(block + 4 * j);
                Mem.f32(to + j * step, (float) sum);
            }
        } else {
            for (long j = 0; j < n; j++) {
                sum += Mem.f32(block + 4 * j);
                Gather.store(type, to + j * step, sum);
            }
        }
        return Double.doubleToRawLongBits(sum);
    }
}
