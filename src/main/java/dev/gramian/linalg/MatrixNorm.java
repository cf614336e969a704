package dev.gramian.linalg;

/** Norms of matrices. An empty matrix has norm 0. */
public enum MatrixNorm {
    /** Root of the sum of squares of all elements. */
    FROBENIUS,
    /** Largest sum of magnitudes in a column. */
    ONE,
    /** Largest sum of magnitudes in a row. */
    INF,
    /** Largest singular value: the 2-norm. F32 and F64. */
    SPECTRAL,
    /** Sum of the singular values. F32 and F64. */
    NUCLEAR
}
