package dev.gramian.cuda;

import dev.gramian.core.DeviceException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import java.util.Arrays;

/**
 * Some operands of one shape as a kernel walks them: sizes and a stride per operand, in elements, with axes of size 1
 * dropped and neighbours that step evenly in every operand merged. Contiguous operands are one axis. The same as struct
 * Axes of axes.cuh.
 */
final class Axes {
    /** Most axes after merging. */
    static final int MAX = 16;

    private final int rank;
    private final long[] sizes;
    private final long[][] strides;

    private Axes(int rank, long[] sizes, long[][] strides) {
        this.rank = rank;
        this.sizes = sizes;
        this.strides = strides;
    }

    /** Every layout must have {@code shape}, or broadcast to it. */
    static Axes of(String op, Shape shape, Layout... layouts) {
        long[][] steps = new long[layouts.length][];
        for (int k = 0; k < steps.length; k++) {
            steps[k] = steps(shape, layouts[k]);
        }
        return of(op, shape.toArray(), steps);
    }

    /** {@code steps[k][i]}: elements that operand k moves along axis i. */
    static Axes of(String op, long[] shape, long[]... steps) {
        Axes a = any(shape, steps);
        if (a.rank > MAX) {
            throw new DeviceException(op + ": too many axes for a CUDA kernel; " + Arrays.toString(shape) + " has "
                    + a.rank + " that do not merge; copy operands with contiguous(), or use at most " + MAX);
        }
        return a;
    }

    /** Elements that an operand broadcast to {@code shape} moves along each axis. */
    static long[] steps(Shape shape, Layout layout) {
        long[] steps = new long[shape.rank()];
        int lead = shape.rank() - layout.rank();
        for (int i = lead; i < steps.length; i++) {
            steps[i] = layout.shape().at(i - lead) == 1 ? 0 : layout.stride(i - lead);
        }
        return steps;
    }

    /** As {@link #of}, with any number of axes: more than {@link #MAX} are for callers that take some off. */
    static Axes any(long[] shape, long[]... steps) {
        int n = steps.length;
        int full = shape.length;
        long[] sizes = new long[full + 1];
        long[][] strides = new long[n][full + 1];
        int r = 0;
        for (int i = 0; i < full; i++) {
            long d = shape[i];
            if (d == 1) {
                continue;
            }
            boolean merge = r > 0;
            for (int k = 0; k < n && merge; k++) {
                merge = strides[k][r - 1] == steps[k][i] * d;
            }
            if (merge) {
                r--;
            } else {
                sizes[r] = 1;
            }
            sizes[r] *= d;
            for (int k = 0; k < n; k++) {
                strides[k][r] = steps[k][i];
            }
            r++;
        }
        if (r == 0) {
            sizes[r++] = 1;
        }
        return new Axes(r, sizes, strides);
    }

    /** One axis. */
    static Axes row(long size, long... steps) {
        long[][] strides = new long[steps.length][1];
        for (int k = 0; k < steps.length; k++) {
            strides[k][0] = steps[k];
        }
        return new Axes(1, new long[] {size}, strides);
    }

    /** The axes in another order, axis i being {@code order[i]} of these; neighbours that now step evenly merge. */
    Axes reordered(int... order) {
        long[] d = new long[order.length];
        long[][] s = new long[strides.length][order.length];
        for (int i = 0; i < order.length; i++) {
            d[i] = sizes[order[i]];
            for (int k = 0; k < s.length; k++) {
                s[k][i] = strides[k][order[i]];
            }
        }
        return any(d, s);
    }

    /** All but the first axis. */
    Axes inner() {
        long[][] s = new long[strides.length][];
        for (int k = 0; k < s.length; k++) {
            s[k] = Arrays.copyOfRange(strides[k], 1, rank);
        }
        return new Axes(rank - 1, Arrays.copyOfRange(sizes, 1, rank), s);
    }

    /** The last axis in steps of {@code n} elements, which goes if one is all; what is left over is dropped. */
    Axes packs(int n) {
        long[] d = Arrays.copyOf(sizes, rank);
        d[rank - 1] /= n;
        if (d[rank - 1] == 1 && rank > 1) {
            long[][] outer = new long[strides.length][];
            for (int k = 0; k < outer.length; k++) {
                outer[k] = Arrays.copyOf(strides[k], rank - 1);
            }
            return new Axes(rank - 1, Arrays.copyOf(sizes, rank - 1), outer);
        }
        long[][] s = new long[strides.length][];
        for (int k = 0; k < s.length; k++) {
            s[k] = Arrays.copyOf(strides[k], rank);
            s[k][rank - 1] *= n;
        }
        return new Axes(rank, d, s);
    }

    int operands() {
        return strides.length;
    }

    int rank() {
        return rank;
    }

    long size(int axis) {
        return sizes[axis];
    }

    long stride(int operand, int axis) {
        return strides[operand][axis];
    }

    /** Product of the sizes of the first {@code n} axes. */
    long count(int n) {
        long c = 1;
        for (int i = 0; i < n; i++) {
            c *= sizes[i];
        }
        return c;
    }

    /** True if the operand is read in memory order, element after element. */
    boolean contiguous(int operand) {
        return rank == 1 && (strides[operand][0] == 1 || sizes[0] == 1);
    }

    boolean allContiguous() {
        for (int k = 0; k < strides.length; k++) {
            if (!contiguous(k)) {
                return false;
            }
        }
        return true;
    }

    /** True if an operand's strides along the first {@code n} axes are all multiples of {@code unit}. */
    boolean multiples(int operand, int n, long unit) {
        for (int i = 0; i < n; i++) {
            if (strides[operand][i] % unit != 0) {
                return false;
            }
        }
        return true;
    }

    /** Size of the struct. */
    int bytes() {
        return 8 * (1 + MAX * (2 + strides.length));
    }

    /** Writes the struct. */
    void write(long address) {
        HostMemory.i64(address, rank);
        long at = address + 8;
        for (int i = 0; i < rank; i++) {
            HostMemory.i64(at + 8L * i, sizes[i]);
            HostMemory.i64(at + 8L * (MAX + i), divisor(sizes[i]));
        }
        at += 8L * MAX;
        for (long[] s : strides) {
            at += 8L * MAX;
            for (int i = 0; i < rank; i++) {
                HostMemory.i64(at + 8L * i, s[i]);
            }
        }
    }

    /** A size as divide of axes.cuh takes it, to divide numbers below 2^31 by it. */
    static long divisor(long d) {
        if (d <= 1 || d > Integer.MAX_VALUE) {
            return 0;
        }
        int s = 64 - Long.numberOfLeadingZeros(d - 1);
        return Math.ceilDiv(1L << 31 + s, d) | (long) (s - 1) << 32;
    }
}
