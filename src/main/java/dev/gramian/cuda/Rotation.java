package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Rotary position embedding. */
final class Rotation {
    private final CudaContext context;

    Rotation(CudaContext context) {
        this.context = context;
    }

    void rotate(Lane lane, Op.Rotate op, View[] in, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
