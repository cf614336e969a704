package dev.gramian.cuda;

/**
 * How kernels that hold rows in registers share them out: {@code threads} to a row, a part of a warp or a block of its own;
 * {@code count} vectors of {@code width} elements to a thread; {@code block} threads to a block.
 */
record RowPlan(int width, int count, int threads, int block) {
    /** Vectors of one thread, single elements of one: each a kernel of its own. */
    enum Counts {
        FEW(new int[] {1, 2, 4}, new int[] {1, 4, 8}),
        MANY(new int[] {1, 2, 4, 8}, new int[] {1, 4, 16});

        private final int[] vectors;
        private final int[] singles;

        Counts(int[] vectors, int[] singles) {
            this.vectors = vectors;
            this.singles = singles;
        }
    }

    /** For {@code rows} rows of {@code n} elements, n a multiple of {@code width}; null where they are too long. */
    static RowPlan of(long rows, long n, int width, Counts counts, CudaContext context) {
        int[] of = width > 1 ? counts.vectors : counts.singles;
        long vectors = n / width;
        for (int c : of) {
            if (vectors <= 32L * c) {
                int threads = (int) Math.min(32, Grid.power(Math.ceilDiv(vectors, c)));
                // few rows spread over all multiprocessors
                long block = Grid.power(rows * threads / context.multiprocessors());
                return new RowPlan(width, c, threads, Math.clamp(block, 32, 256));
            }
        }
        int most = of[of.length - 1];
        int count = width > 1 ? Math.min(4, most) : most;
        if (vectors > 1024L * count) {
            count = most;
        }
        long threads = Grid.power(Math.ceilDiv(vectors, count));
        return threads > 1024 ? null : new RowPlan(width, count, (int) threads, (int) threads);
    }

    /** Blocks for so many rows. */
    long blocks(long rows) {
        return Grid.blocks(rows, block / threads);
    }

    /** Most threads that a block of the kernel may have: 256, 512 or 1024. */
    int bound() {
        return Math.max(256, block);
    }

    String macros() {
        return Kernels.define("WIDTH", Integer.toString(width)) + Kernels.define("COUNT", Integer.toString(count))
                + Kernels.define("BOUND", Integer.toString(bound()));
    }

    /** A number below {@link #FORMS} for each text of {@link #macros} with vectors of one width. */
    int form() {
        int bounds = Integer.numberOfTrailingZeros(bound() / 256);
        return (bounds * 5 + Integer.numberOfTrailingZeros(count)) * 2 + (width > 1 ? 1 : 0);
    }

    static final int FORMS = 3 * 5 * 2;
}
