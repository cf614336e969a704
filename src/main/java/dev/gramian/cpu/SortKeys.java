package dev.gramian.cpu;

import dev.gramian.core.DType;

/**
 * Elements as integers whose signed order is the order of the elements: NaN above everything and equal to any NaN, both
 * zeros equal. {@code flip} is 0, or -1 to reverse the order.
 *
 * <p>Types of up to four bytes give {@code key << 32 | position}: all different, so that sorting plain longs is stable.
 * F64 and I64 give the bare 64-bit key.
 */
final class SortKeys {
    private SortKeys() {}

    /** True where a key leaves room for the position. */
    static boolean packed(DType t) {
        return t.bytes() <= 4;
    }

    /** Keys of {@code n} elements from {@code addr} on, the first at position {@code from} of its row. */
    static void read(DType t, long addr, long step, int from, int n, long flip, long[] keys, int at) {
        switch (t) {
            case F64 -> {
                for (int i = 0; i < n; i++) {
                    keys[at + i] = key(Mem.f64(addr + i * step)) ^ flip;
                }
            }
            case I64 -> {
                for (int i = 0; i < n; i++) {
                    keys[at + i] = Mem.i64(addr + i * step) ^ flip;
                }
            }
            case F32 -> {
                for (int i = 0; i < n; i++) {
                    keys[at + i] = pack(key(Mem.f32(addr + i * step)), flip, from + i);
                }
            }
            case I32 -> {
                for (int i = 0; i < n; i++) {
                    keys[at + i] = pack(Mem.i32(addr + i * step), flip, from + i);
                }
            }
            case F16 -> half(addr, step, from, n, flip, keys, at, 0x7C00);
            case BF16 -> half(addr, step, from, n, flip, keys, at, 0x7F80);
            case U8, BOOL -> {
                for (int i = 0; i < n; i++) {
                    keys[at + i] = pack(Mem.u8(addr + i * step), flip, from + i);
                }
            }
        }
    }

    private static void half(long addr, long step, int from, int n, long flip, long[] keys, int at, int inf) {
        for (int i = 0; i < n; i++) {
            keys[at + i] = pack(key(Mem.i16(addr + i * step), inf), flip, from + i);
        }
    }

    private static long pack(int key, long flip, int position) {
        return (key ^ flip) << 32 | position;
    }

    private static long key(double v) {
        long b = Double.doubleToLongBits(v + 0.0); // + 0.0: no negative zero
        return v != v ? Long.MAX_VALUE : b ^ (b >> 63 & Long.MAX_VALUE);
    }

    private static int key(float v) {
        int b = Float.floatToIntBits(v + 0.0f);
        return v != v ? Integer.MAX_VALUE : b ^ (b >> 31 & Integer.MAX_VALUE);
    }

    private static int key(short v, int inf) {
        int magnitude = v & 0x7FFF;
        return magnitude > inf ? 0x7FFF : v < 0 ? -magnitude : magnitude;
    }
}
