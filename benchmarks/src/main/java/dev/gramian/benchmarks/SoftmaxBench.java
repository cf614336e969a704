package dev.gramian.benchmarks;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** Softmax over rows of 512, as many as 96 heads of 512 queries have, and the same by elementwise operations. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SoftmaxBench {
    @Param({"cpu:native"})
    public String device;

    private Device on;
    private Scope scope;
    private Tensor x;

    @Setup
    public void setup() {
        on = Device.of(device);
        scope = on.open();
        x = scope.normal(DType.F32, 1, 49152, 512);
        try (Scope s = on.open()) {
            Tensor part = x.slice(0, 0, 64);
            Agree.check("softmax", part.softmax(-1), composed(part).toFloatArray(), 1e-5);
        }
    }

    private static Tensor composed(Tensor x) {
        Tensor e = x.sub(x.max(-1).unsqueeze(-1)).exp();
        return e.div(e.sum(-1).unsqueeze(-1));
    }

    @TearDown
    public void close() {
        scope.close();
    }

    @Benchmark
    public void softmax(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(x.softmax(-1));
        }
    }

    @Benchmark
    public void composedSoftmax(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(composed(x));
        }
    }

    /** Every element once. */
    @Benchmark
    public void sum(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(x.sum(-1));
        }
    }
}
