package dev.gramian.cuda;

import dev.gramian.core.View;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import jcuda.Pointer;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcusolver.JCusolverDn;
import jcuda.runtime.cudaStream_t;

/**
 * A stream with what belongs to it: cuBLAS and cuSOLVER handles with their workspace, launch arguments, pinned staging.
 * Whoever uses a lane holds its {@link #lock}; the device runs what was put on the stream in order, later.
 */
final class Lane {
    /** What NVIDIA recommends for Hopper; with less, cuBLAS avoids some kernels. */
    private static final long BLAS_WORKSPACE = 32L << 20;

    final CudaContext context;
    final int index;
    final ReentrantLock lock = new ReentrantLock();
    private final Pointers.Stream stream = new Pointers.Stream();
    private final Pointers.Event event = new Pointers.Event();
    private final Launch launch;
    private final Transfers transfers;
    private final long scalars = Arena.global().allocate(64, 64).address();
    private cublasHandle blas;
    private long workspace;
    private int blasMode;
    private Pointers.Solver solver;
    /** Temporaries of the capture that is under way, or null. Set while {@link CudaContext#ordering} is held. */
    private volatile List<CudaStorage> captured;
    /** Lanes that this one has to wait for when its capture has ended; guarded by {@link CudaContext#ordering}. */
    private final List<Lane> late = new ArrayList<>();

    Lane(CudaContext context, int index) {
        this.context = context;
        this.index = index;
        // non-blocking: the legacy default stream of other users of the context neither waits for us nor we for it
        Status.driver(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        Status.driver(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
        launch = new Launch(this);
        transfers = new Transfers(this);
    }

    Pointers.Stream stream() {
        return stream;
    }

    long streamAddress() {
        return stream.address();
    }

    /** A launch with no arguments yet. */
    Launch launch() {
        return launch.reset();
    }

    Transfers transfers() {
        return transfers;
    }

    /** cuBLAS on this stream in a cublasMath mode; host pointer mode. */
    cublasHandle blas(int mathMode) {
        cublasHandle h = blas();
        if (mathMode != blasMode) {
            Status.blas(JCublas2.cublasSetMathMode(h, mathMode), "cublasSetMathMode");
            blasMode = mathMode;
        }
        return h;
    }

    /** cuBLAS on this stream, in whatever math mode it is; host pointer mode. */
    cublasHandle blas() {
        if (blas == null) {
            if (workspace == 0) {
                workspace = context.memory().reserve("cuBLAS workspace", BLAS_WORKSPACE);
            }
            cublasHandle h = new cublasHandle();
            Status.blas(JCublas2.cublasCreate(h), "cublasCreate");
            try {
                Status.blas(JCublas2.cublasSetStream(h, new cudaStream_t(stream)), "cublasSetStream");
                // an own workspace, after the stream, which resets it: with it results do not depend on other streams
                Status.blas(JCublas2.cublasSetWorkspace(h, Pointers.device(workspace), BLAS_WORKSPACE),
                        "cublasSetWorkspace");
                blas = h;
            } finally {
                if (blas == null) {
                    JCublas2.cublasDestroy(h);
                }
            }
        }
        return blas;
    }

    /** cuSOLVER on this stream. */
    Pointers.Solver solver() {
        if (solver == null) {
            Pointers.Solver h = new Pointers.Solver();
            Status.solver(JCusolverDn.cusolverDnCreate(h), "cusolverDnCreate");
            try {
                Status.solver(JCusolverDn.cusolverDnSetStream(h, new cudaStream_t(stream)), "cusolverDnSetStream");
                solver = h;
            } finally {
                if (solver == null) {
                    JCusolverDn.cusolverDnDestroy(h);
                }
            }
        }
        return solver;
    }

    /** A scalar in host memory for a BLAS call; {@code slot} 0 to 7, read before the call returns. */
    Pointer scalar(int slot, boolean f64, double value) {
        long at = scalars + 8L * slot;
        if (f64) {
            HostMemory.f64(at, value);
        } else {
            HostMemory.f32(at, (float) value);
        }
        return Pointers.host(at);
    }

    /** Makes what comes next on this stream wait for what other lanes have done to these operands. */
    void await(View[] in) {
        for (View v : in) {
            await((CudaStorage) v.storage());
        }
    }

    /** Makes what comes next on this stream wait for what is on the storage's own stream by now. */
    void await(CudaStorage s) {
        if (s.home != this) {
            s.readBy(this);
            if (s.ready != null) {
                Status.driver(JCudaDriver.cuStreamWaitEvent(stream, s.ready, 0), "cuStreamWaitEvent");
            } else {
                s.home.precede(this);
            }
        }
    }

    /** An event after what is on this stream by now; destroy it with cuEventDestroy. */
    Pointers.Event mark() {
        Pointers.Event e = new Pointers.Event();
        Status.driver(JCudaDriver.cuEventCreate(e, CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
        Status.driver(JCudaDriver.cuEventRecord(e, stream), "cuEventRecord");
        return e;
    }

    /**
     * Makes {@code other}'s next work wait for what is on this stream by now. A capture is no work: of a stream that is
     * being captured that is what was there before, and one that is being captured waits when the capture has ended,
     * since what it takes up runs later still.
     */
    void precede(Lane other) {
        synchronized (context.ordering()) {
            if (other.captured != null) {
                other.late.add(this);
            } else {
                record();
                Status.driver(JCudaDriver.cuStreamWaitEvent(other.stream, event, 0), "cuStreamWaitEvent");
            }
        }
    }

    private void record() {
        if (captured == null) {
            Status.driver(JCudaDriver.cuEventRecord(event, stream), "cuEventRecord");
        }
    }

    /** As {@link #synchronize} for any thread, whether or not the stream is being captured. */
    void drain(String what) {
        synchronized (context.ordering()) {
            record();
        }
        Status.driver(JCudaDriver.cuEventSynchronize(event), "cuEventSynchronize, " + what);
    }

    /** Waits until the device has done all of this stream's work; failures of it show here. */
    void synchronize(String what) {
        Status.driver(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize, " + what);
    }

    /** Temporary device memory: free it with {@link #free} as soon as the work that uses it is on the stream. */
    CudaStorage temporary(String op, long bytes) {
        return context.memory().allocate(op, this, bytes);
    }

    void free(CudaStorage temporary) {
        if (captured != null) {
            captured.add(temporary);
        } else {
            context.memory().free(temporary);
        }
    }

    /**
     * Work put on the stream becomes a graph instead of running, until {@link #endCapture}. Temporaries freed meanwhile go
     * to {@code temporaries}, for as long as the graph lives.
     */
    void beginCapture(List<CudaStorage> temporaries) {
        // neither while another thread waits for this stream to give memory back nor while one puts an event on it;
        // relaxed: others may allocate meanwhile
        synchronized (context.memory()) {
            synchronized (context.ordering()) {
                record();
                Status.driver(JCudaDriver.cuStreamBeginCapture(stream,
                        CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED), "cuStreamBeginCapture");
                captured = temporaries;
            }
        }
    }

    boolean isCapturing() {
        return captured != null;
    }

    /** The graph; null, and no error about it, where {@code whole} is false: what was captured is of no use. */
    CUgraph endCapture(boolean whole) {
        CUgraph graph = new CUgraph();
        int status;
        synchronized (context.ordering()) {
            status = JCudaDriver.cuStreamEndCapture(stream, graph);
            if (status != 0 && JCudaDriver.cuStreamEndCapture(stream, graph) == 0) {
                // a stream that stayed captured would take no other work
                JCudaDriver.cuGraphDestroy(graph);
            }
            captured = null;
            List<Lane> before = List.copyOf(late);
            late.clear();
            boolean ordered = false;
            try {
                before.forEach(lane -> lane.precede(this));
                ordered = true;
            } finally {
                if (!ordered && status == 0) {
                    JCudaDriver.cuGraphDestroy(graph);
                }
            }
        }
        if (whole) {
            Status.driver(status, "cuStreamEndCapture");
            return graph;
        }
        if (status == 0) {
            JCudaDriver.cuGraphDestroy(graph);
        }
        return null;
    }

    /** Reads 8 bytes of device memory; waits for the stream. */
    long readLong(long address, String what) {
        return transfers.readLong(address, what);
    }
}
