package dev.gramian.benchmarks;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Decomposition;
import dev.gramian.core.DType;
import dev.gramian.core.SvdMode;
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

/** Thin singular value decompositions of one matrix and of a batch. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SvdBench {
    @Param({"cpu:native", "cpu:vector"})
    public String device;

    /** Matrices, rows, columns. */
    @Param({"1x768x768", "256x64x64"})
    public String size;

    private Device on;
    private Scope scope;
    private Tensor x;

    @Setup
    public void setup() {
        String[] sizes = size.split("x");
        on = Device.of(device);
        scope = on.open();
        x = scope.normal(
                DType.F32, 1, Long.parseLong(sizes[0]), Long.parseLong(sizes[1]), Long.parseLong(sizes[2]));
        try (Scope s = on.open()) {
            Tensor[] r = s.runAll(new Decomposition.Svd(SvdMode.THIN), x);
            Tensor back = r[0].mul(r[1].unsqueeze(-2)).matmul(r[2]);
            Agree.check("U S Vt", back, x.toFloatArray(), 1e-4);
        }
    }

    @TearDown
    public void close() {
        scope.close();
    }

    @Benchmark
    public void svd(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(s.runAll(new Decomposition.Svd(SvdMode.THIN), x));
        }
    }
}
