package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Sort and top-k along an axis, values and I64 indices, for every element type. Stable; NaN counts as greater than
 * everything, -0.0 equals 0.0. Rows that fit into a block's shared memory are sorted there; of longer ones the first few
 * are selected, or all are sorted by {@link RadixSort}.
 */
final class Sorting {
    /** Tile of a block for short rows and for a small k: less to sort at once, more blocks on a multiprocessor. */
    private static final int SMALL_TILE = 1024;
    /** Up to this k a selection takes the small tile. */
    private static final long SMALL_K = 128;
    /** Bytes that the radix sort may take for rows done together. */
    private static final long WORKSPACE = 512L << 20;

    private enum Function {
        SORT_ROWS,
        SELECT_FIRST,
        MAKE_KEYS,
        RANKED
    }

    private final CudaContext context;
    private final RadixSort radix;
    /** By element type, function and whether the tile is small. */
    private final Kernel[][][] kernels = new Kernel[DType.values().length][Function.values().length][2];

    Sorting(CudaContext context) {
        this.context = context;
        radix = new RadixSort(context);
    }

    /** In: x. Out: values in order along the axis, their positions. */
    void sort(Lane lane, Op.Sort op, View x, View[] out) {
        order(new Rows(op.name(), x, op.axis(), op.descending(), x.shape().at(op.axis()), out), lane);
    }

    /** In: x. Out: the k largest or smallest along the axis in order, their positions; ties by lower position. */
    void topK(Lane lane, Op.TopK op, View x, View[] out) {
        order(new Rows(op.name(), x, op.axis(), op.largest(), op.k(), out), lane);
    }

    /** One call: the first k of each row of x along an axis. */
    private record Rows(String op, View x, int axis, boolean descending, long k, View[] out) {
        DType type() {
            return x.dtype();
        }

        long length() {
            return x.shape().at(axis);
        }

        long count() {
            return x.shape().size() / length();
        }

        long step() {
            return x.layout().stride(axis);
        }

        /** Ones for the bits of a key where the order is turned. */
        long flip() {
            return descending ? -1L >>> 64 - 8 * type().bytes() : 0;
        }

        /** Where rows begin. */
        Axes others() {
            Layout l = x.layout();
            return Axes.of(op, without(x.shape().toArray(), axis), without(l.strides(), axis));
        }

        long inner() {
            Shape s = x.shape();
            return s.slice(axis + 1, s.rank()).size();
        }
    }

    /** Elements of a block's largest tile: what fits 48 KiB with places. */
    private static int largeTile(DType type) {
        return type.bytes() == 8 ? 2048 : 4096;
    }

    private void order(Rows r, Lane lane) {
        if (r.out[0].shape().size() == 0) {
            return;
        }
        int most = largeTile(r.type());
        if (r.length() <= most) {
            sortRows(r, lane);
        } else if (r.k <= most / 2) {
            select(r, lane);
        } else {
            sortLong(r, lane);
        }
    }

    private void sortRows(Rows r, Lane lane) {
        int n = (int) r.length();
        int width = Math.max(8, n == 1 ? 1 : 2 * Integer.highestOneBit(n - 1));
        int tile = width <= SMALL_TILE ? SMALL_TILE : largeTile(r.type());
        results(lane.launch().i64(r.count()).i32(n).i32(width).i64(r.flip()).axes(r.others()), r)
                .run(kernel(r.type(), Function.SORT_ROWS, tile), Math.ceilDiv(r.count(), tile / width), 1, 1, tile / 8,
                        0);
    }

    private static Launch results(Launch launch, Rows r) {
        return launch.pointer(r.x).i64(r.step()).i64(r.k).i64(r.inner()).pointer(r.out[0]).pointer(r.out[1]);
    }

    // ---- the first few of long rows ----------------------------------------------------------------------------------

    /** Passes until one stretch a row is left; each leaves less than half of the row before it. */
    private void select(Rows r, Lane lane) {
        int tile = r.k <= SMALL_K ? SMALL_TILE : largeTile(r.type());
        Kernel kernel = kernel(r.type(), Function.SELECT_FIRST, tile);
        boolean wide = r.type().bytes() == 8;
        long wanted = Math.ceilDiv(context.multiprocessors() * (2048L / (tile / 8)), r.count());
        // short ones would sort more than they read
        long least = Math.max(4L * tile, 4 * r.k);
        Axes others = r.others();
        CudaStorage before = null;
        CudaStorage after = null;
        long kept = 0;
        try {
            for (long n = r.length(), stretches = 0; stretches != 1; n = stretches * r.k) {
                long length = Math.ceilDiv(n, Math.clamp(n / least, 1, wanted));
                stretches = Math.ceilDiv(n, length);
                long keys = 0;
                long places = 0;
                if (before != null) {
                    keys = before.address;
                    places = keys + 8 * kept;
                }
                long toKeys = 0;
                long toPlaces = 0;
                if (stretches > 1) {
                    kept = r.count() * stretches * r.k;
                    after = lane.temporary(r.op, (wide ? 12 : 8) * kept);
                    toKeys = after.address;
                    toPlaces = toKeys + 8 * kept;
                }
                results(lane.launch().i64(n).i64(stretches).i64(length).i64(r.flip()).axes(others), r)
                        .pointer(keys).pointer(places).pointer(toKeys).pointer(toPlaces)
                        .run(kernel, r.count() * stretches, 1, 1, tile / 8, 0);
                if (before != null) {
                    lane.free(before);
                }
                before = after;
                after = null;
            }
        } finally {
            if (before != null) {
                lane.free(before);
            }
            if (after != null) {
                lane.free(after);
            }
        }
    }

    // ---- all of long rows --------------------------------------------------------------------------------------------

    /** As many rows at a time as the workspace has room for. */
    private void sortLong(Rows r, Lane lane) {
        long n = r.length();
        RadixSort.Plan plan = radix.plan(n, r.type().bytes());
        long together = Math.clamp(WORKSPACE / plan.bytes(1), 1, r.count());
        CudaStorage workspace = lane.temporary(r.op, plan.bytes(together));
        try {
            Axes elements = elements(r);
            Axes results = results(r, together == r.count());
            Kernel makeKeys = kernel(r.type(), Function.MAKE_KEYS, SMALL_TILE);
            Kernel ranked = kernel(r.type(), Function.RANKED, SMALL_TILE);
            for (long row = 0; row < r.count(); row += together) {
                long rows = Math.min(together, r.count() - row);
                lane.launch().i64(row * n).i64(rows * n).axes(elements).i64(r.flip()).pointer(r.x)
                        .pointer(workspace.address).over(makeKeys, rows * n);
                long places = radix.sort(lane, plan, rows, workspace.address);
                lane.launch().i64(row * r.k).i64(rows * r.k).axes(results).pointer(places - 4 * row * n)
                        .pointer(r.x).i64(r.step()).pointer(r.out[0]).pointer(r.out[1]).over(ranked, rows * r.k);
            }
        } finally {
            lane.free(workspace);
        }
    }

    /** x row after row. */
    private static Axes elements(Rows r) {
        int last = r.x.shape().rank() - 1;
        long[] sizes = Arrays.copyOf(without(r.x.shape().toArray(), r.axis), last + 1);
        long[] steps = Arrays.copyOf(without(r.x.layout().strides(), r.axis), last + 1);
        sizes[last] = r.length();
        steps[last] = r.step();
        return Axes.of(r.op, sizes, steps);
    }

    /** Elements of the results: place there, place among the sorted ones, row in x; in their own order or row after row. */
    private static Axes results(Rows r, boolean inOrder) {
        Layout to = r.out[0].layout();
        int rank = to.rank();
        long[] sizes = to.shape().toArray();
        long[] result = to.strides();
        long[] sorted = new long[rank];
        long[] row = r.x.layout().strides();
        long step = r.length();
        for (int i = rank - 1; i >= 0; i--) {
            if (i != r.axis) {
                sorted[i] = step;
                step *= sizes[i];
            }
        }
        sorted[r.axis] = 1;
        row[r.axis] = 0;
        if (inOrder) {
            return Axes.of(r.op, sizes, result, sorted, row);
        }
        return Axes.of(r.op, last(sizes, r.axis), last(result, r.axis), last(sorted, r.axis), last(row, r.axis));
    }

    /** The entry moved to the end. */
    private static long[] last(long[] a, int i) {
        long[] r = Arrays.copyOf(without(a, i), a.length);
        r[a.length - 1] = a[i];
        return r;
    }

    private static long[] without(long[] a, int i) {
        long[] r = new long[a.length - 1];
        System.arraycopy(a, 0, r, 0, i);
        System.arraycopy(a, i + 1, r, i, r.length - i);
        return r;
    }

    private Kernel kernel(DType type, Function function, int tile) {
        Kernel[] of = kernels[type.ordinal()][function.ordinal()];
        int i = tile == SMALL_TILE ? 1 : 0;
        if (of[i] == null) {
            String name = function.name().toLowerCase(java.util.Locale.ROOT);
            of[i] = context.kernels().get("sort",
                    define("T", Kernels.type(type)) + define("TILE", Integer.toString(tile)), name);
        }
        return of[i];
    }
}
