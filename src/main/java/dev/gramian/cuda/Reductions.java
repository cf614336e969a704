package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.View;

/**
 * Reductions over any axes. Slices whose elements lie together are read by groups of threads that are as large as the
 * slice is long; slices that lie side by side by neighbouring threads. Long slices are cut into pieces whose states a
 * second kernel merges: always the same pieces in the same order, so the same bits.
 */
final class Reductions {
    private static final int BLOCK = 256;
    /** Elements of the longest piece: no thread adds more than about 64 blocks of elements one after the other. */
    private static final int PIECE = 1 << 16;
    /** Rows of the longest piece that one thread of a column kernel takes. */
    private static final int COLUMN_PIECE = 512;

    private enum Form {
        ROWS_DENSE("reduce_rows", "dense"),
        ROWS_STRIDED("reduce_rows", "strided"),
        COLUMNS_DENSE("reduce_columns", "dense"),
        COLUMNS_STRIDED("reduce_columns", "strided"),
        MERGE("reduce_merge", "merge");

        static final int COUNT = values().length;
        final String file;
        final String function;

        Form(String file, String function) {
            this.file = file;
            this.function = function;
        }
    }

    private final CudaContext context;
    private final CumulativeSums sums;
    private final Kernel[] kernels = new Kernel[ReduceFn.values().length * DType.values().length * Form.COUNT * 2];

    Reductions(CudaContext context) {
        this.context = context;
        this.sums = new CumulativeSums(context);
    }

    void reduce(Lane lane, Op.Reduce op, View x, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        boolean ordered = switch (op.fn()) {
            case ARGMIN, ARGMAX -> true;
            case SUM, PROD, MEAN, VAR, STD, MIN, MAX, ANY, ALL, LOGSUMEXP, NORM1, NORM2, NORM_INF -> false;
        };
        Slices s = Slices.of(op.name(), x, op.axes(), ordered);
        new Job(lane, op.fn(), x.dtype(), s, op.param(), 0, CudaStorage.address(out)).run();
    }

    void cumSum(Lane lane, Op.CumSum op, View x, View out) {
        sums.run(lane, op, x, out);
    }

    /** What a reduction of x carries along, a state of states.cuh for every slice: the caller frees it. */
    CudaStorage states(Lane lane, String op, ReduceFn fn, DType type, Slices s) {
        CudaStorage states = lane.temporary(op, s.count * stateBytes(fn, type));
        boolean done = false;
        try {
            new Job(lane, fn, type, s, 0, states.address, 0).run();
            done = true;
        } finally {
            if (!done) {
                lane.free(states);
            }
        }
        return states;
    }

    /** The struct of states.cuh. */
    static String state(ReduceFn fn) {
        return switch (fn) {
            case SUM -> "Total";
            case PROD -> "Product";
            case MEAN -> "Mean";
            case VAR -> "Variance";
            case STD -> "Deviation";
            case MIN -> "Minimum";
            case MAX -> "Maximum";
            case ARGMIN -> "ArgMin";
            case ARGMAX -> "ArgMax";
            case ANY -> "Any";
            case ALL -> "All";
            case LOGSUMEXP -> "LogSumExp";
            case NORM1 -> "Norm1";
            case NORM2 -> "Norm2";
            case NORM_INF -> "NormInf";
        };
    }

    private static int stateBytes(ReduceFn fn, DType type) {
        return switch (fn) {
            case SUM, PROD, MEAN, NORM1, MIN, MAX, NORM_INF, ANY, ALL -> 8; // or 4
            case ARGMIN, ARGMAX, LOGSUMEXP -> 16;
            case VAR, STD -> 24;
            case NORM2 -> type == DType.F64 ? 24 : 8;
        };
    }

    private Kernel kernel(ReduceFn fn, DType type, Form form, boolean large) {
        int i = ((fn.ordinal() * DType.values().length + type.ordinal()) * Form.COUNT + form.ordinal()) * 2
                + (large ? 1 : 0);
        Kernel k = kernels[i];
        if (k == null) {
            String macros = Kernels.define("ELEMENT", Kernels.type(type))
                    + Kernels.define("RESULT", Kernels.type(fn.result(type))) + Kernels.define("STATE", state(fn))
                    + (form == Form.MERGE ? "" : Kernels.define("INDEX", large ? "i64" : "u32"));
            k = context.kernels().get(form.file, macros, form.function);
            kernels[i] = k;
        }
        return k;
    }

    /** One reduction to results at {@code out}, or to states at {@code merged} where that is not 0. */
    private final class Job {
        private final Lane lane;
        private final ReduceFn fn;
        private final DType type;
        private final Slices s;
        private final double ddof;
        private final long merged;
        private final long out;

        Job(Lane lane, ReduceFn fn, DType type, Slices s, double ddof, long merged, long out) {
            this.lane = lane;
            this.fn = fn;
            this.type = type;
            this.s = s;
            this.ddof = ddof;
            this.merged = merged;
            this.out = out;
        }

        void run() {
            if (s.n == 0) {
                merge(0, 0);
            } else if (s.rows()) {
                rows();
            } else {
                columns();
            }
        }

        private void rows() {
            int wide = 16 / type.bytes();
            boolean aligned = s.n % wide == 0 && s.aligned(wide, type.bytes()) && s.step(0) % wide == 0;
            boolean dense = s.runs() && (s.reduced.rank() == 1 ? aligned || s.n >= 8L * wide : s.run() >= 1024);
            int width = dense ? wide : 1;
            long vectors = Math.ceilDiv(s.n, width);
            long full = 64L * context.multiprocessors(); // warps that the card holds at once
            int threads = BLOCK;
            if (vectors <= 32 * 4 || vectors <= 32 * 32 && s.count >= full / 2) {
                threads = (int) Math.min(32, Grid.power(vectors));
            }
            long splits = 1;
            long chunk = s.n;
            if (threads == BLOCK) {
                long few = Math.ceilDiv(s.n, PIECE);
                long many = Math.max(few, s.n / (4L * BLOCK * width));
                splits = Math.clamp(Math.ceilDiv(full / 8, s.count), few, many);
                chunk = Grid.roundUp(Math.ceilDiv(s.n, splits), (long) BLOCK * width);
                splits = Math.ceilDiv(s.n, chunk);
            }
            boolean large = s.n > Integer.MAX_VALUE;
            Kernel k = kernel(fn, type, dense ? Form.ROWS_DENSE : Form.ROWS_STRIDED, large);
            long blocks = Grid.blocks(s.count * splits, BLOCK / threads);
            CudaStorage states = splits == 1 ? null : temporary(splits);
            try {
                lane.launch().pointer(s.address).i64(s.count).axes(s.kept).i64(s.n).axes(s.reduced).i32(threads)
                        .i64(splits).i64(chunk).pointer(states == null ? merged : states.address).pointer(out)
                        .f64(ddof).run(k, blocks, 1, 1, BLOCK, 0);
                if (states != null) {
                    merge(states.address, splits);
                }
            } finally {
                free(states);
            }
        }

        private void columns() {
            int wide = Math.min(4, 16 / type.bytes());
            long columns = s.width();
            boolean dense = s.step(0) == 1 && columns % wide == 0 && s.aligned(wide, type.bytes())
                    && s.reduced.stride(0, s.reduced.rank() - 1) % wide == 0;
            int width = dense ? wide : 1;
            int across = (int) Math.min(32, Grid.power(Math.ceilDiv(columns, width)));
            long tiles = Math.ceilDiv(columns, (long) across * width);
            long lines = s.count / columns;
            long side = lines * tiles * across;
            long full = 2048L * context.multiprocessors(); // threads that the card holds at once
            int down = 1;
            while (across * down < BLOCK && s.n >= 16L * down && side * down < full) {
                down *= 2;
            }
            long few = Math.ceilDiv(s.n, (long) COLUMN_PIECE * down);
            long many = Math.max(few, s.n / (16L * down));
            long splits = Math.clamp(Math.ceilDiv(full, side * down), few, many);
            long chunk = Grid.roundUp(Math.ceilDiv(s.n, Math.min(splits, 65535)), 8L * down);
            splits = Math.ceilDiv(s.n, chunk);
            boolean large = s.n > Integer.MAX_VALUE;
            Kernel k = kernel(fn, type, dense ? Form.COLUMNS_DENSE : Form.COLUMNS_STRIDED, large);
            long blocks = Grid.blocks(lines * tiles, BLOCK / (across * down));
            CudaStorage states = splits == 1 ? null : temporary(splits);
            try {
                lane.launch().pointer(s.address).i64(lines).axes(s.lines(fn.label())).i64(columns).i64(s.step(0))
                        .i64(s.step(1)).i64(tiles).i64(Axes.divisor(tiles)).i64(s.n).axes(s.reduced).i32(across)
                        .i32(down).i64(chunk).i64(s.count).pointer(states == null ? merged : states.address)
                        .pointer(out).f64(ddof).run(k, blocks, splits, 1, BLOCK, 0);
                if (states != null) {
                    merge(states.address, splits);
                }
            } finally {
                free(states);
            }
        }

        private CudaStorage temporary(long splits) {
            return lane.temporary(fn.label(), s.count * splits * stateBytes(fn, type));
        }

        private void free(CudaStorage states) {
            if (states != null) {
                lane.free(states);
            }
        }

        /** Where there are more results than few, neighbouring threads read neighbouring states. */
        private void merge(long states, long splits) {
            int threads = splits <= 4 || s.count >= 32L * context.multiprocessors() ? 1 : splits <= 64 ? 32 : BLOCK;
            long blocks = Grid.blocks(s.count, BLOCK / threads);
            lane.launch().pointer(states).i64(s.count).i64(splits).i32(threads).i64(s.n).f64(ddof).pointer(merged)
                    .pointer(out).run(kernel(fn, type, Form.MERGE, false), blocks, 1, 1,
                            BLOCK, 0);
        }
    }
}
