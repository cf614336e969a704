package dev.gramian.cpu;

/**
 * Transposes by tiles that are put together in first-level cache: lines of memory are read to their end while they are
 * there, and rows of the result are written in pieces of whole cache lines, even where lines and rows lie powers of two
 * apart and would evict each other.
 *
 * <p>Elements of 1, 2 and 4 bytes move eight bytes at a time, in blocks of 8 x 8, 4 x 4 and 2 x 2 whose halves change places
 * in registers: one memory access where there were eight, four or two. native-notes/cpu/elementwise.md has the figures.
 */
final class Tiles {
    private static final long LOW_32 = 0xFFFFFFFFL;
    private static final long LOW_16 = 0x0000FFFF0000FFFFL;
    private static final long LOW_8 = 0x00FF00FF00FF00FFL;

    private Tiles() {}

    /** Rows and columns of a tile: a cache line or two of elements each way. */
    static int side(int width) {
        return width <= 2 ? 64 : 32;
    }

    /**
     * {@code rows}, at most {@link #side}, rows of a result, {@code outRow} bytes apart, from lines of memory: element (r, c) lies
     * at {@code x + r * xRow + c * xColumn}.
     */
    static void band(int width, long x, long xRow, long out, long outRow, long rows, long columns, long xColumn) {
        if (width == 4 && xRow == 4) {
            pairs(x, out, outRow, (int) rows, columns, xColumn);
            return;
        }
        int side = side(width);
        int tileRow = side * width;
        long tile = Scratch.take(Scratch.Slot.STAGE, (long) side * tileRow);
        int height = (int) rows;
        boolean along = xRow == width;
        for (long c = 0; c < columns; c += side) {
            int n = (int) Math.min(side, columns - c);
            long from = x + c * xColumn;
            // whole blocks, then the rows below and the columns beside them
            int block = along ? 8 / width : 1;
            int h = height / block * block;
            int w = n / block * block;
            switch (along ? width : 0) {
                case 1 -> bytes(from, xColumn, tile, h, w);
                case 2 -> shorts(from, xColumn, tile, h, w);
                default -> rest(width, from, xRow, xColumn, tile, tileRow, 0, h, 0, w);
            }
            if (h < height) {
                rest(width, from, xRow, xColumn, tile, tileRow, h, height, 0, w);
            }
            if (w < n) {
                rest(width, from, xRow, xColumn, tile, tileRow, 0, height, w, n);
            }
            for (int r = 0; r < height; r++) {
                Moves.bytes(tile + r * tileRow, out + r * outRow + c * width, (long) n * width);
            }
        }
    }

    // loops by int: by long, the JIT makes two nested loops of each, whose setting up costs more than 32 steps

    private static void rest(int width, long x, long xRow, long xColumn, long tile, int tileRow, int top, int bottom,
            int left, int right) {
        for (int c = left; c < right; c++) {
            long from = x + c * xColumn;
            long to = tile + (long) c * width;
            switch (width) {
                case 8 -> {
                    for (int r = top; r < bottom; r++) {
                        Mem.i64(to + (long) r * tileRow, Mem.i64(from + r * xRow));
                    }
                }
                case 4 -> {
                    for (int r = top; r < bottom; r++) {
                        Mem.i32(to + (long) r * tileRow, Mem.i32(from + r * xRow));
                    }
                }
                case 2 -> {
                    for (int r = top; r < bottom; r++) {
                        Mem.i16(to + (long) r * tileRow, Mem.i16(from + r * xRow));
                    }
                }
                default -> {
                    for (int r = top; r < bottom; r++) {
                        Mem.u8(to + (long) r * tileRow, Mem.u8(from + r * xRow));
                    }
                }
            }
        }
    }

    /** Without a tile, which four-byte elements repay only where lines evict each other: a cache line of a row at a time. */
    private static void pairs(long x, long out, long outRow, int rows, long columns, long xColumn) {
        int h = rows & -2;
        for (long c = 0; c < columns; c += 16) {
            int n = (int) Math.min(16, columns - c);
            int w = n & -2;
            long from = x + c * xColumn;
            long to = out + 4 * c;
            for (int r = 0; r < h; r += 2) {
                long p = from + 4L * r;
                long y = to + r * outRow;
                for (int j = 0; j < w; j += 2) {
                    long a = Mem.i64(p + j * xColumn);
                    long b = Mem.i64(p + (j + 1) * xColumn);
                    Mem.i64(y + 4L * j, a & LOW_32 | b << 32);
                    Mem.i64(y + outRow + 4L * j, a >>> 32 | b & ~LOW_32);
                }
            }
            if (h < rows) {
                Moves.elements(4, from + 4L * h, xColumn, to + h * outRow, 4, n);
            }
            if (w < n) {
                Moves.elements(4, from + w * xColumn, 4, to + 4L * w, outRow, h);
            }
        }
    }

    private static void shorts(long x, long xColumn, long tile, int rows, int columns) {
        for (int c = 0; c < columns; c += 4) {
            long p = x + c * xColumn;
            long to = tile + 2L * c;
            for (int r = 0; r < rows; r += 4) {
                long at = p + 2L * r;
                long a0 = Mem.i64(at);
                long a1 = Mem.i64(at + xColumn);
                long a2 = Mem.i64(at + 2 * xColumn);
                long a3 = Mem.i64(at + 3 * xColumn);
                long b0 = a0 & LOW_32 | a2 << 32;
                long b1 = a1 & LOW_32 | a3 << 32;
                long b2 = a0 >>> 32 | a2 & ~LOW_32;
                long b3 = a1 >>> 32 | a3 & ~LOW_32;
                long y = to + 128L * r;
                Mem.i64(y, b0 & LOW_16 | (b1 & LOW_16) << 16);
                Mem.i64(y + 128, b0 >>> 16 & LOW_16 | b1 & ~LOW_16);
                Mem.i64(y + 256, b2 & LOW_16 | (b3 & LOW_16) << 16);
                Mem.i64(y + 384, b2 >>> 16 & LOW_16 | b3 & ~LOW_16);
            }
        }
    }

    private static void bytes(long x, long xColumn, long tile, int rows, int columns) {
        for (int c = 0; c < columns; c += 8) {
            long p = x + c * xColumn;
            long to = tile + c;
            for (int r = 0; r < rows; r += 8) {
                long at = p + r;
                long a0 = Mem.i64(at);
                long a1 = Mem.i64(at + xColumn);
                long a2 = Mem.i64(at + 2 * xColumn);
                long a3 = Mem.i64(at + 3 * xColumn);
                long a4 = Mem.i64(at + 4 * xColumn);
                long a5 = Mem.i64(at + 5 * xColumn);
                long a6 = Mem.i64(at + 6 * xColumn);
                long a7 = Mem.i64(at + 7 * xColumn);
                long y = to + 64L * r;
                quarter(a0 & LOW_32 | a4 << 32, a1 & LOW_32 | a5 << 32, a2 & LOW_32 | a6 << 32, a3 & LOW_32 | a7 << 32,
                        y);
                quarter(a0 >>> 32 | a4 & ~LOW_32, a1 >>> 32 | a5 & ~LOW_32, a2 >>> 32 | a6 & ~LOW_32,
                        a3 >>> 32 | a7 & ~LOW_32, y + 256);
            }
        }
    }

    /** Four rows of eight bytes from four words that hold four of columns 0 to 3 and four of columns 4 to 7. */
    private static void quarter(long a0, long a1, long a2, long a3, long y) {
        long b0 = a0 & LOW_16 | (a2 & LOW_16) << 16;
        long b1 = a1 & LOW_16 | (a3 & LOW_16) << 16;
        long b2 = a0 >>> 16 & LOW_16 | a2 & ~LOW_16;
        long b3 = a1 >>> 16 & LOW_16 | a3 & ~LOW_16;
        Mem.i64(y, b0 & LOW_8 | (b1 & LOW_8) << 8);
        Mem.i64(y + 64, b0 >>> 8 & LOW_8 | b1 & ~LOW_8);
        Mem.i64(y + 128, b2 & LOW_8 | (b3 & LOW_8) << 8);
        Mem.i64(y + 192, b2 >>> 8 & LOW_8 | b3 & ~LOW_8);
    }
}
