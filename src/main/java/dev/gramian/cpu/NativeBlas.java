package dev.gramian.cpu;

import dev.gramian.core.DType;
import java.util.Set;

/**
 * OpenBLAS, but for the larger products where its kernels use half the processor: told by OPENBLAS_CORETYPE to be a Haswell,
 * or on a processor it does not know, it computes in 256 bits, and the Vector API tiles in 512 are about twice as fast; see
 * native-notes/cpu/gemm.md.
 */
final class NativeBlas implements Blas {
    /** Cores of OpenBLAS whose kernels are at most 256 bits wide. */
    private static final Set<String> NARROW = Set.of("Haswell", "Zen", "Sandybridge", "Excavator");

    /** Multiply-adds from which the vector tiles win in spite of packing. */
    private static final long SMALL = 24L * 24 * 24;

    private final Blas openBlas;
    private final Blas vector;

    private NativeBlas(Blas openBlas, Blas vector) {
        this.openBlas = openBlas;
        this.vector = vector;
    }

    /** The Blas of the native path; {@code java} is the vector one or, without the vector module, the scalar one. */
    static Blas of(NativeLibrary library, Blas java) {
        Blas openBlas = new OpenBlas(library, java);
        boolean faster = java instanceof VectorBlas && VectorBlas.isWide() && NARROW.contains(library.core());
        return faster ? new NativeBlas(openBlas, java) : openBlas;
    }

    @Override
    public String name() {
        return openBlas.name();
    }

    @Override
    public String describe() {
        return openBlas.describe() + "; larger products by " + vector.describe();
    }

    @Override
    public void gemm(
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
            long ldc) {
        boolean large = m > 3 && n > 8 && (double) m * n * k >= SMALL;
        boolean small = m > 1 && n > 1 && !transB && beta == 0 && VectorBlas.isSmall(m, n, k);
        (large || small ? vector : openBlas).gemm(type, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
}
