package dev.gramian.cuda;

/** Arithmetic of launches: how many threads and blocks some work takes. */
final class Grid {
    private Grid() {}

    /** Blocks for so many items, {@code each} to a block; no more than a grid can have, whose kernels loop beyond. */
    static long blocks(long items, long each) {
        return Math.min(Math.ceilDiv(items, each), Integer.MAX_VALUE);
    }

    /** The least power of two that is at least n, for n &ge; 1. */
    static long power(long n) {
        return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
    }

    /** The least multiple of {@code unit} that is at least n. */
    static long roundUp(long n, long unit) {
        return Math.ceilDiv(n, unit) * unit;
    }
}
