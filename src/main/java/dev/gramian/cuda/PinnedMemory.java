package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.core.Pinned;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import jcuda.driver.JCudaDriver;

/**
 * Page-locked host memory. Its copies run on two lanes of their own, one per direction, so that they overlap with each
 * other and with computing. Memory for uploads comes from the uploads' lane: were it another lane's, the copy would have
 * to wait for all that is on that lane's stream.
 */
final class PinnedMemory implements Pinned {
    private final CudaContext context;
    private final long address;
    private final MemorySegment segment;
    /** Ends of copies that may be under way. */
    private final ArrayDeque<Pointers.Event> pending = new ArrayDeque<>();

    PinnedMemory(CudaContext context, long bytes) {
        this.context = context;
        context.makeCurrent();
        Pointers.AllocatedHost p = new Pointers.AllocatedHost();
        Status.driver(JCudaDriver.cuMemHostAlloc(p, Math.max(1, bytes), 0), "cuMemHostAlloc of " + bytes + " bytes");
        address = p.address();
        segment = MemorySegment.ofAddress(address).reinterpret(bytes).fill((byte) 0);
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    /** The first bytes as device memory. */
    CudaStorage upload(String op, long bytes) {
        context.makeCurrent();
        Lane lane = context.uploads();
        lane.lock.lock();
        try {
            CudaStorage s = context.memory().allocate(op, lane, bytes);
            boolean done = false;
            try {
                if (bytes > 0) {
                    Status.driver(JCudaDriver.cuMemcpyHtoDAsync(Pointers.device(s.address), Pointers.host(address),
                            bytes, lane.stream()), "cuMemcpyHtoDAsync");
                }
                s.ready = lane.mark();
                pending.add(lane.mark());
                done = true;
                return s;
            } finally {
                if (!done) {
                    context.memory().free(s);
                }
            }
        } finally {
            lane.lock.unlock();
        }
    }

    /** Device bytes to the first bytes, after what is on {@code compute}'s stream by now. */
    void download(Lane compute, CudaStorage from, long offset, long bytes) {
        Lane lane = context.downloads();
        lane.lock.lock();
        try {
            lane.await(from);
            if (from.home != compute) {
                compute.precede(lane);
            }
            if (bytes > 0) {
                Status.driver(JCudaDriver.cuMemcpyDtoHAsync(Pointers.host(address),
                        Pointers.device(from.address + offset), bytes, lane.stream()), "cuMemcpyDtoHAsync");
            }
            pending.add(lane.mark());
        } finally {
            lane.lock.unlock();
        }
    }

    @Override
    public void await() {
        context.makeCurrent();
        while (!pending.isEmpty()) {
            Pointers.Event e = pending.remove();
            try {
                Status.driver(JCudaDriver.cuEventSynchronize(e), "cuEventSynchronize, copy of pinned memory");
            } finally {
                JCudaDriver.cuEventDestroy(e);
            }
        }
    }

    @Override
    public void close() {
        try {
            await();
            Status.driver(JCudaDriver.cuMemFreeHost(Pointers.host(address)), "cuMemFreeHost");
        } catch (NativeException e) {
            // the context is lost, and its pinned memory with it
        }
    }
}
