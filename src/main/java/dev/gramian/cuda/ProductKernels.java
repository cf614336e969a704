package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.DType;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.Op;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Products by own kernels: of integers, whose sums wrap around in their type, and those in which a zero of a annihilates
 * NaN and infinities of b. See products.cu.
 */
final class ProductKernels {
    /** Columns of c that a block computes, as in products.cu; of rows many or few. */
    private static final long COLUMNS = 64;

    private static final int MANY_ROWS = 64;
    private static final int FEW_ROWS = 16;
    /** Columns of a that are read at a time, at most. */
    private static final long DEPTH = 32;
    /** Columns of a below which a product is not worth splitting along them. */
    private static final long SPLIT = 512;
    /** Multiply-adds that a kernel does in the time of two launches. */
    private static final double SMALL = 1 << 24;

    private static final long MOST_BLOCKS = 1 << 30;

    private record Pair(Kernel product, Kernel combine) {}

    private final CudaContext context;
    /** By types of operands and result, and whether rows are few. */
    private final Pair[][][] kernels = new Pair[DType.values().length][DType.values().length][2];

    ProductKernels(CudaContext context) {
        this.context = context;
    }

    /** Whether a product in which zeros annihilate is done here; the others go through {@link Annihilation}. */
    static boolean annihilates(GemmPlan p) {
        return p.m() <= FEW_ROWS || (double) p.m() * p.n() * p.k() * p.batch() <= SMALL;
    }

    /** c = alpha a b, nothing empty. */
    void run(Lane lane, Op.Gemm op, GemmPlan p, View a, View b, View c) {
        int rows = p.m() <= FEW_ROWS ? FEW_ROWS : MANY_ROWS;
        long tiles = Math.ceilDiv(p.m(), rows) * Math.ceilDiv(p.n(), COLUMNS) * p.batch();
        long splits = Math.clamp(Math.min(3L * context.multiprocessors() / tiles, p.k() / SPLIT), 1, 1024);
        long split = Math.ceilDiv(Math.ceilDiv(p.k(), splits), DEPTH) * DEPTH;
        splits = Math.ceilDiv(p.k(), split);
        Pair kernel = kernels(a.dtype(), c.dtype(), rows);
        if (splits == 1) {
            product(lane, kernel.product, tiles, op, p, a, b, c, split, 0);
            return;
        }
        long count = p.batch() * p.m() * p.n();
        CudaStorage sums = lane.temporary("matmul", splits * count * Math.max(4, a.dtype().bytes()));
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
        long[] sizes = Arrays.copyOf(p.batchDims(), batch + 2);
        long[] steps = Arrays.copyOf(p.cStrides(), batch + 2);
        sizes[batch] = p.m();
        steps[batch] = p.ldc();
        sizes[batch + 1] = p.n();
        steps[batch + 1] = 1;
        return Axes.of("matmul", sizes, steps);
    }

    private Pair kernels(DType type, DType result, int rows) {
        Pair[] of = kernels[type.ordinal()][result.ordinal()];
        int few = rows == FEW_ROWS ? 1 : 0;
        if (of[few] == null) {
            String macros = define("T", Kernels.type(type)) + define("R", Kernels.type(result))
                    + define("ANNIHILATE", type.isFloat() ? "1" : "0") + define("ROWS", Integer.toString(rows));
            of[few] = new Pair(context.kernels().get("products", macros, "product"),
                    context.kernels().get("products", macros, "combine"));
        }
        return of[few];
    }
}
