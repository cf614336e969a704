package dev.gramian.cuda;

import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Operations on whole rows: softmax, attention weights, norms. */
final class Rows {
    private final Softmax softmax;
    private final AttentionRows attention;
    private final Normalization normalization;

    Rows(CudaContext context, Reductions reductions) {
        softmax = new Softmax(context, reductions);
        attention = new AttentionRows(context);
        normalization = new Normalization(context, reductions);
    }

    void softmax(Lane lane, Op.Softmax op, View x, View out) {
        softmax.run(lane, op, x, out);
    }

    void attentionWeights(Lane lane, Op.AttentionWeights op, View[] in, View[] out) {
        attention.run(lane, op, in, out);
    }

    void normalize(Lane lane, Op.Normalize op, View[] in, View out) {
        normalization.run(lane, op, in, out);
    }
}
