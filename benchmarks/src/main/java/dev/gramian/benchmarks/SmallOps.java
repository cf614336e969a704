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
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What an operation costs before it computes anything: sixteen elements, eight by eight, and scopes alone. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SmallOps {
    private static final int OPS = 64;

    @Param({"cpu:native", "cpu:vector"})
    public String device;

    private Scope scope;
    private Tensor x;
    private Tensor y;
    private Tensor a;
    private Tensor b;
    private Device on;

    @Setup
    public void setup() {
        on = Device.of(device);
        scope = on.open();
        x = scope.normal(DType.F32, 1, 16);
        y = scope.normal(DType.F32, 2, 16);
        a = scope.normal(DType.F32, 3, 8, 8);
        b = scope.normal(DType.F32, 4, 8, 8);
        float[] u = x.toFloatArray();
        float[] v = y.toFloatArray();
        for (int i = 0; i < u.length; i++) {
            u[i] += v[i];
        }
        Agree.check("add", x.add(y), u, 0);
        Agree.check("matmul", a.matmul(b), product(a.toFloatArray(), b.toFloatArray()), 1e-6);
    }

    private static float[] product(float[] a, float[] b) {
        float[] c = new float[64];
        for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 8; j++) {
                double sum = 0;
                for (int k = 0; k < 8; k++) {
                    sum += (double) a[8 * i + k] * b[8 * k + j];
                }
                c[8 * i + j] = (float) sum;
            }
        }
        return c;
    }

    @TearDown
    public void close() {
        scope.close();
    }

    /** One addition in a scope of its own. */
    @Benchmark
    public void addInScope(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(x.add(y));
        }
    }

    /** One of the 64 additions that share a scope. */
    @Benchmark
    @OperationsPerInvocation(OPS)
    public void add(Blackhole hole) {
        try (Scope s = on.open()) {
            for (int i = 0; i < OPS; i++) {
                hole.consume(x.add(y));
            }
        }
    }

    /** One of the 64 products 8x8 that share a scope. */
    @Benchmark
    @OperationsPerInvocation(OPS)
    public void matmul8(Blackhole hole) {
        try (Scope s = on.open()) {
            for (int i = 0; i < OPS; i++) {
                hole.consume(a.matmul(b));
            }
        }
    }

    /** A scope inside another, opened and closed. */
    @Benchmark
    public void innerScope(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(s);
        }
    }
}
