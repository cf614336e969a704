package dev.gramian.cli;

import dev.gramian.Trace;
import dev.gramian.core.Spec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The operations of a computation, in the order of their first run; repetitions with the same shapes are one line. */
final class Steps {
    private static final class Step {
        long times;
        long nanos;
        long flops;
    }

    private record Key(String op, List<Spec> in, List<Spec> out) {}

    private final Map<Key, Step> steps = new LinkedHashMap<>();
    private long count;
    private long nanos;

    /** {@code waited}: nanoseconds the device went on after the operation returned. */
    void add(Trace trace, long waited) {
        Step s = steps.computeIfAbsent(new Key(trace.op(), trace.inputs(), trace.outputs()), k -> new Step());
        s.times++;
        s.nanos += trace.nanos() + waited;
        s.flops += trace.flops();
        count++;
        nanos += trace.nanos() + waited;
    }

    /** A table under a line of totals; nothing where nothing ran. */
    List<String> lines(String device) {
        if (count == 0) {
            return List.of();
        }
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"op", "operands → results", "times", "time", "GFLOP/s"});
        steps.forEach((key, s) -> rows.add(new String[] {
            key.op, shapes(key.in) + " → " + shapes(key.out), Text.count(s.times), Text.time(s.nanos),
            s.flops == 0 ? "" : Text.gflops(s.flops, s.nanos).replace(" GFLOP/s", "")
        }));
        List<String> lines = new ArrayList<>();
        lines.add("trace of " + device + ": " + Text.count(count) + (count == 1 ? " operation, " : " operations, ")
                + Text.time(nanos));
        Text.table(rows, false, false, true, true, true).forEach(line -> lines.add("  " + line));
        return lines;
    }

    private static String shapes(List<Spec> specs) {
        return specs.isEmpty()
                ? "-"
                : specs.stream().map(s -> s.dtype() + " " + s.shape()).collect(Collectors.joining(", "));
    }
}
