package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Reductions over leading axes, where a row of memory holds elements of many results: rows are added to a row of double
 * accumulators, {@link #ROWS} rows to a block, blocks merged pairwise. The blocks depend on the shape alone.
 */
final class ColumnReductions {
    /** Rows per block: short enough that a plain F64 sum within a block loses little. */
    private static final int ROWS = 256;

    /** Columns per tile: the accumulators of a tile stay in the first-level cache. */
    private static final int COLUMNS = 1024;

    private final CpuPath path;
    private final Workers workers;

    ColumnReductions(CpuPath path, Workers workers) {
        this.path = path;
        this.workers = workers;
    }

    /** True where this class is the faster way, decided by function, type and layout. */
    static boolean fits(ReduceFn fn, DType type, Walk kept, Walk reduced) {
        // in F64 the plain sum of squares could overflow
        return type.isFloat()
                && (fn != ReduceFn.NORM2 || type != DType.F64)
                && kept.step() == type.bytes()
                && kept.run() >= 8
                && reduced.size >= 4
                && Math.abs(reduced.step()) > type.bytes();
    }

    void reduce(ReduceFn fn, double ddof, View x, Walk kept, Walk reduced, View out) {
        DType type = x.dtype();
        long n = reduced.size;
        int width = (int) Math.min(COLUMNS, kept.run());
        long tiles = (kept.run() + width - 1) / width;
        long tasks = kept.size / kept.run() * tiles;
        int blocks = Math.toIntExact((n + ROWS - 1) / ROWS);
        long from = CpuStorage.address(x);
        Kernel kernel = new Kernel(fn, RowKernels.of(path, Gather.block(type)), type, path.vector(), reduced);
        if (tasks >= 4L * workers.threads() || blocks == 1) {
            workers.parallelFor(tasks, Math.max(1, Reductions.GRAIN / (n * width)), (t0, t1) -> {
                for (long t = t0; t < t1; t++) {
                    long o = t / tiles * kept.run() + t % tiles * width;
                    int cols = (int) Math.min(width, kept.run() - t % tiles * width);
                    Tile tile = new Tile(fn, n, cols, blocks);
                    for (int b = 0; b < blocks; b++) {
                        kernel.block(from + kept.offset(o), tile, b);
                    }
                    tile.finish(ddof, out, o);
                }
            });
            return;
        }
        for (long t = 0; t < tasks; t++) {
            long o = t / tiles * kept.run() + t % tiles * width;
            int cols = (int) Math.min(width, kept.run() - t % tiles * width);
            Tile tile = new Tile(fn, n, cols, blocks);
            workers.parallelFor(blocks, Math.max(1, Reductions.GRAIN / ((long) ROWS * cols)), (b0, b1) -> {
                for (long b = b0; b < b1; b++) {
                    kernel.block(from + kept.offset(o), tile, (int) b);
                }
            });
            tile.finish(ddof, out, o);
        }
    }

    /** Adds one block of rows to its accumulators. */
    private record Kernel(ReduceFn fn, RowKernels k, DType type, boolean vector, Walk reduced) {
        void block(long base, Tile tile, int b) {
            long first = (long) b * ROWS;
            long n = Math.min(ROWS, tile.n - first);
            int at = b * tile.cols;
            int end = at + tile.cols;
            Arrays.fill(tile.acc, at, end, switch (fn) {
                case MIN -> Double.POSITIVE_INFINITY;
                case MAX, ARGMIN, ARGMAX -> Double.NEGATIVE_INFINITY;
                case PROD, ALL -> 1;
                case SUM, MEAN, VAR, STD, ANY, LOGSUMEXP, NORM1, NORM2, NORM_INF -> 0;
            });
            switch (fn) {
                case VAR, STD -> {
                    pass(ReduceFn.SUM, base, first, n, tile, tile.second, at);
                    for (int j = at; j < end; j++) {
                        tile.second[j] /= n;
                    }
                }
                case LOGSUMEXP -> {
                    Arrays.fill(tile.second, at, end, Double.NEGATIVE_INFINITY);
                    pass(ReduceFn.MAX, base, first, n, tile, tile.second, at);
                }
                case ARGMIN, ARGMAX -> Arrays.fill(tile.second, at, end, first);
                default -> {}
            }
            pass(fn, base, first, n, tile, tile.acc, at);
            if (fn == ReduceFn.LOGSUMEXP) {
                for (int j = at; j < end; j++) {
                    tile.acc[j] = Double.isFinite(tile.second[j]) ? tile.acc[j] : 1;
                }
            }
        }

        private void pass(ReduceFn what, long base, long first, long n, Tile tile, double[] acc, int at) {
            while (n > 0) {
                long rows = Math.min(n, reduced.run() - first % reduced.run());
                long a = base + reduced.offset(first);
                if (type.isHalf()) {
                    rows = Math.min(rows, 16);
                    long buffer = Scratch.take(Scratch.Slot.X, 16L * COLUMNS * 4);
                    for (long r = 0; r < rows; r++) {
                        long to = buffer + r * tile.cols * 4;
                        Gather.read(vector, type, a + r * reduced.step(), 2, tile.cols, to);
                    }
                    rows(what, buffer, 4L * tile.cols, first, rows, tile, acc, at);
                } else {
                    rows(what, a, reduced.step(), first, rows, tile, acc, at);
                }
                first += rows;
                n -= rows;
            }
        }

        private void rows(
                ReduceFn what, long a, long step, long first, long rows, Tile tile, double[] acc, int at) {
            switch (what) {
                case SUM, MEAN -> k.addRows(a, step, rows, acc, at, tile.cols);
                case NORM1 -> k.addRowsAbs(a, step, rows, acc, at, tile.cols);
                case VAR, STD -> k.addRowsSquared(a, step, rows, tile.second, at, acc, at, tile.cols);
                case NORM2 -> k.addRowsSquared(a, step, rows, tile.zero, 0, acc, at, tile.cols);
                case MIN -> k.minRows(a, step, rows, acc, at, tile.cols);
                case MAX -> k.maxRows(a, step, rows, acc, at, tile.cols);
                case NORM_INF, ANY -> k.maxAbsRows(a, step, rows, acc, at, tile.cols);
                case ALL -> k.allRows(a, step, rows, acc, at, tile.cols);
                case PROD -> k.mulRows(a, step, rows, acc, at, tile.cols);
                case ARGMIN -> k.argRows(a, step, rows, -1, first, acc, tile.second, at, tile.cols);
                case ARGMAX -> k.argRows(a, step, rows, 1, first, acc, tile.second, at, tile.cols);
                case LOGSUMEXP -> k.expRows(a, step, rows, tile.second, acc, at, tile.cols);
            }
        }
    }

    /**
     * Accumulators of one tile: a row of them per block; beside them for variances the block's means, for log-sum-exp the
     * largest elements, for the place of an extreme element (times -1 for the least) its number.
     */
    private static final class Tile {
        final ReduceFn fn;
        final long n;
        final int cols;
        final int blocks;
        final double[] acc;
        final double[] second;
        final double[] zero;

        Tile(ReduceFn fn, long n, int cols, int blocks) {
            this.fn = fn;
            this.n = n;
            this.cols = cols;
            this.blocks = blocks;
            int size = Math.multiplyExact(cols, blocks);
            this.acc = new double[size];
            this.second = switch (fn) {
                case VAR, STD, LOGSUMEXP, ARGMIN, ARGMAX -> new double[size];
                case SUM, MEAN, PROD, MIN, MAX, ANY, ALL, NORM1, NORM2, NORM_INF -> null;
            };
            this.zero = fn == ReduceFn.NORM2 ? new double[cols] : null;
        }

        void finish(double ddof, View out, long o) {
            for (int half = 1; half < blocks; half *= 2) {
                for (int b = 0; b + half < blocks; b += 2 * half) {
                    long nx = (long) half * ROWS;
                    merge(b * cols, nx, (b + half) * cols, Math.min(nx, n - (long) (b + half) * ROWS));
                }
            }
            for (int j = 0; j < cols; j++) {
                switch (fn) {
                    case MEAN -> acc[j] /= n;
                    case VAR -> acc[j] = Reducer.variance(acc[j], n, ddof);
                    case STD -> acc[j] = Math.sqrt(Reducer.variance(acc[j], n, ddof));
                    case NORM2 -> acc[j] = Math.sqrt(acc[j]);
                    case LOGSUMEXP -> acc[j] = second[j] + Math.log(acc[j]);
                    case ARGMIN, ARGMAX -> acc[j] = second[j];
                    case ANY -> acc[j] = acc[j] != 0 ? 1 : 0;
                    case SUM, PROD, MIN, MAX, ALL, NORM1, NORM_INF -> {}
                }
            }
            DType type = out.dtype();
            long to = CpuStorage.address(out) + o * type.bytes();
            switch (type) {
                case F32 -> {
                    for (int j = 0; j < cols; j++) {
                        Mem.f32(to + 4L * j, (float) acc[j]);
                    }
                }
                case F64, F16, BF16 -> {
                    for (int j = 0; j < cols; j++) {
                        Gather.store(type, to + (long) j * type.bytes(), acc[j]);
                    }
                }
                case I64, I32, U8, BOOL -> {
                    for (int j = 0; j < cols; j++) {
                        Gather.store(type, to + (long) j * type.bytes(), (long) acc[j]);
                    }
                }
            }
        }

        private void merge(int x, long nx, int y, long ny) {
            switch (fn) {
                case MIN, ALL -> {
                    for (int j = 0; j < cols; j++) {
                        acc[x + j] = Math.min(acc[x + j], acc[y + j]);
                    }
                }
                case MAX, NORM_INF, ANY -> {
                    for (int j = 0; j < cols; j++) {
                        acc[x + j] = Math.max(acc[x + j], acc[y + j]);
                    }
                }
                case VAR, STD -> {
                    double share = (double) ny / (nx + ny);
                    for (int j = 0; j < cols; j++) {
                        double d = second[y + j] - second[x + j];
                        second[x + j] += d * share;
                        acc[x + j] += acc[y + j] + d * d * share * nx;
                    }
                }
                case PROD -> {
                    for (int j = 0; j < cols; j++) {
                        acc[x + j] *= acc[y + j];
                    }
                }
                case ARGMIN, ARGMAX -> {
                    for (int j = 0; j < cols; j++) {
                        double a = acc[x + j];
                        double b = acc[y + j];
                        if (!(b <= a) && a == a) {
                            acc[x + j] = b;
                            second[x + j] = second[y + j];
                        }
                    }
                }
                case LOGSUMEXP -> {
                    for (int j = 0; j < cols; j++) {
                        double a = second[x + j];
                        double b = second[y + j];
                        double m = Math.max(a, b);
                        acc[x + j] = Double.isFinite(m)
                                ? acc[x + j] * Math.exp(a - m) + acc[y + j] * Math.exp(b - m)
                                : 1;
                        second[x + j] = m;
                    }
                }
                case SUM, MEAN, NORM1, NORM2 -> {
                    for (int j = 0; j < cols; j++) {
                        acc[x + j] += acc[y + j];
                    }
                }
            }
        }
    }
}
