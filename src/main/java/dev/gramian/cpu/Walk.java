package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Some axes of a view as one sequence: sizes and byte strides with axes of size 1 dropped and axes that step evenly
 * merged, so that a contiguous tensor is one axis. Never without an axis; a single element is one axis of size 1.
 */
final class Walk {
    final long size;
    private final long[] dims;
    private final long[] steps;
    /** Byte distance of element 0 from the view's own first element. */
    private final long shift;

    private Walk(long size, long[] dims, long[] steps, long shift) {
        this.size = size;
        this.dims = dims;
        this.steps = steps;
        this.shift = shift;
    }

    /** The axes in the order given, row-major. */
    static Walk of(View v, int... axes) {
        return of(v, false, axes);
    }

    /** The axes in the order that memory has them, for work that does not care which element comes first. */
    static Walk anyOrder(View v, int... axes) {
        return of(v, true, axes);
    }

    private static Walk of(View v, boolean anyOrder, int[] axes) {
        int width = v.dtype().bytes();
        long[] d = new long[axes.length + 1];
        long[] s = new long[axes.length + 1];
        long size = 1;
        long shift = 0;
        int n = 0;
        for (int axis : axes) {
            long dim = v.shape().at(axis);
            size *= dim;
            if (dim == 1) {
                continue;
            }
            long step = v.layout().stride(axis) * width;
            if (!anyOrder) {
                d[n] = dim;
                s[n++] = step;
                continue;
            }
            if (step < 0 && dim > 0) {
                shift += step * (dim - 1);
                step = -step;
            }
            // largest step outermost, repeated elements (step 0) outside of all
            int i = n++;
            for (; i > 0 && (step == 0 || s[i - 1] != 0 && s[i - 1] < step); i--) {
                d[i] = d[i - 1];
                s[i] = s[i - 1];
            }
            d[i] = dim;
            s[i] = step;
        }
        int m = 0;
        for (int i = 0; i < n; i++) {
            if (m > 0 && s[m - 1] == d[i] * s[i]) {
                d[m - 1] *= d[i];
                s[m - 1] = s[i];
            } else {
                d[m] = d[i];
                s[m++] = s[i];
            }
        }
        if (m == 0) {
            d[0] = 1;
            s[0] = width;
            m = 1;
        }
        return new Walk(size, Arrays.copyOf(d, m), Arrays.copyOf(s, m), shift);
    }

    /** Bytes from one element to the next within a run. */
    long step() {
        return steps[steps.length - 1];
    }

    /** Elements that step evenly, a power of the innermost axis. */
    long run() {
        return dims[dims.length - 1];
    }

    /** True if all elements step evenly. */
    boolean isEven() {
        return dims.length == 1;
    }

    /** Byte distance of element {@code index} from the view's first. */
    long offset(long index) {
        long at = shift;
        for (int i = dims.length - 1; i > 0; i--) {
            long q = index / dims[i];
            at += (index - q * dims[i]) * steps[i];
            index = q;
        }
        return at + index * steps[0];
    }

    /** Elements {@code from} to {@code from + n}, the view's first at {@code base}, to a block as {@link Gather} has them. */
    void read(boolean vector, DType type, long base, long from, long n, long to) {
        int width = Gather.block(type).bytes();
        while (n > 0) {
            long left = Math.min(n, run() - from % run());
            Gather.read(vector, type, base + offset(from), step(), left, to);
            from += left;
            n -= left;
            to += left * width;
        }
    }
}
