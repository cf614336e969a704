package dev.gramian.cuda;

import dev.gramian.core.Decomposition;
import dev.gramian.core.DeviceException;
import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.Replay;
import dev.gramian.core.Step;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.JCudaDriver;

/**
 * Operations as CUDA graphs: each run of operations that do not wait for the device is captured once and launched as one
 * graph. Those that do wait (an index or a matrix that may be bad) run as usual between the graphs.
 */
final class CudaReplay implements Replay {
    /** One launch of a graph, or one operation by itself. */
    private record Part(CUgraphExec graph, Step step) {}

    private final CudaBackend backend;
    private final CudaContext context;
    private final Lane lane;
    private final List<Part> parts = new ArrayList<>();
    private final List<CudaStorage> temporaries = new ArrayList<>();
    /** Memory that other lanes allocated: each run waits for what they have done to it. */
    private final List<CudaStorage> foreign;

    /** The lane must be held, the context current. */
    CudaReplay(CudaBackend backend, CudaContext context, Lane lane, List<Step> steps) {
        this.backend = backend;
        this.context = context;
        this.lane = lane;
        foreign = foreign(lane, steps);
        try {
            captureAll(steps);
        } catch (DeviceException e) {
            if (!e.isOutOfMemory()) {
                throw e;
            }
            // while the lane was captured its idle memory could not go back to the driver
            context.memory().flush();
            captureAll(steps);
        }
    }

    private void captureAll(List<Step> steps) {
        boolean done = false;
        try {
            int from = 0;
            for (int i = 0; i <= steps.size(); i++) {
                if (i == steps.size() || waits(steps.get(i))) {
                    if (i > from) {
                        parts.add(new Part(capture(steps.subList(from, i)), null));
                    }
                    if (i < steps.size()) {
                        parts.add(new Part(null, steps.get(i)));
                    }
                    from = i + 1;
                }
            }
            done = true;
        } finally {
            if (!done) {
                release();
            }
        }
    }

    private static List<CudaStorage> foreign(Lane lane, List<Step> steps) {
        Set<CudaStorage> set = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Step s : steps) {
            for (View v : s.in()) {
                CudaStorage storage = (CudaStorage) v.storage();
                if (storage.home != lane) {
                    set.add(storage);
                }
            }
        }
        return List.copyOf(set);
    }

    /** True where the operation reads something back before it returns. */
    private static boolean waits(Step s) {
        return switch (s.op()) {
            case Op.Gather o -> true;
            case Op.TakeAlongAxis o -> true;
            case Op.Zip o -> o.fn() == ZipFn.POW && s.in()[0].dtype().isInteger();
            case Op.ZipScalar o -> o.fn() == ZipFn.POW && s.in()[0].dtype().isInteger();
            case Decomposition o -> true;
            default -> false;
        };
    }

    private CUgraphExec capture(List<Step> steps) {
        lane.beginCapture(temporaries);
        boolean captured = false;
        CUgraph graph;
        try {
            for (Step s : steps) {
                backend.runAlone(lane, s);
            }
            captured = true;
        } finally {
            graph = lane.endCapture(captured);
        }
        try {
            CUgraphExec exec = new CUgraphExec();
            Status.driver(JCudaDriver.cuGraphInstantiate(exec, graph, 0),
                    "cuGraphInstantiate, " + steps.size() + " operations");
            return exec;
        } finally {
            JCudaDriver.cuGraphDestroy(graph);
        }
    }

    @Override
    public void run() {
        context.makeCurrent();
        lane.lock.lock();
        try {
            for (CudaStorage s : foreign) {
                lane.await(s);
            }
            for (Part p : parts) {
                if (p.graph != null) {
                    Status.driver(JCudaDriver.cuGraphLaunch(p.graph, lane.stream()), "cuGraphLaunch");
                } else {
                    backend.runAlone(lane, p.step);
                }
            }
        } finally {
            lane.lock.unlock();
        }
    }

    @Override
    public void close() {
        lane.lock.lock();
        try {
            context.makeCurrent();
            lane.synchronize("end of a recording");
            release();
        } catch (NativeException e) {
            // the context is lost, and the graphs with it
        } finally {
            lane.lock.unlock();
        }
    }

    private void release() {
        for (Part p : parts) {
            if (p.graph != null) {
                JCudaDriver.cuGraphExecDestroy(p.graph);
            }
        }
        parts.clear();
        temporaries.forEach(context.memory()::free);
        temporaries.clear();
    }
}
