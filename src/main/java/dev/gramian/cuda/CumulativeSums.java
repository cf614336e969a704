package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.View;

/** Running sums: long slices are cut into pieces, summed in a first launch, so that each piece knows where it starts. */
final class CumulativeSums {
    private static final int BLOCK = 256;
    /** Elements that a thread adds up at a time. */
    private static final int EACH = 8;

    private final CudaContext context;
    private final Kernel[][] kernels = new Kernel[DType.values().length][2];

    CumulativeSums(CudaContext context) {
        this.context = context;
    }

    private Kernel kernel(DType type, boolean rows) {
        Kernel k = kernels[type.ordinal()][rows ? 0 : 1];
        if (k == null) {
            String macros = Kernels.define("ELEMENT", Kernels.type(type))
                    + Kernels.define("RESULT", Kernels.type(ReduceFn.SUM.result(type)));
            k = context.kernels().get("cumsum", macros, rows ? "rows" : "columns");
            kernels[type.ordinal()][rows ? 0 : 1] = k;
        }
        return k;
    }

    void run(Lane lane, Op.CumSum op, View x, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        Lines l = Lines.of(op.name(), x, out, op.axis());
        if (l.stepOut == 1 || l.n == 1) {
            rows(lane, x, l, out);
        } else {
            columns(lane, x, l, out);
        }
    }

    private void rows(Lane lane, View x, Lines l, View out) {
        long full = 8L * context.multiprocessors(); // blocks that the card holds at once
        long units = Math.ceilDiv(l.n, EACH);
        int threads = BLOCK;
        if (units <= 32 * 2 || units <= 32 * 16 && l.count >= 4 * full) {
            threads = (int) Math.min(32, Grid.power(units));
        }
        long splits = 1;
        if (threads == BLOCK && 2 * l.count < full) {
            splits = Math.clamp(full / l.count, 1, Math.max(1, l.n / (4L * BLOCK * EACH)));
        }
        splits = Math.max(splits, l.n >> 30);
        long chunk = Grid.roundUp(Math.ceilDiv(l.n, splits), (long) BLOCK * EACH);
        long pieces = Math.ceilDiv(l.n, chunk);
        int group = threads;
        long blocks = Grid.blocks(l.count * pieces, BLOCK / threads);
        Kernel k = kernel(x.dtype(), true);
        twice(lane, l, pieces, (totals, to) -> lane.launch().pointer(x).i64(l.count).axes(l.kept).i64(l.n)
                .i64(l.stepX).i32(group).i64(pieces).i64(chunk).pointer(totals).pointer(to)
                .run(k, blocks, 1, 1, BLOCK, 0), CudaStorage.address(out));
    }

    private void columns(Lane lane, View x, Lines l, View out) {
        long full = 2048L * context.multiprocessors(); // threads that the card holds at once
        long splits = 2 * l.count < full ? Math.clamp(full / l.count, 1, Math.max(1, l.n / (8 * EACH))) : 1;
        splits = Math.clamp(splits, (l.n >> 30) + 1, 65535);
        long chunk = Grid.roundUp(Math.ceilDiv(l.n, splits), EACH);
        long pieces = Math.ceilDiv(l.n, chunk);
        long blocks = Grid.blocks(l.count, BLOCK);
        Kernel k = kernel(x.dtype(), false);
        twice(lane, l, pieces, (totals, to) -> lane.launch().pointer(x).i64(l.count).axes(l.kept).i64(l.n)
                .i64(l.stepX).i64(l.stepOut).i64(chunk).pointer(totals).pointer(to)
                .run(k, blocks, pieces, 1, BLOCK, 0), CudaStorage.address(out));
    }

    private interface Pass {
        void run(long totals, long out);
    }

    private static void twice(Lane lane, Lines l, long pieces, Pass pass, long out) {
        if (pieces == 1) {
            pass.run(0, out);
            return;
        }
        CudaStorage totals = lane.temporary("cumSum", 8 * l.count * pieces);
        try {
            pass.run(totals.address, 0);
            pass.run(totals.address, out);
        } finally {
            lane.free(totals);
        }
    }
}
