package dev.gramian;

import dev.gramian.core.Spec;
import java.util.List;

/** One operation that ran: its name, operands, results, wall time in nanoseconds and floating-point operations. */
public record Trace(String op, List<Spec> inputs, List<Spec> outputs, long nanos, long flops) {

    /** Floating-point operations per nanosecond. */
    public double gflops() {
        return nanos == 0 ? 0 : (double) flops / nanos;
    }

    @Override
    public String toString() {
        return String.format(
                java.util.Locale.ROOT, "%s %s -> %s  %.3f ms  %.1f GFLOP/s", op, inputs, outputs, nanos / 1e6,
                gflops());
    }
}
