package dev.gramian.cpu;

import dev.gramian.core.DType;

/** Products of I64, I32 and U8, wrapping around in the operands' type as NumPy does; alpha and beta are whole numbers. */
final class IntegerGemm implements Blas {
    static final IntegerGemm INSTANCE = new IntegerGemm();

    private IntegerGemm() {}

    @Override
    public String name() {
        return "integer";
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
        int w = type.bytes();
        long factor = (long) alpha;
        long keep = (long) beta;
        long aRow = (transA ? 1 : lda) * w;
        long aCol = (transA ? lda : 1) * w;
        long bRow = (transB ? 1 : ldb) * w;
        long bCol = (transB ? ldb : 1) * w;
        for (long i = 0; i < m; i++) {
            long row = c + i * ldc * w;
            if (keep == 0) {
                Mem.zero(row, n * w);
            } else if (keep != 1) {
                for (long j = 0; j < n; j++) {
                    set(type, row + j * w, keep * get(type, row + j * w));
                }
            }
            for (long p = 0; p < k; p++) {
                long x = factor * get(type, a + i * aRow + p * aCol);
                long y = b + p * bRow;
                switch (type) {
                    case I64 -> {
                        for (long j = 0; j < n; j++) {
                            Mem.i64(row + 8 * j, Mem.i64(row + 8 * j) + x * Mem.i64(y + j * bCol));
                        }
                    }
                    case I32 -> {
                        for (long j = 0; j < n; j++) {
                            Mem.i32(row + 4 * j, Mem.i32(row + 4 * j) + (int) x * Mem.i32(y + j * bCol));
                        }
                    }
                    default -> {
                        for (long j = 0; j < n; j++) {
                            Mem.u8(row + j, Mem.u8(row + j) + (int) x * Mem.u8(y + j * bCol));
                        }
                    }
                }
            }
        }
    }

    private static long get(DType type, long at) {
        return switch (type) {
            case I64 -> Mem.i64(at);
            case I32 -> Mem.i32(at);
            default -> Mem.u8(at);
        };
    }

    private static void set(DType type, long at, long v) {
        switch (type) {
            case I64 -> Mem.i64(at, v);
            case I32 -> Mem.i32(at, (int) v);
            default -> Mem.u8(at, (int) v);
        }
    }
}
