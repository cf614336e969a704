package dev.gramian.cuda;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** Memory for the length of one operation on a lane: device memory, and host memory that work on the stream may read. */
final class Temporaries implements AutoCloseable {
    private final Lane lane;
    private final String op;
    private final List<CudaStorage> device = new ArrayList<>();
    private Arena host;
    private long work;
    private long workBytes;
    private long hostWork;
    private long hostWorkBytes;

    Temporaries(Lane lane, String op) {
        this.lane = lane;
        this.op = op;
    }

    /** Address of so many bytes on the device, which hold anything. */
    long device(long bytes) {
        CudaStorage s = lane.temporary(op, Math.max(1, bytes));
        device.add(s);
        return s.address;
    }

    /** The same memory at every call, unless that has to be larger: for one function after the other. */
    long work(long bytes) {
        if (work == 0 || workBytes < bytes) {
            work = device(bytes);
            workBytes = bytes;
        }
        return work;
    }

    /** As {@link #work}, host memory. */
    long hostWork(long bytes) {
        if (hostWork == 0 || hostWorkBytes < bytes) {
            hostWork = host(bytes);
            hostWorkBytes = bytes;
        }
        return hostWork;
    }

    /** Address of so many bytes of host memory. */
    long host(long bytes) {
        if (host == null) {
            host = Arena.ofConfined();
        }
        return host.allocate(Math.max(1, bytes), 64).address();
    }

    /** Device memory goes back in stream order, host memory once the stream has done its work. */
    @Override
    public void close() {
        try {
            if (host != null) {
                lane.synchronize(op);
            }
        } finally {
            device.forEach(lane::free);
            if (host != null) {
                host.close();
            }
        }
    }
}
