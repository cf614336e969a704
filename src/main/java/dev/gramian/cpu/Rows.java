package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/**
 * Softmax, attention weights and normalisation: every row is read from memory once, worked on in cache and written once.
 * Parallel over rows.
 */
final class Rows {
    private final CpuPath path;
    private final Workers workers;

    Rows(CpuPath path, Workers workers) {
        this.path = path;
        this.workers = workers;
    }

    /** Rows that are worth handing to another thread. */
    private static long grain(long n) {
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
        workers.parallelFor(kept.size, grain(n), (r0, r1) -> {
            long buffer = directOut ? 0 : Scratch.take(Scratch.Slot.OUT, n * block.bytes());
            for (long r = r0; r < r1; r++) {
                long source = from + kept.offset(r);
                long result = to + target.offset(r);
                long row = directOut ? result : buffer;
                if (directIn) {
                    k.softmax(source, row, n, op.log());
                } else {
                    along.read(type, source, 0, n, row);
                    k.softmax(row, row, n, op.log());
                }
                if (!directOut) {
                    Gather.write(type, row, n, result, step);
                }
            }
        });
    }

    /** An operand broadcast to the scores: rows by {@code lines}, columns {@code step} bytes apart. */
    private record Operand(DType type, long address, Walk lines, long step) {
        static Operand of(View v, View scores) {
            View wide = new View(v.storage(), v.layout().expand("attentionWeights", scores.shape()), v.dtype());
            int rank = scores.shape().rank();
            return new Operand(
                    v.dtype(),
                    CpuStorage.address(wide),
                    Walk.of(wide, Reductions.others(rank, rank - 1)),
                    wide.layout().stride(rank - 1) * v.dtype().bytes());
        }

        long row(long r) {
            return address + lines.offset(r);
        }
    }

    void attentionWeights(Op.AttentionWeights op, View[] in, View[] out) {
        View scores = in[0];
        int rank = scores.shape().rank();
        long queries = scores.shape().at(rank - 2);
        long keys = scores.shape().at(rank - 1);
        long rows = out[1].shape().size();
        if (rows == 0) {
            return;
        }
        DType type = scores.dtype();
        int width = type.bytes();
        RowKernels k = RowKernels.of(path, type);
        long lse = CpuStorage.address(out[1]);
        if (keys == 0) {
            k.fill(lse, rows, Double.NEGATIVE_INFINITY);
            return;
        }
        Operand s = Operand.of(scores, scores);
        Operand mask = op.mask() ? Operand.of(in[1], scores) : null;
        Operand bias = op.bias() ? Operand.of(in[op.mask() ? 2 : 1], scores) : null;
        long weights = CpuStorage.address(out[0]);
        workers.parallelFor(rows, grain(keys), (r0, r1) -> {
            for (long r = r0; r < r1; r++) {
                long n = op.causal() ? attended(r % queries, op.offset(), keys) : keys;
                long to = weights + r * keys * width;
                double l = n == 0 ? Double.NEGATIVE_INFINITY : row(op, k, s, mask, bias, r, n, to);
                Mem.zero(to + n * width, (keys - n) * width);
                k.fill(lse + r * width, 1, l);
            }
        });
    }

    /** Columns that query i may attend to: j at most i + offset, for any offset. */
    private static long attended(long i, long offset, long keys) {
        return offset >= keys ? keys : Math.max(0, Math.min(keys, i + offset + 1));
    }

    private static double row(
            Op.AttentionWeights op, RowKernels k, Operand s, Operand mask, Operand bias, long r, long n, long to) {
        int width = s.type.bytes();
        long scores = s.row(r);
        if (s.step != width) {
            Gather.read(s.type, scores, s.step, n, to);
            scores = to;
        }
        double shift = 0;
        long added = 0;
        if (bias != null) {
            added = bias.row(r);
            if (bias.step == 0) {
                shift = s.type == DType.F64 ? Mem.f64(added) : Mem.f32(added);
                added = 0;
            } else if (bias.step != width) {
                long buffer = Scratch.take(Scratch.Slot.Y, n * width);
                Gather.read(bias.type, added, bias.step, n, buffer);
                added = buffer;
            }
        }
        long allowed = 0;
        if (mask != null) {
            allowed = mask.row(r);
            if (mask.step != 1 && mask.step != 0) {
                long buffer = Scratch.take(Scratch.Slot.Z, n);
                for (long j = 0; j < n; j++) {
                    Mem.u8(buffer + j, Mem.u8(allowed + j * mask.step));
                }
                allowed = buffer;
            }
        }
        boolean blocked = mask != null && mask.step == 0 && Mem.u8(allowed) == 0;
        if (blocked || shift == Double.NEGATIVE_INFINITY) {
            Mem.zero(to, n * width);
            return Double.NEGATIVE_INFINITY;
        }
        return k.attend(
                scores, to, n, op.scale(), op.softcap(), added, shift, mask == null || mask.step == 0 ? 0 : allowed);
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
                    along.read(type, row, 0, n, buffer);
                    row = buffer;
                }
                double mean = op.center() ? total(k, row, n, block, Double.NaN) / n : 0;
                double scale = 1 / Math.sqrt(total(k, row, n, block, mean) / n + op.eps());
                long y = directOut ? result : buffer;
                k.affine(row, y, n, mean, scale, weight, bias);
                if (!directOut) {
                    Gather.write(type, y, n, result, type.bytes());
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
    private static long contiguous(View v, Scratch.Slot slot) {
        DType block = Gather.block(v.dtype());
        if (v.layout().isContiguous() && v.dtype() == block) {
            return CpuStorage.address(v);
        }
        long n = v.shape().size();
        long buffer = Scratch.take(slot, n * block.bytes());
        Walk.of(v, Reductions.others(v.shape().rank())).read(v.dtype(), CpuStorage.address(v), 0, n, buffer);
        return buffer;
    }
}
