package dev.gramian.cpu;

import java.lang.foreign.Arena;

/**
 * Native work memory that belongs to the calling thread and is reused by its next kernel: one buffer per slot, grown and
 * kept, 64-byte aligned, contents undefined. A kernel that calls another must not share its slot. For blocks of at most
 * a few megabytes; whole tensors come from the allocator.
 */
final class Scratch {
    /** Who uses a buffer; a kernel may hold several slots at once. */
    enum Slot {
        /** Operand blocks gathered or converted to the compute type. */
        X,
        Y,
        Z,
        /** Result blocks before conversion or scatter. */
        OUT,
        /** Between the stages of a function; tiles of a transposed operand; the cut end of a row. */
        STAGE,
        /** A block of a row between two passes over it. */
        ROW,
        /** Packed panels of a product. */
        PANEL_A,
        PANEL_B,
        /** F32 tiles of a half-type product. */
        TILE_A,
        TILE_B,
        /** An operand of a product with zeros for NaN and infinities. */
        CLEAN,
        TILE_C,
        /** All that a task of attention holds. */
        ATTENTION,
        /** Copies and work arrays of decompositions. */
        MATRIX,
        WORK,
        LAPACK
    }

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final long[] address = new long[Slot.values().length];
    private final long[] size = new long[address.length];
    private final Arena[] arena = new Arena[address.length];

    private Scratch() {}

    /** Address of at least {@code bytes} bytes, valid until this thread takes the same slot again. */
    static long take(Slot slot, long bytes) {
        return OF_THREAD.get().grow(slot.ordinal(), bytes);
    }

    private long grow(int i, long bytes) {
        if (size[i] < bytes) {
            long want = Math.max(bytes, Math.max(4096, 2 * size[i]));
            // ofAuto: freed after the thread is gone, when nothing else could free it
            arena[i] = Arena.ofAuto();
            address[i] = arena[i].allocate(want, 64).address();
            size[i] = want;
        }
        return address[i];
    }
}
