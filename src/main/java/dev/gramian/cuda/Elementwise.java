package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;

/** Functions of one element of each operand, and copies. */
final class Elementwise {
    private static final int TYPES = DType.values().length;

    private final CudaContext context;
    // by function and type, type and type, width; two threads may both make one: either is right
    private final ElementKernels[] maps = new ElementKernels[MapFn.values().length * TYPES];
    private final ElementKernels[] zips = new ElementKernels[ZipFn.values().length * TYPES];
    private final ElementKernels[] casts = new ElementKernels[TYPES * TYPES];
    private final ElementKernels[] copies = new ElementKernels[9];
    private final ElementKernels[] wheres = new ElementKernels[9];

    Elementwise(CudaContext context) {
        this.context = context;
    }

    void map(Lane lane, Op.Map op, View x, View out) {
        MapFn fn = op.fn();
        DType t = x.dtype();
        int i = fn.ordinal() * TYPES + t.ordinal();
        ElementKernels k = maps[i];
        if (k == null) {
            k = ElementKernels.function(context, 1, t, out.dtype(), fn.cuda(t));
            maps[i] = k;
        }
        long p = t.isFloat() ? bits(t.compute(), op.p()) : MapFn.lower(t, op.p());
        long q = t.isFloat() ? bits(t.compute(), op.q()) : MapFn.upper(t, op.q());
        Sweep.run(lane, k, p, q, 0, out, x);
    }

    void zip(Lane lane, Op.Zip op, View x, View y, View out) {
        zip(lane, op.fn(), x.dtype(), 0, 0, out, x, y);
    }

    void zipScalar(Lane lane, Op.ZipScalar op, View x, View out) {
        DType t = x.dtype();
        if (op.fn() == ZipFn.POW && t.isInteger() && !op.scalarFirst()) {
            if (op.scalar() < 0 && out.layout().size() > 0) {
                refuse((long) op.scalar());
            }
        }
        long scalar = bits(t, op.scalar());
        if (op.scalarFirst()) {
            zip(lane, op.fn(), t, scalar, 0, out, null, x);
        } else {
            zip(lane, op.fn(), t, 0, scalar, out, x, null);
        }
    }

    /** In: condition, x, y. */
    void where(Lane lane, View[] in, View out) {
        int w = out.dtype().bytes();
        ElementKernels k = wheres[w];
        if (k == null) {
            k = ElementKernels.where(context, w);
            wheres[w] = k;
        }
        Sweep.run(lane, k, 0, 0, 0, out, in);
    }

    /** Any type to any type, any layout to any layout. */
    void copy(Lane lane, View x, View out) {
        DType from = x.dtype();
        DType to = out.dtype();
        ElementKernels[] table = from == to ? copies : casts;
        int i = from == to ? from.bytes() : from.ordinal() * TYPES + to.ordinal();
        ElementKernels k = table[i];
        if (k == null) {
            k = from == to ? ElementKernels.copy(context, from.bytes()) : ElementKernels.cast(context, from, to);
            table[i] = k;
        }
        Sweep.run(lane, k, 0, 0, 0, out, x);
    }

    /** Of x and y one may be null, a constant: p or q. */
    private void zip(Lane lane, ZipFn fn, DType t, long p, long q, View out, View x, View y) {
        int i = fn.ordinal() * TYPES + t.ordinal();
        ElementKernels k = zips[i];
        if (k == null) {
            k = ElementKernels.function(context, 2, t, out.dtype(), fn.cuda(t));
            zips[i] = k;
        }
        boolean refuses = fn == ZipFn.POW && (t == DType.I64 || t == DType.I32) && y != null;
        if (!refuses || out.layout().size() == 0) {
            Sweep.run(lane, k, p, q, 0, out, x, y);
            return;
        }
        CudaStorage flag = lane.temporary("pow", 8);
        long lowest;
        try {
            Status.driver(jcuda.driver.JCudaDriver.cuMemsetD8Async(Pointers.device(flag.address), (byte) 0, 8,
                    lane.stream()), "cuMemsetD8Async");
            Sweep.run(lane, k, p, q, flag.address, out, x, y);
            lowest = lane.readLong(flag.address, "exponents of pow");
        } finally {
            lane.free(flag);
        }
        if (lowest < 0) {
            refuse(lowest);
        }
    }

    /** The error of an integer power with a negative exponent. */
    private static void refuse(long exponent) {
        ZipFn.POW.apply(1, exponent);
        throw new AssertionError(exponent);
    }

    /** A number as type t has it, rounded to a half type where it is one, in the bits of the compute type. */
    private static long bits(DType t, double v) {
        return switch (t) {
            case F64 -> Double.doubleToRawLongBits(v);
            case F32 -> Float.floatToRawIntBits((float) v);
            case F16, BF16 -> Float.floatToRawIntBits(Half.toFloat(t, Half.fromDouble(t, v)));
            case I64, I32, U8, BOOL -> (long) v;
        };
    }
}
