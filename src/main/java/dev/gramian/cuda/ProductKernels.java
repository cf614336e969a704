package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.DType;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Products that cuBLAS does not have: of integers, and those in which a zero annihilates NaN and infinities. */
final class ProductKernels {
    /** Edge of the tile of a block, as in products.cu. */
    private static final long EDGE = 64;
    /** Columns of a read at a time, as in products.cu. */
    private static final long DEPTH = 16;
    /** Columns below which a product is not worth splitting along them. */
    private static final long SPLIT = 512;

    private static final long MOST_BLOCKS = 1 << 30;

    private record Pair(Kernel product, Kernel combine) {}

    private final CudaContext context;
    /** By types of the operands and of the result. */
    private final Pair[][] kernels = new Pair[DType.values().length][DType.values().length];

    ProductKernels(CudaContext context) {
        this.context = context;
    }

    /** c = alpha a b of integers, sums wrapping around in their type. Nothing is empty. */
    void integers(Lane lane, Op.Gemm op, GemmPlan p, View a, View b, View c) {
        run(lane, op, p, a, b, c, SPLIT);
    }

    /**
     * Makes c, the product by cuBLAS, what it is where zeros of a annihilate NaN and infinities of b. Reads c once and
     * no more where all of it is finite, because no NaN or infinity of b leaves a finite element behind. See
     * native-notes/decisions/006-zeros-that-annihilate.md.
     */
    void repair(Lane lane, Op.Gemm op, GemmPlan p, View a, View b, View c) {
        // a split costs a second launch each time, but helps only where something has to be repaired
        run(lane, op, p, a, b, c, 8 * SPLIT);
    }

    private void run(Lane lane, Op.Gemm op, GemmPlan p, View a, View b, View c, long least) {
        long tiles = Math.ceilDiv(p.m(), EDGE) * Math.ceilDiv(p.n(), EDGE) * p.batch();
        long splits = Math.clamp(Math.min(2L * context.multiprocessors() / tiles, p.k() / least), 1, 1024);
        long split = Math.ceilDiv(Math.ceilDiv(p.k(), splits), DEPTH) * DEPTH;
        splits = Math.ceilDiv(p.k(), split);
        Pair kernel = kernels(a.dtype(), c.dtype());
        if (splits == 1) {
            product(lane, kernel.product, tiles, op, p, a, b, c, split, 0);
            return;
        }
        long count = p.batch() * p.m() * p.n();
        CudaStorage sums = lane.temporary("matmul", splits * count * Math.max(4, a.dtype().compute().bytes()));
        try {
            product(lane, kernel.product, tiles * splits, op, p, a, b, c, split, sums.address);
            alpha(lane.launch().i64(count).axes(result(p)).pointer(c), a.dtype(), op).i64(splits)
                    .pointer(sums.address).over(kernel.combine, count);
        } finally {
            lane.free(sums);
        }
    }

    private static void product(
            Lane lane, Kernel kernel, long blocks, Op.Gemm op, GemmPlan p, View a, View b, View c, long split,
            long sums) {
        Axes batch = Axes.of("matmul", p.batchDims(), p.aStrides(), p.bStrides(), p.cStrides());
        for (long first = 0; first < blocks; first += MOST_BLOCKS) {
            Launch launch = lane.launch().i64(first).i64(p.m()).i64(p.n()).i64(p.k()).i64(p.batch()).axes(batch)
                    .pointer(a).i64(p.transA() ? 1 : p.lda()).i64(p.transA() ? p.lda() : 1)
                    .pointer(b).i64(p.transB() ? 1 : p.ldb()).i64(p.transB() ? p.ldb() : 1)
                    .pointer(c).i64(p.ldc());
            alpha(launch, a.dtype(), op).i64(split).pointer(sums)
                    .run(kernel, Math.min(MOST_BLOCKS, blocks - first), 1, 1, Launch.BLOCK, 0);
        }
    }

    private static Launch alpha(Launch launch, DType type, Op.Gemm op) {
        return type.isFloat() ? launch.f64(op.alpha()) : launch.i64((long) op.alpha());
    }

    /** c as (batch, m, n). */
    private static Axes result(GemmPlan p) {
        int batch = p.batchDims().length;
        long[] sizes = java.util.Arrays.copyOf(p.batchDims(), batch + 2);
        long[] steps = java.util.Arrays.copyOf(p.cStrides(), batch + 2);
        sizes[batch] = p.m();
        steps[batch] = p.ldc();
        sizes[batch + 1] = p.n();
        steps[batch + 1] = 1;
        return Axes.of("matmul", sizes, steps);
    }

    private Pair kernels(DType type, DType result) {
        Pair k = kernels[type.ordinal()][result.ordinal()];
        if (k == null) {
            String macros = define("T", Kernels.type(type)) + define("R", Kernels.type(result))
                    + define("REPAIR", type.isFloat() ? "1" : "0");
            k = new Pair(context.kernels().get("products", macros, "product"),
                    context.kernels().get("products", macros, "combine"));
            kernels[type.ordinal()][result.ordinal()] = k;
        }
        return k;
    }
}
