package dev.gramian.cpu;

import dev.gramian.core.DType;

/**
 * One matrix product on the calling thread: {@code c = alpha * op(a) op(b) + beta * c}, everything row-major, raw
 * addresses, leading dimensions in elements. op(a) is m x k, op(b) is k x n, c is m x n.
 *
 * <p>{@code alpha = 0} and {@code k = 0} give {@code beta * c}; {@code beta = 0} never reads c. No element is skipped for
 * being zero: NaN and infinities travel as IEEE says. F32 and F64, but for {@link IntegerGemm}.
 */
interface Blas {
    void gemm(
            DType type,
            boolean transA,
            boolean transB,
            long m,
            long n,
            long k,
            double alpha,
            long a,
            long lda,
            long b,
            long ldb,
            double beta,
            long c,
            long ldc);

    /** Short name for traces. */
    String name();

    /** Name, version and what it was built for, for a person. */
    default String describe() {
        return name();
    }
}
