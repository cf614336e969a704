package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.IndexRange;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Gather, take-along-axis and concat of every element type and layout into contiguous results. Indices count from the
 * end where negative; all are checked before the first byte is written ({@link ShapeException}) and once more where they
 * are used, so that an index changed meanwhile by another thread cannot lead outside x.
 */
final class Indexing {
    /** Bytes below which a part is not worth another thread. */
    private static final long GRAIN_BYTES = 128 << 10;

    private final Workers workers;

    Indexing(Workers workers) {
        this.workers = workers;
    }

    /** In: x, index of one axis. Out: x with {@code axis} replaced by the index's entries. */
    void gather(Op.Gather op, View x, View index, View out) {
        int axis = op.axis();
        Checked rows = new Checked("gather", x, axis, index);
        rows.checkAll();
        if (out.layout().size() == 0) {
            return;
        }
        Layout inner = tail(x.layout(), axis + 1);
        if (inner.isContiguous() && inner.size() > 1) {
            blocks(x, axis, rows, out, inner.size());
            return;
        }
        long[] step = new long[x.shape().rank()];
        step[axis] = index.layout().stride(0) * index.dtype().bytes();
        elements(x, axis, rows, step, out);
    }

    /** In: x, index of x's rank. Out: of the index's shape, at each place the entry of x's axis named there. */
    void takeAlongAxis(Op.TakeAlongAxis op, View x, View index, View out) {
        Checked rows = new Checked("takeAlongAxis", x, op.axis(), index);
        rows.checkAll();
        if (out.layout().size() > 0) {
            elements(x, op.axis(), rows, Odometer.bytes(index.layout(), index.dtype()), out);
        }
    }

    /** In: tensors equal off {@code axis}. Out: them side by side along it. */
    void concat(Op.Concat op, View[] in, View out) {
        int axis = op.axis();
        int width = out.dtype().bytes();
        long[] to = Odometer.bytes(out.layout(), out.dtype());
        long at = CpuStorage.address(out);
        for (View x : in) {
            long target = at;
            long from = CpuStorage.address(x);
            long[] strides = Odometer.bytes(x.layout(), x.dtype());
            workers.parallelFor(x.layout().size(), GRAIN_BYTES / width, (first, last) -> {
                Odometer o = new Odometer(x.shape(), strides, to);
                o.seek(first);
                for (long i = first; i < last;) {
                    long n = Math.min(o.run(), last - i);
                    Moves.elements(width, from + o.at(0), o.step(0), target + o.at(1), o.step(1), n);
                    o.advance(n);
                    i += n;
                }
            });
            at += x.shape().at(axis) * to[axis];
        }
    }

    /** Gather where everything behind the axis is one contiguous run: a lookup of rows. */
    private void blocks(View x, int axis, Checked rows, View out, long inner) {
        int width = x.dtype().bytes();
        long bytes = inner * width;
        long entries = rows.index.shape().at(0);
        Layout l = x.layout();
        Shape outer = x.shape().slice(0, axis);
        long[] outerStrides = Arrays.copyOf(Odometer.bytes(l, x.dtype()), axis);
        long rowStride = l.stride(axis) * width;
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        workers.parallelFor(outer.size() * entries, Math.max(1, GRAIN_BYTES / bytes), (first, last) -> {
            Odometer o = new Odometer(outer, outerStrides);
            o.seek(first / entries);
            long j = first % entries;
            for (long i = first; i < last; i++) {
                Moves.bytes(from + o.at(0) + rows.at(rows.address + j * rows.step) * rowStride, to + i * bytes, bytes);
                if (++j == entries) {
                    j = 0;
                    o.advance(1);
                }
            }
        });
    }

    /** Element by element; {@code indexStrides} in bytes for each axis of out. */
    private void elements(View x, int axis, Checked rows, long[] indexStrides, View out) {
        int width = x.dtype().bytes();
        long[] base = Odometer.bytes(x.layout(), x.dtype());
        long axisStride = base[axis];
        base[axis] = 0;
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        workers.parallelFor(out.layout().size(), GRAIN_BYTES / 8, (first, last) -> {
            Odometer o = new Odometer(out.shape(), base, indexStrides);
            o.seek(first);
            for (long i = first; i < last;) {
                long n = Math.min(o.run(), last - i);
                long index = rows.address + o.at(1);
                run(width, from + o.at(0), o.step(0), axisStride, rows, index, o.step(1), to + i * width, n);
                o.advance(n);
                i += n;
            }
        });
    }

    private static void run(
            int width, long from, long step, long axisStride, Checked rows, long index, long indexStep, long to,
            long n) {
        if (indexStep == 0) {
            Moves.elements(width, from + rows.at(index) * axisStride, step, to, width, n);
            return;
        }
        switch (width) {
            case 8 -> {
                for (long j = 0; j < n; j++) {
                    Mem.i64(to + j * 8, Mem.i64(from + j * step + rows.at(index + j * indexStep) * axisStride));
                }
            }
            case 4 -> {
                for (long j = 0; j < n; j++) {
                    Mem.i32(to + j * 4, Mem.i32(from + j * step + rows.at(index + j * indexStep) * axisStride));
                }
            }
            case 2 -> {
                for (long j = 0; j < n; j++) {
                    Mem.i16(to + j * 2, Mem.i16(from + j * step + rows.at(index + j * indexStep) * axisStride));
                }
            }
            default -> {
                for (long j = 0; j < n; j++) {
                    Mem.u8(to + j, Mem.u8(from + j * step + rows.at(index + j * indexStep) * axisStride));
                }
            }
        }
    }

    /** The layout of the axes from {@code axis} on. */
    private static Layout tail(Layout l, int axis) {
        Layout t = l;
        for (int i = 0; i < axis; i++) {
            t = t.select(0, 0);
        }
        return t;
    }

    /** An index view against the axis it names. */
    private final class Checked {
        private final String op;
        private final View x;
        private final int axis;
        private final View index;
        private final long entries;
        private final boolean wide;
        private final long address;
        private final long step;

        Checked(String op, View x, int axis, View index) {
            this.op = op;
            this.x = x;
            this.axis = axis;
            this.index = index;
            entries = x.shape().at(axis);
            wide = index.dtype() == DType.I64;
            address = CpuStorage.address(index);
            step = index.shape().rank() == 1 ? index.layout().stride(0) * index.dtype().bytes() : 0;
        }

        /** The entry, from the front, that the index at this address names. */
        long at(long address) {
            long v = wide ? Mem.i64(address) : Mem.i32(address);
            long i = v < 0 ? v + entries : v;
            if (i < 0 || i >= entries) {
                throw IndexRange.outside(op, x.shape(), axis, index.shape(), v, -1);
            }
            return i;
        }

        void checkAll() {
            Layout l = index.layout();
            long[] strides = Odometer.bytes(l, index.dtype());
            workers.parallelFor(l.size(), GRAIN_BYTES / 8, (first, last) -> {
                Odometer o = new Odometer(l.shape(), strides);
                o.seek(first);
                for (long i = first; i < last;) {
                    long n = Math.min(o.run(), last - i);
                    long at = address + o.at(0);
                    for (long j = 0; j < n; j++) {
                        long v = wide ? Mem.i64(at + j * o.step(0)) : Mem.i32(at + j * o.step(0));
                        if (v < -entries || v >= entries) {
                            throw IndexRange.outside(op, x.shape(), axis, index.shape(), v, i + j);
                        }
                    }
                    o.advance(n);
                    i += n;
                }
            });
        }
    }
}
