package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/**
 * Batched matrix products: plans the layouts, splits batch, rows and columns over the workers and hands each piece to a
 * single-threaded {@link Blas}.
 */
final class MatMul {
    /** Multiply-adds below which a piece is not worth another thread: some 5 to 10 microseconds. */
    private static final long GRAIN = 1L << 18;

    /** Least rows and columns of a piece where rows and columns are split; a multiple of the kernels' tiles. */
    private static final long EDGE = 96;

    private final Blas blas;
    private final Blas annihilating;
    private final Workers workers;

    MatMul(Blas blas, Workers workers) {
        this.blas = blas;
        this.annihilating = new ZeroAnnihilatingBlas(blas);
        this.workers = workers;
    }

    Blas blas() {
        return blas;
    }

    /** c = alpha * a b; a and b fit ({@link GemmPlan#fits}), c is fresh and contiguous. */
    void run(Op.Gemm op, View a, View b, View c) {
        GemmPlan p = GemmPlan.of(a.layout(), b.layout(), c.layout());
        long batch = p.batch();
        if (batch == 0 || p.m() == 0 || p.n() == 0) {
            return;
        }
        DType type = a.dtype();
        if (type.isInteger() && op.alpha() != Math.rint(op.alpha())) {
            throw new DTypeException("matmul: alpha " + op.alpha() + " is not a whole number; a is " + type + " "
                    + a.shape() + ", b " + b.shape() + "; cast with .to(DType.F64)");
        }
        Piece piece = new Piece(
                p,
                type.isInteger() ? IntegerGemm.INSTANCE : op.zeroAnnihilates() ? annihilating : blas,
                type,
                c.dtype(),
                op.alpha(),
                CpuStorage.address(a),
                CpuStorage.address(b),
                CpuStorage.address(c));

        long work = saturating(p.m(), p.n(), Math.max(1, p.k()));
        long total = saturating(work, batch, 1);
        if (total < 2 * GRAIN || workers.threads() == 1) {
            piece.run(0, batch, 1, 1);
            return;
        }
        // rows and columns are split only where the batch alone does not feed every thread
        long wanted = batch >= 4L * workers.threads() ? 1 : (workers.threads() + batch - 1) / batch;
        wanted = Math.min(wanted, Math.max(1, work / GRAIN));
        long down = 1;
        long across = 1;
        while (down * across < wanted) {
            // the longer edge, so that pieces stay near square: least packing for the work
            boolean rows = p.m() / down >= p.n() / across;
            if (rows && p.m() / (down + 1) >= EDGE) {
                down++;
            } else if (p.n() / (across + 1) >= EDGE) {
                across++;
            } else if (p.m() / (down + 1) >= EDGE) {
                down++;
            } else {
                break;
            }
        }
        long d = down;
        long e = across;
        long grain = Math.max(1, GRAIN / Math.max(1, work / (d * e)));
        workers.parallelFor(batch * d * e, grain, (from, to) -> piece.run(from, to, d, e));
    }

    private static long saturating(long x, long y, long z) {
        double r = (double) x * y * z;
        return r > 1e18 ? (long) 1e18 : x * y * z;
    }

    /** All that is the same for every piece of one product. */
    private record Piece(
            GemmPlan p, Blas blas, DType type, DType out, double alpha, long a, long b, long c) {

        /** Pieces {@code from} to {@code to} of {@code batch * down * across}, columns running fastest. */
        void run(long from, long to, long down, long across) {
            if (down * across == 1) {
                whole(from, to);
                return;
            }
            long w = type.bytes();
            for (long at = from; at < to; at++) {
                long i = at / (down * across);
                long row = at / across % down;
                long col = at % across;
                long i0 = edge(p.m(), row, down);
                long j0 = edge(p.n(), col, across);
                long m = edge(p.m(), row + 1, down) - i0;
                long n = edge(p.n(), col + 1, across) - j0;
                product(
                        m,
                        n,
                        a + (offset(i, p.aStrides()) + (p.transA() ? i0 : i0 * p.lda())) * w,
                        b + (offset(i, p.bStrides()) + (p.transB() ? j0 * p.ldb() : j0)) * w,
                        c + (offset(i, p.cStrides()) + i0 * p.ldc() + j0) * out.bytes());
            }
        }

        /** Whole products {@code from} to {@code to}: steps along the last batch axis, divides only between its runs. */
        private void whole(long from, long to) {
            int last = p.batchDims().length - 1;
            long run = last < 0 ? 1 : p.batchDims()[last];
            long stepA = last < 0 ? 0 : p.aStrides()[last] * type.bytes();
            long stepB = last < 0 ? 0 : p.bStrides()[last] * type.bytes();
            long stepC = last < 0 ? 0 : p.cStrides()[last] * out.bytes();
            for (long at = from; at < to;) {
                long x = a + offset(at, p.aStrides()) * type.bytes();
                long y = b + offset(at, p.bStrides()) * type.bytes();
                long z = c + offset(at, p.cStrides()) * out.bytes();
                for (long left = Math.min(to - at, run - at % run); left > 0; left--) {
                    product(p.m(), p.n(), x, y, z);
                    x += stepA;
                    y += stepB;
                    z += stepC;
                    at++;
                }
            }
        }

        /** Elements from the first product of an operand to its product {@code i}. */
        private long offset(long i, long[] strides) {
            long sum = 0;
            for (int d = strides.length - 1; d >= 0; d--) {
                sum += i % p.batchDims()[d] * strides[d];
                i /= p.batchDims()[d];
            }
            return sum;
        }

        /** Start of part {@code i} of {@code parts}, on a multiple of 16 so that vectors are whole but at the end. */
        private static long edge(long size, long i, long parts) {
            return i == parts ? size : i * (size / parts) / 16 * 16;
        }

        private void product(long m, long n, long x, long y, long z) {
            boolean ta = p.transA();
            boolean tb = p.transB();
            long k = p.k();
            if (k == 0 || alpha == 0) {
                for (long i = 0; i < m; i++) {
                    Mem.zero(z + i * p.ldc() * out.bytes(), n * out.bytes());
                }
            } else if (type.isHalf()) {
                HalfGemm.gemm(blas, type, out, ta, tb, m, n, k, alpha, x, p.lda(), y, p.ldb(), z, p.ldc());
            } else {
                blas.gemm(type, ta, tb, m, n, k, alpha, x, p.lda(), y, p.ldb(), 0, z, p.ldc());
            }
        }
    }
}
