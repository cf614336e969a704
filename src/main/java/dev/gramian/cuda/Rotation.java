package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/** Rotary position embedding: every row is read once and written once. */
final class Rotation {
    private final CudaContext context;
    /** By type, layout of pairs, width. */
    private final Kernel[] kernels = new Kernel[DType.values().length * 4];

    Rotation(CudaContext context) {
        this.context = context;
    }

    void rotate(Lane lane, Op.Rotate op, View[] in, View out) {
        View x = in[0];
        if (x.shape().size() == 0) {
            return;
        }
        DType type = x.dtype();
        int last = x.shape().rank() - 1;
        long channels = x.shape().at(last);
        long pairs = in[1].shape().dim(-1);
        Shape target = x.shape().with(last, pairs);
        View[] all = {x, in[1], in[2], out};
        long[][] steps = new long[4][];
        long[] along = new long[4];
        long addresses = 0;
        for (int k = 0; k < 4; k++) {
            long[] of = Axes.steps(k % 3 == 0 ? x.shape() : target, all[k].layout());
            steps[k] = Arrays.copyOf(of, last);
            along[k] = of[last];
            addresses |= CudaStorage.address(all[k]);
        }
        long count = x.shape().size() / channels;
        Axes axes = Axes.of(op.name(), Arrays.copyOf(x.shape().toArray(), last), steps);
        int wide = 16 / type.bytes();
        boolean vectors = pairs % wide == 0 && channels % wide == 0 && addresses % 16 == 0;
        for (int k = 0; k < 4; k++) {
            vectors &= along[k] == 1 && axes.multiples(k, axes.rank(), wide);
        }
        int width = vectors ? wide : 1;
        long units = (channels - pairs) / width;
        lane.launch().pointer(x).pointer(in[1]).pointer(in[2]).i64(count).axes(axes).i64(pairs)
                .i64(along[0]).i64(along[1]).i64(along[2]).i64(units).i64(Axes.divisor(units)).pointer(out)
                .run(kernel(type, op.interleaved(), width), Grid.blocks(count * units, Launch.BLOCK), 1, 1,
                        Launch.BLOCK, 0);
    }

    private Kernel kernel(DType type, boolean interleaved, int width) {
        int i = type.ordinal() * 4 + (interleaved ? 2 : 0) + (width > 1 ? 1 : 0);
        Kernel k = kernels[i];
        if (k == null) {
            String macros = Kernels.define("ELEMENT", Kernels.type(type))
                    + Kernels.define("TABLE", Kernels.type(type.compute()))
                    + Kernels.define("INTERLEAVED", interleaved ? "1" : "0")
                    + Kernels.define("WIDTH", Integer.toString(width));
            k = context.kernels().get("rotate", macros, "rotate");
            kernels[i] = k;
        }
        return k;
    }
}
