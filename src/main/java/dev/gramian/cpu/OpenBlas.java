package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.NativeException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Products by OpenBLAS, called through java.lang.foreign. Its batch functions are never used: cblas_sgemm_batch_strided of
 * 0.3.31 crashes the process on some processors.
 */
final class OpenBlas implements Blas {
    private static final int ROW_MAJOR = 101;
    private static final int NO_TRANS = 111;
    private static final int TRANS = 112;

    /** Library sizes are 32-bit: longer axes are cut. A multiple of every kernel's tile. */
    private static final long MAX = 1L << 30;

    private final NativeLibrary library;
    private final Blas wide;

    /** The handles must be constants to be inlined; loaded only once the library is there. */
    private static final class Calls {
        static final MethodHandle SGEMM = gemm("cblas_sgemm", ValueLayout.JAVA_FLOAT);
        static final MethodHandle DGEMM = gemm("cblas_dgemm", ValueLayout.JAVA_DOUBLE);
        static final MethodHandle SGEMV = gemv("cblas_sgemv", ValueLayout.JAVA_FLOAT);
        static final MethodHandle DGEMV = gemv("cblas_dgemv", ValueLayout.JAVA_DOUBLE);

        private static MethodHandle gemm(String name, ValueLayout real) {
            ValueLayout i = ValueLayout.JAVA_INT;
            ValueLayout p = ValueLayout.JAVA_LONG;
            return handle(name, FunctionDescriptor.ofVoid(i, i, i, i, i, i, real, p, i, p, i, real, p, i));
        }

        private static MethodHandle gemv(String name, ValueLayout real) {
            ValueLayout i = ValueLayout.JAVA_INT;
            ValueLayout p = ValueLayout.JAVA_LONG;
            return handle(name, FunctionDescriptor.ofVoid(i, i, i, i, real, p, i, p, i, real, p, i));
        }

        private static MethodHandle handle(String name, FunctionDescriptor f) {
            return Linker.nativeLinker()
                    .downcallHandle(NativeLibrary.openBlas().symbols().findOrThrow(name), f);
        }
    }

    /** {@code wide} computes what has a row stride beyond 32 bits. */
    OpenBlas(NativeLibrary library, Blas wide) {
        if (!library.isPresent()) {
            throw new NativeException("cpu: OpenBLAS is not available; " + library.reason()
                    + "; use another CPU path or name the library with -D" + NativeLibrary.PROPERTY);
        }
        this.library = library;
        this.wide = wide;
    }

    @Override
    public String name() {
        return "openblas";
    }

    @Override
    public String describe() {
        return library.toString();
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
        if (m == 0 || n == 0) {
            return;
        }
        if (k == 0 || alpha == 0) {
            ScalarBlas.scale(type, m, n, beta, c, ldc);
        } else if (m <= MAX && n <= MAX && k <= MAX && lda <= MAX && ldb <= MAX && ldc <= MAX) {
            fitting(type, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } else if (lda > MAX && (transA ? k : m) > 1 || ldb > MAX && (transB ? n : k) > 1 || ldc > MAX && m > 1) {
            wide.gemm(type, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } else {
            // a leading dimension of a single row is never stepped by
            long la = Math.min(lda, MAX);
            long lb = Math.min(ldb, MAX);
            long lc = Math.min(ldc, MAX);
            int w = type.bytes();
            for (long i = 0; i < m; i += MAX) {
                for (long j = 0; j < n; j += MAX) {
                    for (long p = 0; p < k; p += MAX) {
                        fitting(
                                type,
                                transA,
                                transB,
                                Math.min(MAX, m - i),
                                Math.min(MAX, n - j),
                                Math.min(MAX, k - p),
                                alpha,
                                a + (transA ? p * lda + i : i * lda + p) * w,
                                la,
                                b + (transB ? j * ldb + p : p * ldb + j) * w,
                                lb,
                                p == 0 ? beta : 1,
                                c + (i * ldc + j) * w,
                                lc);
                    }
                }
            }
        }
    }

    private static void fitting(
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
        int la = (int) Math.max(lda, transA ? m : k);
        int lb = (int) Math.max(ldb, transB ? k : n);
        int lc = (int) Math.max(ldc, n);
        if (m == 1) {
            // c' = op(b)' a'
            int inc = transA ? la : 1;
            gemv(type, transB ? NO_TRANS : TRANS, transB ? n : k, transB ? k : n, alpha, b, lb, a, inc, beta, c, 1);
            return;
        }
        if (n == 1) {
            int inc = transB ? 1 : lb;
            gemv(type, transA ? TRANS : NO_TRANS, transA ? k : m, transA ? m : k, alpha, a, la, b, inc, beta, c, lc);
            return;
        }
        int ta = transA ? TRANS : NO_TRANS;
        int tb = transB ? TRANS : NO_TRANS;
        try {
            if (type == DType.F32) {
                Calls.SGEMM.invokeExact(
                        ROW_MAJOR, ta, tb, (int) m, (int) n, (int) k, (float) alpha, a, la, b, lb, (float) beta, c, lc);
            } else {
                Calls.DGEMM.invokeExact(
                        ROW_MAJOR, ta, tb, (int) m, (int) n, (int) k, alpha, a, la, b, lb, beta, c, lc);
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static void gemv(
            DType type,
            int trans,
            long rows,
            long cols,
            double alpha,
            long matrix,
            int ld,
            long x,
            int incX,
            double beta,
            long y,
            int incY) {
        try {
            if (type == DType.F32) {
                Calls.SGEMV.invokeExact(
                        ROW_MAJOR, trans, (int) rows, (int) cols, (float) alpha, matrix, ld, x, incX, (float) beta, y,
                        incY);
            } else {
                Calls.DGEMV.invokeExact(
                        ROW_MAJOR, trans, (int) rows, (int) cols, alpha, matrix, ld, x, incX, beta, y, incY);
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
