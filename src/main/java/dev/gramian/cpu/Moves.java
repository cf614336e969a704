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

    /** One element over and over. */
    private static void repeat(int width, long from, long to, long bytes) {
        long word = switch (width) {
            case 8 -> Mem.i64(from);
            case 4 -> (Mem.i32(from) & 0xFFFF_FFFFL) * 0x1_0000_0001L;
            case 2 -> (Mem.i16(from) & 0xFFFFL) * 0x1_0001_0001_0001L;
            default -> Mem.u8(from) * 0x01010101_01010101L;
        };
        int head = (int) Math.min(bytes, 512);
        int i = 0;
        for (; i + 8 <= head; i += 8) {
            Mem.i64(to + i, word);
        }
        for (; i < head; i++) {
            Mem.u8(to + i, (int) (word >>> 8 * (i & 7)));
        }
        for (long done = head; done < bytes; done *= 2) {
            Mem.copy(to, to + done, Math.min(done, bytes - done));
        }
    }

    /** {@code count} elements of {@code width} bytes, evenly spaced on both sides. */
    static void elements(int width, long from, long fromStep, long to, long toStep, long count) {
        if (fromStep == width && toStep == width) {
            bytes(from, to, count * width);
            return;
        }
        if (fromStep == 0 && toStep == width) {
            repeat(width, from, to, count * width);
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
