package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Half;

/**
 * One product of half-type operands on the calling thread: blocks are converted to F32 and multiplied by an F32 {@link
 * Blas}, sums stay in F32 over the whole of k, the result is rounded once (or kept in F32).
 */
final class HalfGemm {
    /** Block edges: three F32 blocks of 256 KiB to 512 KiB stay in the second-level cache. */
    private static final int ROWS = 256;

    private static final int COLUMNS = 256;
    private static final int DEPTH = 512;

    private HalfGemm() {}

    /** c = alpha * op(a) op(b); a and b of type {@code half}, c of type {@code half} or F32. */
    static void gemm(
            Blas blas,
            DType half,
            DType out,
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
            long c,
            long ldc) {
        int rows = (int) Math.min(ROWS, m);
        int cols = (int) Math.min(COLUMNS, n);
        int depth = (int) Math.min(DEPTH, k);
        long ta = Scratch.take(Scratch.Slot.TILE_A, 4L * rows * depth);
        long tb = Scratch.take(Scratch.Slot.TILE_B, 4L * depth * cols);
        long tc = out == DType.F32 ? 0 : Scratch.take(Scratch.Slot.TILE_C, 4L * rows * cols);
        for (long j = 0; j < n; j += COLUMNS) {
            int nc = (int) Math.min(COLUMNS, n - j);
            for (long i = 0; i < m; i += ROWS) {
                int mc = (int) Math.min(ROWS, m - i);
                long to = out == DType.F32 ? c + (i * ldc + j) * 4 : tc;
                long ldt = out == DType.F32 ? ldc : nc;
                for (long p = 0; p < k; p += DEPTH) {
                    int kc = (int) Math.min(DEPTH, k - p);
                    widen(half, a + 2 * (transA ? p * lda + i : i * lda + p), lda, transA ? kc : mc, transA ? mc : kc,
                            ta);
                    widen(half, b + 2 * (transB ? j * ldb + p : p * ldb + j), ldb, transB ? nc : kc, transB ? kc : nc,
                            tb);
                    blas.gemm(
                            DType.F32,
                            transA,
                            transB,
                            mc,
                            nc,
                            kc,
                            alpha,
                            ta,
                            transA ? mc : kc,
                            tb,
                            transB ? kc : nc,
                            p == 0 ? 0 : 1,
                            to,
                            ldt);
                }
                if (out != DType.F32) {
                    for (int r = 0; r < mc; r++) {
                        narrow(half, tc + 4L * r * nc, c + 2 * ((i + r) * ldc + j), nc);
                    }
                }
            }
        }
    }

    private static void widen(DType half, long from, long ld, int rows, int cols, long to) {
        for (int r = 0; r < rows; r++) {
            long x = from + 2 * r * ld;
            long y = to + 4L * r * cols;
            if (half == DType.F16) {
                for (int j = 0; j < cols; j++) {
                    Mem.f32(y + 4L * j, Float.float16ToFloat(Mem.i16(x + 2L * j)));
                }
            } else {
                for (int j = 0; j < cols; j++) {
                    Mem.i32(y + 4L * j, Mem.i16(x + 2L * j) << 16);
                }
            }
        }
    }

    private static void narrow(DType half, long from, long to, int n) {
        if (half == DType.F16) {
            for (int j = 0; j < n; j++) {
                Mem.i16(to + 2L * j, Float.floatToFloat16(Mem.f32(from + 4L * j)));
            }
        } else {
            for (int j = 0; j < n; j++) {
                Mem.i16(to + 2L * j, Half.toBF16(Mem.f32(from + 4L * j)));
            }
        }
    }
}
