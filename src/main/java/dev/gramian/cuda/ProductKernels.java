package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Products that cuBLAS does not have: of integers, and those in which a zero annihilates NaN and infinities. */
final class ProductKernels {
    private final CudaContext context;

    ProductKernels(CudaContext context) {
        this.context = context;
    }

    void run(Lane lane, Op.Gemm op, View a, View b, View c) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
