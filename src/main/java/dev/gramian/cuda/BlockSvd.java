package dev.gramian.cuda;

import dev.gramian.cuda.BlockKernels.Place;

/**
 * Singular values of stacks by kernels of ours, one block a matrix: W P = Q R by householder.cu, P sorting W's columns; L = Rᵀ =
 * U diag(S) Vᵀ by jacobi.cu; W = (Q V) diag(S) (P U)ᵀ.
 */
final class BlockSvd {
    /** Elements of a column that a thread holds, by variant; 0: any number. */
    private static final int[] ROWS = {1, 4, 8, 0};

    /** Blocks of a multiprocessor that work in global memory at once: what their scratch memory is for. */
    private static final int RESIDENT = 2;
    /** Rows beyond which columns are too long for one block, be they few. */
    private static final long MOST_ROWS = 1 << 16;

    private final CudaContext context;
    private final Reflections reflections;
    private final BlockKernels jacobi;

    BlockSvd(CudaContext context, Reflections reflections) {
        this.context = context;
        this.reflections = reflections;
        jacobi = new BlockKernels(context, "jacobi", "jacobi", true, ROWS);
    }

    /**
     * Where the factors of W = U diag(S) Vᵀ (p, q), p >= q, go: addresses and strides in elements.
     *
     * @param u 0 for values alone
     * @param uColumns q, or p for a square U
     */
    record Target(
            long s, long u, long uBatch, long uRow, long uColumn, long uColumns, long v, long vBatch, long vRow,
            long vColumn) {}

    /** Whether matrices (p, q), p >= q, go here. */
    static boolean takes(Limits limits, Stack w) {
        long q = w.columns();
        return Reflections.fits(w.rows(), q) && w.rows() <= MOST_ROWS
                && limits.block(w.count(), w.count() > 1 ? q : w.rows(),
                        BlockKernels.room(BlockKernels.padded(q, q), w.width()));
    }

    /** infos (an i32 a matrix): 1 where it does not converge. */
    void run(Lane lane, Temporaries t, Limits limits, String op, Stack w, Target to, long infos) {
        long p = w.rows();
        long q = w.columns();
        long count = w.count();
        long tau = t.device(count * q * w.width());
        long v = t.device(count * p * q * w.width());
        long l = t.device(count * q * q * w.width());
        long orders = t.device(count * q * 4);
        long exponents = t.device(count * 4);
        reflections.factorise(lane, limits, op, w, v, tau, l, q * q, q, 1, q, orders, exponents);
        long x = to.u == 0 ? 0 : t.device(count * q * q * w.width());
        jacobi(lane, t, limits, w, l, to, orders, x, exponents, infos);
        if (to.u != 0) {
            reflections.apply(lane, limits, w.f64(), count, p, q, v, tau, orders, x, q, to.u, to.uBatch, to.uRow,
                    to.uColumn, to.uColumns);
        }
    }

    /** Shared memory of a block. */
    private static long bytes(int width, long n, boolean vectors, Place place) {
        long bytes = BlockKernels.room(32, width) + BlockKernels.room(2, 4) + BlockKernels.room(n, width)
                + BlockKernels.room(n, 4) + BlockKernels.room(3 * n, width);
        long matrix = BlockKernels.room(BlockKernels.padded(n, n), width);
        return bytes + (place == Place.GLOBAL ? 0 : matrix) + (place == Place.SHARED && vectors ? matrix : 0);
    }

    private void jacobi(Lane lane, Temporaries t, Limits limits, Stack w, long l, Target to, long orders, long x,
            long exponents, long infos) {
        long n = w.columns();
        long count = w.count();
        boolean vectors = to.u != 0;
        Place place = BlockKernels.place(p -> bytes(w.width(), n, vectors, p), limits.shared());
        // few threads to a pair of columns: their sums cost as much as the products
        int most = ROWS[ROWS.length - 2];
        int group = n <= 8 * most ? 8 : n <= 16 * most ? 16 : 32;
        int variant = 0;
        while (ROWS[variant] != 0 && (long) group * ROWS[variant] < n) {
            variant++;
        }
        Kernel kernel = jacobi.get(w.f64(), place, variant);
        int threads = BlockKernels.threads(kernel, (n + 1) / 2 * group);
        long blocks = Math.min(count, Integer.MAX_VALUE);
        long scratch = 0;
        long each = 0;
        if (place != Place.SHARED) {
            blocks = Math.min(count, (long) RESIDENT * context.multiprocessors());
            each = (place == Place.GLOBAL ? n * n : 0) + (vectors ? n * n : 0);
            scratch = t.device(blocks * each * w.width());
        }
        lane.launch().i64(count).pointer(l).i32((int) n).pointer(to.s).pointer(vectors ? to.v : 0).i64(to.vBatch)
                .i64(to.vRow).i64(to.vColumn).pointer(orders).pointer(x).pointer(exponents).pointer(infos)
                .pointer(scratch).i64(each).i32(group)
                .run(kernel, blocks, 1, 1, threads, (int) bytes(w.width(), n, vectors, place));
    }
}
