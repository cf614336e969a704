package dev.gramian.core;

import java.util.Arrays;

/**
 * Two matrix operands and their result as BLAS sees them, worked out once for every device: sizes, transposes, leading
 * dimensions, offsets, and the batch as few axes as possible with a stride per operand (0 where it is broadcast). All in
 * elements, all row-major.
 *
 * <p>{@code batchDims} has no axis of size 1, and neighbours that step evenly in all three operands are merged. Where the
 * rows of a run on evenly through the innermost batch axis and b is the same for all of it, that axis becomes more rows:
 * (B, L, d) times (d, n) is one product of B·L rows.
 */
public record GemmPlan(
        long m,
        long n,
        long k,
        boolean transA,
        boolean transB,
        long lda,
        long ldb,
        long ldc,
        long aOffset,
        long bOffset,
        long cOffset,
        long[] batchDims,
        long[] aStrides,
        long[] bStrides,
        long[] cStrides) {

    /** True if BLAS can read the last two axes in place: one of them has stride 1 and the other does not overlap it. */
    public static boolean fits(Layout x) {
        int r = x.rank();
        return leading(x.shape().at(r - 2), x.shape().at(r - 1), x.stride(r - 2), x.stride(r - 1)) >= 0
                || leading(x.shape().at(r - 1), x.shape().at(r - 2), x.stride(r - 1), x.stride(r - 2)) >= 0;
    }

    /** Leading dimension of {@code rows} rows of {@code cols} elements, or -1 if the columns are not adjacent. */
    private static long leading(long rows, long cols, long rowStride, long colStride) {
        long least = Math.max(1, cols);
        if (cols > 1 && colStride != 1) {
            return -1;
        }
        if (rows <= 1) {
            return least;
        }
        return rowStride >= least ? rowStride : -1;
    }

    /** Plans c = a b; a and b must {@link #fits}, c must be row-major in its last axis. */
    public static GemmPlan of(Layout a, Layout b, Layout c) {
        int ra = a.rank();
        int rb = b.rank();
        int rc = c.rank();
        long m = a.shape().at(ra - 2);
        long k = a.shape().at(ra - 1);
        long n = b.shape().at(rb - 1);
        long lda = leading(m, k, a.stride(ra - 2), a.stride(ra - 1));
        boolean transA = lda < 0;
        if (transA) {
            lda = leading(k, m, a.stride(ra - 1), a.stride(ra - 2));
        }
        long ldb = leading(k, n, b.stride(rb - 2), b.stride(rb - 1));
        boolean transB = ldb < 0;
        if (transB) {
            ldb = leading(n, k, b.stride(rb - 1), b.stride(rb - 2));
        }
        long ldc = leading(m, n, c.stride(rc - 2), c.stride(rc - 1));
        if (lda < 0 || ldb < 0 || ldc < 0) {
            throw new ShapeException("matmul: layout cannot be read in place; a " + a + ", b " + b + ", c " + c
                    + "; copy with contiguous() first");
        }

        int batch = rc - 2;
        long[] dims = new long[batch];
        long[] sa = new long[batch];
        long[] sb = new long[batch];
        long[] sc = new long[batch];
        int count = 0;
        for (int i = 0; i < batch; i++) {
            long d = c.shape().at(i);
            if (d == 1) {
                continue;
            }
            long ta = step(a, i - (rc - ra));
            long tb = step(b, i - (rc - rb));
            long tc = c.stride(i);
            int p = count - 1;
            if (p >= 0 && sa[p] == ta * d && sb[p] == tb * d && sc[p] == tc * d) {
                dims[p] *= d;
                sa[p] = ta;
                sb[p] = tb;
                sc[p] = tc;
            } else {
                dims[count] = d;
                sa[count] = ta;
                sb[count] = tb;
                sc[count++] = tc;
            }
        }
        if (count > 0 && !transA && m > 0) {
            int p = count - 1;
            boolean rowsRunOn = m == 1 ? sa[p] >= Math.max(1, k) && sc[p] >= n : sa[p] == m * lda && sc[p] == m * ldc;
            if (sb[p] == 0 && rowsRunOn) {
                if (m == 1) {
                    lda = sa[p];
                    ldc = sc[p];
                }
                m *= dims[p];
                count--;
            }
        }
        return new GemmPlan(
                m,
                n,
                k,
                transA,
                transB,
                lda,
                ldb,
                ldc,
                a.offset(),
                b.offset(),
                c.offset(),
                Arrays.copyOf(dims, count),
                Arrays.copyOf(sa, count),
                Arrays.copyOf(sb, count),
                Arrays.copyOf(sc, count));
    }

    private static long step(Layout x, int axis) {
        return axis < 0 || x.shape().at(axis) == 1 ? 0 : x.stride(axis);
    }

    /** Number of products in the batch; 0 if any batch axis is empty. */
    public long batch() {
        long p = 1;
        for (long d : batchDims) {
            p *= d;
        }
        return p;
    }
}
