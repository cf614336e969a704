package dev.gramian.cpu;

import dev.gramian.core.SizeClass;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * Native memory in size classes: freed blocks are kept and handed out again, because a fresh page costs ten times what a
 * touched one does. Small blocks are cut from slabs and stay; large ones come from malloc, on huge pages where the
 * system offers them, and go back when more than {@code cacheLimit} lies idle.
 *
 * <p>Eight classes per power of two, so at most an eighth of a block is unused. Thread-safe.
 */
final class CpuMemory {
    /** Alignment of every block: a cache line, and the widest vector. */
    static final int ALIGN = 64;

    private static final long SLAB = 1L << 20;
    private static final long SMALL = 32L << 10;
    private static final long HUGE_PAGE = 2L << 20;
    private static final int MADV_HUGEPAGE = 14;
    private static final int CLASSES = 64 * 8;

    private static final MethodHandle MALLOC;
    private static final MethodHandle FREE;
    private static final MethodHandle MADVISE;

    static {
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        MALLOC = linker.downcallHandle(
                libc.findOrThrow("malloc"), FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        FREE = linker.downcallHandle(libc.findOrThrow("free"), FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));
        boolean linux = System.getProperty("os.name", "").equals("Linux");
        MADVISE = linux
                ? linker.downcallHandle(
                        libc.findOrThrow("madvise"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT))
                : null;
    }

    /** Free blocks of one class, newest first: most likely still in cache. */
    private static final class Blocks {
        long[] address = new long[8];
        long[] origin = new long[8];
        int count;

        void push(long a, long o) {
            if (count == address.length) {
                address = Arrays.copyOf(address, 2 * count);
                origin = Arrays.copyOf(origin, 2 * count);
            }
            address[count] = a;
            origin[count++] = o;
        }
    }

    private final Blocks[] free = new Blocks[CLASSES];
    private final long limit;
    private final long cacheLimit;
    private long slabNext;
    private long slabEnd;
    private long live;
    private long wrapped;
    private long peak;
    private long cached;

    /** {@code limit}: most bytes that may be live; {@code cacheLimit}: most bytes kept idle. */
    CpuMemory(long limit, long cacheLimit) {
        this.limit = limit;
        this.cacheLimit = cacheLimit;
    }

    /** Physical memory of the machine or container, in bytes. */
    static long physical() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os
                ? os.getTotalMemorySize()
                : Long.MAX_VALUE / 4;
    }

    /** A block of at least {@code bytes}, or null where the limit or the system says no. */
    synchronized CpuStorage allocate(long bytes) {
        if (bytes > limit - live) {
            return null;
        }
        int c = sizeClass(Math.max(bytes, ALIGN));
        long capacity = capacity(c);
        Blocks blocks = free[c];
        long address;
        long origin = 0;
        if (blocks != null && blocks.count > 0) {
            int i = --blocks.count;
            address = blocks.address[i];
            origin = blocks.origin[i];
            cached -= capacity;
        } else if (capacity <= SMALL) {
            address = fromSlab(capacity);
            if (address == 0) {
                return null;
            }
        } else {
            if (live + cached + capacity > limit) {
                trim(0);
            }
            long align = capacity >= 2 * HUGE_PAGE ? HUGE_PAGE : ALIGN;
            origin = malloc(capacity + align);
            if (origin == 0 && cached > 0) {
                trim(0);
                origin = malloc(capacity + align);
            }
            if (origin == 0) {
                return null;
            }
            address = (origin + align - 1) & -align;
            if (align == HUGE_PAGE && MADVISE != null) {
                adviseHuge(address, capacity);
            }
        }
        live += bytes;
        peak = Math.max(peak, live + wrapped);
        return new CpuStorage(address, bytes, origin, capacity, null);
    }

    synchronized void free(CpuStorage s) {
        live -= s.bytes();
        int c = sizeClass(s.capacity);
        if (free[c] == null) {
            free[c] = new Blocks();
        }
        free[c].push(s.address, s.origin);
        cached += s.capacity;
        if (cached > cacheLimit) {
            trim(cacheLimit / 2);
        }
    }

    /**
     * Counts bytes someone else holds, so that wrapped files show in the figures. They do not count against the limit: the
     * system drops a mapped file's pages when it needs the room, and a file may be larger than memory.
     */
    synchronized void adopt(long bytes) {
        wrapped += bytes;
        peak = Math.max(peak, live + wrapped);
    }

    synchronized void release(long bytes) {
        wrapped -= bytes;
    }

    synchronized long live() {
        return live + wrapped;
    }

    /** Bytes that count against the limit. */
    synchronized long allocated() {
        return live;
    }

    synchronized long peak() {
        return peak;
    }

    synchronized void resetPeak() {
        peak = live + wrapped;
    }

    synchronized long cached() {
        return cached;
    }

    long limit() {
        return limit;
    }

    /** Gives malloc blocks back, largest first, until at most {@code keep} bytes lie idle. */
    private void trim(long keep) {
        for (int c = CLASSES - 1; c >= 0 && cached > keep; c--) {
            Blocks b = free[c];
            while (b != null && b.count > 0 && b.origin[b.count - 1] != 0 && cached > keep) {
                cached -= capacity(c);
                free(b.origin[--b.count]);
            }
        }
    }

    private long fromSlab(long capacity) {
        if (slabEnd - slabNext < capacity) {
            long slab = malloc(SLAB + ALIGN);
            if (slab == 0) {
                return 0;
            }
            slabNext = (slab + ALIGN - 1) & -ALIGN;
            slabEnd = slabNext + SLAB;
        }
        long a = slabNext;
        slabNext += capacity;
        return a;
    }

    /** Class of the smallest capacity that holds {@code bytes}; capacities are multiples of 64. */
    static int sizeClass(long bytes) {
        return SizeClass.of((bytes + ALIGN - 1) / ALIGN);
    }

    static long capacity(int sizeClass) {
        return SizeClass.units(sizeClass) * ALIGN;
    }

    private static long malloc(long bytes) {
        try {
            return (long) MALLOC.invokeExact(bytes);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static void free(long address) {
        try {
            FREE.invokeExact(address);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static void adviseHuge(long address, long bytes) {
        try {
            // only a hint: what the system says does not matter
            int ignored = (int) MADVISE.invokeExact(address, bytes & -HUGE_PAGE, MADV_HUGEPAGE);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** A segment over the block, for copies. */
    static MemorySegment segment(long address, long bytes) {
        return Mem.ALL.asSlice(address, bytes);
    }
}
