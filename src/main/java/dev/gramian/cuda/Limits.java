package dev.gramian.cuda;

/**
 * Which matrices go which way. None of these has been measured on a card yet; native-notes/cuda/solver.md says what each rests
 * on.
 *
 * @param alone side up to which one matrix by itself goes to a kernel of ours, one block, rather than to cuSOLVER, which
 *     launches a kernel or more a column whatever the size
 * @param shared bytes of shared memory of a block at most
 * @param global side up to which stacks go to kernels of ours that work in global memory where shared is too small; beyond,
 *     cuSOLVER takes the matrices one by one
 * @param jacobi side up to which one matrix goes to gesvdj, above to gesvdp
 * @param route null, or the one way singular values are computed whatever the size
 */
record Limits(int alone, int shared, int global, int jacobi, Route route) {
    /** Matrices from which blocks in global memory, each 20 times slower than cuSOLVER, do as much as that together. */
    private static final int MANY = 16;

    /** How singular values of a matrix are computed. */
    enum Route {
        /** Our kernel, one block. */
        BLOCK,
        GESVDJ,
        GESVDP,
        GESVD
    }

    /** What tests put in place of the usual. */
    static volatile Limits forced;

    static Limits of(CudaContext context) {
        Limits f = forced;
        return f != null ? f : new Limits(64, context.sharedOptIn(), 512, 256, null);
    }

    /** Whether matrices of that side go to blocks; {@code bytes}: what one takes at least, to be fast in shared memory. */
    boolean block(long count, long side, long bytes) {
        return count == 1 ? side <= alone : bytes <= shared || side <= global && count >= MANY;
    }
}
