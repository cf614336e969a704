package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Reductions over any axes and running sums. */
final class Reductions {
    private final CudaContext context;

    Reductions(CudaContext context) {
        this.context = context;
    }

    void reduce(Lane lane, Op.Reduce op, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void cumSum(Lane lane, Op.CumSum op, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
