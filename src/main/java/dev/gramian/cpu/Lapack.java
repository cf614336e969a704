package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.SvdMode;

/**
 * Dense decompositions of one F32 or F64 matrix. Matrices are row-major and contiguous (leading dimension = columns) at
 * raw addresses, their elements finite; every method runs on the calling thread, may be called from many at once, and
 * writes results where it is told.
 */
interface Lapack {
    /** Name and version for people. */
    String describe();

    /**
     * {@code a} (m, n) = U diag(S) Vt with m, n of at least 1; destroys {@code a}. S has k = min(m, n) values,
     * descending. THIN: u (m, k), vt (k, n). FULL: u (m, m), vt (n, n). VALUES: u and vt are not touched.
     */
    void svd(SvdMode mode, DType t, long m, long n, long a, long u, long s, long vt);

    /**
     * Overwrites {@code b} (n, nrhs) with x of a x = b; destroys {@code a} (n, n). Returns the index of the first pivot
     * that is exactly zero, where b is left undefined, or -1.
     */
    long solve(DType t, long n, long nrhs, long a, long b);

    /** Overwrites {@code a} (n, n) with its inverse; returns as {@link #solve}. */
    long inverse(DType t, long n, long a);

    /**
     * Overwrites {@code a} (n, n) with triangular factors whose pivots stand on the diagonal. Returns the sign, 1 or
     * -1, by which the product of the pivots must be multiplied to give the determinant.
     */
    int pivots(DType t, long n, long a);

    /**
     * Eigenvalues of the symmetric {@code a} (n, n), n of at least 1, whose lower triangle alone is read, to {@code w},
     * ascending; where {@code vectors}, eigenvectors to the columns of {@code v} (n, n). Destroys a.
     */
    void eigh(boolean vectors, DType t, long n, long a, long w, long v);

    /**
     * Eigenvalues of {@code a} (n, n), n of at least 1, to {@code re} and {@code im}, conjugates side by side, the one with
     * positive imaginary part first; where {@code vectors}, eigenvectors of length 1, the largest element of a complex one
     * being real, to the columns of {@code vre} and {@code vim} (n, n). Destroys a.
     */
    void eig(boolean vectors, DType t, long n, long a, long re, long im, long vre, long vim);

    /**
     * {@code a} (m, n) = q r with m, n of at least 1; destroys a. Thin: q (m, k), r (k, n), k = min(m, n); full: q (m, m),
     * r (m, n).
     */
    void qr(boolean full, DType t, long m, long n, long a, long q, long r);

    /**
     * Overwrites {@code a} (n, n), whose lower triangle alone is read, with its Cholesky factor, zeros above the diagonal.
     * Returns the order, from 1, of the first leading minor that is not positive definite, or 0.
     */
    long cholesky(DType t, long n, long a);

    /**
     * Row p[i] of {@code a} (m, n), m and n of at least 1, is row i of l u: {@code p} (m) I64, {@code l} (m, k), {@code u}
     * (k, n), k = min(m, n). Destroys a.
     */
    void lu(DType t, long m, long n, long a, long p, long l, long u);

    /**
     * Overwrites {@code b} (n, nrhs) with x of a x = b or aᵀ x = b, a triangular (n, n), its diagonal free of zeros or
     * counted as ones where {@code unit}.
     */
    void solveTriangular(
            boolean lower, boolean transpose, boolean unit, DType t, long n, long nrhs, long a, long b);
}
