package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Tensors side by side along an axis: up to {@link #MOST} of them by one launch, whose arguments hold the table of them. */
final class Concat {
    /** As in concat.cu. */
    private static final int MOST = 64;
    /** Elements that lie apart are read so up to here; beyond, a copy that goes through shared memory is worth its launch. */
    private static final long SMALL = 1 << 20;

    private final CudaContext context;
    private final Elementwise elementwise;
    /** By {@link Words#kind}. */
    private final Kernel[] kernels = new Kernel[Words.KINDS];

    Concat(CudaContext context, Elementwise elementwise) {
        this.context = context;
        this.elementwise = elementwise;
    }

    /** In: tensors equal off the axis. Out: them side by side along it. */
    void concat(Lane lane, Op.Concat op, View[] in, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        int axis = op.axis();
        Table table = new Table(lane, out, axis);
        long at = 0;
        for (View x : in) {
            long entries = x.shape().at(axis);
            if (entries > 0 && !table.add(x, at)) {
                table.flush();
                elementwise.copy(lane, x, new View(out.storage(), out.layout().slice(axis, at, at + entries, 1),
                        out.dtype()));
            }
            at += entries;
        }
        table.flush();
    }

    /** Pieces that follow one another in the result and are not copied yet; all numbers in bytes. */
    private final class Table {
        private final Lane lane;
        private final int axis;
        private final int width;
        private final long target;
        private final long rows;
        /** Of a row of the result. */
        private final long length;
        /** Of an entry of the axis. */
        private final long entry;
        private final long[] start = new long[MOST];
        private final long[] from = new long[MOST];
        private final long[] row = new long[MOST];
        private final long[] step = new long[MOST];
        private int count;
        /** Where in a row the last piece ends. */
        private long end;
        /** What {@link Words#bytes} is asked. */
        private long places;

        Table(Lane lane, View out, int axis) {
            this.lane = lane;
            this.axis = axis;
            width = out.dtype().bytes();
            target = CudaStorage.address(out);
            long before = 1;
            for (int i = 0; i < axis; i++) {
                before *= out.shape().at(i);
            }
            rows = before;
            length = out.shape().size() / rows * width;
            entry = length / out.shape().at(axis);
        }

        /** Whether x, entry {@code at} and on of the axis, could be taken: as rows of elements that lie evenly. */
        boolean add(View x, long at) {
            Layout l = x.layout();
            long bytes = x.shape().at(axis) * entry;
            long rowStep = bytes;
            long elementStep = width;
            if (!l.isContiguous()) {
                Axes outer = part(l, 0, axis);
                Axes inner = part(l, axis, l.rank());
                if (outer.rank() > 1 || inner.rank() > 1) {
                    return false;
                }
                rowStep = outer.stride(0, 0) * width;
                elementStep = inner.size(0) == 1 ? width : inner.stride(0, 0) * width;
                if (elementStep != width && rows * bytes > SMALL) {
                    return false;
                }
            }
            if (count == MOST) {
                flush();
            }
            if (count == 0) {
                places = target | at * entry | (rows > 1 ? length : 0);
            }
            int i = count++;
            start[i] = at * entry;
            from[i] = CudaStorage.address(x);
            row[i] = rowStep;
            step[i] = elementStep;
            end = start[i] + bytes;
            places |= from[i] | bytes | (rows > 1 ? rowStep : 0) | (elementStep == width ? 0 : width);
            return true;
        }

        private static Axes part(Layout l, int first, int end) {
            long[] sizes = new long[end - first];
            long[] steps = new long[end - first];
            for (int i = first; i < end; i++) {
                sizes[i - first] = l.shape().at(i);
                steps[i - first] = l.stride(i);
            }
            return Axes.of("concat", sizes, steps);
        }

        void flush() {
            if (count == 0) {
                return;
            }
            int word = Words.bytes(places);
            long words = (end - start[0]) / word;
            Launch launch = lane.launch().i64(rows).i64(words).i64(Axes.divisor(words)).i64(length / word);
            long to = launch.struct(8 * (1 + 4 * MOST));
            HostMemory.i64(to, count);
            for (int i = 0; i < count; i++) {
                HostMemory.i64(to + 8L * (1 + i), (start[i] - start[0]) / word);
                HostMemory.i64(to + 8L * (1 + MOST + i), from[i]);
                HostMemory.i64(to + 8L * (1 + 2 * MOST + i), row[i] / word);
                HostMemory.i64(to + 8L * (1 + 3 * MOST + i), step[i] == width ? 1 : step[i] / word);
            }
            launch.pointer(target + start[0]).over(kernel(word), context.unrolled(rows * words, 4));
            count = 0;
        }
    }

    private Kernel kernel(int word) {
        int kind = Words.kind(word);
        if (kernels[kind] == null) {
            kernels[kind] = context.kernels().get("concat", define("T", Words.type(word)), "concat");
        }
        return kernels[kind];
    }
}
