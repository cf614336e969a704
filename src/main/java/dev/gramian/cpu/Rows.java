package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/**
 * Softmax and normalisation: every row is read from memory once, worked on in cache and written once.
 * Parallel over rows.
 */
final class Rows {
    private final CpuPath path;
    private final Workers workers;
    private final boolean vector;

    Rows(CpuPath path, Workers workers) {
        this.path = path;
        this.workers = workers;
        this.vector = path.vector();
    }

    /** Rows that are worth handing to another thread. */
    static long grain(long n) {
        return Math.max(1, Reductions.GRAIN / Math.max(1, n));
    }

    void softmax(Op.Softmax op, View x, View out) {
        if (x.shape().size() == 0) {
            return;
        }
        int[] others = Reductions.others(x.shape().rank(), op.axis());
        DType type = x.dtype();
        DType block = Gather.block(type);
        RowKernels k = RowKernels.of(path, block);
        Walk along = Walk.of(x, op.axis());
        Walk kept = Walk.of(x, others);
        Walk target = Walk.of(out, others);
        long n = along.size;
        long step = n == 1 ? type.bytes() : out.layout().stride(op.axis()) * type.bytes();
        boolean directIn = type == block && along.step() == type.bytes();
        boolean directOut = type == block && step == type.bytes();
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        int width = type.bytes();
        if (Strips.fit(kept, along.step(), target, step, width, n)) {
            Strips source = new Strips(kept, from, width, along.step());
            Strips result = new Strips(target, to, width, step);
            workers.parallelFor(source.groups(), grain(n * Strips.LANES), (g0, g1) -> {
                long lines = Scratch.take(Scratch.Slot.X, Strips.LANES * n * width);
                long buffer = type == block ? 0 : Scratch.take(Scratch.Slot.OUT, n * block.bytes());
                for (long g = g0; g < g1; g++) {
                    source.read(g, 0, n, lines);
                    for (int lane = 0; lane < source.lanes(g); lane++) {
                        long line = lines + lane * n * width;
                        long row = type == block ? line : buffer;
                        if (type != block) {
                            Casts.run(vector, type, block, line, row, n);
                        }
                        k.softmax(row, row, n, op.log());
                        if (type != block) {
                            Casts.run(vector, block, type, row, line, n);
                        }
                    }
                    result.write(g, 0, n, lines);
                }
            });
            return;
        }
        workers.parallelFor(kept.size, grain(n), (r0, r1) -> {
            long buffer = directOut ? 0 : Scratch.take(Scratch.Slot.OUT, n * block.bytes());
            for (long r = r0; r < r1; r++) {
                long source = from + kept.offset(r);
                long result = to + target.offset(r);
                long row = directOut ? result : buffer;
                if (directIn) {
                    k.softmax(source, row, n, op.log());
                } else {
                    along.read(vector, type, source, 0, n, row);
                    k.softmax(row, row, n, op.log());
                }
                if (!directOut) {
                    Gather.write(vector, type, row, n, result, step);
                }
            }
        });
    }

    void normalize(Op.Normalize op, View[] in, View out) {
        View x = in[0];
        int rank = x.shape().rank();
        if (x.shape().size() == 0) {
            return;
        }
        DType type = x.dtype();
        DType block = Gather.block(type);
        RowKernels k = RowKernels.of(path, block);
        int[] axes = new int[op.axes()];
        for (int i = 0; i < axes.length; i++) {
            axes[i] = rank - axes.length + i;
        }
        Walk along = Walk.of(x, axes);
        Walk kept = Walk.of(x, Reductions.others(rank, axes));
        long n = along.size;
        boolean direct = type == block && along.isEven() && (along.step() == type.bytes() || n == 1);
        boolean directOut = type == block;
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        // taken by the calling thread; no row kernel takes these two slots
        long weight = op.weight() ? contiguous(in[1], Scratch.Slot.Y) : 0;
        long bias = op.bias() ? contiguous(in[op.weight() ? 2 : 1], Scratch.Slot.Z) : 0;
        workers.parallelFor(kept.size, grain(n), (r0, r1) -> {
            long buffer = direct && directOut ? 0 : Scratch.take(Scratch.Slot.X, n * block.bytes());
            for (long r = r0; r < r1; r++) {
                long row = from + kept.offset(r);
                long result = to + r * n * type.bytes();
                if (!direct) {
                    along.read(vector, type, row, 0, n, buffer);
                    row = buffer;
                }
                double mean = op.center() ? total(k, row, n, block, Double.NaN) / n : 0;
                double scale = 1 / Math.sqrt(total(k, row, n, block, mean) / n + op.eps());
                long y = directOut ? result : buffer;
                k.affine(row, y, n, mean, scale, weight, bias);
                if (!directOut) {
                    Gather.write(vector, type, y, n, result, type.bytes());
                }
            }
        });
    }

    /** Sum (mean NaN) or sum of squared distances from the mean, block by block so that long F64 rows lose little. */
    private static double total(RowKernels k, long a, long n, DType block, double mean) {
        boolean sum = Double.isNaN(mean);
        double t = 0;
        for (long i = 0; i < n; i += Reductions.BLOCK) {
            long m = Math.min(Reductions.BLOCK, n - i);
            long at = a + i * block.bytes();
            t += sum ? k.sum(at, m) : k.sumSquares(at, m, mean);
        }
        return t;
    }

    /** Address of the elements as a block, the view's own where it is one already. */
    private long contiguous(View v, Scratch.Slot slot) {
        DType block = Gather.block(v.dtype());
        if (v.layout().isContiguous() && v.dtype() == block) {
            return CpuStorage.address(v);
        }
        long n = v.shape().size();
        long buffer = Scratch.take(slot, n * block.bytes());
        Walk.of(v, Reductions.others(v.shape().rank())).read(vector, v.dtype(), CpuStorage.address(v), 0, n, buffer);
        return buffer;
    }
}
