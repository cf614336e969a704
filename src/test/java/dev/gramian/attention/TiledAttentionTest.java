package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Op;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Attention over several blocks of keys, where what came first has to be scaled, skipped or spoiled by what comes later. */
class TiledAttentionTest {
    private static final long SEED = Seed.VALUE;

    private static Attention.Result check(
            String what, Attention a, Tensor q, Tensor k, Tensor v, Long limit, Tensor mask, Tensor bias) {
        Attention.Result r = a.apply(q, k, v);
        double scale = 1 / Math.sqrt(q.dim(-1));
        Reference exact = new Reference(false, q, k, v, scale, 0, limit, mask, bias);
        Reference plain = new Reference(true, q, k, v, scale, 0, limit, mask, bias);
        Reference.close(what + " output", exact.output, plain.output, r.output().toDoubleArray(), q.dtype());
        Reference.close(what + " logSumExp", exact.logSumExp, plain.logSumExp, r.logSumExp().toDoubleArray(),
                DType.F32);
        return r;
    }

    @DeviceSpec
    void scoresThatGrowAndFall(Device device) {
        for (DType t : new DType[] {DType.F32, DType.BF16}) {
            try (Scope s = device.open()) {
                Tensor q = s.normal(t, SEED, 1, 4, 37, 9);
                Tensor k = s.normal(t, SEED + 1, 1, 2, 530, 9);
                Tensor v = s.normal(t, SEED + 2, 1, 2, 530, 7);
                Tensor up = s.arange(DType.F32, 530).div(8);
                for (Tensor bias : new Tensor[] {up, up.neg(), up.sub(40).abs(), up.mul(1e4), up.mul(-1e4)}) {
                    String what = "seed " + SEED + " " + t + " bias to " + bias.max().item();
                    check(what, Attention.scaled().bias(bias), q, k, v, null, null, bias);
                    check(what, Attention.scaled().bias(bias).causal(Causal.BOTTOM_RIGHT), q, k, v, 493L, null, bias);
                    check(what, Attention.scaled().bias(bias).causal(Causal.TOP_LEFT), q, k, v, 0L, null, bias);
                }
            }
        }
    }

    @DeviceSpec
    void rowsThatSeeNothingForLong(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, SEED, 2, 2, 40, 16);
            Tensor k = s.normal(DType.F32, SEED + 1, 2, 2, 400, 16);
            Tensor j = s.arange(DType.I64, 400);
            Tensor i = s.arange(DType.I64, 40).unsqueeze(-1);
            for (Tensor mask : new Tensor[] {
                j.ge(i.mul(10)), j.lt(i.mul(10)), j.eq(i.mul(10)), j.ge(300), j.ge(300).and(i.ne(3)),
                j.lt(0).and(i.ge(0))
            }) {
                check("seed " + SEED, Attention.scaled().mask(mask), q, k, k, null, mask, null);
                check("seed " + SEED, Attention.scaled().mask(mask).causal(Causal.BOTTOM_RIGHT), q, k, k, 360L, mask,
                        null);
            }
        }
    }

    @DeviceSpec
    void poisonInSomeBlock(Device device) {
        for (float poison : new float[] {
            Float.NaN, Float.intBitsToFloat(0xFFFFFFFF), Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY
        }) {
            try (Scope s = device.open()) {
                Tensor q = s.normal(DType.F32, SEED, 1, 1, 300, 8);
                Tensor k = s.normal(DType.F32, SEED + 1, 1, 1, 300, 8);
                Tensor bad = Join.concat(-2, k.slice(-2, 0, 200), s.full(DType.F32, poison, 1, 1, 1, 8),
                        k.slice(-2, 201, 300));
                Attention.Result good = Attention.scaled().causal().apply(q, k, k);
                String what = "seed " + SEED + " " + poison;
                Attention.Result y = Attention.scaled().causal().apply(q, k, bad);
                assertArrayEquals(first(good.output(), 200), first(y.output(), 200), what);
                assertArrayEquals(good.logSumExp().toFloatArray(), y.logSumExp().toFloatArray(), what);
                assertEquals(0, y.output().slice(-2, 200, 300).isFinite().any().itemLong(), what);
                // a key that is not finite gives scores of either sign or NaN
                Attention.Result z = Attention.scaled().causal().apply(q, bad, k);
                Attention.Result w = Attention.scaled().causal().weights(true).apply(q, bad, k);
                assertArrayEquals(first(good.output(), 200), first(z.output(), 200), what);
                assertArrayEquals(kinds(w.output()), kinds(z.output()), what);
                assertArrayEquals(kinds(w.logSumExp()), kinds(z.logSumExp()), what);
            }
        }
    }

    private static float[] first(Tensor t, long rows) {
        return t.slice(-2, 0, rows).toFloatArray();
    }

    /** 0 for numbers, else what they are. */
    private static float[] kinds(Tensor t) {
        float[] x = t.toFloatArray();
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.isFinite(x[i]) ? 0 : x[i];
        }
        return x;
    }

    @Test
    void operandsThatDoNotFit() {
        Device device = Device.of("cpu:vector");
        Op op = new Op.Attention(1, 0, Band.OPEN, 0, Set.of());
        try (Scope s = device.open()) {
            Tensor q = s.ones(2, 3, 4, 5);
            Tensor k = s.ones(2, 1, 6, 5);
            assertEquals("attention: operands do not fit; q [2, 3, 4, 5], k [2, 1, 6, 5], v [2, 1, 7, 5]; give "
                    + "(..., G, Lq, d), (..., 1, Lk, d) and (..., 1, Lk, dv)",
                    assertThrows(ShapeException.class, () -> s.run(op, q, k, s.ones(2, 1, 7, 5))).getMessage());
            assertEquals("attention: operands are F64, F64 and F64; q [2, 3, 4, 5], k [2, 1, 6, 5], v [2, 1, 6, 5]; "
                    + "give all in F32 or one half type",
                    assertThrows(DTypeException.class, () -> s.run(op, q.to(DType.F64), k.to(DType.F64),
                            k.to(DType.F64))).getMessage());
            Op masked = new Op.Attention(1, 0, Band.OPEN, 0, Set.of(Op.AttentionWeights.Extra.MASK));
            assertEquals("attention: mask is F32; mask [4, 6]; a mask is BOOL with true = may attend, use a bias for "
                    + "added values",
                    assertThrows(DTypeException.class, () -> s.run(masked, q, k, k, s.ones(4, 6))).getMessage());
        }
    }
}
