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

/** F32 matrix products; the counter {@code gflop} is GFLOP/s. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Gemm {
    @Param({"cpu:native", "cpu:vector"})
    public String device;

    /** Rows, columns and depth: M x N x K. */
    @Param({"512x512x512", "1024x1024x1024", "2048x2048x2048", "4096x4096x4096", "4096x768x768"})
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
        long m = Long.parseLong(sizes[0]);
        long n = Long.parseLong(sizes[1]);
        long k = Long.parseLong(sizes[2]);
        work = 2e-9 * m * n * k;
        on = Device.of(device);
        scope = on.open();
        a = scope.normal(DType.F32, 1, m, k);
        b = scope.normal(DType.F32, 2, k, n);
        verify(m, n, k);
    }

    /** Both CPU devices against dot products in F64 at 64 places over the whole result. */
    private void verify(long m, long n, long k) {
        float[] x = a.toFloatArray();
        float[] y = b.toFloatArray();
        float[] expected = new float[64];
        int[] at = new int[64];
        for (int t = 0; t < 64; t++) {
            int i = (int) ((m - 1) * t / 63);
            int j = (int) (t * 2654435761L % n);
            double sum = 0;
            for (int p = 0; p < k; p++) {
                sum += (double) x[(int) (i * k + p)] * y[(int) (p * n + j)];
            }
            at[t] = (int) (i * n + j);
            expected[t] = (float) sum;
        }
        for (String name : new String[] {"cpu:native", "cpu:vector"}) {
            Device d = Device.of(name);
            try (Scope s = d.open()) {
                float[] all = a.to(d).matmul(b.to(d)).toFloatArray();
                float[] got = new float[64];
                for (int t = 0; t < 64; t++) {
                    got[t] = all[at[t]];
                }
                Agree.check(name, got, expected, 1e-6 * Math.sqrt(k));
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
