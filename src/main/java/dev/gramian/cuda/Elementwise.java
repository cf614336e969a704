package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Functions of one element of each operand, and copies. */
final class Elementwise {
    private final CudaContext context;

    Elementwise(CudaContext context) {
        this.context = context;
    }

    void map(Lane lane, Op.Map op, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void zip(Lane lane, Op.Zip op, View x, View y, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void zipScalar(Lane lane, Op.ZipScalar op, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void where(Lane lane, View[] in, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void copy(Lane lane, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
