package dev.gramian.cpu;

import dev.gramian.core.DType;
import java.util.BitSet;

/**
 * Products in which a zero of a annihilates whatever stands in b, NaN and infinities too. The underlying {@link Blas}
 * multiplies with zeros in place of such values, so that annihilated ones change no bit of the result; then they are added
 * one by one, for the rows of a that are not zero there. A NaN in a still reaches the result.
 */
final class ZeroAnnihilatingBlas implements Blas {
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
        Side left = new Side(type, a, (transA ? 1 : lda) * w, (transA ? lda : 1) * w);
        Side right = new Side(type, b, (transB ? ldb : 1) * w, (transB ? 1 : ldb) * w);
        BitSet bad = new BitSet();
        long clean = Scratch.take(Scratch.Slot.CLEAN, n * k * w);
        for (long p = 0; p < k; p++) {
            for (long j = 0; j < n; j++) {
                double v = right.get(j, p);
                if (!Double.isFinite(v)) {
                    bad.set(Math.toIntExact(p));
                }
                set(type, clean + (transB ? j * k + p : p * n + j) * w, Double.isFinite(v) ? v : 0);
            }
        }
        long x = a;
        long ldx = lda;
        if (bad.stream().anyMatch(p -> left.anyNonFinite(p, m))) {
            // infinity times the zero that stands for NaN or infinity would be NaN
            x = Scratch.take(Scratch.Slot.CLEAN_A, m * k * w);
            ldx = Math.max(1, transA ? m : k);
            for (long i = 0; i < m; i++) {
                for (long p = 0; p < k; p++) {
                    double u = left.get(i, p);
                    boolean later = bad.get((int) p) && !Double.isFinite(u);
                    set(type, x + (transA ? p * m + i : i * k + p) * w, later ? 0 : u);
                }
            }
        }
        blas.gemm(type, transA, transB, m, n, k, alpha, x, ldx, clean, Math.max(1, transB ? k : n), beta, c, ldc);
        bad.stream().forEach(p -> {
            for (long i = 0; i < m; i++) {
                double u = left.get(i, p);
                for (long j = 0; j < n && u != 0; j++) {
                    double v = right.get(j, p);
                    if (!Double.isFinite(u) || !Double.isFinite(v)) {
                        // the product first: alpha times a tiny a may vanish before it meets an infinity
                        long z = c + (i * ldc + j) * w;
                        set(type, z, get(type, z) + alpha * (u * v));
                    }
                }
            }
        });
    }

    /** An operand: rows of a or columns of b by {@code i}, the axis that is summed over by {@code p}; steps in bytes. */
    private record Side(DType type, long address, long step, long depth) {
        double get(long i, long p) {
            return ZeroAnnihilatingBlas.get(type, address + i * step + p * depth);
        }

        boolean anyNonFinite(long p, long count) {
            for (long i = 0; i < count; i++) {
                if (!Double.isFinite(get(i, p))) {
                    return true;
                }
            }
            return false;
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
