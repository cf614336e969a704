package dev.gramian.cpu;

import dev.gramian.core.DType;

/** Products in plain Java without the vector module: rows of b are added up in blocks that stay in cache. */
final class ScalarBlas implements Blas {
    /** Columns of a block: one row of c and of b in the first-level cache. */
    private static final int COLUMNS = 1024;

    /** Rows of b of a block: with {@link #COLUMNS}, 1 MiB of F32. */
    private static final int DEPTH = 256;

    @Override
    public String name() {
        return "scalar";
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
        scale(type, m, n, beta, c, ldc);
        if (alpha == 0) {
            return;
        }
        int w = type.bytes();
        long aRow = transA ? 1 : lda;
        long aCol = transA ? lda : 1;
        if (transB) {
            for (long j = 0; j < n; j++) {
                for (long i = 0; i < m; i++) {
                    long x = a + i * aRow * w;
                    long y = b + j * ldb * w;
                    long z = c + (i * ldc + j) * w;
                    if (type == DType.F32) {
                        Mem.f32(z, Mem.f32(z) + (float) alpha * dotF32(x, aCol * w, y, k));
                    } else {
                        Mem.f64(z, Mem.f64(z) + alpha * dotF64(x, aCol * w, y, k));
                    }
                }
            }
            return;
        }
        for (long j = 0; j < n; j += COLUMNS) {
            int cols = (int) Math.min(COLUMNS, n - j);
            for (long p0 = 0; p0 < k; p0 += DEPTH) {
                long p1 = Math.min(k, p0 + DEPTH);
                for (long i = 0; i < m; i++) {
                    long z = c + (i * ldc + j) * w;
                    for (long p = p0; p < p1; p++) {
                        long x = a + (i * aRow + p * aCol) * w;
                        long y = b + (p * ldb + j) * w;
                        if (type == DType.F32) {
                            axpyF32((float) alpha * Mem.f32(x), y, z, cols);
                        } else {
                            axpyF64(alpha * Mem.f64(x), y, z, cols);
                        }
                    }
                }
            }
        }
    }

    /** c *= beta; zeros, without reading, for beta = 0. */
    static void scale(DType type, long m, long n, double beta, long c, long ldc) {
        int w = type.bytes();
        if (beta == 1 || n == 0) {
            return;
        }
        for (long i = 0; i < m; i++) {
            long row = c + i * ldc * w;
            if (beta == 0) {
                Mem.zero(row, n * w);
            } else if (type == DType.F32) {
                for (long j = 0; j < n; j++) {
                    Mem.f32(row + j * 4, (float) beta * Mem.f32(row + j * 4));
                }
            } else {
                for (long j = 0; j < n; j++) {
                    Mem.f64(row + j * 8, beta * Mem.f64(row + j * 8));
                }
            }
        }
    }

    static void axpyF32(float x, long from, long to, int n) {
        for (int j = 0; j < n; j++) {
            long at = to + 4L * j;
            Mem.f32(at, Mem.f32(at) + x * Mem.f32(from + 4L * j));
        }
    }

    static void axpyF64(double x, long from, long to, int n) {
        for (int j = 0; j < n; j++) {
            long at = to + 8L * j;
            Mem.f64(at, Mem.f64(at) + x * Mem.f64(from + 8L * j));
        }
    }

    /** Four sums side by side: one alone waits for every addition. {@code step} in bytes. */
    private static float dotF32(long x, long step, long y, long k) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        long p = 0;
        for (; p + 4 <= k; p += 4) {
            s0 += Mem.f32(x) * Mem.f32(y);
            s1 += Mem.f32(x + step) * Mem.f32(y + 4);
            s2 += Mem.f32(x + 2 * step) * Mem.f32(y + 8);
            s3 += Mem.f32(x + 3 * step) * Mem.f32(y + 12);
            x += 4 * step;
            y += 16;
        }
        for (; p < k; p++, x += step, y += 4) {
            s0 += Mem.f32(x) * Mem.f32(y);
        }
        return s0 + s1 + (s2 + s3);
    }

    private static double dotF64(long x, long step, long y, long k) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        long p = 0;
        for (; p + 4 <= k; p += 4) {
            s0 += Mem.f64(x) * Mem.f64(y);
            s1 += Mem.f64(x + step) * Mem.f64(y + 8);
            s2 += Mem.f64(x + 2 * step) * Mem.f64(y + 16);
            s3 += Mem.f64(x + 3 * step) * Mem.f64(y + 24);
            x += 4 * step;
            y += 32;
        }
        for (; p < k; p++, x += step, y += 8) {
            s0 += Mem.f64(x) * Mem.f64(y);
        }
        return s0 + s1 + (s2 + s3);
    }
}
