package dev.gramian.cuda;

import dev.gramian.core.Bytes;
import dev.gramian.core.DeviceException;
import dev.gramian.core.SizeClass;
import java.util.Arrays;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * Device memory in size classes: freed blocks are kept per lane and handed out again in stream order, because cuMemAlloc
 * costs tens of microseconds and cuMemFree waits for the card. Small blocks are cut from slabs and stay; large ones go
 * back to the driver when it has no more, after waiting for the card.
 *
 * <p>Eight classes per power of two, so at most an eighth of a block is unused. Thread-safe.
 */
final class CudaMemory {
    /** Alignment of every block: cuMemAlloc's own. */
    static final int ALIGN = 256;

    private static final long SLAB = 2L << 20;
    private static final long SMALL = 256L << 10;
    /** {@code -Dgramian.cuda.pool=false}: every block from the driver and back, so that memory checkers see each. */
    private static final boolean POOL = !"false".equals(System.getProperty("gramian.cuda.pool"));

    /** Free blocks of one lane and class, newest first: most likely still in the L2 cache. */
    private static final class Blocks {
        long[] address = new long[8];
        int count;

        void push(long a) {
            if (count == address.length) {
                address = Arrays.copyOf(address, 2 * count);
            }
            address[count++] = a;
        }
    }

    private final CudaContext context;
    /** By lane and size class. */
    private final Blocks[][] free = new Blocks[64][];
    private final long[] slabNext = new long[64];
    private final long[] slabEnd = new long[64];
    private long live;
    private long peak;
    private long cached;

    CudaMemory(CudaContext context) {
        this.context = context;
    }

    private static int sizeClass(long bytes) {
        return SizeClass.of((Math.max(1, bytes) + ALIGN - 1) / ALIGN);
    }

    /** A block for work on {@code lane}; {@link DeviceException} that speaks for {@code op} where there is no room. */
    CudaStorage allocate(String op, Lane lane, long bytes) {
        return allocate(op, lane, bytes, null);
    }

    /** As {@link #allocate(String, Lane, long)}, with what to call when it is freed. */
    synchronized CudaStorage allocate(String op, Lane lane, long bytes, Runnable onFree) {
        if (bytes > context.totalBytes()) {
            throw outOfMemory(op, bytes);
        }
        int c = sizeClass(bytes);
        long capacity = POOL ? SizeClass.units(c) * ALIGN : bytes;
        long address = take(lane, c, capacity);
        if (address == 0) {
            // once more with everything that lies idle given back
            flush();
            address = take(lane, c, capacity);
            if (address == 0) {
                throw outOfMemory(op, bytes);
            }
        }
        live += bytes;
        peak = Math.max(peak, live);
        return new CudaStorage(address, bytes, capacity, lane, onFree);
    }

    private DeviceException outOfMemory(String op, long bytes) {
        long[] room = room();
        return DeviceException.outOfMemory(op + ": out of memory on cuda:" + context.ordinal + "; needs "
                + Bytes.text(bytes)
                + ", " + Bytes.text(live) + " of " + Bytes.text(room[1]) + " in use and " + Bytes.text(room[0])
                + " free; close inner scopes sooner or work on slices");
    }

    private long take(Lane lane, int c, long capacity) {
        if (!POOL) {
            return fromDriver(capacity);
        }
        Blocks[] classes = free[lane.index];
        Blocks blocks = classes == null || classes.length <= c ? null : classes[c];
        if (blocks != null && blocks.count > 0) {
            cached -= capacity;
            return blocks.address[--blocks.count];
        }
        if (capacity > SMALL) {
            return fromDriver(capacity);
        }
        int i = lane.index;
        if (slabEnd[i] - slabNext[i] < capacity) {
            long slab = fromDriver(SLAB);
            if (slab == 0) {
                return 0;
            }
            slabNext[i] = slab;
            slabEnd[i] = slab + SLAB;
        }
        long a = slabNext[i];
        slabNext[i] += capacity;
        return a;
    }

    /** 0 where the driver has no room. */
    private static long fromDriver(long bytes) {
        Pointers.Allocated p = new Pointers.Allocated();
        int status = JCudaDriver.cuMemAlloc(p, Math.max(1, bytes));
        if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            return 0;
        }
        Status.driver(status, "cuMemAlloc of " + Bytes.text(bytes));
        return p.address();
    }

    /** Memory that stays for the life of the process and counts as nobody's. */
    synchronized long reserve(String what, long bytes) {
        long address = fromDriver(bytes);
        if (address == 0) {
            flush();
            address = fromDriver(bytes);
            if (address == 0) {
                throw outOfMemory(what, bytes);
            }
        }
        return address;
    }

    /** Takes a block back; work on it that is already on a stream may still be running. */
    void free(CudaStorage s) {
        discard(s);
        if (s.onFree != null) {
            s.onFree.run();
        }
    }

    /** As {@link #free}, telling nobody. */
    void discard(CudaStorage s) {
        boolean ordered = false;
        try {
            context.forEachLane(s.readers(), reader -> reader.precede(s.home));
            ordered = true;
            if (s.ready != null) {
                Status.driver(JCudaDriver.cuEventDestroy(s.ready), "cuEventDestroy");
            }
        } finally {
            giveUp(s, ordered);
        }
    }

    /** Unless the home lane's next work comes after all readers the block is never used again: the driver has failed. */
    private void giveUp(CudaStorage s, boolean ordered) {
        synchronized (this) {
            live -= s.bytes();
            if (!ordered) {
                return;
            }
            if (!POOL) {
                // work on the block may still be running, and only the driver's habit says that cuMemFree waits for it
                s.home.synchronize("giving memory back");
                Status.driver(JCudaDriver.cuMemFree(Pointers.device(s.address)), "cuMemFree");
            } else {
                int i = s.home.index;
                int c = sizeClass(s.bytes());
                if (free[i] == null) {
                    free[i] = new Blocks[c + 1];
                } else if (free[i].length <= c) {
                    free[i] = Arrays.copyOf(free[i], c + 1);
                }
                if (free[i][c] == null) {
                    free[i][c] = new Blocks();
                }
                free[i][c].push(s.address);
                cached += s.capacity;
            }
        }
    }

    /**
     * Gives large idle blocks back to the driver, waiting for the work on each lane first. Not those of a lane that is being
     * captured, which cannot be waited for.
     */
    synchronized void flush() {
        for (int i = 0; i < free.length; i++) {
            Lane lane = free[i] == null ? null : context.existingLane(i);
            if (lane == null || lane.isCapturing()) {
                continue;
            }
            lane.synchronize("giving memory back");
            for (int c = 0; c < free[i].length; c++) {
                long capacity = SizeClass.units(c) * ALIGN;
                if (free[i][c] != null && capacity > SMALL) {
                    Blocks b = free[i][c];
                    while (b.count > 0) {
                        cached -= capacity;
                        Status.driver(JCudaDriver.cuMemFree(Pointers.device(b.address[--b.count])), "cuMemFree");
                    }
                }
            }
        }
    }

    /** Free and total bytes of the card, as its driver has it. */
    long[] room() {
        long[] room = new long[1];
        long[] total = new long[1];
        Status.driver(JCudaDriver.cuMemGetInfo(room, total), "cuMemGetInfo");
        return new long[] {room[0], total[0]};
    }

    synchronized long live() {
        return live;
    }

    synchronized long peak() {
        return peak;
    }

    synchronized void resetPeak() {
        peak = live;
    }

    /** Bytes that lie idle for reuse. */
    synchronized long cached() {
        return cached;
    }
}
