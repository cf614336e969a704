package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import dev.gramian.core.View;

/** Layer and RMS norm: rows that fit into registers are read and written once, longer ones are reduced first. */
final class Normalization {
    private static final int BLOCK = 256;

    private final CudaContext context;
    private final Reductions reductions;
    private final Kernel[] rows = new Kernel[DType.values().length * 2 * RowPlan.FORMS];
    private final Kernel[] pieces = new Kernel[DType.values().length * 2];

    Normalization(CudaContext context, Reductions reductions) {
        this.context = context;
        this.reductions = reductions;
    }

    void run(Lane lane, Op.Normalize op, View[] in, View out) {
        View x = in[0];
        if (x.shape().size() == 0) {
            return;
        }
        View weight = op.weight() ? in[1] : null;
        View bias = op.bias() ? in[op.weight() ? 2 : 1] : null;
        int lead = x.shape().rank() - op.axes();
        long[] steps = Axes.steps(x.shape(), x.layout());
        Shape row = x.shape().slice(lead, x.shape().rank());
        long n = row.size();
        long count = x.shape().size() / n;
        Axes lines = Axes.of(op.name(), x.shape().slice(0, lead).toArray(), java.util.Arrays.copyOf(steps, lead));
        long[] along = java.util.Arrays.copyOfRange(steps, lead, steps.length);
        Axes axes = Axes.of(op.name(), row.toArray(), along, weight == null ? along : Axes.steps(row, weight.layout()),
                bias == null ? along : Axes.steps(row, bias.layout()));
        int width = 16 / x.dtype().bytes();
        boolean vectors = axes.allContiguous() && n % width == 0 && lines.multiples(0, lines.rank(), width)
                && (address(x) | address(weight) | address(bias)) % 16 == 0;
        RowPlan plan = RowPlan.of(count, n, vectors ? width : 1, RowPlan.Counts.MANY, context);
        if (plan != null) {
            lane.launch().pointer(x).pointer(address(weight)).pointer(address(bias)).i64(count).axes(lines).i32((int) n)
                    .axes(axes).f64(op.eps()).i32(plan.threads()).pointer(out)
                    .run(rows(op, x.dtype(), plan), plan.blocks(count), 1, 1, plan.block(), 0);
            return;
        }
        int[] last = new int[op.axes()];
        for (int i = 0; i < last.length; i++) {
            last[i] = lead + i;
        }
        Slices s = Slices.of(op.name(), x, last, false);
        CudaStorage states = reductions.states(lane, op.name(), statistics(op), x.dtype(), s);
        try {
            long splits = Math.clamp(8L * context.multiprocessors() / count, 1, Math.ceilDiv(n, 4L * BLOCK));
            long chunk = Grid.roundUp(Math.ceilDiv(n, splits), BLOCK);
            splits = Math.ceilDiv(n, chunk);
            lane.launch().pointer(x).pointer(address(weight)).pointer(address(bias)).i64(count).axes(lines).i64(n)
                    .axes(axes).f64(op.eps()).i64(splits).i64(chunk).pointer(states.address).pointer(out)
                    .run(pieces(op, x.dtype()), Grid.blocks(count * splits, 1), 1, 1, BLOCK, 0);
        } finally {
            lane.free(states);
        }
    }

    private static long address(View v) {
        return v == null ? 0 : CudaStorage.address(v);
    }

    private static ReduceFn statistics(Op.Normalize op) {
        return op.center() ? ReduceFn.VAR : ReduceFn.NORM2;
    }

    private static String macros(Op.Normalize op, DType type) {
        return Kernels.define("ELEMENT", Kernels.type(type)) + Kernels.define("CENTER", op.center() ? "1" : "0");
    }

    private Kernel rows(Op.Normalize op, DType type, RowPlan plan) {
        int i = (type.ordinal() * 2 + (op.center() ? 1 : 0)) * RowPlan.FORMS + plan.form();
        Kernel k = rows[i];
        if (k == null) {
            k = context.kernels().get("normalize_rows", macros(op, type) + plan.macros(), "rows");
            rows[i] = k;
        }
        return k;
    }

    private Kernel pieces(Op.Normalize op, DType type) {
        int i = type.ordinal() * 2 + (op.center() ? 1 : 0);
        Kernel k = pieces[i];
        if (k == null) {
            String macros = macros(op, type) + Kernels.define("STATE", Reductions.state(statistics(op)));
            k = context.kernels().get("normalize_long", macros, "pieces");
            pieces[i] = k;
        }
        return k;
    }
}
