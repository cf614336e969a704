package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Half;
import java.lang.invoke.MethodHandles;

/**
 * Conversion of contiguous elements between any two types. Floats round once, to nearest even; float to integer goes
 * toward zero, saturates and makes NaN 0; integer to a narrower integer keeps the low bits; to BOOL is {@code x != 0};
 * BOOL gives 0 or 1. I64 never passes through F64 on its way to an integer, and rounds once on its way to any float.
 */
final class Casts {
    private static final int TYPES = DType.values().length;
    private static final CastKernel[] PLAIN = new CastKernel[TYPES * TYPES];
    private static final CastKernel[] VECTOR = new CastKernel[TYPES * TYPES];

    private Casts() {}

    interface CastKernel {
        void run(long x, long out, long n);
    }

    record Spec(DType from, DType to) {}

    /** Converts n elements at x to {@code to} at out, no overlap; {@code vector}: the Vector API may be used. */
    static void run(boolean vector, DType from, DType to, long x, long out, long n) {
        if (from == to) {
            Mem.copy(x, out, n * from.bytes());
            return;
        }
        int i = from.ordinal() * TYPES + to.ordinal();
        CastKernel[] table = vector ? VECTOR : PLAIN;
        CastKernel k = table[i];
        if (k == null) {
            k = (CastKernel) Specialize.copy(CastLoop.class, new Spec(from, to));
            CastKernel whole = vector ? VectorCasts.of(from, to) : null;
            k = whole == null ? k : new VectorCast(whole, k, VectorCasts.L, from.bytes(), to.bytes());
            table[i] = k;
        }
        k.run(x, out, n);
    }

    /** Whole vectors, the last one overlapping its neighbour; too few elements for one go to the plain loop. */
    private record VectorCast(CastKernel whole, CastKernel few, int lanes, int from, int to) implements CastKernel {
        @Override
        public void run(long x, long out, long n) {
            if (n < lanes) {
                few.run(x, out, n);
                return;
            }
            long even = n - n % lanes;
            whole.run(x, out, even);
            if (even < n) {
                whole.run(x + (n - lanes) * from, out + (n - lanes) * to, lanes);
            }
        }
    }

    static double real(DType type, long x, long i) {
        if (type == DType.F64) {
            return Mem.f64(x + 8 * i);
        }
        if (type == DType.F32) {
            return Mem.f32(x + 4 * i);
        }
        return type == DType.F16 ? Half.fromF16(Mem.i16(x + 2 * i)) : Half.fromBF16(Mem.i16(x + 2 * i));
    }

    /** v as a value of {@code half}, a half type. */
    static double rounded(DType half, double v) {
        return Half.toFloat(half, Half.fromDouble(half, v));
    }

    /** Stores v as element i of any type. */
    static void store(DType type, long out, long i, double v) {
        if (type == DType.F64) {
            Mem.f64(out + 8 * i, v);
        } else if (type == DType.F32) {
            Mem.f32(out + 4 * i, (float) v);
        } else if (type == DType.F16) {
            Mem.i16(out + 2 * i, Half.toF16(v));
        } else if (type == DType.BF16) {
            Mem.i16(out + 2 * i, Half.toBF16(v));
        } else if (type == DType.I64) {
            Mem.i64(out + 8 * i, (long) v);
        } else if (type == DType.I32) {
            Mem.i32(out + 4 * i, (int) v);
        } else if (type == DType.U8) {
            Mem.u8(out + i, Math.clamp((long) v, 0, 255));
        } else {
            Mem.u8(out + i, v != 0 ? 1 : 0);
        }
    }

    /** Stores v as element i of any type. */
    static void store(DType type, long out, long i, long v) {
        if (type == DType.F64) {
            Mem.f64(out + 8 * i, (double) v);
        } else if (type == DType.F32) {
            Mem.f32(out + 4 * i, (float) v);
        } else if (type == DType.F16) {
            Mem.i16(out + 2 * i, Half.toF16(toOdd(v)));
        } else if (type == DType.BF16) {
            Mem.i16(out + 2 * i, Half.toBF16(toOdd(v)));
        } else if (type == DType.BOOL) {
            Mem.u8(out + i, v != 0 ? 1 : 0);
        } else {
            ScalarLoops.store(type, out, i, v);
        }
    }

    /** v with its low bits gathered into one where F64 cannot hold them, so that the next rounding is the only one. */
    private static double toOdd(long v) {
        if (Math.abs(v) >> 53 == 0) {
            return v;
        }
        return (v & ~0xFFFL) | ((v & 0xFFF) != 0 ? 0x800 : 0);
    }
}

/** Template for {@link Specialize}. */
final class CastLoop implements Casts.CastKernel {
    private static final Casts.Spec SPEC = Specialize.data(MethodHandles.lookup(), Casts.Spec.class);
    private static final DType FROM = SPEC.from();
    private static final DType TO = SPEC.to();
    private static final boolean REAL = FROM.isFloat();

    CastLoop() {}

    @Override
    public void run(long x, long out, long n) {
        for (long i = 0; i < n; i++) {
            if (REAL) {
                Casts.store(TO, out, i, Casts.real(FROM, x, i));
            } else {
                Casts.store(TO, out, i, ScalarLoops.load(FROM, x, i));
            }
        }
    }
}
