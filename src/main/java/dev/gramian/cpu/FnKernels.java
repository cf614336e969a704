package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.MapFn;
import dev.gramian.core.ZipFn;

/**
 * The kernel of every elementwise function and compute type on one path, made on first use. Where the vector tables have
 * no form of a function (tests, integers, a few F64 functions) the scalar loop serves every path.
 */
final class FnKernels {
    private static final int TYPES = DType.values().length;

    private final boolean vector;
    private final MapKernel[] maps = new MapKernel[MapFn.values().length * TYPES];
    private final ZipKernel[] zips = new ZipKernel[ZipFn.values().length * TYPES];

    /** {@code vector}: whether the Vector API may be used. */
    FnKernels(boolean vector) {
        this.vector = vector;
    }

    /** {@code type} is not a half type; the result is of that type, or BOOL for tests. */
    MapKernel map(MapFn fn, DType type) {
        int i = fn.ordinal() * TYPES + type.ordinal();
        MapKernel k = maps[i];
        // two threads may both make one: either is right, and neither has state
        return k != null ? k : (maps[i] = makeMap(fn, type));
    }

    ZipKernel zip(ZipFn fn, DType type) {
        int i = fn.ordinal() * TYPES + type.ordinal();
        ZipKernel k = zips[i];
        return k != null ? k : (zips[i] = makeZip(fn, type));
    }

    private MapKernel makeMap(MapFn fn, DType type) {
        MapKernel k = !vector
                ? null
                : switch (type) {
                    case F32 -> VectorLoops.f32(fn);
                    case F64 -> VectorLoops.f64(fn);
                    case F16, BF16, I64, I32, U8, BOOL -> null;
                };
        return k != null ? k : ScalarLoops.map(fn, type);
    }

    private ZipKernel makeZip(ZipFn fn, DType type) {
        ZipKernel k = !vector
                ? null
                : switch (type) {
                    case F32 -> VectorLoops.f32(fn);
                    case F64 -> VectorLoops.f64(fn);
                    case F16, BF16, I64, I32, U8, BOOL -> null;
                };
        return k != null ? k : ScalarLoops.zip(fn, type);
    }
}
