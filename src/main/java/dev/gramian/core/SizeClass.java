package dev.gramian.core;

/** Block sizes of the devices' allocators: eight per power of two, so at most an eighth of a block is unused. */
public final class SizeClass {
    private SizeClass() {}

    /** Class of the smallest size that holds {@code units}, which is 1 or more. */
    public static int of(long units) {
        if (units <= 8) {
            return (int) units;
        }
        int log = 63 - Long.numberOfLeadingZeros(units - 1);
        int eighth = (int) ((units - 1) >>> (log - 3)) & 7;
        return (log - 2) * 8 + eighth + 1;
    }

    /** Units that blocks of a class hold. */
    public static long units(int sizeClass) {
        if (sizeClass <= 8) {
            return sizeClass;
        }
        int log = (sizeClass - 1) / 8 + 2;
        int eighth = (sizeClass - 1) % 8;
        return (8L + eighth + 1) << (log - 3);
    }
}
