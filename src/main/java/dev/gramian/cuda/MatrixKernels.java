package dev.gramian.cuda;

import dev.gramian.core.DType;
import jcuda.driver.JCudaDriver;

/** The kernels of matrix.cu: matrices moved to and from the column-major work memory of cuSOLVER, scaled, checked. */
final class MatrixKernels {
    /** Which part of a matrix is moved; the rest becomes zeros, of UNIT_LOWER the diagonal ones. */
    enum Part {
        ALL,
        LOWER,
        UNIT_LOWER,
        UPPER,
        /** The lower triangle on both sides. */
        SYMMETRIC
    }

    private enum Name {
        move,
        magnitudes,
        exponents,
        rescale,
        diagonal,
        first_failure
    }

    private static final int TILE = 32;
    private static final int BLOCK = 256;
    /** Blocks that look for the largest magnitude of one matrix, each of at least so many elements. */
    private static final long PIECE = 1 << 14;

    private static final long PIECES = 128;

    private final CudaContext context;
    private final Kernel[][] kernels = new Kernel[2][Name.values().length];

    MatrixKernels(CudaContext context) {
        this.context = context;
    }

    private Kernel kernel(boolean f64, Name name) {
        Kernel k = kernels[f64 ? 1 : 0][name.ordinal()];
        if (k == null) {
            String macros = Kernels.define("REAL", f64 ? "f64" : "f32");
            k = context.kernels().get("matrix", macros, name.name());
            kernels[f64 ? 1 : 0][name.ordinal()] = k;
        }
        return k;
    }

    /** All matrices to memory of any strides; times 2^exponents (an i32 a matrix) where that is not 0. */
    void move(Lane lane, String op, Stack from, Part part, long to, long toBatch, long toRow, long toColumn,
            long exponents, boolean inverse) {
        move(lane, op, from, from.address(), part, to, toBatch, toRow, toColumn, exponents, inverse);
    }

    static void zero(Lane lane, long address, long bytes, String op) {
        Status.driver(JCudaDriver.cuMemsetD8Async(Pointers.device(address), (byte) 0, bytes, lane.stream()),
                "cuMemsetD8Async, " + op);
    }

    /** The identity (rows, columns). */
    void identity(Lane lane, String op, DType t, long rows, long columns, long count, long to) {
        move(lane, op, Stack.columnMajor(t, 0, rows, columns, count), 0, Part.ALL, to, rows * columns, 1, rows, 0,
                false);
    }

    private void move(Lane lane, String op, Stack from, long address, Part part, long to, long toBatch, long toRow,
            long toColumn, long exponents, boolean inverse) {
        long count = from.count();
        long tiles = Math.ceilDiv(from.rows(), TILE) * Math.ceilDiv(from.columns(), TILE) * count;
        lane.launch().i64(from.rows()).i64(from.columns()).i64(count).axes(from.batch(op)).pointer(address)
                .i64(from.rowStride()).i64(from.columnStride()).pointer(to).i64(toBatch).i64(toRow).i64(toColumn)
                .i32(part.ordinal()).pointer(exponents).i32(inverse ? 1 : 0)
                .run(kernel(from.f64(), Name.move), Math.min(tiles, context.maxBlocks()), 1, 1, BLOCK, 0);
    }

    /** Column-major, each matrix contiguous, one after the other. */
    void pack(Lane lane, String op, Stack from, Part part, long to) {
        move(lane, op, from, part, to, from.rows() * from.columns(), 1, from.rows(), 0, false);
    }

    /**
     * Multiplies count runs of size elements each by a power of two that brings its largest magnitude to [1, 2), unless that
     * has an exponent of low to high already. The exponents go to an i32 each.
     */
    void normalise(Lane lane, boolean f64, long size, long count, long x, int low, int high, long exponents) {
        long pieces = Math.clamp(size / PIECE, 1, PIECES);
        CudaStorage partial = lane.temporary("scaling", count * pieces * (f64 ? 8 : 4));
        try {
            lane.launch().i64(size).i64(count).i64(pieces).pointer(x).pointer(partial.address)
                    .run(kernel(f64, Name.magnitudes), Math.min(count * pieces, context.maxBlocks()), 1, 1, BLOCK, 0);
            lane.launch().i64(count).i64(pieces).pointer(partial.address).i32(low).i32(high)
                    .pointer(exponents).over(kernel(f64, Name.exponents), count);
        } finally {
            lane.free(partial);
        }
        rescale(lane, f64, size, count, x, exponents, false);
    }

    /** Whether all of a contiguous run is finite; waits. */
    boolean finite(Lane lane, boolean f64, long size, long x) {
        CudaStorage largest = lane.temporary("checking", 8);
        try {
            lane.launch().i64(size).i64(1).i64(1).pointer(x).pointer(largest.address)
                    .run(kernel(f64, Name.magnitudes), 1, 1, 1, BLOCK, 0);
            long bits = lane.readLong(largest.address, "checking");
            return Double.isFinite(f64 ? Double.longBitsToDouble(bits) : Float.intBitsToFloat((int) bits));
        } finally {
            lane.free(largest);
        }
    }

    /** Runs of size elements times 2^exponents or its inverse. */
    void rescale(Lane lane, boolean f64, long size, long count, long x, long exponents, boolean inverse) {
        long pieces = Math.clamp(size / PIECE, 1, PIECES);
        lane.launch().i64(size).i64(count).i64(pieces).pointer(x).pointer(exponents).i32(inverse ? 1 : 0)
                .run(kernel(f64, Name.rescale), Math.min(count * pieces, context.maxBlocks()), 1, 1, BLOCK, 0);
    }

    /** infos: 1 + the first zero on the diagonals of square matrices, -1 for a subnormal element, 0. */
    void diagonal(Lane lane, String op, Stack a, long infos) {
        lane.launch().i64(a.rows()).axes(a.batch(op)).pointer(a.address()).i64(a.rowStride() + a.columnStride())
                .pointer(infos).run(kernel(a.f64(), Name.diagonal), a.count(), 1, 1, BLOCK, 0);
    }

    /** failure (I64): index and, 32 bits up, value of the first info that is not zero, or -1. */
    void firstFailure(Lane lane, long count, long infos, boolean negativeOnly, long failure) {
        lane.launch().i64(count).pointer(infos).i32(negativeOnly ? 1 : 0).pointer(failure)
                .run(kernel(false, Name.first_failure), 1, 1, 1, BLOCK, 0);
    }
}
