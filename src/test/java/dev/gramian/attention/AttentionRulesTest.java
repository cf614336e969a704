package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;

/** What systems differ in, each by a case whose answer is seen at a glance; the list is native-notes/semantics.md. */
class AttentionRulesTest {
    /** Queries and keys of zeros: every key that may be attended to weighs the same. */
    private static Tensor weights(Scope s, Attention a, long queries, long keys) {
        Tensor q = s.zeros(1, queries, 4);
        Tensor k = s.zeros(1, keys, 4);
        return a.weights(true).apply(q, k, k).weights().select(0, 0);
    }

    private static void seen(String rows, Tensor weights) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < weights.dim(0); i++) {
            text.append(i == 0 ? "" : " ");
            for (float w : weights.select(0, i).toFloatArray()) {
                text.append(w > 0 ? 'x' : '.');
            }
        }
        assertEquals(rows, text.toString());
    }

    @DeviceSpec
    void trueMeansMayAttend(Device device) {
        try (Scope s = device.open()) {
            Tensor mask = s.tensor(new boolean[] {true, false, true});
            seen("x.x x.x", weights(s, Attention.scaled().mask(mask), 2, 3));
        }
    }

    /** A mask of three axes is (head, query, key), for all batches. */
    @DeviceSpec
    void masksAlignFromTheLastAxis(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.zeros(2, 2, 1, 4);
            Tensor k = s.zeros(2, 2, 3, 4);
            Tensor mask = s.tensor(new boolean[] {true, false, false, false, true, true}, 2, 1, 3);
            Tensor w = Attention.scaled().mask(mask).weights(true).apply(q, k, k).weights();
            for (int b = 0; b < 2; b++) {
                assertArrayEquals(new float[] {1, 0, 0, 0, 0.5f, 0.5f}, w.select(0, b).toFloatArray());
            }
        }
    }

    @DeviceSpec
    void alignmentsDifferWhereLengthsDo(Device device) {
        try (Scope s = device.open()) {
            seen("x... xx..", weights(s, Attention.scaled().causal(Causal.TOP_LEFT), 2, 4));
            seen("xxx. xxxx", weights(s, Attention.scaled().causal(Causal.BOTTOM_RIGHT), 2, 4));
            seen(".. x. xx", weights(s, Attention.scaled().causal(Causal.BOTTOM_RIGHT), 3, 2));
            seen("xx.. xxx.", weights(s, Attention.scaled().offset(1), 2, 4));
        }
    }

    @DeviceSpec
    void theScaleIsOfTheKeysSizeAndZeroMeansZero(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.tensor(new float[] {2, 0, 0, 0}, 1, 1, 4);
            Tensor k = s.tensor(new float[] {1, 0, 0, 0, 0, 0, 0, 0}, 1, 2, 4);
            Tensor v = s.tensor(new float[] {1, 0}, 1, 2, 1);
            double e = Math.E;
            assertEquals(e / (e + 1), Attention.attend(q, k, v).item(), 1e-6);
            assertEquals(0.5, Attention.scaled().scale(0).apply(q, k, v).output().item(), 1e-6);
        }
    }

    /** Scores of 90000 are no numbers of F16. */
    @DeviceSpec
    void halvesComputeInF32(Device device) {
        for (DType t : new DType[] {DType.F16, DType.BF16}) {
            try (Scope s = device.open()) {
                Tensor q = s.full(t, 300, 1, 1, 1);
                Tensor k = s.tensor(new float[] {300, 300, -300}, 1, 3, 1).to(t);
                Tensor v = s.tensor(new float[] {1, 2, 9}, 1, 3, 1).to(t);
                Attention.Result r = Attention.scaled().scale(1).weights(true).apply(q, k, v);
                assertEquals(DType.F32, r.weights().dtype());
                assertArrayEquals(new float[] {0.5f, 0.5f, 0}, r.weights().toFloatArray());
                assertEquals(1.5, r.output().item());
                assertEquals(90000, r.logSumExp().item(), 1);
            }
        }
    }

    /** The largest finite bias against all keys is no mask: it shifts all scores alike. */
    @DeviceSpec
    void aFiniteBiasIsANumberAndInfinityAMask(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(DType.F16, 1, 2, 4);
            Tensor v = s.tensor(new float[] {1, 3}, 1, 2, 1).to(DType.F16);
            Attention.Result r = Attention.scaled().bias(s.full(DType.F16, -65504, 2, 2)).apply(x, x, v);
            assertArrayEquals(new float[] {2, 2}, r.output().toFloatArray());
            Tensor half = s.tensor(new float[] {-65504, Float.NEGATIVE_INFINITY});
            assertArrayEquals(new float[] {1, 1}, Attention.scaled().bias(half).apply(x, x, v).output().toFloatArray());
            Tensor none = s.full(DType.F32, Double.NEGATIVE_INFINITY, 2);
            r = Attention.scaled().bias(none).apply(x, x, v);
            assertArrayEquals(new float[] {0, 0}, r.output().toFloatArray());
            assertEquals(Double.NEGATIVE_INFINITY, r.logSumExp().max().item());
        }
    }

    @DeviceSpec
    void queryHeadsShareKeyHeadsInRuns(Device device) {
        try (Scope s = device.open()) {
            Tensor v = s.tensor(new float[] {1, 2}, 2, 1, 1);
            Tensor y = Attention.attend(s.zeros(6, 1, 1), s.zeros(2, 1, 1), v);
            assertArrayEquals(new float[] {1, 1, 1, 2, 2, 2}, y.toFloatArray());
            assertArrayEquals(new float[] {2, 2, 2},
                    Attention.attend(s.zeros(3, 1, 1), s.zeros(1, 1, 1), v.slice(0, 1, 2)).toFloatArray());
        }
    }

    @DeviceSpec
    void windowsCountNeighboursWithoutThemselves(Device device) {
        try (Scope s = device.open()) {
            seen("xx.. xxx. .xxx ..xx", weights(s, Attention.scaled().window(1, 1), 4, 4));
            seen("x... xx.. .xx. ..xx", weights(s, Attention.scaled().window(1, -1).causal(), 4, 4));
            seen("x... .x.. ..x. ...x", weights(s, Attention.scaled().window(0, 0), 4, 4));
            seen(".xx. ..xx", weights(s, Attention.scaled().window(1, 0).align(Causal.BOTTOM_RIGHT), 2, 4));
        }
    }

    @DeviceSpec
    void slopesTimesDistancesAreTakenAway(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.zeros(1, 2, 4);
            Tensor k = s.zeros(1, 3, 4);
            Tensor slope = s.full(DType.F32, Math.log(2), 1);
            Tensor w = Attention.scaled().alibi(slope).align(Causal.BOTTOM_RIGHT).weights(true).apply(q, k, k)
                    .weights();
            assertArrayEquals(new float[] {1 / 4f, 1 / 2f, 1 / 4f, 1 / 7f, 2 / 7f, 4 / 7f}, w.toFloatArray(), 1e-6f);
        }
    }

    @DeviceSpec
    void sinksTakeWeightAndGiveNothing(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(2, 1, 4);
            Tensor sinks = s.tensor(new float[] {0, Float.NEGATIVE_INFINITY});
            Attention.Result r = Attention.scaled().sinks(sinks).weights(true).apply(x, x, s.ones(2, 1, 1));
            assertArrayEquals(new float[] {0.5f, 1}, r.output().toFloatArray(), 1e-6f);
            assertArrayEquals(new float[] {0.5f, 1}, r.weights().toFloatArray(), 1e-6f);
            assertArrayEquals(new float[] {(float) Math.log(2), 0}, r.logSumExp().toFloatArray(), 1e-6f);
        }
    }

    @DeviceSpec
    void logSumExpIsNaturalOfTheFinalScores(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}) {
            try (Scope s = device.open()) {
                Tensor q = s.ones(t, 2, 3, 5, 4);
                Attention.Result r = Attention.scaled().apply(q, s.ones(t, 2, 3, 7, 4), s.ones(t, 2, 3, 7, 1));
                assertEquals(Shape.of(2, 3, 5), r.logSumExp().shape());
                assertEquals(t.compute(), r.logSumExp().dtype());
                assertEquals(2 + Math.log(7), r.logSumExp().min().item(), 1e-6);
                Attention.Result none = Attention.scaled().lengths(0, 0).apply(q, q, q);
                assertEquals(Double.NEGATIVE_INFINITY, none.logSumExp().max().item());
                assertArrayEquals(Attention.attend(q, q, q).toDoubleArray(),
                        Attention.merge(none, Attention.scaled().apply(q, q, q)).output().toDoubleArray(), 1e-3);
            }
        }
    }

    /** (B, L, H, d) comes as a view; with heads in the last axis it is said how many. */
    @DeviceSpec
    void layoutsAreViewsOfOne(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, 1, 2, 5, 3, 4);
            Tensor y = Attention.attend(x.transpose(1, 2), x.transpose(1, 2), x.transpose(1, 2)).transpose(1, 2);
            Tensor flat = x.reshape(2, 5, 12);
            Tensor z = Attention.scaled().heads(3, 3).apply(flat, flat, flat).output();
            assertEquals(Shape.of(2, 5, 12), z.shape());
            assertArrayEquals(y.toFloatArray(), z.toFloatArray(), 1e-6f);
            Tensor one = Join.concat(0, x.select(0, 0), x.select(0, 1));
            long[] offsets = {0, 5, 10};
            Tensor packed = Attention.scaled().packed(one, one, one, offsets, offsets).output();
            assertArrayEquals(y.toFloatArray(), packed.toFloatArray(), 1e-6f);
        }
    }
}
