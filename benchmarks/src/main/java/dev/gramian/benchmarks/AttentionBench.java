package dev.gramian.benchmarks;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
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

/** Attention over one sequence, 12 heads of 64, and the same composed of products, a mask and a softmax. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttentionBench {
    private static final long HEADS = 12;
    private static final long SIZE = 64;

    @Param({"cpu:native", "cpu:vector"})
    public String device;

    @Param({"false", "true"})
    public boolean causal;

    @Param("512")
    public long length;

    private Device on;
    private Scope scope;
    private Tensor q;
    private Tensor k;
    private Tensor v;
    private Tensor allowed;
    private Tensor blocked;
    private Attention attention;

    @Setup
    public void setup() {
        on = Device.of(device);
        scope = on.open();
        q = scope.normal(DType.F32, 1, 1, HEADS, length, SIZE);
        k = scope.normal(DType.F32, 2, 1, HEADS, length, SIZE);
        v = scope.normal(DType.F32, 3, 1, HEADS, length, SIZE);
        Tensor at = scope.arange(DType.I64, length);
        allowed = at.unsqueeze(0).le(at.unsqueeze(1));
        blocked = scope.full(DType.F32, Double.NEGATIVE_INFINITY);
        attention = causal ? Attention.scaled().causal() : Attention.scaled();
        try (Scope s = on.open()) {
            Agree.check("attend", attention.apply(q, k, v).output(), composed().toFloatArray(), 1e-5);
        }
    }

    private Tensor composed() {
        Tensor scores = q.matmul(k.transpose(-2, -1)).mul(1 / Math.sqrt(SIZE));
        if (causal) {
            scores = allowed.where(scores, blocked);
        }
        return scores.softmax(-1).matmul(v);
    }

    @TearDown
    public void close() {
        scope.close();
    }

    @Benchmark
    public void attend(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(attention.apply(q, k, v).output());
        }
    }

    @Benchmark
    public void composedAttention(Blackhole hole) {
        try (Scope s = on.open()) {
            hole.consume(composed());
        }
    }
}
