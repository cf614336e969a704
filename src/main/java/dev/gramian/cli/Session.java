package dev.gramian.cli;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.Trace;
import dev.gramian.core.DType;
import dev.gramian.io.TensorFiles;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.Supplier;

/** One command's work: a scope on the chosen device, the clock around the computation, output and the closing line. */
final class Session implements AutoCloseable {
    private final Main main;
    private final PrintWriter out;
    private final PrintWriter err;
    private final Scope scope;
    private Scope host;
    private Progress progress;
    private boolean computing;
    private long nanos;
    private long flops;
    private Steps steps;

    Session(Main main, PrintWriter out, PrintWriter err) {
        this.main = main;
        this.out = out;
        this.err = err;
        this.scope = Device.of(main.device).open(main.math);
        scope.trace(this::ran);
    }

    Scope scope() {
        return scope;
    }

    /** Prints the operations when it closes. */
    Session tracing() {
        steps = new Steps();
        return this;
    }

    private void ran(Trace trace) {
        if (computing) {
            flops += trace.flops();
            if (steps != null) {
                long start = System.nanoTime();
                scope.device().synchronize();
                steps.add(trace, System.nanoTime() - start);
            }
            if (progress != null) {
                progress.ran(trace);
            }
        }
    }

    Tensor read(String path) {
        return TensorFiles.read(scope, path);
    }

    /** As {@link #read}, but on the CPU whatever the device: a mapped file to be worked on in batches. */
    Tensor map(String path) {
        if (scope.device().name().startsWith("cpu")) {
            return read(path);
        }
        if (host == null) {
            host = Device.cpu().open();
        }
        return TensorFiles.read(host, path);
    }

    /** As F32 where half, which is said. */
    Tensor single(Tensor x, String what) {
        sayIfHalf(x.dtype(), what);
        return x.dtype().isHalf() ? x.to(DType.F32) : x;
    }

    /** Half types are not decomposed anywhere; {@code what} there is not. */
    void sayIfHalf(DType t, String what) {
        if (t.isHalf()) {
            say("computed in F32, as there is no " + what + " in " + t);
        }
    }

    /** The tensor at {@code path}, or null where no path is given. */
    Tensor readIfGiven(String path) {
        return path == null ? null : read(path);
    }

    /** Writes a result, or prints it where no path is given. */
    void result(String path, Tensor t) {
        if (path == null) {
            out.println(t);
        } else {
            TensorFiles.write(path, t);
        }
    }

    void writeIfGiven(String path, Tensor t) {
        if (path != null) {
            TensorFiles.write(path, t);
        }
    }

    /** Runs the computation that the closing line is about; {@code rows} as {@link Progress} counts, 0 if unknown. */
    <T> T compute(String what, long rows, Supplier<T> work) {
        progress = main.quiet ? null : Progress.of(what, rows);
        try {
            return timed(work);
        } finally {
            if (progress != null) {
                progress.close();
                progress = null;
            }
        }
    }

    private <T> T timed(Supplier<T> work) {
        computing = true;
        long start = System.nanoTime();
        try {
            T result = work.get();
            scope.device().synchronize();
            return result;
        } finally {
            nanos += System.nanoTime() - start;
            computing = false;
        }
    }

    /** Runs {@code work} as {@link Timing} does; the closing line gives the median. Returns the number of runs measured. */
    int repeat(long budget, Supplier<?> work) {
        Timing t = Timing.of(budget, () -> {
            flops = 0;
            timed(work);
        });
        nanos = t.median();
        return t.runs();
    }

    long nanos() {
        return nanos;
    }

    long flops() {
        return flops;
    }

    /** Prints how checks came out, a failed one even when quiet; returns the exit code. */
    int report(List<Verdict> verdicts) {
        int code = 0;
        for (Verdict v : verdicts) {
            if (!v.passed()) {
                code = Main.CHECK_FAILED;
                err.println("gramian: " + v.line());
            } else {
                say(v.line());
            }
        }
        return code;
    }

    /** A line that --quiet leaves out. */
    void say(String line) {
        if (!main.quiet) {
            out.println(line);
        }
    }

    /** The closing line: device, shapes, time, and speed where the operations count their arithmetic. */
    void close(String shapes) {
        say(line(shapes) + (flops > 0 ? "  " + Text.gflops(flops, nanos) : ""));
    }

    /** The closing line of a decomposition, whose arithmetic depends on the values and is not counted. */
    void closeUncounted(String shapes) {
        say(line(shapes));
    }

    private String line(String shapes) {
        return scope.device().name() + "  " + shapes + "  " + Text.time(nanos);
    }

    @Override
    public void close() {
        if (host != null) {
            host.close();
        }
        scope.close();
        if (steps != null) {
            steps.lines(scope.device().name()).forEach(err::println);
        }
    }
}
