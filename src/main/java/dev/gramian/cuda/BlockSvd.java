package dev.gramian.cuda;

import dev.gramian.cuda.BlockKernels.Place;

/** Singular values of stacks by kernels of ours, one block a matrix: jacobi.cu, after householder.cu for tall matrices. */
final class BlockSvd {
    /** Elements of a column that a thread holds, by variant; 0: any number. */
    private static final int[] ROWS = {1, 4, 8, 0};

    /**
     * Rows per column from which R is decomposed in place of the matrix: a sweep costs 5 p q², of which there are about 7, QR
     * and applying Q cost 6 p q².
     */
    private static final int TALL = 2;
    /** Rows up to which a matrix is not worth two more launches. */
    private static final int SHORT = 64;
    /** Columns of a square U beyond the thin one's from which Q gives them, rather than one after the other. */
    private static final int EXTRA = 8;

    /** Rows beyond which columns are too long for one block, be they few. */
    private static final long MOST_ROWS = 1 << 16;

    /** Blocks of a multiprocessor that work in global memory at once: what their scratch memory is for. */
    private static final int RESIDENT = 2;

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
        boolean extra = to.u != 0 && to.uColumns > q + EXTRA;
        if (!extra && !reduce(limits.shared(), w.width(), p, q, to)) {
            jacobi(lane, t, limits, op, w, to, 0, infos);
            return;
        }
        long count = w.count();
        long tau = t.device(count * q * w.width());
        long v = t.device(count * p * q * w.width());
        long r = t.device(count * q * q * w.width());
        long exponents = t.device(count * 4);
        reflections.factorise(lane, limits, op, w, v, tau, r, q * q, 1, q, q, exponents);
        Stack small = Stack.columnMajor(w.dtype(), r, q, q, count);
        if (to.u == 0) {
            jacobi(lane, t, limits, op, small, to, exponents, infos);
            return;
        }
        long x = t.device(count * q * q * w.width());
        jacobi(lane, t, limits, op, small,
                new Target(to.s, x, q * q, 1, q, q, to.v, to.vBatch, to.vRow, to.vColumn), exponents, infos);
        reflections.apply(lane, limits, w.f64(), count, p, q, v, tau, x, q, to.u, to.uBatch, to.uRow, to.uColumn,
                to.uColumns);
    }

    private static boolean reduce(int shared, int width, long p, long q, Target to) {
        Place place = place(shared, width, p, q, to);
        return p >= TALL * q && (p > SHORT || place != Place.SHARED)
                || p > q && place == Place.GLOBAL && place(shared, width, q, q, to) != Place.GLOBAL;
    }

    private static long elements(long p, long q, Target to, boolean padded) {
        long w = padded ? BlockKernels.padded(p, q) : p * q;
        return w + (to.u == 0 ? 0 : 2 * p + to.uColumns);
    }

    /** Shared memory of a block. */
    private static long bytes(int width, long p, long q, Target to, Place place) {
        long bytes = BlockKernels.room(32, width) + BlockKernels.room(2, 4) + BlockKernels.room(q, width)
                + BlockKernels.room(q, 4);
        if (place != Place.GLOBAL) {
            bytes += BlockKernels.room(elements(p, q, to, true), width);
        }
        if (place == Place.SHARED && to.u != 0) {
            bytes += BlockKernels.room(BlockKernels.padded(q, q), width);
        }
        return bytes;
    }

    private static Place place(int shared, int width, long p, long q, Target to) {
        for (Place place : Place.values()) {
            if (bytes(width, p, q, to, place) <= shared) {
                return place;
            }
        }
        return Place.GLOBAL;
    }

    private void jacobi(Lane lane, Temporaries t, Limits limits, String op, Stack w, Target to, long exponents,
            long infos) {
        long p = w.rows();
        long q = w.columns();
        long count = w.count();
        Place place = place(limits.shared(), w.width(), p, q, to);
        int group = p <= 8 ? 8 : p <= 16 ? 16 : 32;
        int variant = 0;
        while (ROWS[variant] != 0 && (long) group * ROWS[variant] < p) {
            variant++;
        }
        Kernel kernel = jacobi.get(w.f64(), place, variant);
        int threads = BlockKernels.threads(kernel, (q + 1) / 2 * group);
        long blocks = Math.min(count, Integer.MAX_VALUE);
        long scratch = 0;
        long each = 0;
        if (place != Place.SHARED) {
            blocks = Math.min(count, (long) RESIDENT * context.multiprocessors());
            each = (place == Place.GLOBAL ? elements(p, q, to, false) : 0) + (to.u == 0 ? 0 : q * q);
            scratch = t.device(blocks * each * w.width());
        }
        lane.launch().i64(count).axes(w.batch(op)).pointer(w.address()).i64(w.rowStride()).i64(w.columnStride())
                .i32((int) p).i32((int) q).pointer(to.u).i64(to.uBatch).i64(to.uRow).i64(to.uColumn)
                .i32((int) to.uColumns).pointer(to.s).pointer(to.v).i64(to.vBatch).i64(to.vRow).i64(to.vColumn)
                .pointer(exponents).pointer(infos).pointer(scratch).i64(each).i32(group)
                .run(kernel, blocks, 1, 1, threads, (int) bytes(w.width(), p, q, to, place));
    }
}
