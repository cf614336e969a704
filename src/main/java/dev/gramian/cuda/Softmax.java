package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.View;

/**
 * Softmax and its logarithm. What fits into the registers of a block is read and written once, as rows or as columns side
 * by side; longer lines are reduced first and read again.
 */
final class Softmax {
    /** Elements of one thread of a column kernel. */
    private static final int[] COLUMN_COUNTS = {4, 16};

    private final CudaContext context;
    private final Reductions reductions;
    private final Kernel[] rows = new Kernel[DType.values().length * 2 * RowPlan.FORMS];
    private final Kernel[] columns = new Kernel[DType.values().length * 2 * 4];
    private final Kernel[] applied = new Kernel[DType.values().length * 2 * 2];

    Softmax(CudaContext context, Reductions reductions) {
        this.context = context;
        this.reductions = reductions;
    }

    void run(Lane lane, Op.Softmax op, View x, View out) {
        if (x.shape().size() == 0) {
            return;
        }
        Lines l = Lines.of(op.name(), x, out, op.axis());
        if (l.stepOut == 1) {
            RowPlan plan = RowPlan.of(l.count, l.n, l.width(), RowPlan.Counts.MANY, context);
            if (plan != null) {
                rows(lane, op, x, l, plan, out);
                return;
            }
        } else if (l.n <= 16 * 128) {
            columns(lane, op, x, l, out);
            return;
        }
        anyLength(lane, op, x, out);
    }

    private static int index(DType type, boolean log, int forms, int form) {
        return (type.ordinal() * 2 + (log ? 1 : 0)) * forms + form;
    }

    private static String macros(DType type, boolean log) {
        return Kernels.define("ELEMENT", Kernels.type(type)) + Kernels.define("LOG", log ? "1" : "0");
    }

    private void rows(Lane lane, Op.Softmax op, View x, Lines l, RowPlan plan, View out) {
        int i = index(x.dtype(), op.log(), RowPlan.FORMS, plan.form());
        Kernel k = rows[i];
        if (k == null) {
            k = context.kernels().get("softmax_rows", macros(x.dtype(), op.log()) + plan.macros(), "rows");
            rows[i] = k;
        }
        lane.launch().pointer(x).i64(l.count).axes(l.kept).i32((int) l.n).i64(l.stepX).i64(l.stepOut)
                .i32(plan.threads()).pointer(out).run(k, plan.blocks(l.count), 1, 1, plan.block(), 0);
    }

    /** The longer the columns, the more threads to a column and the fewer columns to a block. */
    private void columns(Lane lane, Op.Softmax op, View x, Lines l, View out) {
        int form = l.n <= 4 || l.n > 16 && l.n <= 32 ? 0 : 1;
        int count = COLUMN_COUNTS[form];
        int down = l.n <= 16 ? 1 : (int) Math.max(8, Grid.power(Math.ceilDiv(l.n, count)));
        int block = down <= 8 ? 256 : 1024;
        int i = index(x.dtype(), op.log(), 4, form + (block > 256 ? 2 : 0));
        Kernel k = columns[i];
        if (k == null) {
            k = context.kernels().get("softmax_columns", macros(x.dtype(), op.log())
                    + Kernels.define("COUNT", Integer.toString(count))
                    + Kernels.define("BOUND", Integer.toString(block)), "columns");
            columns[i] = k;
        }
        int across = block / down;
        lane.launch().pointer(x).i64(l.count).axes(l.kept).i32((int) l.n).i64(l.stepX).i64(l.stepOut).i32(across)
                .i32(down).pointer(out).run(k, Grid.blocks(l.count, across), 1, 1, block, 0);
    }

    private void anyLength(Lane lane, Op.Softmax op, View x, View out) {
        int rank = x.shape().rank();
        long[][] steps = {Axes.steps(x.shape(), x.layout()), Axes.steps(x.shape(), out.layout()), new long[rank]};
        long place = 1;
        for (int i = rank - 1; i >= 0; i--) {
            if (i != op.axis()) {
                steps[2][i] = place;
                place *= x.shape().at(i);
            }
        }
        Axes axes = Axes.of(op.name(), x.shape().toArray(), steps);
        int last = axes.rank() - 1;
        int width = 16 / x.dtype().bytes();
        boolean vectors = axes.stride(0, last) == 1 && axes.stride(1, last) == 1 && axes.size(last) % width == 0
                && CudaStorage.address(x) % 16 == 0 && axes.multiples(0, last, width);
        int i = index(x.dtype(), op.log(), 2, vectors ? 1 : 0);
        Kernel k = applied[i];
        if (k == null) {
            k = context.kernels().get("softmax_long", macros(x.dtype(), op.log())
                    + Kernels.define("WIDTH", Integer.toString(vectors ? width : 1)), "apply");
            applied[i] = k;
        }
        Slices s = Slices.of(op.name(), x, new int[] {op.axis()}, false);
        CudaStorage states = reductions.states(lane, op.name(), ReduceFn.LOGSUMEXP, x.dtype(), s);
        try {
            long size = x.shape().size();
            lane.launch().pointer(x).i64(size).axes(axes).pointer(states.address).pointer(out)
                    .over(k, size / (vectors ? width : 1));
        } finally {
            lane.free(states);
        }
    }
}
