package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;

/** Native bytes and what gives them back, to be called once. */
record HostBytes(MemorySegment bytes, Runnable onFree) {
    private static final long PHYSICAL = ManagementFactory
            .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os
                    ? os.getTotalMemorySize()
                    : Long.MAX_VALUE;

    /** Bytes of an arena that closes with them; freeing twice is harmless. */
    static HostBytes of(MemorySegment bytes, Arena arena) {
        return new HostBytes(bytes, () -> {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        });
    }

    /**
     * Fresh zeroed memory; {@link DeviceException} where there is not enough. More than the machine has is refused
     * before the system is asked: it would promise the bytes, then end the process when they are touched.
     */
    static HostBytes allocate(long bytes, Place place) {
        return allocate(bytes, "read", place.name(),
                "save it little-endian and uncompressed, then it is mapped instead of copied");
    }

    /** As {@link #allocate(long, Place)}; the error speaks for {@code op}. */
    static HostBytes allocate(long bytes, String op, String what, String hint) {
        Arena arena = Arena.ofShared();
        try {
            if (bytes > PHYSICAL) {
                throw new OutOfMemoryError();
            }
            return of(arena.allocate(bytes, 64), arena);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new DeviceException(op + ": no memory for " + bytes + " bytes; " + what + "; " + hint, e);
        }
    }

    /**
     * These bytes as this machine's elements: as they are where possible, else a copy, after which these are freed.
     * Copied are elements of the other byte order, and BOOL bytes other than 0 and 1, which NumPy takes for true.
     */
    HostBytes asNative(DType dtype, ByteOrder order, Place place) {
        boolean swap = order != ByteOrder.nativeOrder() && dtype.bytes() > 1;
        boolean normalise = dtype == DType.BOOL && !onlyZeroAndOne(bytes);
        if (!swap && !normalise) {
            return this;
        }
        try {
            HostBytes copy = allocate(bytes.byteSize(), place);
            if (swap) {
                swap(bytes, copy.bytes, dtype.bytes());
            } else {
                for (long i = 0; i < bytes.byteSize(); i++) {
                    copy.bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (bytes.get(ValueLayout.JAVA_BYTE, i) == 0 ? 0 : 1));
                }
            }
            return copy;
        } finally {
            onFree.run();
        }
    }

    private static void swap(MemorySegment from, MemorySegment to, int width) {
        ByteOrder other = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                ? ByteOrder.BIG_ENDIAN
                : ByteOrder.LITTLE_ENDIAN;
        ValueLayout here = switch (width) {
            case 2 -> ValueLayout.JAVA_SHORT_UNALIGNED;
            case 4 -> ValueLayout.JAVA_INT_UNALIGNED;
            case 8 -> ValueLayout.JAVA_LONG_UNALIGNED;
            default -> throw new IllegalArgumentException("width " + width);
        };
        MemorySegment.copy(from, here.withOrder(other), 0, to, here, 0, from.byteSize() / width);
    }

    private static boolean onlyZeroAndOne(MemorySegment bytes) {
        long n = bytes.byteSize();
        long i = 0;
        for (; i + 8 <= n; i += 8) {
            if ((bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, i) & 0xFEFEFEFEFEFEFEFEL) != 0) {
                return false;
            }
        }
        for (; i < n; i++) {
            if ((bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFE) != 0) {
                return false;
            }
        }
        return true;
    }
}
