package dev.gramian.cuda;

import dev.gramian.cuda.BlockKernels.Place;

/**
 * Small matrices, one block each, read from any view and written as results, with no copy between: lu.cu, cholesky.cu,
 * triangular.cu, symmetric.cu, householder.cu.
 */
final class BlockMatrices {
    /** Right sides of a block at a time. */
    private static final int WIDTH = 64;
    /** Blocks of a multiprocessor that work in global memory at once. */
    private static final int RESIDENT = 2;

    private final CudaContext context;
    private final Reflections reflections;
    private final BlockKernels factors;
    private final BlockKernels solve;
    private final BlockKernels determinant;
    private final BlockKernels cholesky;
    private final BlockKernels triangular;
    private final BlockKernels symmetric;

    BlockMatrices(CudaContext context, Reflections reflections) {
        this.context = context;
        this.reflections = reflections;
        factors = new BlockKernels(context, "lu", "lu_factors", false);
        solve = new BlockKernels(context, "lu", "lu_solve", false);
        determinant = new BlockKernels(context, "lu", "lu_determinant", false);
        cholesky = new BlockKernels(context, "cholesky", "cholesky", false);
        triangular = new BlockKernels(context, "triangular", "triangular", false);
        symmetric = new BlockKernels(context, "symmetric", "symmetric", true);
    }

    // ---- what goes here ----------------------------------------------------------------------------------------------

    private static long luBytes(int width, long m, long n, long right) {
        return BlockKernels.room(2, width) + BlockKernels.room(1, 4) + BlockKernels.room(m, 4)
                + BlockKernels.room(BlockKernels.padded(m, n), width) + BlockKernels.room(n * right, width);
    }

    /** Whether LU of these goes here, with at least one right side. */
    static boolean takesLu(Limits limits, Stack a) {
        long m = a.rows();
        long n = a.columns();
        long bytes = luBytes(a.width(), m, n, 1);
        return bytes <= limits.shared() && limits.block(a.count(), Math.max(m, n), bytes);
    }

    static boolean takesCholesky(Limits limits, Stack a) {
        return choleskyBytes(a) <= limits.shared() && limits.block(a.count(), a.rows(), choleskyBytes(a));
    }

    private static long choleskyBytes(Stack a) {
        return BlockKernels.room(BlockKernels.padded(a.rows(), a.rows()), a.width());
    }

    static boolean takesTriangular(Limits limits, Stack a) {
        long bytes = triangularBytes(a, 1);
        return bytes <= limits.shared() && limits.block(a.count(), a.rows(), bytes);
    }

    private static long triangularBytes(Stack a, long right) {
        return BlockKernels.room(1, 4) + BlockKernels.room(BlockKernels.padded(a.rows(), a.rows()), a.width())
                + BlockKernels.room(a.rows() * right, a.width());
    }

    static boolean takesEigh(Limits limits, Stack a) {
        long n = a.rows();
        return limits.block(a.count(), n, symmetricBytes(a.width(), n, false, Place.SHARED));
    }

    static boolean takesQr(Limits limits, Stack a) {
        long m = a.rows();
        long n = a.columns();
        return Reflections.fits(m, n)
                && limits.block(a.count(), Math.max(m, n), BlockKernels.room(BlockKernels.padded(m, n), a.width()));
    }

    // ---- LU ----------------------------------------------------------------------------------------------------------

    private static long blocks(Stack a) {
        return Math.min(a.count(), Integer.MAX_VALUE);
    }

    /** Threads for the trailing matrix: a few elements each. */
    private static int threads(Kernel k, long m, long n) {
        return BlockKernels.threads(k, m * n / 4);
    }

    void lu(Lane lane, Stack a, long p, long l, long u) {
        Kernel k = factors.get(a.f64());
        lane.launch().i64(a.count()).axes(a.batch("lu")).pointer(a.address()).i64(a.rowStride()).i64(a.columnStride())
                .i32((int) a.rows()).i32((int) a.columns()).pointer(p).pointer(l).pointer(u)
                .run(k, blocks(a), 1, 1, threads(k, a.rows(), a.columns()),
                        (int) luBytes(a.width(), a.rows(), a.columns(), 0));
    }

    /** Right sides that fit beside a matrix, WIDTH of {@code r} at most, as far as {@code bytes} of one says. */
    private static int width(Limits limits, Stack a, long r, long without) {
        long fit = (limits.shared() - without - 8) / (a.rows() * a.width());
        return (int) Math.max(1, Math.min(Math.min(fit, WIDTH), r));
    }

    /** x of a x = b; b null: the inverse. */
    void solve(Lane lane, Limits limits, String op, Stack a, Stack b, long x, Infos infos) {
        long n = a.rows();
        long r = b == null ? n : b.columns();
        int width = width(limits, a, r, luBytes(a.width(), n, n, 0));
        Kernel k = solve.get(a.f64());
        lane.launch().i64(a.count()).axes(a.batchWith(op, b == null ? a : b)).pointer(a.address()).i64(a.rowStride())
                .i64(a.columnStride()).i32((int) n).pointer(b == null ? 0 : b.address())
                .i64(b == null ? 0 : b.rowStride()).i64(b == null ? 0 : b.columnStride()).i64(r).pointer(x).i32(width)
                .pointer(infos.at(0, 0))
                .run(k, blocks(a), 1, 1, threads(k, n, Math.max(n, width)), (int) luBytes(a.width(), n, n, width));
    }

    /** Determinants to first; signs and logarithms of magnitudes where second is not 0. */
    void determinant(Lane lane, String op, Stack a, long first, long second) {
        Kernel k = determinant.get(a.f64());
        lane.launch().i64(a.count()).axes(a.batch(op)).pointer(a.address()).i64(a.rowStride()).i64(a.columnStride())
                .i32((int) a.rows()).pointer(first).pointer(second)
                .run(k, blocks(a), 1, 1, threads(k, a.rows(), a.rows()),
                        (int) luBytes(a.width(), a.rows(), a.rows(), 0));
    }

    // ---- Cholesky, triangular systems --------------------------------------------------------------------------------

    void cholesky(Lane lane, Stack a, long l, Infos infos) {
        Kernel k = cholesky.get(a.f64());
        lane.launch().i64(a.count()).axes(a.batch("cholesky")).pointer(a.address()).i64(a.rowStride())
                .i64(a.columnStride()).i32((int) a.rows()).pointer(l).pointer(infos.at(0, 0))
                .run(k, blocks(a), 1, 1, threads(k, a.rows(), a.rows()), (int) choleskyBytes(a));
    }

    /** Of any size: matrices that do not fit are read where they are. */
    void solveTriangular(Lane lane, Limits limits, boolean lower, boolean transpose, boolean unit, Stack a, Stack b,
            long x, Infos infos) {
        String op = "solveTriangular";
        boolean shared = triangularBytes(a, 1) <= limits.shared();
        long r = b.columns();
        int width = shared ? width(limits, a, r, triangularBytes(a, 0)) : (int) Math.min(WIDTH, r);
        Kernel k = triangular.get(a.f64());
        long all = a.count() * Math.ceilDiv(r, width);
        lane.launch().i64(a.count()).axes(a.batchWith(op, b)).pointer(a.address()).i64(a.rowStride())
                .i64(a.columnStride()).i32((int) a.rows()).pointer(b.address()).i64(b.rowStride())
                .i64(b.columnStride()).i64(r).pointer(x).i32(width).i32(lower ? 1 : 0).i32(transpose ? 1 : 0)
                .i32(unit ? 1 : 0).i32(shared ? 1 : 0).pointer(infos.at(0, 0))
                .run(k, Math.min(all, Integer.MAX_VALUE), 1, 1, threads(k, a.rows(), 4L * width),
                        (int) (shared ? triangularBytes(a, width) : BlockKernels.room(1, 4)));
    }

    // ---- orthogonal vectors ------------------------------------------------------------------------------------------

    /** Eigenvalues to w, ascending, and where v is not 0 eigenvectors in columns. */
    void eigh(Lane lane, Temporaries t, Limits limits, String op, Stack a, long w, long v, Infos infos) {
        long n = a.rows();
        Place place = BlockKernels.place(p -> symmetricBytes(a.width(), n, v != 0, p), limits.shared());
        Kernel k = symmetric.get(a.f64(), place);
        long blocks = blocks(a);
        long scratch = 0;
        long each = 0;
        if (place != Place.SHARED) {
            blocks = Math.min(blocks, (long) RESIDENT * context.multiprocessors());
            each = (place == Place.GLOBAL ? n * n : 0) + (v == 0 ? 0 : n * n);
            scratch = t.device(blocks * each * a.width());
        }
        lane.launch().i64(a.count()).axes(a.batch(op)).pointer(a.address()).i64(a.rowStride()).i64(a.columnStride())
                .i32((int) n).pointer(w).pointer(v).pointer(infos.at(0, 0)).pointer(scratch).i64(each)
                .run(k, blocks, 1, 1, threads(k, n, n), (int) symmetricBytes(a.width(), n, v != 0, place));
    }

    private static long symmetricBytes(int width, long n, boolean vectors, Place place) {
        long bytes = BlockKernels.room(32, width) + BlockKernels.room(1, 4)
                + BlockKernels.room((n + 1) / 2, 3 * width + 8) + BlockKernels.room(n, 4);
        long matrix = BlockKernels.room(BlockKernels.padded(n, n), width);
        return bytes + (place == Place.GLOBAL ? 0 : matrix) + (place == Place.SHARED && vectors ? matrix : 0);
    }

    /** q (m, k), k = m where full, else min(m, n); r (k, n). */
    void qr(Lane lane, Temporaries t, Limits limits, boolean full, Stack a, long q, long r) {
        long m = a.rows();
        long n = a.columns();
        long least = Math.min(m, n);
        long k = full ? m : least;
        long tau = t.device(a.count() * least * a.width());
        long v = t.device(a.count() * m * n * a.width());
        reflections.factorise(lane, limits, "qr", a, v, tau, r, k * n, n, 1, k, 0, 0);
        reflections.apply(lane, limits, a.f64(), a.count(), m, n, v, tau, 0, 0, 0, q, m * k, k, 1, k);
    }
}
