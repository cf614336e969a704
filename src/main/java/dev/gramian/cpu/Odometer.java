package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;

/**
 * Walks several strided operands of one shape together in row-major order, a run along the last axis at a time. Axes of
 * size 1 are dropped and neighbours that step evenly in every operand are merged, so contiguous operands are one run.
 */
final class Odometer {
    private final int rank;
    private final long[] dims;
    /** strides[operand][axis], in whatever unit the caller gave. */
    private final long[][] strides;

    private final long[] at;
    private final long[] coordinates;

    Odometer(Shape shape, long[]... strides) {
        int n = strides.length;
        this.strides = new long[n][shape.rank() + 1];
        dims = new long[shape.rank() + 1];
        int r = 0;
        for (int i = 0; i < shape.rank(); i++) {
            long d = shape.at(i);
            if (d == 1) {
                continue;
            }
            boolean merge = r > 0;
            for (int k = 0; k < n && merge; k++) {
                merge = this.strides[k][r - 1] == strides[k][i] * d;
            }
            if (merge) {
                r--;
            } else {
                dims[r] = 1;
            }
            dims[r] *= d;
            for (int k = 0; k < n; k++) {
                this.strides[k][r] = strides[k][i];
            }
            r++;
        }
        if (r == 0) {
            dims[r++] = 1;
        }
        rank = r;
        at = new long[n];
        coordinates = new long[rank];
    }

    /** Strides in bytes, the unit that suits addresses. */
    static long[] bytes(Layout layout, DType dtype) {
        long[] s = layout.strides();
        for (int i = 0; i < s.length; i++) {
            s[i] *= dtype.bytes();
        }
        return s;
    }

    /** Moves to the element of this row-major index. */
    void seek(long element) {
        for (int k = 0; k < at.length; k++) {
            at[k] = 0;
        }
        for (int i = rank - 1; i >= 0; i--) {
            coordinates[i] = element % dims[i];
            element /= dims[i];
            for (int k = 0; k < at.length; k++) {
                at[k] += coordinates[i] * strides[k][i];
            }
        }
    }

    /** Elements from here to the end of the last axis, at least 1. */
    long run() {
        return dims[rank - 1] - coordinates[rank - 1];
    }

    /** Stride of an operand within a run. */
    long step(int operand) {
        return strides[operand][rank - 1];
    }

    /** Where an operand is, relative to its first element. */
    long at(int operand) {
        return at[operand];
    }

    /** Moves on by {@code count <= run()} elements; past the last one it starts over. */
    void advance(long count) {
        int i = rank - 1;
        coordinates[i] += count;
        for (int k = 0; k < at.length; k++) {
            at[k] += count * strides[k][i];
        }
        while (i > 0 && coordinates[i] == dims[i]) {
            coordinates[i] = 0;
            coordinates[i - 1]++;
            for (int k = 0; k < at.length; k++) {
                at[k] += strides[k][i - 1] - dims[i] * strides[k][i];
            }
            i--;
        }
    }
}
