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
}
