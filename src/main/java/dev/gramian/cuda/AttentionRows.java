package dev.gramian.cuda;

import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Op.AttentionWeights.Extra;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * The softmax of attention, with all that changes scores before it, in one kernel where rows fit into registers and in two
 * where they do not. Mask and bias are read where they lie, broadcast by steps of 0.
 */
final class AttentionRows {
    private static final int BLOCK = 256;
    /** Vectors that a thread of the kernels for long rows asks for at once. */
    private static final int AHEAD = 4;

    private final CudaContext context;
    /** By type, kinds of extras, form. */
    private final Kernel[] rows = new Kernel[2 * 16 * RowPlan.FORMS];
    /** By type, kinds of extras, width, launch. */
    private final Kernel[] parts = new Kernel[2 * 16 * 2 * 2];

    AttentionRows(CudaContext context) {
        this.context = context;
    }

    void run(Lane lane, Op.AttentionWeights op, View[] in, View[] out) {
        long rows = out[1].shape().size();
        if (rows > 0) {
            new Call(lane, op, in, out, rows).run();
        }
    }

    private final class Call {
        private final Lane lane;
        private final Op.AttentionWeights op;
        private final View scores;
        private final View mask;
        private final View bias;
        private final View[] heads;
        private final View[] out;
        private final long count;
        private final long queries;
        private final long keys;
        private final DType type;
        private final Axes axes;
        private final Axes byHead;
        private final long[] steps;
        private final int width;
        private final int packed;

        Call(Lane lane, Op.AttentionWeights op, View[] in, View[] out, long count) {
            this.lane = lane;
            this.op = op;
            this.out = out;
            this.count = count;
            scores = in[0];
            type = scores.dtype();
            mask = op.extra(Extra.MASK, in);
            bias = op.extra(Extra.BIAS, in);
            heads = new View[] {
                op.extra(Extra.SLOPES, in), op.extra(Extra.SINKS, in), op.extra(Extra.SHIFTS, in),
                op.extra(Extra.LENGTHS, in)
            };
            Shape shape = scores.shape();
            int rank = shape.rank();
            queries = shape.at(rank - 2);
            keys = shape.at(rank - 1);
            View[] full = {scores, mask, bias};
            long[][] lines = new long[3][];
            steps = new long[3];
            for (int k = 0; k < 3; k++) {
                long[] all = full[k] == null ? new long[rank] : Axes.steps(shape, full[k].layout());
                lines[k] = Arrays.copyOf(all, rank - 1);
                steps[k] = all[rank - 1];
            }
            long[] sizes = Arrays.copyOf(shape.toArray(), rank - 1);
            axes = Axes.of(op.name(), sizes, lines);
            Shape lead = shape.slice(0, rank - 2);
            long[][] perHead = new long[4][];
            for (int k = 0; k < 4; k++) {
                // the same for every query
                perHead[k] = heads[k] == null
                        ? new long[rank - 1]
                        : Arrays.copyOf(Axes.steps(lead, heads[k].layout()), rank - 1);
            }
            byHead = Axes.of(op.name(), sizes, perHead);
            int wide = 16 / type.bytes();
            width = keys % wide == 0 && vectors(scores, 0, wide) ? wide : 1;
            packed = (width == 1 || mask != null && vectors(mask, 1, wide) ? 1 : 0)
                    | (width == 1 || bias != null && vectors(bias, 2, wide) ? 2 : 0);
        }

        /** True if an operand can be read in vectors of so many elements. */
        private boolean vectors(View v, int k, int wide) {
            return steps[k] == 1 && CudaStorage.address(v) % ((long) wide * v.dtype().bytes()) == 0
                    && axes.multiples(k, axes.rank(), wide);
        }

        void run() {
            RowPlan plan = RowPlan.of(count, keys, width, RowPlan.Counts.FEW, context);
            if (plan != null) {
                scores().i32(plan.threads()).pointer(out[0]).pointer(out[1])
                        .run(rows(plan), plan.blocks(count), 1, 1, plan.block(), 0);
                return;
            }
            long unit = (long) AHEAD * BLOCK * width;
            long splits = Math.clamp(8L * context.multiprocessors() / count, 1, Math.ceilDiv(keys, unit));
            long chunk = Grid.roundUp(Math.ceilDiv(keys, splits), unit);
            splits = Math.ceilDiv(keys, chunk);
            long blocks = Grid.blocks(count * splits, 1);
            CudaStorage states = lane.temporary(op.name(), 16 * count * splits);
            try {
                scores().i64(splits).i64(chunk).pointer(states.address).run(part(0), blocks, 1, 1, BLOCK, 0);
                scores().i64(splits).i64(chunk).pointer(states.address).pointer(out[0]).pointer(out[1])
                        .run(part(1), blocks, 1, 1, BLOCK, 0);
            } finally {
                lane.free(states);
            }
        }

        /** SCORES of attention.cuh. */
        private Launch scores() {
            Band band = op.band();
            Launch l = lane.launch().pointer(scores).pointer(address(mask)).pointer(address(bias)).i64(count).axes(axes)
                    .i64(queries).i64(Axes.divisor(queries)).i64(keys).i64(steps[0]).i64(steps[1]).i64(steps[2])
                    .i32(packed);
            if (type == DType.F64) {
                l.f64(op.scale()).f64(op.softcap());
            } else {
                l.f32((float) op.scale()).f32((float) op.softcap());
            }
            l.i32(band.isOpen() ? 0 : 1).i64(band.first()).i64(band.last()).i64(op.center());
            for (View head : heads) {
                l.pointer(address(head));
            }
            return l.axes(byHead);
        }

        private static long address(View v) {
            return v == null ? 0 : CudaStorage.address(v);
        }

        private int kinds() {
            boolean perHead = false;
            for (View head : heads) {
                perHead |= head != null;
            }
            return (op.softcap() > 0 ? 1 : 0) | (mask != null ? 2 : 0) | (bias != null ? 4 : 0) | (perHead ? 8 : 0);
        }

        private String macros(int kinds) {
            String[] names = {"CAP", "MASK", "BIAS", "HEADS"};
            StringBuilder s = new StringBuilder(Kernels.define("ELEMENT", Kernels.type(type)));
            for (int k = 0; k < 4; k++) {
                s.append(Kernels.define(names[k], Integer.toString(kinds >> k & 1)));
            }
            return s.toString();
        }

        private Kernel rows(RowPlan plan) {
            int kinds = kinds();
            int i = ((type == DType.F64 ? 16 : 0) + kinds) * RowPlan.FORMS + plan.form();
            Kernel k = rows[i];
            if (k == null) {
                k = context.kernels().get("attention_rows", macros(kinds) + plan.macros(), "rows");
                rows[i] = k;
            }
            return k;
        }

        private Kernel part(int launch) {
            int kinds = kinds();
            int i = (((type == DType.F64 ? 16 : 0) + kinds) * 2 + (width > 1 ? 1 : 0)) * 2 + launch;
            Kernel k = parts[i];
            if (k == null) {
                String macros = macros(kinds) + Kernels.define("WIDTH", Integer.toString(width));
                k = context.kernels().get("attention_long", macros, launch == 0 ? "pieces" : "finish");
                parts[i] = k;
            }
            return k;
        }
    }
}
