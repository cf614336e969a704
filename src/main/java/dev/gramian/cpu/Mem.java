package dev.gramian.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Raw native memory by address. The one segment spans all memory and never closes, so the JIT folds its bounds and
 * liveness checks away; layouts are held against their storage once, before a backend is called.
 *
 * <p>Layouts are unaligned: mapped files may place elements at any byte.
 */
final class Mem {
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Mem() {}

    static double f64(long addr) {
        return ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, addr);
    }

    static void f64(long addr, double v) {
        ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, addr, v);
    }

    static float f32(long addr) {
        return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, addr);
    }

    static void f32(long addr, float v) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, addr, v);
    }

    static long i64(long addr) {
        return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, addr);
    }

    static void i64(long addr, long v) {
        ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, addr, v);
    }

    static int i32(long addr) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, addr);
    }

    static void i32(long addr, int v) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, addr, v);
    }

    static short i16(long addr) {
        return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, addr);
    }

    static void i16(long addr, short v) {
        ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, addr, v);
    }

    /** Unsigned byte. */
    static int u8(long addr) {
        return ALL.get(ValueLayout.JAVA_BYTE, addr) & 0xFF;
    }

    static void u8(long addr, int v) {
        ALL.set(ValueLayout.JAVA_BYTE, addr, (byte) v);
    }

    static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    static void zero(long addr, long bytes) {
        ALL.asSlice(addr, bytes).fill((byte) 0);
    }
}
