package dev.gramian.cuda;

import dev.gramian.core.Decomposition;
import dev.gramian.core.NativeException;
import dev.gramian.core.View;

/** Factorisations, solves and what follows from them. */
final class Decompositions {
    private final CudaContext context;

    Decompositions(CudaContext context) {
        this.context = context;
    }

    void svd(Lane lane, Decomposition.Svd op, View a, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void solve(Lane lane, View a, View b, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void inverse(Lane lane, View a, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void determinant(Lane lane, Decomposition.Determinant op, View a, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void eigh(Lane lane, Decomposition.Eigh op, View a, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void qr(Lane lane, Decomposition.Qr op, View a, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void cholesky(Lane lane, View a, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void lu(Lane lane, View a, View[] out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }

    void solveTriangular(Lane lane, Decomposition.TriangularSolve op, View a, View b, View out) {
        throw new NativeException("cuda: no kernel yet; " + context.cardName());
    }
}
