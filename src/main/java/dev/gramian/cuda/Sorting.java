package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Sorting and the k largest. */
final class Sorting {
    private final CudaContext context;

    Sorting(CudaContext context) {
        this.context = context;
    }

    void sort(Lane lane, Op.Sort op, View x, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void topK(Lane lane, Op.TopK op, View x, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
