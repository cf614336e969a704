package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;
import java.util.Random;

/** Values of attention against loops in F64. */
class AttentionTest {
    private static final long SEED = Seed.VALUE;

    private static void check(
            String what, Attention a, Tensor q, Tensor k, Tensor v, double scale, double softcap, Long limit,
            Tensor mask, Tensor bias) {
        Attention.Result r = a.apply(q, k, v);
        Reference exact = new Reference(false, q, k, v, scale, softcap, limit, mask, bias);
        Reference plain = new Reference(true, q, k, v, scale, softcap, limit, mask, bias);
        DType t = q.dtype();
        DType c = t.compute();
        assertEquals(t, r.output().dtype(), what);
        assertEquals(c, r.logSumExp().dtype(), what);
        Reference.close(what + " output", exact.output, plain.output, r.output().toDoubleArray(), t);
        Reference.close(what + " logSumExp", exact.logSumExp, plain.logSumExp, r.logSumExp().toDoubleArray(), c);
        if (r.weights() != null) {
            assertEquals(c, r.weights().dtype(), what);
            Reference.close(what + " weights", exact.weights, plain.weights, r.weights().toDoubleArray(), c);
        }
    }

    // ---- random calls ----------------------------------------------------------------------------------------------

    /** In a layout of chance: as it is, heads and length exchanged, reversed, every other element, one for all. */
    private static Tensor operand(Scope s, Random r, DType t, Shape batch, long heads, long length, long size) {
        long seed = r.nextLong();
        Shape b = batch;
        for (int i = 0; i < b.rank(); i++) {
            if (r.nextInt(5) == 0) {
                b = b.with(i, 1);
            }
        }
        if (r.nextInt(8) == 0) {
            b = b.slice(b.rank(), b.rank());
        }
        return switch (r.nextInt(6)) {
            case 0 -> s.normal(t, seed, b.plus(length, heads, size).toArray()).transpose(-3, -2);
            case 1 -> s.normal(t, seed, b.plus(heads, length, size).toArray()).flip(-2);
            case 2 -> s.normal(t, seed, b.plus(heads, length, 2 * size).toArray()).slice(-1, 0, Long.MAX_VALUE, 2);
            case 3 -> s.normal(t, seed, b.plus(heads, size, length).toArray()).transpose(-2, -1);
            case 4 -> s.normal(t, seed, b.plus(heads, 1, size).toArray()).expand(b.plus(heads, length, size).toArray());
            default -> s.normal(t, seed, b.plus(heads, length, size).toArray());
        };
    }

    /** Random, of a shape that broadcasts to {@code to}. */
    private static Tensor broadcast(Scope s, Random r, DType t, Shape to) {
        Shape b = to.slice(r.nextInt(to.rank()), to.rank());
        for (int i = 0; i < b.rank(); i++) {
            if (r.nextInt(4) == 0) {
                b = b.with(i, 1);
            }
        }
        return s.normal(t, r.nextLong(), b.toArray());
    }

    @DeviceSpec
    void agreesWithLoopsInF64(Device device) {
        Random r = new Random(SEED);
        DType[] types = {DType.F32, DType.F32, DType.F64, DType.F16, DType.BF16};
        for (int n = 0; n < 120; n++) {
            long hk = 1 + r.nextInt(3);
            long hq = hk * (1 + r.nextInt(3));
            long lq = r.nextInt(20);
            long lk = r.nextInt(20);
            long d = r.nextInt(20);
            long dv = 1 + r.nextInt(9);
            DType t = types[n % types.length];
            Shape batch = Shape.of(r.ints(r.nextInt(3), 1, 4).asLongStream().toArray());
            try (Scope s = device.open()) {
                Tensor q = operand(s, r, t, batch, hq, lq, d);
                Tensor k = operand(s, r, t, batch, hk, lk, d);
                Tensor v = operand(s, r, t, batch, hk, lk, dv);
                Shape full = scores(q, k, v);
                Attention a = Attention.scaled().weights(r.nextBoolean())
                        .workspace(r.nextBoolean() ? 0 : 1 << r.nextInt(16));
                double scale = d == 0 ? 0 : 1 / Math.sqrt(d);
                double cap = 0;
                Long limit = null;
                Tensor mask = null;
                Tensor bias = null;
                if (r.nextInt(3) == 0) {
                    scale = r.nextInt(4) == 0 ? 0 : r.nextDouble() - 0.3;
                    a = a.scale(scale);
                }
                if (r.nextInt(3) == 0) {
                    cap = 0.5 + r.nextDouble();
                    a = a.softcap(cap);
                }
                switch (r.nextInt(5)) {
                    case 0 -> {
                        limit = 0L;
                        a = a.causal(Causal.TOP_LEFT);
                    }
                    case 1 -> {
                        limit = lk - lq;
                        a = a.causal(Causal.BOTTOM_RIGHT);
                    }
                    case 2 -> {
                        limit = r.nextInt(12) - 6L;
                        a = a.offset(limit);
                    }
                    default -> {}
                }
                if (r.nextInt(3) == 0) {
                    mask = broadcast(s, r, DType.F32, full).gt(-0.7);
                    a = a.mask(mask);
                }
                if (r.nextInt(3) == 0) {
                    bias = broadcast(s, r, t.isHalf() && r.nextBoolean() ? DType.F32 : t, full);
                    a = a.bias(bias);
                }
                check("seed " + SEED + " call " + n + " " + t + " q " + q.shape() + " k " + k.shape() + " v "
                        + v.shape() + ", " + a, a, q, k, v, scale, cap, limit, mask, bias);
            }
        }
    }

    private static Shape scores(Tensor q, Tensor k, Tensor v) {
        Shape b = q.shape().slice(0, q.rank() - 3);
        b = Shape.broadcast("", b, k.shape().slice(0, k.rank() - 3));
        b = Shape.broadcast("", b, v.shape().slice(0, v.rank() - 3));
        return b.plus(q.dim(-3), q.dim(-2), k.dim(-2));
    }

    @DeviceSpec
    void largerThanOneBlock(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, SEED, 1, 4, 301, 33);
            Tensor k = s.normal(DType.F32, SEED + 1, 1, 2, 333, 33);
            Tensor v = s.normal(DType.F32, SEED + 2, 1, 2, 333, 17);
            double scale = 1 / Math.sqrt(33);
            String seed = "seed " + SEED;
            for (long offset : new long[] {0, 32, -140, 400, Long.MAX_VALUE, Long.MIN_VALUE}) {
                check(seed + " offset " + offset, Attention.scaled().offset(offset), q, k, v, scale, 0,
                        Math.max(-1000, Math.min(1000, offset)), null, null);
            }
            Tensor mask = s.normal(DType.F32, SEED + 3, 4, 301, 333).gt(0);
            check(seed + " mask", Attention.scaled().causal(Causal.BOTTOM_RIGHT).mask(mask).workspace(100_000), q, k, v,
                    scale, 0, 32L, mask, null);
        }
    }

    // ---- shapes ----------------------------------------------------------------------------------------------------

    @DeviceSpec
    void matricesWithoutHeads(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, SEED, 5, 3);
            Tensor k = s.normal(DType.F32, SEED + 1, 7, 3);
            Tensor v = s.normal(DType.F32, SEED + 2, 7, 2);
            Attention.Result r = Attention.scaled().weights(true).apply(q, k, v);
            assertEquals(Shape.of(5, 2), r.output().shape());
            assertEquals(Shape.of(5, 7), r.weights().shape());
            assertEquals(Shape.of(5), r.logSumExp().shape());
            check("seed " + SEED, Attention.scaled().weights(true), q, k, v, 1 / Math.sqrt(3), 0, null, null, null);
            assertArrayEquals(r.output().toFloatArray(), Attention.attend(q, k, v).toFloatArray());
            assertNull(Attention.scaled().apply(q, k, v).weights());
            Tensor one = Attention.attend(q.unsqueeze(0), k, v);
            assertEquals(Shape.of(1, 5, 2), one.shape());
        }
    }

    @DeviceSpec
    void empties(Device device) {
        try (Scope s = device.open()) {
            for (long workspace : new long[] {0, 1 << 20}) {
                Attention a = Attention.scaled().workspace(workspace);
                Attention.Result noKeys = a.weights(true).apply(s.ones(2, 3, 4, 5), s.ones(2, 3, 0, 5),
                        s.ones(2, 3, 0, 6));
                assertEquals(Shape.of(2, 3, 4, 6), noKeys.output().shape());
                assertEquals(0, noKeys.output().abs().max().item());
                assertEquals(Double.NEGATIVE_INFINITY, noKeys.logSumExp().max().item());
                assertEquals(Shape.of(2, 3, 4, 0), noKeys.weights().shape());
                Attention.Result noQueries = a.apply(s.ones(2, 3, 0, 5), s.ones(2, 3, 4, 5), s.ones(2, 3, 4, 6));
                assertEquals(Shape.of(2, 3, 0, 6), noQueries.output().shape());
                assertEquals(Shape.of(2, 3, 0), noQueries.logSumExp().shape());
                Tensor values = s.tensor(new float[] {1, 2, 6}, 1, 3, 1);
                Tensor noHead = a.apply(s.ones(1, 2, 0), s.ones(1, 3, 0), values).output();
                assertArrayEquals(new float[] {3, 3}, noHead.toFloatArray(), 1e-6f);
                assertEquals(Shape.of(2, 3, 4, 0), a.apply(s.ones(2, 3, 4, 5), s.ones(2, 3, 4, 5), s.ones(2, 3, 4, 0))
                        .output().shape());
                assertEquals(Shape.of(0, 3, 4, 5), a.apply(s.ones(0, 3, 4, 5), s.ones(0, 3, 4, 5), s.ones(1, 3, 4, 5))
                        .output().shape());
                Tensor noHeads = s.ones(0, 4, 5);
                assertEquals(Shape.of(0, 4, 5), a.apply(noHeads, noHeads, noHeads).output().shape());
            }
        }
    }

    // ---- rules -----------------------------------------------------------------------------------------------------

    @DeviceSpec
    void fullyMaskedRowsAreZero(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, SEED, 2, 3, 4);
            Tensor k = s.normal(DType.F32, SEED + 1, 2, 5, 4);
            Tensor mask = s.tensor(new boolean[] {true, false, true}, 3, 1);
            Attention.Result r = Attention.scaled().mask(mask).weights(true).apply(q, k, k);
            assertEquals(0, r.output().select(-2, 1).abs().max().item());
            assertEquals(0, r.weights().select(-2, 1).abs().max().item());
            assertEquals(Double.NEGATIVE_INFINITY, r.logSumExp().select(-1, 1).max().item());
            assertTrue(r.logSumExp().select(-1, 0).isFinite().all().itemLong() == 1);
            Tensor bias = s.full(DType.F32, Double.NEGATIVE_INFINITY, 3, 5);
            assertEquals(0, Attention.scaled().bias(bias).apply(q, k, k).output().abs().max().item());
        }
    }

    @DeviceSpec
    void poisonInMaskedPlacesDoesNotLeak(Device device) {
        for (float poison : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (DType t : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}) {
                try (Scope s = device.open()) {
                    Tensor q = s.normal(t, SEED, 2, 4, 6, 8);
                    Tensor good = s.normal(t, SEED + 1, 2, 2, 9, 8);
                    Tensor bad = Join.concat(-2, good.slice(-2, 0, 6), s.full(t, poison, 2, 2, 3, 8));
                    Tensor mask = s.arange(DType.I64, 9).lt(6);
                    String what = t + " poisoned by " + poison;
                    Attention some = Attention.scaled().mask(mask);
                    for (Attention a : new Attention[] {
                        some, some.softcap(2), some.workspace(0), Attention.scaled().offset(0)
                    }) {
                        // to the bit
                        assertArrayEquals(
                                a.apply(q, good, good).output().toDoubleArray(),
                                a.apply(q, bad, bad).output().toDoubleArray(), what);
                    }
                    Tensor attended = Attention.scaled().apply(q, good, bad).output();
                    assertTrue(attended.isFinite().any().itemLong() == 0, what + ": attended poison must show");
                }
            }
        }
    }

    @DeviceSpec
    void maskAndCausalBothMustAllow(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, SEED, 1, 4, 3);
            Tensor mask = s.tensor(new boolean[] {false, true, true, true});
            Tensor w = Attention.scaled().causal().mask(mask).weights(true).apply(x, x, x).weights();
            assertArrayEquals(
                    new boolean[] {
                        false, false, false, false, //
                        false, true, false, false, //
                        false, true, true, false, //
                        false, true, true, true
                    },
                    w.ne(0).toBooleanArray());
        }
    }

    @DeviceSpec
    void partsMergeByLogSumExp(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F64, SEED, 2, 3, 5);
            Tensor k = s.normal(DType.F64, SEED + 1, 2, 11, 5);
            Tensor mask = s.normal(DType.F64, SEED + 2, 3, 11).gt(0);
            Attention.Result whole = Attention.scaled().mask(mask).apply(q, k, k);
            Attention.Result a = Attention.scaled().mask(mask.slice(1, 0, 4))
                    .apply(q, k.slice(-2, 0, 4), k.slice(-2, 0, 4));
            Attention.Result b = Attention.scaled().mask(mask.slice(1, 4, 11))
                    .apply(q, k.slice(-2, 4, 11), k.slice(-2, 4, 11));
            Tensor both = Join.stack(0, a.logSumExp(), b.logSumExp()).logSumExp(0);
            Tensor wa = a.logSumExp().sub(both).exp().unsqueeze(-1);
            Tensor wb = b.logSumExp().sub(both).exp().unsqueeze(-1);
            assertArrayEquals(whole.logSumExp().toDoubleArray(), both.toDoubleArray(), 1e-14);
            assertArrayEquals(
                    whole.output().toDoubleArray(), a.output().mul(wa).add(b.output().mul(wb)).toDoubleArray(), 1e-14);
        }
    }

    @DeviceSpec
    void slicesGiveTheSame(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, SEED, 2, 6, 37, 16);
            Tensor k = s.normal(DType.F32, SEED + 1, 2, 3, 41, 16);
            Tensor mask = s.normal(DType.F32, SEED + 2, 2, 1, 37, 41).gt(-1);
            Attention a = Attention.scaled().mask(mask).workspace(1 << 30);
            Attention.Result whole = a.apply(q, k, k);
            for (long workspace : new long[] {0, 1000, 12_000, 40_000, 70_000, 140_000}) {
                Attention.Result r = a.workspace(workspace).apply(q, k, k);
                assertArrayEquals(
                        whole.output().toFloatArray(), r.output().toFloatArray(), 1e-6f, "workspace " + workspace);
                assertArrayEquals(whole.logSumExp().toFloatArray(), r.logSumExp().toFloatArray(), 1e-6f);
            }
        }
    }
}
