package dev.gramian.cpu;

import dev.gramian.core.DType;

/**
 * Products in which a zero of a annihilates whatever stands in b, NaN and infinities too. The underlying {@link Blas}
 * multiplies with 1 or -1 in place of such values, so that annihilated ones change no bit of the result; then they are
 * added one by one, for the rows of a that are not zero there and whose results become infinite or NaN. With 0 in their
 * place an infinity in a would give NaN. A NaN in a still reaches the result. The copy without them lies as b does, for
 * OpenBLAS's order of summation may depend on it.
 */
final class ZeroAnnihilatingBlas implements Blas {
    private static final int ALIGNMENT = 64;

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
        long rows = transB ? n : k;
        long cols = transB ? k : n;
        int w = type.bytes();
        long align = Math.floorMod(b, ALIGNMENT);
        long clean = Scratch.take(Scratch.Slot.CLEAN, align + (rows - 1) * ldb * w + cols * w) + align;
        for (long i = 0; i < rows; i++) {
            for (long j = 0; j < cols; j++) {
                double v = get(type, b + (i * ldb + j) * w);
                set(type, clean + (i * ldb + j) * w, Double.isFinite(v) ? v : Math.copySign(1, v));
            }
        }
        blas.gemm(type, transA, transB, m, n, k, alpha, a, lda, clean, ldb, beta, c, ldc);
        long incA = (transA ? 1 : lda) * w;
        long stepA = (transA ? lda : 1) * w;
        for (long i = 0; i < rows; i++) {
            for (long j = 0; j < cols; j++) {
                double v = get(type, b + (i * ldb + j) * w);
                if (!Double.isFinite(v)) {
                    add(type, m, alpha, a + (transB ? j : i) * stepA, incA, v, c + (transB ? i : j) * w, ldc * w);
                }
            }
        }
    }

    /** Column c += alpha * column x * v, leaving out zeros of x; increments in bytes. */
    private static void add(DType type, long m, double alpha, long x, long incX, double v, long c, long incC) {
        for (long i = 0; i < m; i++) {
            double u = get(type, x + i * incX);
            if (u != 0) {
                // the product first: alpha times a tiny a may vanish before it meets an infinity
                long z = c + i * incC;
                set(type, z, get(type, z) + alpha * (u * v));
            }
        }
    }

    private static void set(DType type, long at, double v) {
        if (type == DType.F32) {
            Mem.f32(at, (float) v);
        } else {
            Mem.f64(at, v);
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
