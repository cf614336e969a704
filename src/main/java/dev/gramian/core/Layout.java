package dev.gramian.core;

import java.util.Arrays;

/**
 * Where a tensor's elements lie in its storage: a shape, a stride per axis and an offset, all in elements. A pure value;
 * every view operation (transpose, slice, expand, ...) is one more layout over the same bytes.
 *
 * <p>Strides may be negative (reversed slices) or zero (expanded axes). Axis arguments may be negative, counting from
 * the end, where a method takes an {@code op} name for its errors.
 */
public final class Layout {
    private final Shape shape;
    private final long[] strides;
    private final long offset;
    private final boolean contiguous;

    private Layout(Shape shape, long[] strides, long offset, boolean contiguous) {
        this.shape = shape;
        this.strides = strides;
        this.offset = offset;
        this.contiguous = contiguous;
    }

    private static Layout of(Shape shape, long[] strides, long offset) {
        // an empty layout has no element to point at: moved along its other axes, an offset would leave the storage
        return new Layout(shape, strides, shape.size() == 0 ? 0 : offset, isRowMajor(shape, strides));
    }

    /** Row-major (C order) from offset 0. */
    public static Layout contiguous(Shape shape) {
        return new Layout(shape, rowMajor(shape), 0, true);
    }

    /** Column-major (Fortran order) from offset 0, the first axis running fastest. */
    public static Layout columnMajor(Shape shape) {
        long[] strides = new long[shape.rank()];
        long s = 1;
        for (int i = 0; i < strides.length; i++) {
            strides[i] = s;
            s *= Math.max(1, shape.at(i));
        }
        return of(shape, strides, 0);
    }

    private static long[] rowMajor(Shape shape) {
        long[] strides = new long[shape.rank()];
        long s = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            strides[i] = s;
            s *= Math.max(1, shape.at(i));
        }
        return strides;
    }

    private static boolean isRowMajor(Shape shape, long[] strides) {
        if (shape.size() == 0) {
            return true;
        }
        long expected = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            long d = shape.at(i);
            if (d != 1) {
                if (strides[i] != expected) {
                    return false;
                }
                expected *= d;
            }
        }
        return true;
    }

    public Shape shape() {
        return shape;
    }

    public int rank() {
        return strides.length;
    }

    public long size() {
        return shape.size();
    }

    /** Stride of the axis at {@code index >= 0}, in elements. */
    public long stride(int index) {
        return strides[index];
    }

    public long[] strides() {
        return strides.clone();
    }

    /** Element index of the element at all-zero coordinates; 0 for an empty view. */
    public long offset() {
        return offset;
    }

    /** True if the elements lie row-major without gaps from {@link #offset} on; axes of size 1 do not count. */
    public boolean isContiguous() {
        return contiguous;
    }

    /** Smallest element index any coordinate reaches; {@link #offset} for an empty layout. */
    public long first() {
        long f = offset;
        if (!contiguous) {
            for (int i = 0; i < strides.length; i++) {
                f += Math.min(0, strides[i] * (shape.at(i) - 1));
            }
        }
        return f;
    }

    /** One past the largest element index any coordinate reaches; {@link #first} for an empty layout. */
    public long end() {
        if (contiguous) {
            return offset + size();
        }
        long e = offset;
        for (int i = 0; i < strides.length; i++) {
            e += Math.max(0, strides[i] * (shape.at(i) - 1));
        }
        return e + 1;
    }

    /** Element index of the coordinates, which must be in range and as many as axes. */
    public long index(long... coordinates) {
        if (coordinates.length != strides.length) {
            throw new ShapeException("get: " + coordinates.length + " coordinates for " + strides.length + " axes; x "
                    + shape + "; name one per axis");
        }
        long at = offset;
        for (int i = 0; i < strides.length; i++) {
            at += wrap("get", coordinates[i], i) * strides[i];
        }
        return at;
    }

    private long wrap(String op, long index, int axis) {
        long n = shape.at(axis);
        long i = index < 0 ? index + n : index;
        if (i < 0 || i >= n) {
            throw new ShapeException(op + ": index " + index + " is out of range; axis " + axis + " of x " + shape
                    + " has size " + n + "; "
                    + (n == 0 ? "an empty axis has none" : "use " + -n + " to " + (n - 1)));
        }
        return i;
    }

    // ---- views -----------------------------------------------------------------------------------------------------

    /** Exchanges two axes. */
    public Layout transpose(int a, int b) {
        int i = shape.axis("transpose", a);
        int j = shape.axis("transpose", b);
        long[] d = shape.toArray();
        long[] s = strides.clone();
        d[i] = shape.at(j);
        d[j] = shape.at(i);
        s[i] = strides[j];
        s[j] = strides[i];
        return of(Shape.owned(d), s, offset);
    }

    /** Axis {@code i} of the result is axis {@code order[i]} of this. */
    public Layout permute(int... order) {
        if (order.length != strides.length) {
            throw new ShapeException("permute: " + order.length + " axes named for " + strides.length + "; order "
                    + Arrays.toString(order) + ", x " + shape + "; name each axis once");
        }
        shape.axes("permute", order);
        long[] d = new long[order.length];
        long[] s = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            int from = shape.axis("permute", order[i]);
            d[i] = shape.at(from);
            s[i] = strides[from];
        }
        return of(Shape.owned(d), s, offset);
    }

    /**
     * Elements {@code start, start + step, ...} before {@code stop} of one axis, by Python's rule: negative bounds count
     * from the end, bounds beyond the axis are clamped (so {@link Long#MIN_VALUE} and {@link Long#MAX_VALUE} mean "all
     * the way"), a negative step runs backwards.
     */
    public Layout slice(int axis, long start, long stop, long step) {
        int a = shape.axis("slice", axis);
        if (step == 0 || step == Long.MIN_VALUE) {
            throw new ShapeException("slice: step is " + step + "; axis " + axis + " of x " + shape
                    + "; use a step other than 0, negative to run backwards");
        }
        long n = shape.at(a);
        long low = step > 0 ? 0 : -1;
        long high = step > 0 ? n : n - 1;
        long from = clamp(start, n, low, high);
        long to = clamp(stop, n, low, high);
        long count;
        if (step > 0) {
            count = to > from ? (to - from - 1) / step + 1 : 0;
        } else {
            count = from > to ? (from - to - 1) / -step + 1 : 0;
        }
        long[] s = strides.clone();
        // with at most one element the stride is never used; keeping it avoids an overflow of stride * step
        s[a] = count > 1 ? strides[a] * step : strides[a];
        return of(shape.with(a, count), s, count > 0 ? offset + from * strides[a] : offset);
    }

    private static long clamp(long bound, long n, long low, long high) {
        long b = bound < 0 ? bound + n : bound;
        return Math.max(low, Math.min(high, b));
    }

    /** The sub-tensor at {@code index} of {@code axis}, which disappears. */
    public Layout select(int axis, long index) {
        int a = shape.axis("select", axis);
        long i = wrap("select", index, a);
        return of(shape.without(a), without(strides, a), offset + i * strides[a]);
    }

    /** Drops an axis of size 1. */
    public Layout squeeze(int axis) {
        int a = shape.axis("squeeze", axis);
        if (shape.at(a) != 1) {
            throw new ShapeException("squeeze: axis " + axis + " has size " + shape.at(a) + "; x " + shape
                    + "; only axes of size 1 can go");
        }
        return of(shape.without(a), without(strides, a), offset);
    }

    /** Drops every axis of size 1. */
    public Layout squeeze() {
        int n = 0;
        long[] d = new long[strides.length];
        long[] s = new long[strides.length];
        for (int i = 0; i < strides.length; i++) {
            if (shape.at(i) != 1) {
                d[n] = shape.at(i);
                s[n++] = strides[i];
            }
        }
        return of(Shape.owned(Arrays.copyOf(d, n)), Arrays.copyOf(s, n), offset);
    }

    /** Inserts an axis of size 1 before {@code axis}; -1 appends it. */
    public Layout unsqueeze(int axis) {
        int rank = strides.length;
        int a = axis < 0 ? axis + rank + 1 : axis;
        if (a < 0 || a > rank) {
            throw new ShapeException("unsqueeze: position " + axis + " does not exist; x " + shape + "; use "
                    + (-rank - 1) + " to " + rank);
        }
        long[] d = new long[rank + 1];
        long[] s = new long[rank + 1];
        for (int i = 0; i <= rank; i++) {
            d[i] = i < a ? shape.at(i) : i == a ? 1 : shape.at(i - 1);
            s[i] = i < a ? strides[i] : i == a ? 0 : strides[i - 1];
        }
        return of(Shape.owned(d), s, offset);
    }

    /** Repeats axes of size 1 (and new leading axes) by stride 0 to reach {@code target}. */
    public Layout expand(String op, Shape target) {
        if (shape.equals(target)) {
            return this;
        }
        if (!shape.broadcastsTo(target)) {
            throw new ShapeException(op + ": x does not expand; x " + shape + ", target " + target
                    + "; only axes of size 1 repeat, aligned from the last axis");
        }
        int lead = target.rank() - strides.length;
        long[] s = new long[target.rank()];
        for (int i = lead; i < s.length; i++) {
            s[i] = shape.at(i - lead) == target.at(i) ? strides[i - lead] : 0;
        }
        return of(target, s, offset);
    }

    /**
     * The diagonal of two axes, appended as the last axis; {@code k > 0} lies above the main one, as NumPy's
     * {@code diagonal(offset=k)}.
     */
    public Layout diagonal(long k, int axis1, int axis2) {
        int r = shape.axis("diagonal", axis1);
        int c = shape.axis("diagonal", axis2);
        if (r == c) {
            throw new ShapeException(
                    "diagonal: both axes are " + r + "; x " + shape + "; name two different axes");
        }
        long rows = k < 0 ? shape.at(r) + k : shape.at(r);
        long cols = k > 0 ? shape.at(c) - k : shape.at(c);
        long n = Math.max(0, Math.min(rows, cols));
        long at = n == 0 ? offset : offset + (k < 0 ? -k * strides[r] : k * strides[c]);
        int rank = strides.length;
        long[] d = new long[rank - 1];
        long[] s = new long[rank - 1];
        int j = 0;
        for (int i = 0; i < rank; i++) {
            if (i != r && i != c) {
                d[j] = shape.at(i);
                s[j++] = strides[i];
            }
        }
        d[j] = n;
        s[j] = strides[r] + strides[c];
        return of(Shape.owned(d), s, at);
    }

    /**
     * The same elements in the same row-major order under another shape, or {@code null} where no strides describe that
     * without copying. Sizes must agree ({@link #reshapeTarget}).
     */
    public Layout reshape(Shape target) {
        if (shape.equals(target)) {
            return this;
        }
        if (contiguous) {
            return new Layout(target, rowMajor(target), offset, true);
        }
        // Walk both shapes from the last axis; each run of old axes that steps evenly may be split and merged freely.
        long[] s = new long[target.rank()];
        int old = strides.length - 1;
        int now = target.rank() - 1;
        while (old >= 0 || now >= 0) {
            if (old >= 0 && shape.at(old) == 1) {
                old--;
                continue;
            }
            if (now >= 0 && target.at(now) == 1) {
                s[now--] = 1;
                continue;
            }
            long unit = strides[old];
            long have = shape.at(old);
            long want = target.at(now);
            s[now] = unit;
            long inner = target.at(now);
            while (have != want) {
                if (have < want) {
                    old--;
                    if (strides[old] != unit * have && shape.at(old) != 1) {
                        return null;
                    }
                    have *= shape.at(old);
                } else {
                    now--;
                    s[now] = unit * inner;
                    inner *= target.at(now);
                    want *= target.at(now);
                }
            }
            old--;
            now--;
        }
        return of(target, s, offset);
    }

    /** Fills in one -1 and checks that the element counts agree. */
    public static Shape reshapeTarget(Shape from, long... sizes) {
        int unknown = -1;
        long known = 1;
        boolean overflow = false;
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] == -1) {
                if (unknown >= 0) {
                    throw new ShapeException("reshape: two sizes are -1; x " + from + ", target "
                            + Arrays.toString(sizes) + "; at most one size can be worked out");
                }
                unknown = i;
            } else if (sizes[i] < 0) {
                throw new ShapeException("reshape: size " + sizes[i] + " is negative; x " + from + ", target "
                        + Arrays.toString(sizes) + "; use -1 for one size to be worked out");
            } else {
                overflow |= sizes[i] != 0 && known > Long.MAX_VALUE / sizes[i];
                known *= sizes[i];
            }
        }
        long[] d = sizes.clone();
        boolean fits = !overflow;
        if (unknown >= 0) {
            fits &= known != 0 && from.size() % known == 0;
            d[unknown] = fits ? from.size() / known : 0;
        } else {
            fits &= known == from.size();
        }
        if (!fits) {
            throw new ShapeException("reshape: " + from.size() + " elements do not fill the target; x " + from
                    + ", target " + Arrays.toString(sizes) + "; the products of the sizes must be equal");
        }
        return Shape.owned(d);
    }

    private static long[] without(long[] a, int i) {
        long[] r = new long[a.length - 1];
        System.arraycopy(a, 0, r, 0, i);
        System.arraycopy(a, i + 1, r, i, r.length - i);
        return r;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Layout l
                && offset == l.offset
                && shape.equals(l.shape)
                && Arrays.equals(strides, l.strides);
    }

    @Override
    public int hashCode() {
        return (shape.hashCode() * 31 + Arrays.hashCode(strides)) * 31 + Long.hashCode(offset);
    }

    @Override
    public String toString() {
        return shape + " strides " + Arrays.toString(strides) + " offset " + offset;
    }
}
