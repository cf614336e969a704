package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.View;
import jcuda.driver.JCudaDriver;

/** Triangles of matrices and the search for the first NaN or infinity. */
final class Triangle {
    private final CudaContext context;
    /** By the kinds of element and word. */
    private final Kernel[][] triangles = new Kernel[Words.KINDS][Words.KINDS];
    /** By element type and the word's kind. */
    private final Kernel[][] searches = new Kernel[DType.values().length][Words.KINDS];

    Triangle(CudaContext context) {
        this.context = context;
    }

    /** In: x (..., m, n). Out: x with zeros above or below the diagonal. */
    void triangle(Lane lane, Op.Triangle op, View x, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        Layout l = x.layout();
        int width = x.dtype().bytes();
        int last = l.rank() - 1;
        long rows = l.shape().at(last - 1);
        long columns = l.shape().at(last);
        int word = width;
        long[] sizes = l.shape().toArray();
        long[] steps = l.strides();
        if (steps[last] == 1) {
            long places = CudaStorage.address(x) | CudaStorage.address(out) | columns * width;
            for (int i = 0; i < last; i++) {
                places |= sizes[i] == 1 ? 0 : steps[i] * width;
            }
            word = Words.bytes(places);
            for (int i = 0; i < last; i++) {
                steps[i] = sizes[i] == 1 ? 0 : steps[i] * width / word;
            }
            sizes[last] = columns * width / word;
        }
        long count = out.shape().size() * width / word;
        lane.launch().i64(count).i64(sizes[last]).i64(Axes.divisor(sizes[last])).i64(rows).i64(Axes.divisor(rows))
                .i64(Math.clamp(op.k(), -rows, columns)).i32(op.lower() ? 1 : 0)
                .axes(Axes.of(op.name(), sizes, steps)).pointer(x).pointer(out)
                .over(triangleKernel(width, word), count);
    }

    private Kernel triangleKernel(int width, int word) {
        Kernel[] of = triangles[Words.kind(width)];
        int kind = Words.kind(word);
        if (of[kind] == null) {
            of[kind] = context.kernels().get("triangle",
                    define("T", Words.type(width)) + define("N", Integer.toString(word / width)), "triangle");
        }
        return of[kind];
    }

    /** Writes the row-major index of the first NaN or infinity, or -1; integers have none. */
    void firstNonFinite(Lane lane, View x, View out) {
        Status.driver(JCudaDriver.cuMemsetD8Async(Pointers.device(CudaStorage.address(out)), (byte) -1, 8,
                lane.stream()), "cuMemsetD8Async, firstNonFinite");
        long size = x.shape().size();
        DType type = x.dtype();
        if (!type.isFloat() || size == 0) {
            return;
        }
        Axes axes = Axes.of("firstNonFinite", x.shape(), x.layout());
        int word = type.bytes();
        if (axes.contiguous(0)) {
            word = Math.max(word, Words.bytes(CudaStorage.address(x)));
        }
        long count = size / (word / type.bytes());
        lane.launch().i64(size).i64(count).axes(axes).pointer(x).pointer(out)
                .over(searchKernel(type, word), context.unrolled(Math.max(1, count), 4));
    }

    private Kernel searchKernel(DType type, int word) {
        Kernel[] of = searches[type.ordinal()];
        int kind = Words.kind(word);
        if (of[kind] == null) {
            String exponent = switch (type) {
                case F64 -> "0x7ff0000000000000ull";
                case F32 -> "0x7f800000u";
                case F16 -> "0x7c00u";
                case BF16 -> "0x7f80u";
                case I64, I32, U8, BOOL -> throw new AssertionError(type);
            };
            of[kind] = context.kernels().get("finite", define("T", Words.type(type.bytes()))
                    + define("N", Integer.toString(word / type.bytes())) + define("EXPONENT", exponent),
                    "first_non_finite");
        }
        return of[kind];
    }
}
