package dev.gramian.cpu;

/**
 * Lines along one axis of a view whose neighbours lie side by side, up to {@link #LANES} of them at a time, to and from rows of
 * a block: by tiles, where one line after the other would touch a cache line for every element.
 */
record Strips(Walk lines, long address, int width, long step) {
    /** A cache line of F32. */
    static final int LANES = 16;

    /** Bytes of a block that stay near the processor. */
    private static final long LARGEST = 4 << 20;

    /** True where lines of {@code n} elements of both views, from and to, lie so. */
    static boolean fit(Walk from, long fromStep, Walk to, long toStep, int width, long n) {
        return from.step() == width
                && to.step() == width
                && from.run() == to.run()
                && from.run() >= 4
                && Math.abs(fromStep) > width
                && Math.abs(toStep) > width
                && LANES * n * width <= LARGEST;
    }

    /** Groups of neighbours. */
    long groups() {
        return lines.size / lines.run() * perRun();
    }

    private long perRun() {
        return (lines.run() + LANES - 1) / LANES;
    }

    /** Number of the first line of a group. */
    private long first(long group) {
        return group / perRun() * lines.run() + group % perRun() * LANES;
    }

    int lanes(long group) {
        return (int) Math.min(LANES, lines.run() - group % perRun() * LANES);
    }

    /** Elements {@code from} to {@code from + n} of each line of a group, a line of the block for each. */
    void read(long group, long from, long n, long block) {
        long x = address + lines.offset(first(group)) + from * step;
        Tiles.band(width, x, width, block, n * width, lanes(group), n, step);
    }

    /** The way back. */
    void write(long group, long from, long n, long block) {
        long y = address + lines.offset(first(group)) + from * step;
        int side = Tiles.side(width);
        for (long i = 0; i < n; i += side) {
            long rows = Math.min(side, n - i);
            Tiles.band(width, block + i * width, width, y + i * step, step, rows, lanes(group), n * width);
        }
    }
}
