package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Half;

/**
 * Moves evenly spaced elements between a tensor and contiguous work blocks: F64 as F64, F32 and half types as F32, integers
 * and BOOL as I64. Half types are rounded once on the way back.
 */
final class Gather {
    private Gather() {}

    /** The type in which blocks of {@code t} are held. */
    static DType block(DType t) {
        return t.isFloat() ? t.compute() : DType.I64;
    }

    /** n elements of {@code type}, {@code step} bytes apart from {@code addr} on, to a block at {@code to}. */
    static void read(DType type, long addr, long step, long n, long to) {
        switch (type) {
            case F64, I64 -> {
                if (step == 8) {
                    Mem.copy(addr, to, 8 * n);
                } else {
                    for (long i = 0; i < n; i++) {
                        Mem.i64(to + 8 * i, Mem.i64(addr + i * step));
                    }
                }
            }
            case F32 -> {
                if (step == 4) {
                    Mem.copy(addr, to, 4 * n);
                } else {
                    for (long i = 0; i < n; i++) {
                        Mem.i32(to + 4 * i, Mem.i32(addr + i * step));
                    }
                }
            }
            case F16 -> {
                for (long i = 0; i < n; i++) {
                    Mem.f32(to + 4 * i, Half.fromF16(Mem.i16(addr + i * step)));
                }
            }
            case BF16 -> {
                for (long i = 0; i < n; i++) {
                    Mem.f32(to + 4 * i, Half.fromBF16(Mem.i16(addr + i * step)));
                }
            }
            case I32 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i64(to + 8 * i, Mem.i32(addr + i * step));
                }
            }
            case U8, BOOL -> {
                for (long i = 0; i < n; i++) {
                    Mem.i64(to + 8 * i, Mem.u8(addr + i * step));
                }
            }
        }
    }

    /** As {@link #read(DType, long, long, long, long)}; {@code vector}: contiguous half types may go by the Vector API. */
    static void read(boolean vector, DType type, long addr, long step, long n, long to) {
        if (type.isHalf() && step == 2) {
            Casts.run(vector, type, DType.F32, addr, to, n);
        } else {
            read(type, addr, step, n, to);
        }
    }

    /** As {@link #write(DType, long, long, long, long)}; {@code vector}: contiguous half types may go by the Vector API. */
    static void write(boolean vector, DType type, long from, long n, long addr, long step) {
        if (type.isHalf() && step == 2) {
            Casts.run(vector, DType.F32, type, from, addr, n);
        } else {
            write(type, from, n, addr, step);
        }
    }

    /** n elements of a block at {@code from} to elements of float {@code type}, {@code step} bytes apart from addr on. */
    static void write(DType type, long from, long n, long addr, long step) {
        switch (type) {
            case F64 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i64(addr + i * step, Mem.i64(from + 8 * i));
                }
            }
            case F32 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i32(addr + i * step, Mem.i32(from + 4 * i));
                }
            }
            case F16 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i16(addr + i * step, Half.toF16(Mem.f32(from + 4 * i)));
                }
            }
            case BF16 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i16(addr + i * step, Half.toBF16(Mem.f32(from + 4 * i)));
                }
            }
            case I64, I32, U8, BOOL -> throw new AssertionError(type);
        }
    }

    /** Stores one float result, rounded once. */
    static void store(DType type, long addr, double v) {
        switch (type) {
            case F64 -> Mem.f64(addr, v);
            case F32 -> Mem.f32(addr, (float) v);
            case F16, BF16 -> Mem.i16(addr, Half.fromDouble(type, v));
            case I64, I32, U8, BOOL -> throw new AssertionError(type);
        }
    }

    /** Stores one integer result, which fits. */
    static void store(DType type, long addr, long v) {
        switch (type) {
            case I64 -> Mem.i64(addr, v);
            case I32 -> Mem.i32(addr, (int) v);
            case U8, BOOL -> Mem.u8(addr, (int) v);
            case F64, F32, F16, BF16 -> throw new AssertionError(type);
        }
    }
}
