package dev.gramian.linalg;

import dev.gramian.Tensor;

/**
 * The eigendecomposition a = v diag(w) vᵀ of symmetric matrices (..., n, n): eigenvalues w (..., n), ascending, and
 * orthonormal eigenvectors in the columns of v (..., n, n); from {@link Linalg#eigh}.
 *
 * <p>Signs of the vectors, and rotations among those of equal values, are arbitrary and differ between devices.
 */
public record Eigh(Tensor w, Tensor v) {

    /**
     * The same with signs such that of each vector the element of largest magnitude is positive, the first of equal ones.
     * Rotations among vectors of equal values remain arbitrary.
     */
    public Eigh withSigns() {
        return Signs.of(this);
    }
}
