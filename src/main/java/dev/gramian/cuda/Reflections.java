package dev.gramian.cuda;

import dev.gramian.cuda.BlockKernels.Place;

/** QR of stacks by householder.cu, one block a matrix. */
final class Reflections {
    /** Warps of a block that applies reflections, and columns of each: as householder.cu has it. */
    private static final int WARPS = 8;

    private static final int TOGETHER = 4 * WARPS;

    private final BlockKernels factorise;
    private final BlockKernels reflect;

    Reflections(CudaContext context) {
        factorise = new BlockKernels(context, "householder", "factorise", true);
        reflect = new BlockKernels(context, "householder", "reflect", true);
    }

    /** Whether the sizes of a matrix (m, n) can be told in 32 bits. */
    static boolean fits(long m, long n) {
        return Math.multiplyHigh(m, n) == 0 && m * n <= Integer.MAX_VALUE;
    }

    /**
     * Of each matrix (m, n), k = min(m, n): reflections (m, n), tau (k), and R (rRows, n) at {@code r} by strides. Where orders
     * (n i32 a matrix) is not 0, columns are sorted by it, longest first, and R is left times a power of two whose exponent goes
     * to exponents.
     */
    void factorise(Lane lane, Limits limits, String op, Stack a, long reflections, long tau, long r, long rBatch,
            long rRow, long rColumn, long rRows, long orders, long exponents) {
        long m = a.rows();
        long n = a.columns();
        long fixed = BlockKernels.room(32, a.width()) + BlockKernels.room(1, a.width())
                + BlockKernels.room(n, a.width()) + BlockKernels.room(n, 4);
        long held = fixed + BlockKernels.room(BlockKernels.padded(m, n), a.width());
        boolean shared = held <= limits.shared();
        Kernel kernel = factorise.get(a.f64(), shared ? Place.SHARED : Place.GLOBAL);
        // a warp a column of what is left
        int threads = BlockKernels.threads(kernel, 32 * Math.min(n, 16));
        lane.launch().i64(a.count()).axes(a.batch(op)).pointer(a.address()).i64(a.rowStride()).i64(a.columnStride())
                .i32((int) m).i32((int) n).pointer(reflections).pointer(tau).pointer(r).i64(rBatch).i64(rRow)
                .i64(rColumn).i32((int) rRows).pointer(orders).pointer(exponents)
                .run(kernel, Math.min(a.count(), Integer.MAX_VALUE), 1, 1, threads, (int) (shared ? held : fixed));
    }

    /**
     * Q of reflections (m, n) times x (small, small), column-major, with zeros below and the identity beside it, or times the
     * identity where x is 0: columns (m, columns) of each matrix to {@code out} by strides.
     */
    void apply(Lane lane, Limits limits, boolean f64, long count, long m, long n, long reflections, long tau,
            long orders,
            long x, long small, long out, long outBatch, long outRow, long outColumn, long columns) {
        Kernel kernel = reflect.get(f64);
        long held = WARPS * m * (f64 ? 8 : 4);
        boolean shared = held <= limits.shared();
        long blocks = count * Math.ceilDiv(columns, TOGETHER);
        lane.launch().i64(count).i32((int) m).i32((int) n).pointer(reflections).pointer(tau).pointer(orders)
                .pointer(x)
                .i32((int) small).pointer(out).i64(outBatch).i64(outRow).i64(outColumn).i32((int) columns)
                .i32(shared ? 1 : 0)
                .run(kernel, Math.min(blocks, Integer.MAX_VALUE), 1, 1, 32 * WARPS, (int) (shared ? held : 0));
    }
}
