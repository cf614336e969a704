package dev.gramian.cpu;

/** Copies elements of 1, 2, 4 or 8 bytes without regard to what they mean. Strides in bytes. */
final class Moves {
    /** Shorter runs are moved by plain loads: the JDK's copy costs about 10 ns to call. */
    private static final long SHORT = 64;

    private Moves() {}

    /** A run of contiguous bytes. */
    static void bytes(long from, long to, long bytes) {
        if (bytes > SHORT) {
            Mem.copy(from, to, bytes);
            return;
        }
        long i = 0;
        for (; i + 8 <= bytes; i += 8) {
            Mem.i64(to + i, Mem.i64(from + i));
        }
        for (; i < bytes; i++) {
            Mem.u8(to + i, Mem.u8(from + i));
        }
    }

    /** {@code count} elements of {@code width} bytes, evenly spaced on both sides. */
    static void elements(int width, long from, long fromStep, long to, long toStep, long count) {
        if (fromStep == width && toStep == width) {
            bytes(from, to, count * width);
            return;
        }
        switch (width) {
            case 8 -> {
                for (long i = 0; i < count; i++) {
                    Mem.i64(to + i * toStep, Mem.i64(from + i * fromStep));
                }
            }
            case 4 -> {
                for (long i = 0; i < count; i++) {
                    Mem.i32(to + i * toStep, Mem.i32(from + i * fromStep));
                }
            }
            case 2 -> {
                for (long i = 0; i < count; i++) {
                    Mem.i16(to + i * toStep, Mem.i16(from + i * fromStep));
                }
            }
            default -> {
                for (long i = 0; i < count; i++) {
                    Mem.u8(to + i * toStep, Mem.u8(from + i * fromStep));
                }
            }
        }
    }
}
