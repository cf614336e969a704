package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Gathering by index and joining. */
final class Indexing {
    private final CudaContext context;

    Indexing(CudaContext context) {
        this.context = context;
    }

    void gather(Lane lane, Op.Gather op, View x, View index, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void takeAlongAxis(Lane lane, Op.TakeAlongAxis op, View x, View index, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void concat(Lane lane, Op.Concat op, View[] in, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
