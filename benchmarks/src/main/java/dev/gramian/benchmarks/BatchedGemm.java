package dev.gramian.benchmarks;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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

/** Batches of F32 products, as attention has them; the counter {@code gflop} is GFLOP/s. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BatchedGemm {
    @Param({"cpu:native", "cpu:vector"})
    public String device;

    /** Products, rows, columns and depth of one: B x M x N x K. */
    @Param({"4096x8x8x8", "1024x64x64x64", "96x512x512x64", "96x512x64x512"})
    public String size;

    private Device on;
    private Scope scope;
    private Tensor a;
    private Tensor b;
    private double work;

    /** Counted beside the products. */
    @State(org.openjdk.jmh.annotations.Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Work {
        public double gflop;
    }

    @Setup
    public void setup() {
        String[] sizes = size.split("x");
        long batch = Long.parseLong(sizes[0]);
        long m = Long.parseLong(sizes[1]);
        long n = Long.parseLong(sizes[2]);
        long k = Long.parseLong(sizes[3]);
        work = 2e-9 * batch * m * n * k;
        on = Device.of(device);
        scope = on.open();
        a = scope.normal(DType.F32, 1, batch, m, k);
        b = scope.normal(DType.F32, 2, batch, k, n);
        try (Scope s = on.open()) {
            Tensor all = a.matmul(b);
            for (long i = 0; i < batch; i += Math.max(1, batch / 8)) {
                Tensor one = a.select(0, i).matmul(b.select(0, i));
                Agree.check("product " + i, all.select(0, i), one.toFloatArray(), 1e-6 * Math.sqrt(k));
            }
        }
    }

    @TearDown
    public void close() {
        scope.close();
    }

    @Benchmark
    public void matmul(Work counter, Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(a.matmul(b));
        }
        counter.gflop += work;
    }
}
