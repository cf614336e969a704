package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * The matrices on the last two axes of an F32 or F64 view, by batch index in row-major order of the axes before. Strides are
 * in elements.
 *
 * @param shape of the view, for messages
 */
record Stack(
        DType dtype, Shape shape, long address, long rows, long columns, long rowStride, long columnStride,
        long[] batchSizes, long[] batchStrides) {

    static Stack of(View v) {
        Layout l = v.layout();
        int r = l.rank() - 2;
        long[] sizes = new long[r];
        long[] strides = new long[r];
        for (int i = 0; i < r; i++) {
            sizes[i] = l.shape().at(i);
            strides[i] = l.stride(i);
        }
        return new Stack(v.dtype(), l.shape(), CudaStorage.address(v), l.shape().at(r), l.shape().at(r + 1),
                l.stride(r), l.stride(r + 1), sizes, strides);
    }

    Stack transposed() {
        return new Stack(dtype, shape, address, columns, rows, columnStride, rowStride, batchSizes, batchStrides);
    }

    /** Contiguous column-major matrices, one after the other. */
    static Stack columnMajor(DType t, long address, long rows, long columns, long count) {
        return new Stack(t, Shape.of(count, rows, columns), address, rows, columns, 1, rows, new long[] {count},
                new long[] {rows * columns});
    }

    boolean f64() {
        return dtype == DType.F64;
    }

    int width() {
        return dtype.bytes();
    }

    /** Number of matrices. */
    long count() {
        long n = 1;
        for (long d : batchSizes) {
            n *= d;
        }
        return n;
    }

    /** Address of the first element of a matrix. */
    long at(long index) {
        long offset = 0;
        for (int i = batchSizes.length - 1; i >= 0; i--) {
            offset += index % batchSizes[i] * batchStrides[i];
            index /= batchSizes[i];
        }
        return address + offset * dtype.bytes();
    }

    /** The batch axes for a kernel. */
    Axes batch(String op) {
        return Axes.of(op, batchSizes, batchStrides);
    }

    /** The batch axes of this and another stack of the same batch. */
    Axes batchWith(String op, Stack other) {
        return Axes.of(op, batchSizes, batchStrides, other.batchStrides);
    }

    /** One matrix of these. */
    Stack one(long index) {
        return new Stack(dtype, shape, at(index), rows, columns, rowStride, columnStride, new long[0], new long[0]);
    }

    /** "[3, 4, 4] at batch [1]", as messages have it. */
    String where(long index) {
        long[] at = new long[batchSizes.length];
        for (int i = at.length - 1; i >= 0; i--) {
            at[i] = index % batchSizes[i];
            index /= batchSizes[i];
        }
        return shape + (at.length == 0 ? "" : " at batch " + Arrays.toString(at));
    }
}
