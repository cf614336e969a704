package dev.gramian.cpu;

import dev.gramian.core.DType;

/**
 * Products in which a zero of a annihilates whatever stands in b, NaN and infinities too. Rows of op(b) without such values
 * go to the underlying {@link Blas} in runs; each other row is added by itself, for the rows of a that are not zero there.
 * A NaN in a still reaches the result.
 */
final class ZeroAnnihilatingBlas implements Blas {
    /** Values of k looked at together; also the longest run. */
    private static final int DEPTH = 4096;

    private final Blas blas;

    ZeroAnnihilatingBlas(Blas blas) {
        this.blas = blas;
    }

    @Override
    public String name() {
        return blas.name();
    }

    @Override
    public String describe() {
        return blas.describe();
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
        if (alpha == 0 || k == 0 || !transB && allFinite(type, b, ldb, k, n)
                || transB && allFinite(type, b, ldb, n, k)) {
            blas.gemm(type, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        int w = type.bytes();
        boolean first = true;
        boolean[] bad = new boolean[(int) Math.min(DEPTH, k)];
        for (long p0 = 0; p0 < k; p0 += DEPTH) {
            int depth = (int) Math.min(DEPTH, k - p0);
            for (int p = 0; p < depth; p++) {
                bad[p] = false;
                for (long j = 0; j < n && !bad[p]; j++) {
                    bad[p] = !Double.isFinite(get(type, b + (transB ? j * ldb + p0 + p : (p0 + p) * ldb + j) * w));
                }
            }
            for (int p = 0; p < depth;) {
                int end = p + 1;
                while (end < depth && bad[end] == bad[p]) {
                    end++;
                }
                long x = a + (transA ? (p0 + p) * lda : p0 + p) * w;
                long y = b + (transB ? p0 + p : (p0 + p) * ldb) * w;
                if (!bad[p]) {
                    blas.gemm(type, transA, transB, m, n, end - p, alpha, x, lda, y, ldb, first ? beta : 1, c, ldc);
                } else {
                    if (first) {
                        ScalarBlas.scale(type, m, n, beta, c, ldc);
                    }
                    for (int q = 0; q < end - p; q++) {
                        add(
                                type,
                                m,
                                n,
                                alpha,
                                x + (transA ? q * lda : q) * w,
                                transA ? 1 : lda,
                                y + (transB ? q : q * ldb) * w,
                                transB ? ldb : 1,
                                c,
                                ldc);
                    }
                }
                first = false;
                p = end;
            }
        }
    }

    /** c += alpha * x y for a column x and a row y, leaving out zeros of x. */
    private static void add(
            DType type, long m, long n, double alpha, long x, long incX, long y, long incY, long c, long ldc) {
        int w = type.bytes();
        for (long i = 0; i < m; i++) {
            double v = get(type, x + i * incX * w);
            if (v == 0) {
                continue;
            }
            for (long j = 0; j < n; j++) {
                long z = c + (i * ldc + j) * w;
                // the product first: alpha times a tiny a may vanish before it meets an infinity
                double r = alpha * (v * get(type, y + j * incY * w));
                if (type == DType.F32) {
                    Mem.f32(z, (float) (Mem.f32(z) + r));
                } else {
                    Mem.f64(z, Mem.f64(z) + r);
                }
            }
        }
    }

    private static double get(DType type, long at) {
        return type == DType.F32 ? Mem.f32(at) : Mem.f64(at);
    }

    /** Adding one to the exponent field of |x| turns the sign bit on just for NaN and infinities. */
    private static boolean allFinite(DType type, long x, long ld, long rows, long cols) {
        for (long i = 0; i < rows; i++) {
            if (type == DType.F32) {
                long row = x + i * ld * 4;
                int any = 0;
                for (long j = 0; j < cols; j++) {
                    any |= (Mem.i32(row + 4 * j) & 0x7FFFFFFF) + 0x00800000;
                }
                if (any < 0) {
                    return false;
                }
            } else {
                long row = x + i * ld * 8;
                long any = 0;
                for (long j = 0; j < cols; j++) {
                    any |= (Mem.i64(row + 8 * j) & Long.MAX_VALUE) + (1L << 52);
                }
                if (any < 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
