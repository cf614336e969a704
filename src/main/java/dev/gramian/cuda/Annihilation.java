package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * What makes a product by cuBLAS one in which zeros annihilate NaN and infinities: b without them before it, and the terms
 * that were not annihilated added after it. Nothing waits for the device. See annihilate.cu.
 */
final class Annihilation {
    /** Rows of a that a block settles, as in annihilate.cu. */
    private static final long ROWS = 64;

    private static final long WARPS = Launch.BLOCK / 32;

    private final CudaContext context;
    /** By type and {@link Words#kind}. */
    private final Kernel[][] cleanRows = new Kernel[DType.values().length][Words.KINDS];
    private final Kernel[] cleanColumns = new Kernel[DType.values().length];
    /** By types of operands and result. */
    private final Kernel[][] settle = new Kernel[DType.values().length][DType.values().length];

    Annihilation(CudaContext context) {
        this.context = context;
    }

    /**
     * b with 1 or -1 in place of NaN and infinities, and a byte for each of its rows that tells whether there was one:
     * at {@code marks}, as far from those of the next matrix along each batch axis as {@code markSteps} say.
     */
    record Clean(CudaStorage storage, View b, long marks, long[] markSteps) {}

    /** {@code columns}: whether b's columns lie side by side in memory, not its rows. Free the storage after settling. */
    Clean clean(Lane lane, View b, boolean columns) {
        Layout l = b.layout();
        int batchRank = l.rank() - 2;
        long k = l.shape().at(batchRank);
        long n = l.shape().at(batchRank + 1);
        int width = b.dtype().bytes();
        // a matrix that is broadcast is cleaned once
        Shape own = l.shape();
        for (int i = 0; i < batchRank; i++) {
            own = l.stride(i) == 0 ? own.with(i, 1) : own;
        }
        long batch = own.slice(0, batchRank).size();
        CudaStorage storage = lane.temporary("matmul", batch * k * (n * width + 1));
        Layout cleaned = columns
                ? Layout.contiguous(own.with(batchRank, n).with(batchRank + 1, k)).transpose(-2, -1)
                : Layout.contiguous(own);
        long[] markSteps = Arrays.copyOf(cleaned.strides(), batchRank);
        for (int i = 0; i < batchRank; i++) {
            markSteps[i] = own.at(i) == 1 ? 0 : markSteps[i] / n;
        }
        Clean clean = new Clean(storage, new View(storage, cleaned.expand("matmul", l.shape()), b.dtype()),
                storage.address + batch * k * n * width, markSteps);
        if (columns) {
            cleanColumns(lane, b, own, batch, clean);
        } else {
            cleanRows(lane, b, own, batch, clean);
        }
        return clean;
    }

    private void cleanRows(Lane lane, View b, Shape own, long batch, Clean clean) {
        Layout l = b.layout();
        int rowAxis = l.rank() - 2;
        long k = own.at(rowAxis);
        long rowBytes = own.at(rowAxis + 1) * b.dtype().bytes();
        long[] sizes = Arrays.copyOf(own.toArray(), rowAxis + 1);
        long[] steps = Arrays.copyOf(l.strides(), rowAxis + 1);
        long places = CudaStorage.address(b) | rowBytes;
        for (int i = 0; i <= rowAxis; i++) {
            places |= sizes[i] == 1 ? 0 : steps[i] * b.dtype().bytes();
        }
        int word = Words.bytes(places);
        for (int i = 0; i <= rowAxis; i++) {
            steps[i] = sizes[i] == 1 ? 0 : steps[i] * b.dtype().bytes() / word;
        }
        int type = b.dtype().ordinal();
        int kind = Words.kind(word);
        if (cleanRows[type][kind] == null) {
            cleanRows[type][kind] = kernel(b.dtype(), b.dtype(), word, "clean_rows");
        }
        lane.launch().i64(batch * k).i64(rowBytes / word).axes(Axes.of("matmul", sizes, steps)).pointer(b)
                .pointer(clean.storage.address).pointer(clean.marks)
                .run(cleanRows[type][kind], Math.min(context.maxBlocks(), Math.ceilDiv(batch * k, WARPS)), 1, 1,
                        Launch.BLOCK, 0);
    }

    private void cleanColumns(Lane lane, View b, Shape own, long batch, Clean clean) {
        Layout l = b.layout();
        int batchRank = l.rank() - 2;
        long k = own.at(batchRank);
        int type = b.dtype().ordinal();
        if (cleanColumns[type] == null) {
            cleanColumns[type] = kernel(b.dtype(), b.dtype(), b.dtype().bytes(), "clean_columns");
        }
        Axes axes = Axes.of("matmul", Arrays.copyOf(own.toArray(), batchRank), Arrays.copyOf(l.strides(), batchRank));
        lane.launch().i64(batch).i64(k).i64(own.at(batchRank + 1)).i64(l.stride(batchRank + 1)).axes(axes).pointer(b)
                .pointer(clean.storage.address).pointer(clean.marks)
                .run(cleanColumns[type], Math.min(context.maxBlocks(), batch * Math.ceilDiv(k, 32)), 1, 1,
                        Launch.BLOCK, 0);
    }

    /** Makes c, the product of a and the cleaned b, the one of a and b. */
    void settle(Lane lane, Op.Gemm op, View a, View b, View c, Clean clean) {
        Layout la = a.layout();
        Layout lb = b.layout();
        Layout lc = c.layout();
        int ra = la.rank();
        int rb = lb.rank();
        int rc = lc.rank();
        Shape batch = lc.shape().slice(0, rc - 2);
        long m = la.shape().at(ra - 2);
        long blocks = batch.size() * Math.ceilDiv(m, ROWS);
        Axes axes = Axes.of("matmul", batch.toArray(), batchSteps(la.shape(), la.strides(), rc - 2),
                batchSteps(lb.shape(), lb.strides(), rc - 2), batchSteps(lc.shape(), lc.strides(), rc - 2),
                batchSteps(lb.shape(), Arrays.copyOf(clean.markSteps, rb), rc - 2));
        int type = a.dtype().ordinal();
        int result = c.dtype().ordinal();
        if (settle[type][result] == null) {
            settle[type][result] = kernel(a.dtype(), c.dtype(), a.dtype().bytes(), "settle");
        }
        lane.launch().i64(blocks).i64(m).i64(lb.shape().at(rb - 1)).i64(la.shape().at(ra - 1)).axes(axes)
                .pointer(a).i64(la.stride(ra - 2)).i64(la.stride(ra - 1))
                .pointer(b).i64(lb.stride(rb - 2)).i64(lb.stride(rb - 1))
                .pointer(c).i64(lc.stride(rc - 2)).f64(op.alpha()).pointer(clean.marks)
                .run(settle[type][result], Math.min(8L * context.multiprocessors(), blocks), 1, 1, Launch.BLOCK, 0);
    }

    /** Steps along the last {@code rank} batch axes, 0 where the operand is broadcast. */
    private static long[] batchSteps(Shape shape, long[] strides, int rank) {
        long[] steps = new long[rank];
        int lead = rank - (shape.rank() - 2);
        for (int i = lead; i < rank; i++) {
            steps[i] = shape.at(i - lead) == 1 ? 0 : strides[i - lead];
        }
        return steps;
    }

    private Kernel kernel(DType type, DType result, int word, String function) {
        return context.kernels().get("annihilate", define("T", Kernels.type(type)) + define("R", Kernels.type(result))
                + define("N", Integer.toString(word / type.bytes())), function);
    }
}
