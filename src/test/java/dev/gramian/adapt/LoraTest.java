package dev.gramian.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Adapters of single layers, held against plain loops in double. */
class LoraTest {
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64, DType.F16, DType.BF16};

    /** Of one operation on values near 1. */
    private static double eps(DType t) {
        return switch (t) {
            case F64 -> 0x1p-52;
            case F32 -> 0x1p-23;
            case F16 -> 0x1p-10;
            default -> 0x1p-7;
        };
    }

    private static double[] delta(LoraPair p) {
        int r = (int) p.rank();
        int in = (int) p.a().dim(1);
        int out = (int) p.b().dim(0);
        double[] a = p.a().toDoubleArray();
        double[] b = p.b().toDoubleArray();
        double[] d = new double[out * in];
        for (int i = 0; i < out; i++) {
            for (int j = 0; j < in; j++) {
                for (int k = 0; k < r; k++) {
                    d[i * in + j] += p.scale() * b[i * r + k] * a[k * in + j];
                }
            }
        }
        return d;
    }

    /** x (rows, in) times the transpose of w (out, in). */
    private static double[] linear(double[] x, double[] w, int rows, int in, int out) {
        double[] y = new double[rows * out];
        for (int i = 0; i < rows; i++) {
            for (int o = 0; o < out; o++) {
                for (int j = 0; j < in; j++) {
                    y[i * out + o] += x[i * in + j] * w[o * in + j];
                }
            }
        }
        return y;
    }

    private static double[] sum(double[] x, double[] y, int sign) {
        double[] z = x.clone();
        for (int i = 0; i < z.length; i++) {
            z[i] += sign * y[i];
        }
        return z;
    }

    private static LoraPair pair(Scope s, DType t, long seed, long out, long in, long r, double scale) {
        return new LoraPair(s.normal(t, seed, r, in), s.normal(t, seed + 1, out, r), scale);
    }

    @DeviceSpec
    void formulas(Device device) {
        for (DType t : TYPES) {
            for (long[] n : new long[][] {{5, 7, 2}, {7, 5, 5}, {1, 9, 1}, {33, 20, 4}}) {
                try (Scope s = device.open()) {
                    int out = (int) n[0];
                    int in = (int) n[1];
                    LoraPair p = pair(s, t, SEED, out, in, n[2], 0.75);
                    Tensor w = s.normal(t, SEED + 7, out, in);
                    double tolerance = 40 * eps(t) * n[2];
                    double[] d = delta(p);
                    assertEquals(t == DType.F64 ? DType.F64 : DType.F32, p.delta().dtype());
                    assertArrayEquals(d, p.delta().toDoubleArray(), 100 * eps(p.delta().dtype()));
                    // merged: one rounding to w's type; taken out again: near, not the same
                    Tensor merged = p.merge(w);
                    assertEquals(t, merged.dtype());
                    assertArrayEquals(sum(w.toDoubleArray(), d, 1), merged.toDoubleArray(), tolerance);
                    assertArrayEquals(w.toDoubleArray(), p.unmerge(merged).toDoubleArray(), tolerance);
                    // the side path computes what the merged weight does
                    Tensor x = s.normal(t, SEED + 9, 3, 4, in);
                    double[] y = linear(x.toDoubleArray(), sum(w.toDoubleArray(), d, 1), 12, in, out);
                    Tensor side = p.apply(x, w);
                    assertEquals(Shape.of(3, 4, out), side.shape());
                    assertEquals(t, side.dtype());
                    assertArrayEquals(y, side.toDoubleArray(), 10 * in * tolerance);
                    Tensor strided = p.merge(w.transpose(0, 1).contiguous().transpose(0, 1));
                    assertArrayEquals(merged.toDoubleArray(), strided.toDoubleArray());
                }
            }
        }
    }

    @DeviceSpec
    void halfWeightsTakeSingleFactors(Device device) {
        try (Scope s = device.open()) {
            LoraPair p = pair(s, DType.F32, SEED, 6, 8, 2, 1e-3);
            Tensor w = s.normal(DType.BF16, SEED, 6, 8);
            // rounded once, from the sum in F32
            double[] exact = sum(w.toDoubleArray(), delta(p), 1);
            assertArrayEquals(s.tensor(exact, 6, 8).to(DType.F32).to(DType.BF16).toDoubleArray(),
                    p.merge(w).toDoubleArray(), 1e-9);
            assertEquals(DType.BF16, p.apply(s.normal(DType.BF16, 1, 2, 8), w).dtype());
        }
    }

    @DeviceSpec
    void starts(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64, DType.BF16}) {
            DType wide = t == DType.F64 ? DType.F64 : DType.F32;
            try (Scope s = device.open()) {
                Tensor w = s.normal(t, SEED, 40, 64);
                double norm = Linalg.norm(w.to(DType.F64)).item();
                for (LoraInit how : LoraInit.values()) {
                    for (double scale : new double[] {1, 2.5}) {
                        LoraInit.Start start = how.start(w, 8, scale, SEED);
                        assertEquals(Shape.of(8, 64), start.pair().a().shape());
                        assertEquals(Shape.of(40, 8), start.pair().b().shape());
                        assertEquals(wide, start.pair().a().dtype());
                        assertEquals(scale, start.pair().scale());
                        // base and adapter together are w
                        double[] together = sum(start.base().toDoubleArray(), delta(start.pair()), 1);
                        assertArrayEquals(w.toDoubleArray(), together, 40 * eps(t));
                        if (!how.changesBase()) {
                            assertSame(w, start.base());
                        }
                    }
                }
                double[] kaiming = LoraInit.KAIMING.start(w, 8, 1, SEED).pair().a().toDoubleArray();
                double most = 0;
                double square = 0;
                for (double v : kaiming) {
                    most = Math.max(most, Math.abs(v));
                    square += v * v / kaiming.length;
                }
                assertTrue(most <= 0.125 && most > 0.12, "within 1 / √64: " + most);
                assertEquals(0.125 / Math.sqrt(3), Math.sqrt(square), 0.005);
                square = 0;
                for (double v : LoraInit.GAUSSIAN.start(w, 8, 1, SEED).pair().a().toDoubleArray()) {
                    square += v * v / 512;
                }
                assertEquals(0.125, Math.sqrt(square), 0.01);
                // PISSA takes the best approximation, its halves equally large
                LoraPair pissa = LoraInit.PISSA.start(w, 8, 2, SEED).pair();
                double[] best = Linalg.lowRank(w.to(wide), 8).product().toDoubleArray();
                assertArrayEquals(best, delta(pissa), 200 * eps(wide) * norm);
                assertEquals(Linalg.norm(pissa.a()).item(), Linalg.norm(pissa.b()).item(), 1e-4);
                Tensor q = LoraInit.OLORA.start(w, 8, 2, SEED).pair().b();
                assertTrue(Linalg.norm(q.transpose(0, 1).matmul(q).sub(s.eye(wide, 8))).item() < 100 * eps(wide));
            }
        }
    }

    @DeviceSpec
    void manyAdaptersInOneBatch(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64, DType.BF16}) {
            try (Scope s = device.open()) {
                Tensor w = s.normal(t, SEED, 6, 10);
                LoraBatch batch = new LoraBatch(List.of(
                        pair(s, t, SEED + 1, 6, 10, 2, 0.5), pair(s, t, SEED + 3, 6, 10, 4, 2),
                        pair(s, t, 5, 6, 10, 1, 1)));
                for (int[] index : new int[][] {
                    {0, 1, 0, -1, 1, 0}, {-1, -1}, {1}, {0, 0, 0}, {}, {1, 0, -1, 1, 0, -1, 1}
                }) {
                    for (long[] rest : new long[][] {{10}, {3, 10}}) {
                        long[] shape = rest.length == 1
                                ? new long[] {index.length, 10}
                                : new long[] {index.length, 3, 10};
                        Tensor x = s.normal(t, SEED + 11, shape);
                        Tensor y = batch.apply(x, w, index);
                        for (int i = 0; i < index.length; i++) {
                            Tensor row = x.slice(0, i, i + 1);
                            Tensor alone = index[i] < 0
                                    ? row.matmul(w.transpose(0, 1))
                                    : batch.adapters().get(index[i]).apply(row, w);
                            assertArrayEquals(alone.toDoubleArray(), y.slice(0, i, i + 1).toDoubleArray(),
                                    400 * eps(t), "row " + i);
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void onlyResultsStay(Device device) {
        try (Scope s = device.open()) {
            Tensor w = s.normal(DType.F32, SEED, 6, 10);
            LoraPair p = pair(s, DType.F32, SEED, 6, 10, 2, 1);
            long before = s.liveBytes();
            p.merge(w);
            p.delta();
            LoraInit.PISSA.start(w, 3, 1, 0);
            new LoraBatch(List.of(p)).apply(s.normal(DType.F32, 1, 2, 10), w, 0, -1);
            assertEquals(before + 4 * (60 + 60 + 60 + 3 * 16 + 20 + 12), s.liveBytes());
        }
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            assertEquals("lora: factors do not fit; a [2, 5], b [4, 3]; a is (r, in), b is (out, r)",
                    assertThrows(ShapeException.class, () -> new LoraPair(s.ones(2, 5), s.ones(4, 3), 1)).getMessage());
            assertEquals("lora: factors need one float type; a F32 [2, 5], b F64 [4, 2]; cast with .to(DType.F32)",
                    assertThrows(DTypeException.class,
                            () -> new LoraPair(s.ones(2, 5), s.ones(DType.F64, 4, 2), 1)).getMessage());
            LoraPair p = new LoraPair(s.ones(2, 5), s.ones(4, 2), 1);
            assertEquals(
                    "lora: weight does not fit; w [5, 4], a [2, 5], b [4, 2]; w is (out, in), a (r, in), b (out, r)",
                    assertThrows(ShapeException.class, () -> p.merge(s.ones(5, 4))).getMessage());
            assertEquals("lora: needs a float type; w is I64 [4, 5]; cast with .to(DType.F32)",
                    assertThrows(DTypeException.class, () -> p.merge(s.ones(DType.I64, 4, 5))).getMessage());
            assertEquals("lora: no such rank; rank 5, w [4, 5]; w is a matrix, use 1 to the smaller of its sides",
                    assertThrows(ShapeException.class, () -> LoraInit.KAIMING.start(s.ones(4, 5), 5, 1, 0))
                            .getMessage());
            assertEquals("lora: scale is 0.0; w [4, 5]; use a finite number but 0",
                    assertThrows(GramianException.class, () -> LoraInit.OLORA.start(s.ones(4, 5), 2, 0, 0))
                            .getMessage());
            assertEquals("lora: scale is -1.0; w [4, 5]; PISSA needs one above 0",
                    assertThrows(GramianException.class, () -> LoraInit.PISSA.start(s.ones(4, 5), 2, -1, 0))
                            .getMessage());
            assertEquals("lora: needs a float type; w is BOOL [4, 5]; cast with .to(DType.F32)",
                    assertThrows(DTypeException.class,
                            () -> LoraInit.OLORA.start(s.ones(DType.BOOL, 4, 5), 2, 1, 0)).getMessage());
            LoraBatch batch = new LoraBatch(List.of(p));
            Tensor w = s.ones(4, 5);
            assertEquals("lora: needs one index a row; x [3, 5], 2 indices; x is (rows, ..., in)",
                    assertThrows(ShapeException.class, () -> batch.apply(s.ones(3, 5), w, 0, 0)).getMessage());
            assertEquals("lora: no such adapter; index 1 of 1; use 0 to 0, or -1 for none",
                    assertThrows(ShapeException.class, () -> batch.apply(s.ones(1, 5), w, 1)).getMessage());
            assertEquals(
                    "lora: adapters of different layers; a [2, 5], b [4, 2] and a [2, 6], b [4, 2]; only their ranks"
                            + " may differ",
                    assertThrows(ShapeException.class, () -> new LoraBatch(
                            List.of(p, new LoraPair(s.ones(2, 6), s.ones(4, 2), 1)))).getMessage());
        }
    }

    @Test
    void scales() {
        assertEquals(2, new LoraConfig(8, 16, false, List.of()).scaleOf("m"));
        assertEquals(8, new LoraConfig(4, 16, true, List.of()).scaleOf("m"));
        LoraConfig some = new LoraConfig(8, 16, false, false, Map.of("q_proj", 4L, "h\\.[01]\\.k", 2L),
                Map.of("a.q_proj", 1.0), List.of(), null);
        assertEquals(4, some.rankOf("model.q_proj"));
        assertEquals(8, some.rankOf("xq_proj"));
        assertEquals(2, some.rankOf("x.h.1.k"));
        assertEquals(4, some.scaleOf("model.q_proj"));
        assertEquals(0.25, some.scaleOf("model.a.q_proj"));
        LoraConfig each = LoraConfig.ofRanks(Map.of("a", 3L, "b", 5L, "c", 5L), false);
        assertEquals(5, each.rank());
        for (String module : new String[] {"a", "b", "c"}) {
            assertEquals(1, each.scaleOf(module));
        }
        assertEquals(3, each.rankOf("a"));
        // the first that matches counts, be it less exact, as in PEFT
        Map<String, Long> ordered = new LinkedHashMap<>();
        ordered.put("q_proj", 4L);
        ordered.put("h.0.q_proj", 2L);
        assertEquals(4, new LoraConfig(8, 16, false, false, ordered, Map.of(), List.of(), null).rankOf("h.0.q_proj"));
        // a module whose name is the end of another's
        Map<String, Long> ends = Map.of("q", 1L, "h.q", 4L, "h.h.q", 2L, "x", 4L);
        LoraConfig nested = LoraConfig.ofRanks(ends, false);
        ends.forEach((module, rank) -> {
            assertEquals(rank, nested.rankOf(module), module);
            assertEquals(1, nested.scaleOf(module), module);
        });
        assertEquals("[h.h.q, h.q, q]", nested.ranks().keySet().toString());
    }
}
