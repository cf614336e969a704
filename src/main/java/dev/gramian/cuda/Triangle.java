package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Triangles of matrices and the search for the first NaN or infinity. */
final class Triangle {
    private final CudaContext context;

    Triangle(CudaContext context) {
        this.context = context;
    }

    void triangle(Lane lane, Op.Triangle op, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void firstNonFinite(Lane lane, View x, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
