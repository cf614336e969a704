package dev.gramian.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gramian.core.DType;
import java.lang.foreign.MemorySegment;

/**
 * Products with the Vector API: blocks of both operands are packed so that the register tiles ({@link VectorTileF32},
 * {@link VectorTileF64}) stream through cache. A block of b (DEPTH x COLUMNS) stays in the third-level cache, one of a
 * (ROWS x DEPTH) in the second, two vectors of b over DEPTH in the first.
 */
final class VectorBlas implements Blas {
    private static final int DEPTH = 256;
    private static final int ROWS = 240;
    private static final int COLUMNS = 2048;

    /** Multiply-adds below which {@link VectorSmall} wins: measured even at 28 cubed. */
    private static final long SMALL = 26L * 26 * 26;

    /** Elements from row to row of a packed a: a little over a power of two, so that rows spread over cache sets. */
    static final int ROW = DEPTH + 16;

    private static final int VECTOR = VectorTileF32.SPECIES.vectorByteSize();
    private static final boolean WIDE = VECTOR >= 64;

    /** True on processors with 512-bit vectors. */
    static boolean isWide() {
        return WIDE;
    }

    /** True where packing costs more than it gains, if b is not transposed. */
    static boolean isSmall(long m, long n, long k) {
        return Math.max(m, Math.max(n, k)) < SMALL && m * n * k < SMALL;
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public String describe() {
        return "Vector API, " + 8 * VECTOR + " bits";
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
            return;
        }
        int w = type.bytes();
        if (m == 1) {
            gemv(type, !transB, transB ? n : k, transB ? k : n, alpha, b, ldb, a, transA ? lda : 1, beta, c, 1);
            return;
        }
        if (n == 1) {
            gemv(type, transA, transA ? k : m, transA ? m : k, alpha, a, lda, b, transB ? 1 : ldb, beta, c, ldc);
            return;
        }
        if (!transB && beta == 0 && isSmall(m, n, k)) {
            long row = (transA ? 1 : lda) * w;
            long col = (transA ? lda : 1) * w;
            if (type == DType.F32) {
                VectorSmall.f32((int) m, (int) n, (int) k, (float) alpha, a, row, col, b, ldb * w, c, ldc * w);
            } else {
                VectorSmall.f64((int) m, (int) n, (int) k, alpha, a, row, col, b, ldb * w, c, ldc * w);
            }
            return;
        }
        if (beta != 0) {
            ScalarBlas.scale(type, m, n, beta, c, ldc);
        }
        int width = 2 * VECTOR / w;
        int rows = (int) Math.min(ROWS, (m + 11) / 12 * 12);
        int depth = (int) Math.min(DEPTH, k);
        int columns = (int) Math.min(COLUMNS, (n + width - 1) / width * width);
        Packed packed = Packed.OF_THREAD.get();
        packed.reserve(type, rows * ROW);
        long packedB = Scratch.take(Scratch.Slot.PANEL_B, (long) depth * columns * w);
        for (long j = 0; j < n; j += COLUMNS) {
            int nc = (int) Math.min(COLUMNS, n - j);
            for (long p = 0; p < k; p += DEPTH) {
                int kc = (int) Math.min(DEPTH, k - p);
                boolean add = p > 0 || beta != 0;
                packB(type, transB, kc, nc, b + (transB ? j * ldb + p : p * ldb + j) * w, ldb * w, packedB, width);
                for (long i = 0; i < m; i += ROWS) {
                    int mc = (int) Math.min(ROWS, m - i);
                    packA(transA, mc, kc, a + (transA ? p * lda + i : i * lda + p) * w, lda * w, packed, w);
                    block(type, mc, nc, kc, alpha, packed, packedB, add, c + (i * ldc + j) * w, ldc * w, width);
                }
            }
        }
    }

    private static void block(
            DType type,
            int m,
            int n,
            int k,
            double alpha,
            Packed a,
            long b,
            boolean add,
            long c,
            long step,
            int width) {
        int w = type.bytes();
        for (int j = 0; j < n; j += width) {
            long strip = b + (long) j * k * w;
            int cols = Math.min(width, n - j);
            for (int i = 0; i < m;) {
                int rows = WIDE && m - i > 4 ? 12 : 4;
                long to = c + i * step + (long) j * w;
                int used = Math.min(rows, m - i);
                if (type == DType.F32) {
                    tileF32(rows, used, cols, k, a, i * ROW, strip, to, step, (float) alpha, add);
                } else {
                    tileF64(rows, used, cols, k, a, i * ROW, strip, to, step, alpha, add);
                }
                i += rows;
            }
        }
    }

    /** Work arrays of a thread. */
    private static final class Packed {
        static final ThreadLocal<Packed> OF_THREAD = ThreadLocal.withInitial(Packed::new);

        float[] f32 = new float[0];
        double[] f64 = new double[0];
        final float[] tileF32 = new float[6 * VECTOR];
        final double[] tileF64 = new double[3 * VECTOR];

        void reserve(DType type, int n) {
            if (type == DType.F32 && f32.length < n) {
                f32 = new float[n];
            } else if (type == DType.F64 && f64.length < n) {
                f64 = new double[n];
            }
        }
    }

    private static void tileF32(
            int rows, int used, int cols, int k, Packed x, int a, long b, long c, long step, float alpha, boolean add) {
        float[] tile = x.tileF32;
        if (rows == 12) {
            VectorTileF32.tile12(k, x.f32, a, b, tile);
        } else {
            VectorTileF32.tile4(k, x.f32, a, b, tile);
        }
        if (cols == 2 * VECTOR / 4) {
            VectorTileF32.store(tile, used, c, step, alpha, add);
        } else {
            VectorTileF32.storePart(tile, used, cols, c, step, alpha, add);
        }
    }

    private static void tileF64(
            int rows, int used, int cols, int k, Packed x, int a, long b, long c, long step, double alpha,
            boolean add) {
        double[] tile = x.tileF64;
        if (rows == 12) {
            VectorTileF64.tile12(k, x.f64, a, b, tile);
        } else {
            VectorTileF64.tile4(k, x.f64, a, b, tile);
        }
        if (cols == 2 * VECTOR / 8) {
            VectorTileF64.store(tile, used, c, step, alpha, add);
        } else {
            VectorTileF64.storePart(tile, used, cols, c, step, alpha, add);
        }
    }

    /** Rows of op(a), {@link #ROW} elements each; what a last tile reads beyond them is computed and dropped. */
    private static void packA(boolean trans, int m, int k, long a, long ld, Packed to, int w) {
        if (!trans) {
            for (int i = 0; i < m; i++) {
                if (w == 4) {
                    MemorySegment.copy(Mem.ALL, JAVA_FLOAT_UNALIGNED, a + i * ld, to.f32, i * ROW, k);
                } else {
                    MemorySegment.copy(Mem.ALL, JAVA_DOUBLE_UNALIGNED, a + i * ld, to.f64, i * ROW, k);
                }
            }
            return;
        }
        for (int p0 = 0; p0 < k; p0 += 8) {
            int p1 = Math.min(k, p0 + 8);
            for (int i = 0; i < m; i++) {
                for (int p = p0; p < p1; p++) {
                    if (w == 4) {
                        to.f32[i * ROW + p] = Mem.f32(a + p * ld + 4L * i);
                    } else {
                        to.f64[i * ROW + p] = Mem.f64(a + p * ld + 8L * i);
                    }
                }
            }
        }
    }

    /** Strips of two vectors' width over all of k, the last one filled up with zeros. */
    private static void packB(
            DType type, boolean trans, int k, int n, long b, long ld, long to, int width) {
        int w = type.bytes();
        for (int j = 0; j < n; j += width) {
            int cols = Math.min(width, n - j);
            if (cols < width) {
                Mem.zero(to, (long) k * width * w);
            }
            if (trans) {
                transpose(cols, k, b + j * ld, ld, to, (long) width * w, w);
            } else if (cols < width) {
                for (int p = 0; p < k; p++) {
                    Mem.copy(b + p * ld + (long) j * w, to + (long) p * width * w, (long) cols * w);
                }
            } else if (type == DType.F32) {
                VectorTileF32.packRows(k, b + 4L * j, ld, to);
            } else {
                VectorTileF64.packRows(k, b + 8L * j, ld, to);
            }
            to += (long) k * width * w;
        }
    }

    /** to[j][i] = from[i][j], in squares of eight so that lines on both sides are used whole; steps in bytes. */
    private static void transpose(int rows, int cols, long from, long fromStep, long to, long toStep, int w) {
        for (int i0 = 0; i0 < rows; i0 += 8) {
            int i1 = Math.min(rows, i0 + 8);
            for (int j = 0; j < cols; j++) {
                if (w == 4) {
                    for (int i = i0; i < i1; i++) {
                        Mem.i32(to + j * toStep + 4L * i, Mem.i32(from + i * fromStep + 4L * j));
                    }
                } else {
                    for (int i = i0; i < i1; i++) {
                        Mem.i64(to + j * toStep + 8L * i, Mem.i64(from + i * fromStep + 8L * j));
                    }
                }
            }
        }
    }

    // ---- matrix times vector ------------------------------------------------------------------------------------------

    /** Columns of a block of the result, which stays in the first-level cache while rows are added. */
    private static final int SPAN = 2048;

    /** y = alpha * M x + beta * y, or M' x where {@code trans}; M has {@code rows} rows of {@code cols}. */
    private static void gemv(
            DType type,
            boolean trans,
            long rows,
            long cols,
            double alpha,
            long matrix,
            long ld,
            long x,
            long incX,
            double beta,
            long y,
            long incY) {
        int w = type.bytes();
        long length = trans ? rows : cols;
        long results = trans ? cols : rows;
        long packed = x;
        if (incX != 1) {
            packed = Scratch.take(Scratch.Slot.PANEL_A, length * w);
            for (long i = 0; i < length; i++) {
                Mem.copy(x + i * incX * w, packed + i * w, w);
            }
        }
        long sums = Scratch.take(Scratch.Slot.PANEL_B, (Math.min(SPAN, results) + 4) * w);
        for (long j = 0; j < results; j += SPAN) {
            int n = (int) Math.min(SPAN, results - j);
            if (trans) {
                byRows(type, rows, n, matrix + j * w, ld, packed, sums);
            } else {
                byDots(type, n, cols, matrix + j * ld * w, ld, packed, sums);
            }
            for (int i = 0; i < n; i++) {
                long at = y + (j + i) * incY * w;
                if (type == DType.F32) {
                    float s = (float) alpha * Mem.f32(sums + 4L * i);
                    Mem.f32(at, beta == 0 ? s : s + (float) beta * Mem.f32(at));
                } else {
                    double s = alpha * Mem.f64(sums + 8L * i);
                    Mem.f64(at, beta == 0 ? s : s + beta * Mem.f64(at));
                }
            }
        }
    }

    private static void byRows(DType type, long rows, int n, long matrix, long ld, long x, long sums) {
        int w = type.bytes();
        Mem.zero(sums, (long) n * w);
        long r = 0;
        for (; r + 8 <= rows; r += 8) {
            if (type == DType.F32) {
                VectorTileF32.rows8(n, x + 4 * r, matrix + 4 * r * ld, 4 * ld, sums);
            } else {
                VectorTileF64.rows8(n, x + 8 * r, matrix + 8 * r * ld, 8 * ld, sums);
            }
        }
        for (; r < rows; r++) {
            if (type == DType.F32) {
                ScalarBlas.axpyF32(Mem.f32(x + 4 * r), matrix + 4 * r * ld, sums, n);
            } else {
                ScalarBlas.axpyF64(Mem.f64(x + 8 * r), matrix + 8 * r * ld, sums, n);
            }
        }
    }

    /** Four rows at a time; the last ones by repeating a row (step 0). */
    private static void byDots(DType type, int rows, long n, long matrix, long ld, long x, long sums) {
        for (int r = 0; r < rows;) {
            boolean four = r + 4 <= rows;
            long step = four ? ld : 0;
            if (type == DType.F32) {
                VectorTileF32.dots4(n, matrix + 4 * r * ld, 4 * step, x, sums + 4L * r);
            } else {
                VectorTileF64.dots4(n, matrix + 8 * r * ld, 8 * step, x, sums + 8L * r);
            }
            r += four ? 4 : 1;
        }
    }
}
