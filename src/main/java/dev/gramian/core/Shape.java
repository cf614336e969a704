package dev.gramian.core;

import java.util.Arrays;

/**
 * Sizes of a tensor's axes. Immutable; rank 0 is a scalar with one element; any axis may be empty.
 */
public final class Shape {
    /** Rank 0, one element. */
    public static final Shape SCALAR = new Shape(new long[0], 1);

    /** Most elements a shape may have, so that byte counts of 8-byte elements cannot overflow a long. */
    private static final long MAX_SIZE = Long.MAX_VALUE / 16;

    private final long[] dims;
    private final long size;

    private Shape(long[] dims, long size) {
        this.dims = dims;
        this.size = size;
    }

    /** A shape of the given axis sizes; {@link ShapeException} on a negative size or more than 2^59 elements. */
    public static Shape of(long... dims) {
        return dims.length == 0 ? SCALAR : owned(dims.clone());
    }

    /** As {@link #of} without the defensive copy; the caller gives the array away. */
    static Shape owned(long[] dims) {
        long size = 1;
        boolean empty = false;
        for (int i = 0; i < dims.length; i++) {
            long d = dims[i];
            if (d < 0) {
                throw new ShapeException(
                        "shape: size of axis " + i + " is negative; " + Arrays.toString(dims)
                                + "; sizes are 0 or more");
            }
            if (d == 0) {
                empty = true;
            } else if (size > MAX_SIZE / d) {
                throw new ShapeException("shape: too many elements; " + Arrays.toString(dims) + "; at most 2^59 fit");
            } else {
                size *= d;
            }
        }
        return new Shape(dims, empty ? 0 : size);
    }

    public int rank() {
        return dims.length;
    }

    /** Number of elements: the product of all sizes, 1 for rank 0. */
    public long size() {
        return size;
    }

    /** Size of an axis; negative axes count from the end. */
    public long dim(int axis) {
        return dims[axis("dim", axis)];
    }

    /** Size of the axis at {@code index >= 0}, unchecked form for kernels and planners. */
    public long at(int index) {
        return dims[index];
    }

    public long[] toArray() {
        return dims.clone();
    }

    /** Index of {@code axis} counted from the front, or a {@link ShapeException} that speaks for {@code op}. */
    public int axis(String op, int axis) {
        int rank = dims.length;
        int a = axis < 0 ? axis + rank : axis;
        if (a < 0 || a >= rank) {
            throw new ShapeException(op + ": axis " + axis + " does not exist; x " + this + " has " + rank
                    + (rank == 1 ? " axis" : " axes") + "; "
                    + (rank == 0 ? "a scalar has none to name" : "use " + -rank + " to " + (rank - 1)));
        }
        return a;
    }

    /** Axes counted from the front, ascending; none given means all. Repeats are an error. */
    public int[] axes(String op, int... axes) {
        int rank = dims.length;
        int[] result;
        if (axes.length == 0) {
            result = new int[rank];
            for (int i = 0; i < rank; i++) {
                result[i] = i;
            }
            return result;
        }
        result = new int[axes.length];
        for (int i = 0; i < axes.length; i++) {
            result[i] = axis(op, axes[i]);
        }
        Arrays.sort(result);
        for (int i = 1; i < result.length; i++) {
            if (result[i] == result[i - 1]) {
                throw new ShapeException(op + ": axis " + result[i] + " is named twice; axes " + Arrays.toString(axes)
                        + " of x " + this + "; name each axis once");
            }
        }
        return result;
    }

    /** This shape with {@code size} at {@code axis} (counted from the front). */
    public Shape with(int axis, long size) {
        long[] d = dims.clone();
        d[axis] = size;
        return owned(d);
    }

    /** This shape without {@code axis} (counted from the front). */
    public Shape without(int axis) {
        long[] d = new long[dims.length - 1];
        System.arraycopy(dims, 0, d, 0, axis);
        System.arraycopy(dims, axis + 1, d, axis, d.length - axis);
        return owned(d);
    }

    /** Axes {@code from} (inclusive) to {@code to} (exclusive), counted from the front. */
    public Shape slice(int from, int to) {
        return owned(Arrays.copyOfRange(dims, from, to));
    }

    /** This shape followed by {@code more} axes. */
    public Shape plus(long... more) {
        long[] d = Arrays.copyOf(dims, dims.length + more.length);
        System.arraycopy(more, 0, d, dims.length, more.length);
        return owned(d);
    }

    /**
     * The common shape of two operands by NumPy's rule: aligned from the last axis, sizes equal or one of them 1.
     */
    public static Shape broadcast(String op, Shape a, Shape b) {
        if (Arrays.equals(a.dims, b.dims)) {
            return a;
        }
        int rank = Math.max(a.rank(), b.rank());
        long[] d = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long x = i <= a.rank() ? a.dims[a.rank() - i] : 1;
            long y = i <= b.rank() ? b.dims[b.rank() - i] : 1;
            if (x != y && x != 1 && y != 1) {
                throw new ShapeException(
                        op + ": shapes do not broadcast: axis " + -i + " is " + x + " and " + y + "; a "
                                + a + ", b " + b + "; sizes must be equal or 1, aligned from the last axis");
            }
            d[rank - i] = x == 1 ? y : x;
        }
        return owned(d);
    }

    /** True if this shape broadcasts to {@code target} without changing it. */
    public boolean broadcastsTo(Shape target) {
        if (rank() > target.rank()) {
            return false;
        }
        for (int i = 1; i <= rank(); i++) {
            long d = dims[rank() - i];
            if (d != 1 && d != target.dims[target.rank() - i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Shape s && Arrays.equals(dims, s.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /** As NumPy and PyTorch users read it: {@code [2, 8, 128, 64]}, {@code []} for a scalar. */
    @Override
    public String toString() {
        return Arrays.toString(dims);
    }
}
