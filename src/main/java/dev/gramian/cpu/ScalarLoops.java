package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.MapFn;
import dev.gramian.core.ZipFn;
import java.lang.invoke.MethodHandles;

/** Loops in plain Java over one function and element type, templates for {@link Specialize}. */
final class ScalarLoops {
    private ScalarLoops() {}

    static MapKernel map(MapFn fn, DType type) {
        return (MapKernel) Specialize.copy(ScalarMapLoop.class, new MapSpec(fn, type));
    }

    static ZipKernel zip(ZipFn fn, DType type) {
        return (ZipKernel) Specialize.copy(ScalarZipLoop.class, new ZipSpec(fn, type));
    }

    record MapSpec(MapFn fn, DType type) {}

    record ZipSpec(ZipFn fn, DType type) {}

    /** Element i as an integer. */
    static long load(DType type, long x, long i) {
        if (type == DType.I64) {
            return Mem.i64(x + 8 * i);
        }
        return type == DType.I32 ? Mem.i32(x + 4 * i) : Mem.u8(x + i);
    }

    /** Stores v as element i, cut to the type's width; BOOL keeps the lowest bit. */
    static void store(DType type, long out, long i, long v) {
        if (type == DType.I64) {
            Mem.i64(out + 8 * i, v);
        } else if (type == DType.I32) {
            Mem.i32(out + 4 * i, (int) v);
        } else {
            Mem.u8(out + i, (int) (type == DType.BOOL ? v & 1 : v));
        }
    }
}

/** F32 is computed in F64 and rounded once. */
final class ScalarMapLoop implements MapKernel {
    private static final ScalarLoops.MapSpec SPEC = Specialize.data(MethodHandles.lookup(), ScalarLoops.MapSpec.class);
    private static final MapFn FN = SPEC.fn();
    private static final DType TYPE = SPEC.type();
    private static final boolean TEST = FN.isTest();

    ScalarMapLoop() {}

    @Override
    public void run(long x, long out, long n, double p, double q) {
        if (TYPE == DType.F64) {
            for (long i = 0; i < n; i++) {
                double v = FN.apply(Mem.f64(x + 8 * i), p, q);
                if (TEST) {
                    Mem.u8(out + i, (int) v);
                } else {
                    Mem.f64(out + 8 * i, v);
                }
            }
        } else if (TYPE == DType.F32) {
            for (long i = 0; i < n; i++) {
                double v = FN.apply((double) Mem.f32(x + 4 * i), p, q);
                if (TEST) {
                    Mem.u8(out + i, (int) v);
                } else {
                    Mem.f32(out + 4 * i, (float) v);
                }
            }
        } else {
            long low = MapFn.lower(TYPE, p);
            long high = MapFn.upper(TYPE, q);
            for (long i = 0; i < n; i++) {
                long v = FN.apply(ScalarLoops.load(TYPE, x, i), low, high);
                ScalarLoops.store(TEST ? DType.BOOL : TYPE, out, i, v);
            }
        }
    }
}

/** F32 is computed in F64 and rounded once. */
final class ScalarZipLoop implements ZipKernel {
    private static final ScalarLoops.ZipSpec SPEC = Specialize.data(MethodHandles.lookup(), ScalarLoops.ZipSpec.class);
    private static final ZipFn FN = SPEC.fn();
    private static final DType TYPE = SPEC.type();
    private static final boolean TEST = FN.isTest();

    ScalarZipLoop() {}

    @Override
    public void run(long x, long y, long out, long n) {
        if (TYPE == DType.F64) {
            for (long i = 0; i < n; i++) {
                double v = FN.apply(Mem.f64(x + 8 * i), Mem.f64(y + 8 * i));
                if (TEST) {
                    Mem.u8(out + i, (int) v);
                } else {
                    Mem.f64(out + 8 * i, v);
                }
            }
        } else if (TYPE == DType.F32) {
            for (long i = 0; i < n; i++) {
                double v = FN.apply((double) Mem.f32(x + 4 * i), (double) Mem.f32(y + 4 * i));
                if (TEST) {
                    Mem.u8(out + i, (int) v);
                } else {
                    Mem.f32(out + 4 * i, (float) v);
                }
            }
        } else {
            for (long i = 0; i < n; i++) {
                long v = FN.apply(ScalarLoops.load(TYPE, x, i), ScalarLoops.load(TYPE, y, i));
                ScalarLoops.store(TEST ? DType.BOOL : TYPE, out, i, v);
            }
        }
    }
}
