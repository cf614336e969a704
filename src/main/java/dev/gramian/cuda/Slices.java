package dev.gramian.cuda;

import dev.gramian.core.View;

/**
 * A tensor seen as slices along some of its axes, one for each place of the other axes: where slices begin, where their
 * results lie in a row-major tensor of the other axes, and how a slice's elements lie. Axes are in the order that memory
 * has them, so that neighbouring threads find neighbouring elements.
 */
final class Slices {
    /** Device address of the first element in the walks' order. */
    final long address;
    /** Number of slices. */
    final long count;
    /** Elements of a slice. */
    final long n;
    /** Over the slices; operand 0 is x, operand 1 the results. */
    final Axes kept;
    /** Over a slice's elements. */
    final Axes reduced;
    /** Smallest step of the walk over a slice that is not 0, in elements; {@link Long#MAX_VALUE} where there is none. */
    private final long near;

    private Slices(long address, long count, long n, Axes kept, Axes reduced, long near) {
        this.address = address;
        this.count = count;
        this.n = n;
        this.kept = kept;
        this.reduced = reduced;
        this.near = near;
    }

    /** Slices of x along {@code axes}; {@code ordered} where a slice's elements must stay in row-major order. */
    static Slices of(String op, View x, int[] axes, boolean ordered) {
        int rank = x.shape().rank();
        boolean[] along = new boolean[rank];
        for (int a : axes) {
            along[a] = true;
        }
        Sorted kept = new Sorted(rank - axes.length);
        Sorted reduced = new Sorted(axes.length);
        long count = 1;
        long n = 1;
        for (int i = rank - 1; i >= 0; i--) {
            long d = x.shape().at(i);
            if (along[i]) {
                n *= d;
            } else {
                kept.add(d, x.layout().stride(i), count);
                count *= d;
            }
        }
        for (int i = rank - 1; i >= 0; i--) {
            if (along[i]) {
                reduced.add(x.shape().at(i), x.layout().stride(i), 0);
            }
        }
        long near = Long.MAX_VALUE;
        for (int i = 0; i < reduced.count; i++) {
            long s = Math.abs(reduced.strides[i]);
            near = s != 0 && reduced.sizes[i] > 1 ? Math.min(near, s) : near;
        }
        kept.sort();
        long address = CudaStorage.address(x);
        if (!ordered) {
            address += reduced.forward() * x.dtype().bytes();
            reduced.sort();
        }
        return new Slices(address, count, n,
                Axes.of(op, kept.sizes, kept.strides, kept.places), Axes.of(op, reduced.sizes, reduced.strides), near);
    }

    /** True where elements of a slice lie closer together than those of neighbouring slices. */
    boolean rows() {
        long step = Math.abs(kept.stride(0, kept.rank() - 1));
        return count == 1 || step == 0 || near < step;
    }

    /** True where a slice's last axis has no gaps. */
    boolean runs() {
        return reduced.stride(0, reduced.rank() - 1) == 1;
    }

    /** Size of the innermost axis of the walk over a slice. */
    long run() {
        return reduced.size(reduced.rank() - 1);
    }

    /** Slices side by side: the innermost axis over the slices. */
    long width() {
        return kept.size(kept.rank() - 1);
    }

    /** Elements from one slice to its neighbour, in x (0) or the results (1). */
    long step(int operand) {
        return kept.stride(operand, kept.rank() - 1);
    }

    /** The axes over the slices but the innermost. */
    Axes lines(String op) {
        int r = kept.rank() - 1;
        long[] sizes = new long[r];
        long[][] strides = new long[2][r];
        for (int i = 0; i < r; i++) {
            sizes[i] = kept.size(i);
            strides[0][i] = kept.stride(0, i);
            strides[1][i] = kept.stride(1, i);
        }
        return Axes.of(op, sizes, strides);
    }

    /** True where every slice begins, and continues axis by axis, at a multiple of {@code width} elements of x. */
    boolean aligned(int width, int bytes) {
        return address % ((long) width * bytes) == 0 && reduced.multiples(0, reduced.rank() - 1, width)
                && kept.multiples(0, kept.rank() - 1, width);
    }

    /** Axes gathered from the last to the first. */
    private static final class Sorted {
        final long[] sizes;
        final long[] strides;
        final long[] places;
        int count;

        Sorted(int capacity) {
            sizes = new long[capacity];
            strides = new long[capacity];
            places = new long[capacity];
        }

        void add(long size, long stride, long place) {
            count++;
            int at = sizes.length - count;
            sizes[at] = size;
            strides[at] = size == 1 ? 0 : stride;
            places[at] = place;
        }

        /** Turns axes that run backwards; the distance of the new first element from the old. */
        long forward() {
            long shift = 0;
            for (int i = 0; i < count; i++) {
                if (strides[i] < 0 && sizes[i] > 0) {
                    shift += strides[i] * (sizes[i] - 1);
                    strides[i] = -strides[i];
                }
            }
            return shift;
        }

        /** Largest steps outermost, repeated elements (step 0) outside of all; axes of size 1 anywhere. */
        void sort() {
            for (int i = 1; i < count; i++) {
                long size = sizes[i];
                long stride = strides[i];
                long place = places[i];
                int j = i;
                for (; j > 0 && before(stride, strides[j - 1]); j--) {
                    sizes[j] = sizes[j - 1];
                    strides[j] = strides[j - 1];
                    places[j] = places[j - 1];
                }
                sizes[j] = size;
                strides[j] = stride;
                places[j] = place;
            }
        }

        private static boolean before(long a, long b) {
            return b != 0 && (a == 0 || Math.abs(a) > Math.abs(b));
        }
    }
}
