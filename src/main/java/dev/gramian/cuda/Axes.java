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
        long[][] steps = new long[layouts.length][shape.rank()];
        for (int k = 0; k < steps.length; k++) {
            int lead = shape.rank() - layouts[k].rank();
            for (int i = lead; i < shape.rank(); i++) {
                steps[k][i] = layouts[k].shape().at(i - lead) == 1 ? 0 : layouts[k].stride(i - lead);
            }
        }
        return of(op, shape.toArray(), steps);
    }

    /** {@code steps[k][i]}: elements that operand k moves along axis i. */
    static Axes of(String op, long[] shape, long[]... steps) {
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
        if (r > MAX) {
            throw new DeviceException(op + ": too many axes for a CUDA kernel; " + Arrays.toString(shape) + " has " + r
                    + " that do not merge; copy operands with contiguous(), or use at most " + MAX);
        }
        return new Axes(r, sizes, strides);
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
