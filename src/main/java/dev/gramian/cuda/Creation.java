package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Tensors from nothing: constants, sequences, random numbers. */
final class Creation {
    private final CudaContext context;

    Creation(CudaContext context) {
        this.context = context;
    }

    void fill(Lane lane, Op.Fill op, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void sequence(Lane lane, Op.Sequence op, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void random(Lane lane, Op.Random op, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
