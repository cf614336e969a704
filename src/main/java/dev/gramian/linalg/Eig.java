package dev.gramian.linalg;

/**
 * The eigendecomposition a v = v diag(w) of matrices (..., n, n): eigenvalues w (..., n) and eigenvectors in the columns of
 * v (..., n, n), each of length 1, of a complex one the largest element real; from {@link Linalg#eig}. Values come in no
 * particular order, but complex ones in conjugate pairs, side by side, the one with positive imaginary part first.
 *
 * <p>Where a has too few independent eigenvectors, some columns of v are the same to rounding.
 */
public record Eig(Complex w, Complex v) {}
