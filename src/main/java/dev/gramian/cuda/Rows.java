package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Operations on whole rows: softmax, attention weights, norms. */
final class Rows {
    private final CudaContext context;

    Rows(CudaContext context) {
        this.context = context;
    }

    void softmax(Lane lane, Op.Softmax op, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void attentionWeights(Lane lane, Op.AttentionWeights op, View[] in, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void normalize(Lane lane, Op.Normalize op, View[] in, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
