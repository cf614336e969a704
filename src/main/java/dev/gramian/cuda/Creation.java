package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Distribution;
import dev.gramian.core.Half;
import dev.gramian.core.Op;
import dev.gramian.core.View;

/** Tensors from nothing: constants, sequences, random numbers, and what these leave of a tensor. */
final class Creation {
    private static final int TYPES = DType.values().length;

    private final CudaContext context;
    private Kernel fill;
    // by type, and by distribution and type; two threads may both make one: either is right
    private final Kernel[] sequences = new Kernel[TYPES];
    private final Kernel[] draws = new Kernel[Distribution.values().length * TYPES];
    private final Kernel[] drops = new Kernel[TYPES];

    Creation(CudaContext context) {
        this.context = context;
    }

    void fill(Lane lane, Op.Fill op, View out) {
        DType t = out.dtype();
        long bytes = out.layout().size() * t.bytes();
        if (bytes == 0) {
            return;
        }
        if (fill == null) {
            fill = context.kernels().get("creation", "", "fill");
        }
        lane.launch().i64(bytes).i64(eight(t, op.value())).pointer(out).over(fill, Math.max(1, bytes / 16));
    }

    /** Eight bytes of an element over and over. */
    private static long eight(DType t, double v) {
        return switch (t) {
            case F64 -> Double.doubleToRawLongBits(v);
            case F32 -> twice(Float.floatToRawIntBits((float) v));
            case F16, BF16 -> (Half.fromDouble(t, v) & 0xFFFFL) * 0x0001_0001_0001_0001L;
            case I64 -> (long) v;
            case I32 -> twice((int) v);
            case U8 -> Math.clamp((long) v, 0, 255) * 0x0101_0101_0101_0101L;
            case BOOL -> v != 0 ? 0x0101_0101_0101_0101L : 0;
        };
    }

    private static long twice(int bits) {
        return (bits & 0xFFFF_FFFFL) * 0x0000_0001_0000_0001L;
    }

    void sequence(Lane lane, Op.Sequence op, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        DType t = out.dtype();
        Kernel k = sequences[t.ordinal()];
        if (k == null) {
            k = context.kernels().get("creation", Kernels.define("OUT", Kernels.type(t))
                    + Kernels.define("T", t.isFloat() ? "f64" : "i64"), "sequence");
            sequences[t.ordinal()] = k;
        }
        if (t.isFloat()) {
            lane.launch().i64(n).f64(op.start()).f64(op.step()).f64(op.last()).pointer(out).over(k, n);
        } else {
            lane.launch().i64(n).i64((long) op.start()).i64((long) op.step()).i64((long) op.last()).pointer(out)
                    .over(k, n);
        }
    }

    void random(Lane lane, Op.Random op, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        DType t = out.dtype();
        int i = op.distribution().ordinal() * TYPES + t.ordinal();
        Kernel k = draws[i];
        if (k == null) {
            k = random(t, op.distribution().name(), "draw");
            draws[i] = k;
        }
        long low = (long) Math.ceil(op.a());
        long range = (long) Math.ceil(op.b()) - low;
        lane.launch().i64(n).i64(op.seed()).f64(op.a()).f64(op.b()).i64(low).i64(range).pointer(out)
                .over(k, (n + 1) / 2);
    }

    private Kernel random(DType type, String draw, String function) {
        return context.kernels().get("random", Kernels.define("OUT", Kernels.type(type))
                + Kernels.define("ROUNDED", Kernels.type(type.isFloat() ? type : DType.F64))
                + Kernels.define("DRAW", draw), function);
    }

    void dropout(Lane lane, Op.Dropout op, View x, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        DType t = out.dtype();
        Kernel k = drops[t.ordinal()];
        if (k == null) {
            k = random(t, "DROPOUT", "dropout");
            drops[t.ordinal()] = k;
        }
        Axes axes = Axes.of("dropout", out.shape(), x.layout(), op.numbers());
        lane.launch().i64(n).i64(op.seed()).f32((float) op.p()).f64(1 / (1 - op.p())).i64(op.numbers().offset())
                .axes(axes).pointer(x).pointer(out).over(k, n);
    }
}
