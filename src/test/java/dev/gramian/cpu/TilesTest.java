package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Tiles against one element after the other, every byte, with what lies around the result untouched. */
final class TilesTest {
    private static final int[] SIZES = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130};

    @Test
    void bandsOfEverySizeAndWidth() {
        for (int width : new int[] {1, 2, 4, 8}) {
            for (int rows : SIZES) {
                for (int columns : SIZES) {
                    for (boolean backwards : new boolean[] {false, true}) {
                        if (rows <= Tiles.side(width)) {
                            check(width, rows, columns, backwards);
                        }
                    }
                }
            }
        }
    }

    private static void check(int width, int rows, int columns, boolean backwards) {
        long column = (rows + 3L) * width;
        long row = (columns + 2L) * width;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(column * columns, 64);
            MemorySegment to = arena.allocate(row * (rows + 1), 64);
            for (long i = 0; i < from.byteSize(); i++) {
                from.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 37 + (i >> 8)));
            }
            to.fill((byte) 0x5A);
            long first = backwards ? (rows - 1L) * width : 0;
            long step = backwards ? -width : width;
            Tiles.band(width, from.address() + first, step, to.address(), row, rows, columns, column);
            String what = "width " + width + ", " + rows + " x " + columns + ", step " + step;
            for (int r = 0; r <= rows; r++) {
                for (int c = 0; c < columns + 2; c++) {
                    for (int b = 0; b < width; b++) {
                        byte want = r < rows && c < columns
                                ? from.get(ValueLayout.JAVA_BYTE, first + r * step + c * column + b)
                                : 0x5A;
                        assertEquals(want, to.get(ValueLayout.JAVA_BYTE, r * row + (long) c * width + b), what);
                    }
                }
            }
        }
    }
}
