package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Op.AttentionWeights.Extra;
import dev.gramian.core.Shape;
import dev.gramian.core.View;

/** The softmax of attention: each row of scores is read once, worked on in cache and written once. Parallel over rows. */
final class AttentionRows {
    private final CpuPath path;
    private final Workers workers;

    AttentionRows(CpuPath path, Workers workers) {
        this.path = path;
        this.workers = workers;
    }

    /** An operand broadcast to the scores: rows by {@code lines}, columns {@code step} bytes apart. */
    record Matrix(DType type, long address, Walk lines, long step) {
        static Matrix of(View v, Shape scores) {
            if (v == null) {
                return null;
            }
            View wide = new View(v.storage(), v.layout().expand("attentionWeights", scores), v.dtype());
            int rank = scores.rank();
            return new Matrix(
                    v.dtype(),
                    CpuStorage.address(wide),
                    Walk.of(wide, Reductions.others(rank, rank - 1)),
                    wide.layout().stride(rank - 1) * v.dtype().bytes());
        }

        long at(long row, long column) {
            return address + lines.offset(row) + column * step;
        }
    }

    /** One value for all rows of a head. */
    record PerHead(DType type, long address, Walk heads) {
        static PerHead of(View v, Shape lead) {
            if (v == null) {
                return null;
            }
            View wide = new View(v.storage(), v.layout().expand("attentionWeights", lead), v.dtype());
            return new PerHead(v.dtype(), CpuStorage.address(wide), Walk.of(wide, Reductions.others(lead.rank())));
        }

        double number(long head) {
            long a = address + heads.offset(head);
            return type == DType.F64 ? Mem.f64(a) : Mem.f32(a);
        }

        long whole(long head) {
            return Mem.i64(address + heads.offset(head));
        }
    }

    static long saturated(long x, long y) {
        long s = x + y;
        return ((x ^ s) & (y ^ s)) < 0 ? (x < 0 ? Long.MIN_VALUE : Long.MAX_VALUE) : s;
    }

    static double logAddExp(double x, double y) {
        double m = Math.max(x, y);
        return Double.isInfinite(m) || Double.isNaN(m) ? m : m + Math.log1p(Math.exp(-Math.abs(x - y)));
    }

    void run(Op.AttentionWeights op, View[] in, View[] out) {
        Shape scores = in[0].shape();
        int rank = scores.rank();
        long keys = scores.at(rank - 1);
        long rows = out[1].shape().size();
        if (rows == 0) {
            return;
        }
        Shape lead = scores.slice(0, rank - 2);
        Call c = new Call(
                op, RowKernels.of(path, in[0].dtype()), in[0].dtype(), scores.at(rank - 2), keys,
                Matrix.of(in[0], scores),
                Matrix.of(op.extra(Extra.MASK, in), scores),
                Matrix.of(op.extra(Extra.BIAS, in), scores),
                PerHead.of(op.extra(Extra.SLOPES, in), lead),
                PerHead.of(op.extra(Extra.SINKS, in), lead),
                PerHead.of(op.extra(Extra.SHIFTS, in), lead),
                PerHead.of(op.extra(Extra.LENGTHS, in), lead),
                CpuStorage.address(out[0]), CpuStorage.address(out[1]));
        workers.parallelFor(rows, Rows.grain(keys), (r0, r1) -> {
            for (long r = r0; r < r1; r++) {
                c.row(r);
            }
        });
    }

    /** All that is the same for every row. */
    private record Call(
            Op.AttentionWeights op,
            RowKernels k,
            DType type,
            long queries,
            long keys,
            Matrix scores,
            Matrix mask,
            Matrix bias,
            PerHead slopes,
            PerHead sinks,
            PerHead shifts,
            PerHead lengths,
            long weights,
            long sums) {

        void row(long r) {
            int width = type.bytes();
            long head = r / queries;
            long i = r % queries;
            if (shifts != null) {
                i = saturated(i, shifts.whole(head));
            }
            long end = lengths == null ? keys : Math.max(0, Math.min(keys, lengths.whole(head)));
            long to = Math.min(end, op.band().to(i, keys));
            long from = Math.min(to, op.band().from(i, keys));
            long result = weights + r * keys * width;
            Mem.zero(result, from * width);
            Mem.zero(result + to * width, (keys - to) * width);
            double l = from == to
                    ? Double.NEGATIVE_INFINITY
                    : seen(r, head, i, from, to - from, result + from * width);
            if (sinks != null) {
                double sink = sinks.number(head);
                double both = logAddExp(l, sink);
                if (l != Double.NEGATIVE_INFINITY && both != l) {
                    k.times(result + from * width, result + from * width, to - from, Math.exp(l - both));
                }
                l = both;
            }
            k.fill(sums + r * width, 1, l);
        }

        /** The {@code n} columns from {@code from} on, which band and length let through. */
        private double seen(long r, long head, long i, long from, long n, long to) {
            int width = type.bytes();
            long s = scores.at(r, from);
            if (scores.step != width) {
                Gather.read(type, s, scores.step, n, to);
                s = to;
            }
            double shift = 0;
            long added = 0;
            if (bias != null) {
                added = bias.at(r, from);
                if (bias.step == 0) {
                    shift = type == DType.F64 ? Mem.f64(added) : Mem.f32(added);
                    added = 0;
                } else if (bias.step != width) {
                    long buffer = Scratch.take(Scratch.Slot.Y, n * width);
                    Gather.read(type, added, bias.step, n, buffer);
                    added = buffer;
                }
            }
            if (slopes != null) {
                added = distances(slopes.number(head), i + op.center() - from, added, n);
            }
            long allowed = 0;
            if (mask != null) {
                allowed = mask.at(r, from);
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
                    s, to, n, op.scale(), op.softcap(), added, shift, mask == null || mask.step == 0 ? 0 : allowed);
        }

        /** Column j: -slope * |center - j|, plus {@code bias} where it is not 0. */
        private long distances(double slope, long center, long bias, long n) {
            boolean wide = type == DType.F64;
            long buffer = Scratch.take(Scratch.Slot.X, n * type.bytes());
            for (long j = 0; j < n; j++) {
                double d = -slope * Math.abs((double) (center - j));
                if (wide) {
                    Mem.f64(buffer + 8 * j, bias == 0 ? d : d + Mem.f64(bias + 8 * j));
                } else {
                    Mem.f32(buffer + 4 * j, (float) (bias == 0 ? d : d + Mem.f32(bias + 4 * j)));
                }
            }
            return buffer;
        }
    }
}
