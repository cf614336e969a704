package dev.gramian.cuda;

import dev.gramian.core.View;
import dev.gramian.cuda.ElementKernels.Way;

/** One launch of an elementwise function: how its operands lie decides the way that a kernel goes over them. */
final class Sweep {
    // an operand's two bits of `modes` in elementwise.cu
    private static final int WHOLE = 0;
    private static final int SINGLE = 1;
    private static final int CONSTANT = 2;
    private static final int REPEATED = 3;

    /** Shortest axes that are worth a tile: of shorter ones, whole lines are in the caches anyway. */
    private static final int TILED = 16;
    /** Blocks of the grid's second and third dimension. */
    private static final long MOST = 65535;
    /** Elements of a thread of `strided`. */
    private static final int EACH = 4;

    private final Lane lane;
    private final ElementKernels kernels;
    private final View out;
    private final View[] in;
    /** Of the inputs, then of the result: where the element at all-zero coordinates is. */
    private final long[] addresses;
    private final long p;
    private final long q;
    private final long flag;

    private Sweep(Lane lane, ElementKernels kernels, long p, long q, long flag, View out, View... in) {
        this.lane = lane;
        this.kernels = kernels;
        this.p = p;
        this.q = q;
        this.flag = flag;
        this.out = out;
        this.in = in;
        addresses = new long[in.length + 1];
        for (int k = 0; k < in.length; k++) {
            addresses[k] = in[k] == null ? 0 : CudaStorage.address(in[k]);
        }
        addresses[in.length] = CudaStorage.address(out);
    }

    /** Inputs that are null are constants: p for the first, q for the second; floats by their bits. */
    static void run(Lane lane, ElementKernels kernels, long p, long q, long flag, View out, View... in) {
        if (out.layout().size() > 0) {
            Sweep s = new Sweep(lane, kernels, p, q, flag, out, in);
            if (s.isRow()) {
                s.row();
            } else {
                s.walk(s.axes());
            }
        }
    }

    // ---- one row -----------------------------------------------------------------------------------------------------

    /** True if every operand is contiguous, or one element for all. */
    private boolean isRow() {
        long n = out.layout().size();
        boolean row = out.layout().isContiguous();
        for (int k = 0; k < in.length && row; k++) {
            row = in[k] == null || in[k].layout().size() == 1
                    || in[k].layout().isContiguous() && in[k].layout().size() == n;
        }
        return row;
    }

    private void row() {
        long[] steps = new long[in.length + 1];
        for (int k = 0; k < in.length; k++) {
            steps[k] = in[k] == null || in[k].layout().size() == 1 ? 0 : 1;
        }
        steps[in.length] = 1;
        packed(Axes.row(out.layout().size(), steps));
    }

    // ---- any layout --------------------------------------------------------------------------------------------------

    /** Axes in the result's order in memory, so that its last axis has the shortest steps, forward. */
    private Axes axes() {
        int n = in.length;
        long[][] steps = new long[n + 1][];
        for (int k = 0; k < n; k++) {
            steps[k] = in[k] == null ? new long[out.shape().rank()] : Axes.steps(out.shape(), in[k].layout());
        }
        steps[n] = Axes.steps(out.shape(), out.layout());
        long[] shape = out.shape().toArray();
        if (out.layout().isContiguous()) {
            return Axes.any(shape, steps);
        }
        for (int i = 0; i < shape.length; i++) {
            if (steps[n][i] < 0) {
                for (int k = 0; k <= n; k++) {
                    addresses[k] += steps[k][i] * (shape[i] - 1) * kernels.width(k);
                    steps[k][i] = -steps[k][i];
                }
            }
        }
        Axes a = Axes.any(shape, steps);
        int[] order = new int[a.rank()];
        for (int i = 0; i < order.length; i++) {
            int j = i;
            for (; j > 0 && a.stride(n, order[j - 1]) < a.stride(n, i); j--) {
                order[j] = order[j - 1];
            }
            order[j] = i;
        }
        return a.reordered(order);
    }

    private void walk(Axes a) {
        if (a.rank() > Axes.MAX) {
            // the outermost axis from here; each axis more than MAX doubles the elements of a launch at least
            Axes inner = a.inner();
            long[] start = addresses.clone();
            for (long i = 0; i < a.size(0); i++) {
                for (int k = 0; k < start.length; k++) {
                    addresses[k] = start[k] + i * a.stride(k, 0) * kernels.width(k);
                }
                walk(inner);
            }
            System.arraycopy(start, 0, addresses, 0, start.length);
            return;
        }
        int last = a.rank() - 1;
        if (a.stride(in.length, last) == 1 && packs(a, last)) {
            packed(a);
            return;
        }
        int lines = lines(a, last);
        if (lines >= 0) {
            tiled(a, lines);
        } else {
            strided(a);
        }
    }

    /** True if the last axis is whole packs of neighbours, or of one element repeated, in every input. */
    private boolean packs(Axes a, int last) {
        boolean packs = last == 0 || a.size(last) % kernels.vector() == 0;
        for (int k = 0; k < in.length && packs; k++) {
            packs = a.stride(k, last) == 0 || a.stride(k, last) == 1;
        }
        return packs;
    }

    /** An axis along which some input takes shorter steps than along the last one, both long enough for tiles; or -1. */
    private int lines(Axes a, int last) {
        for (int k = 0; k < in.length; k++) {
            long best = Math.abs(a.stride(k, last));
            int axis = -1;
            for (int i = 0; i < last; i++) {
                long s = Math.abs(a.stride(k, i));
                if (s > 0 && s < best && a.size(i) >= TILED) {
                    best = s;
                    axis = i;
                }
            }
            if (axis >= 0 && a.size(last) >= TILED) {
                return axis;
            }
        }
        return -1;
    }

    // ---- launches ----------------------------------------------------------------------------------------------------

    private void packed(Axes a) {
        int v = kernels.vector();
        int last = a.rank() - 1;
        Axes packs = a.packs(v);
        long count = packs.count(packs.rank());
        int modes = 0;
        for (int k = 0; k < addresses.length; k++) {
            modes |= mode(a, k) << 2 * k;
        }
        // one pack a thread while that does not fill the card; where packs are short there is one anyway
        long blocks = ceil(count, Launch.BLOCK);
        if (v < 8 && blocks > 4L * lane.context.multiprocessors()) {
            blocks = ceil(count, 2 * Launch.BLOCK);
        }
        Launch l = lane.launch().i64(count).i32((int) (a.size(last) % v)).axes(packs);
        operands(l, modes).run(kernels.get(Way.PACKED), Math.max(1, blocks), 1, 1, Launch.BLOCK, 0);
    }

    private int mode(Axes a, int k) {
        if (k < in.length && in[k] == null) {
            return CONSTANT;
        }
        int last = a.rank() - 1;
        if (a.stride(k, last) == 0) {
            return REPEATED;
        }
        int bytes = kernels.vector() * kernels.width(k);
        boolean aligned = addresses[k] % bytes == 0;
        for (int i = 0; i < last; i++) {
            aligned &= a.stride(k, i) % kernels.vector() == 0;
        }
        return aligned ? WHOLE : SINGLE;
    }

    private void strided(Axes a) {
        long count = a.count(a.rank());
        long blocks = ceil(count, Launch.BLOCK);
        if (blocks > 4L * lane.context.multiprocessors()) {
            blocks = ceil(count, EACH * Launch.BLOCK);
        }
        Launch l = lane.launch().i64(count).axes(a);
        operands(l, constants()).run(kernels.get(Way.STRIDED), blocks, 1, 1, Launch.BLOCK, 0);
    }

    private void tiled(Axes a, int lines) {
        int last = a.rank() - 1;
        int tiles = 0;
        for (int k = 0; k < in.length; k++) {
            long step = Math.abs(a.stride(k, last));
            if (step > 1 && Math.abs(a.stride(k, lines)) < step) {
                tiles |= 1 << k;
            }
        }
        int[] order = new int[a.rank()];
        int n = 0;
        for (int i = 0; i < last; i++) {
            if (i != lines) {
                order[n++] = i;
            }
        }
        order[n] = lines;
        order[last] = last;
        Axes b = a.reordered(order);
        last = b.rank() - 1;
        long planes = b.count(last - 1);
        int side = kernels.vector() >= 8 ? 64 : 32;
        Launch l = lane.launch().i64(planes).i32(tiles).axes(b);
        operands(l, constants()).run(kernels.get(Way.TILED), ceil(b.size(last), side),
                Math.min(MOST, ceil(b.size(last - 1), side)), Math.min(MOST, planes), Launch.BLOCK, 0);
    }

    /** Modes of which only those of constants count. */
    private int constants() {
        int modes = 0;
        for (int k = 0; k < in.length; k++) {
            modes |= in[k] == null ? CONSTANT << 2 * k : 0;
        }
        return modes;
    }

    private Launch operands(Launch l, int modes) {
        l.i32(modes);
        for (int k = 0; k < 3; k++) {
            l.pointer(k < in.length ? addresses[k] : 0);
        }
        l.pointer(addresses[in.length]);
        if (kernels.narrow()) {
            l.i32((int) p).i32((int) q);
        } else {
            l.i64(p).i64(q);
        }
        return l.pointer(flag);
    }

    private static long ceil(long n, long d) {
        return (n + d - 1) / d;
    }
}
