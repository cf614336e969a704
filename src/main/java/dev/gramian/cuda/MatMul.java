package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Products of matrices. */
final class MatMul {
    private final CudaContext context;

    MatMul(CudaContext context) {
        this.context = context;
    }

    void run(Lane lane, Op.Gemm op, View a, View b, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
