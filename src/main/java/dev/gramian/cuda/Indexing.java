package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.DType;
import dev.gramian.core.IndexRange;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.View;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.driver.JCudaDriver;

/**
 * Gathering by index, of every element type and layout. The index is checked before anything is moved, for which the host
 * waits; an index that changes afterwards cannot lead outside x.
 */
final class Indexing {
    /** Up to so many entries one block checks an index: a second block needs the result to be set before. */
    private static final long ONE_BLOCK = 32 << 10;

    private static final int MOST_THREADS = 1024;

    private final CudaContext context;
    /** By whether the index is I64. */
    private final Kernel[] check = new Kernel[2];
    /** By whether the index is I64 and {@link Words#kind}. */
    private final Kernel[][] take = new Kernel[2][Words.KINDS];

    Indexing(CudaContext context) {
        this.context = context;
    }

    /** In: x, index of one axis. Out: x with the axis replaced by the index's entries. */
    void gather(Lane lane, Op.Gather op, View x, View index, View out) {
        check(lane, "gather", x, op.axis(), index);
        long[] along = new long[x.shape().rank()];
        along[op.axis()] = index.layout().stride(0);
        take(lane, "gather", x, op.axis(), index, along, out);
    }

    /** In: x, index of x's rank. Out: of the index's shape, at each place the entry of x's axis named there. */
    void takeAlongAxis(Lane lane, Op.TakeAlongAxis op, View x, View index, View out) {
        check(lane, "takeAlongAxis", x, op.axis(), index);
        take(lane, "takeAlongAxis", x, op.axis(), index, index.layout().strides(), out);
    }

    private void check(Lane lane, String op, View x, int axis, View index) {
        long n = index.shape().size();
        if (n == 0) {
            return;
        }
        int wide = index.dtype() == DType.I64 ? 1 : 0;
        if (check[wide] == null) {
            check[wide] = context.kernels().get("index", define("I", wide == 1 ? "i64" : "i32"), "first_bad");
        }
        long bad;
        CudaStorage first = lane.temporary(op, 8);
        try {
            if (n > ONE_BLOCK) {
                Status.driver(JCudaDriver.cuMemsetD8Async(Pointers.device(first.address), (byte) -1, 8,
                        lane.stream()), "cuMemsetD8Async, check of an index");
            }
            Launch launch = lane.launch().i64(n).axes(Axes.of(op, index.shape(), index.layout())).pointer(index)
                    .i64(x.shape().at(axis)).pointer(first.address);
            if (n > ONE_BLOCK) {
                launch.over(check[wide], n);
            } else {
                launch.run(check[wide], 1, 1, 1, (int) Math.min(MOST_THREADS, Math.ceilDiv(n, 32) * 32), 0);
            }
            bad = lane.readLong(first.address, "check of an index");
        } finally {
            lane.free(first);
        }
        if (bad != -1) {
            throw IndexRange.outside(op, x.shape(), axis, index.shape(), entry(lane, index, bad), bad);
        }
    }

    /** The entry at a row-major position. */
    private static long entry(Lane lane, View index, long position) {
        Layout l = index.layout();
        long at = 0;
        for (int i = l.rank() - 1; i >= 0; i--) {
            at += position % l.shape().at(i) * l.stride(i);
            position /= l.shape().at(i);
        }
        int width = index.dtype().bytes();
        byte[] bytes = new byte[width];
        lane.transfers().download(CudaStorage.address(index) + at * width, MemorySegment.ofArray(bytes));
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        return width == 8 ? b.getLong() : b.getInt();
    }

    /** {@code along}: elements that the index moves along each axis of out. */
    private void take(Lane lane, String op, View x, int axis, View index, long[] along, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        int width = x.dtype().bytes();
        long[] steps = x.layout().strides();
        long step = steps[axis];
        steps[axis] = 0;
        Axes axes = Axes.of(op, out.shape().toArray(), steps, along);
        int word = width;
        int last = axes.rank() - 1;
        if (axes.stride(0, last) == 1 && axes.stride(1, last) == 0) {
            // each entry names at least this run
            long places = CudaStorage.address(x) | CudaStorage.address(out) | axes.size(last) * width | step * width;
            for (int i = 0; i < last; i++) {
                places |= axes.stride(0, i) * width;
            }
            word = Words.bytes(places);
            axes = words(op, axes, word / width);
        }
        long count = out.shape().size() * width / word;
        Kernel kernel = kernel(index.dtype() == DType.I64 ? 1 : 0, word);
        lane.launch().i64(count).axes(axes).pointer(x).pointer(index).i64(x.shape().at(axis))
                .i64(step * width / word).pointer(out).over(kernel, context.unrolled(count, 4));
    }

    /** The same walk by words of so many elements of operand 0, whose last stride is 1. */
    private static Axes words(String op, Axes a, int elements) {
        int last = a.rank() - 1;
        long[] sizes = new long[last + 1];
        long[] x = new long[last + 1];
        long[] index = new long[last + 1];
        for (int i = 0; i <= last; i++) {
            sizes[i] = a.size(i);
            x[i] = a.stride(0, i) / elements;
            index[i] = a.stride(1, i);
        }
        sizes[last] /= elements;
        x[last] = 1;
        return Axes.of(op, sizes, x, index);
    }

    private Kernel kernel(int wide, int word) {
        int kind = Words.kind(word);
        Kernel k = take[wide][kind];
        if (k == null) {
            k = context.kernels().get("index",
                    define("I", wide == 1 ? "i64" : "i32") + define("T", Words.type(word)), "take");
            take[wide][kind] = k;
        }
        return k;
    }
}
