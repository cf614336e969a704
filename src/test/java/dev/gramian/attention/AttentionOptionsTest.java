package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Reference.Rules;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Every option of attention, alone and with the others, against loops in F64 written from the formulas. */
class AttentionOptionsTest {
    private static final long SEED = Seed.VALUE;

    /** NaN and infinities in every place that no query may see: padding, beyond the window, masked. */
    @DeviceSpec
    void whatIsNotSeenChangesNoBit(Device device) {
        Random r = new Random(SEED);
        for (int n = 0; n < 60; n++) {
            DType t = n % 3 == 0 ? DType.BF16 : DType.F32;
            long lk = 6 + r.nextInt(30);
            long valid = 1 + r.nextInt((int) lk - 1);
            try (Scope s = device.open()) {
                Tensor q = s.normal(t, n, 2, 4, 5, 8);
                Tensor good = s.normal(t, n + 100, 2, 2, lk, 8);
                double poison = new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}[n % 3];
                Tensor bad = Join.concat(-2, good.slice(-2, 0, valid), s.full(t, poison, 2, 2, lk - valid, 8));
                Attention[] all = {
                    Attention.scaled().lengths(valid, valid),
                    Attention.scaled().lengths(valid, Math.max(0, valid - 2)).causal(),
                    Attention.scaled().mask(s.arange(DType.I64, lk).lt(valid)),
                    Attention.scaled().align(valid - 5).window(-1, 0),
                    Attention.scaled().lengths(valid, valid).sinks(s.ones(4)).alibi(s.full(DType.F32, 0.1, 4)).causal(),
                    Attention.scaled().lengths(valid, valid).weights(true).softcap(3),
                };
                for (Attention a : all) {
                    Attention.Result x = a.apply(q, good, good);
                    Attention.Result y = a.apply(q, bad, bad);
                    String what = "seed " + SEED + " round " + n + " " + t + " " + a;
                    assertArrayEquals(x.output().toDoubleArray(), y.output().toDoubleArray(), what);
                    assertArrayEquals(x.logSumExp().toDoubleArray(), y.logSumExp().toDoubleArray(), what);
                }
            }
        }
    }

    @DeviceSpec
    void headsInTheLastAxis(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, 2, 7, 6 * 5);
            Tensor k = s.normal(DType.F32, 2, 2, 9, 3 * 5);
            Tensor v = s.normal(DType.F32, 3, 2, 9, 3 * 4);
            Attention.Result y = Attention.scaled().heads(6, 3).weights(true).apply(q, k, v);
            Attention.Result x = Attention.scaled().weights(true).apply(
                    q.reshape(2, 7, 6, 5).transpose(1, 2), k.reshape(2, 9, 3, 5).transpose(1, 2),
                    v.reshape(2, 9, 3, 4).transpose(1, 2));
            assertEquals(Shape.of(2, 7, 24), y.output().shape());
            assertArrayEquals(
                    x.output().transpose(1, 2).reshape(2, 7, 24).toFloatArray(), y.output().toFloatArray(), 1e-6f);
            assertEquals(Shape.of(2, 6, 7, 9), y.weights().shape());
            assertEquals(Shape.of(2, 6, 7), y.logSumExp().shape());
            assertEquals("attend: q does not divide into 4 heads (axis -1); q [2, 7, 30], k [2, 9, 15], v [2, 9, 12]; "
                    + "with heads(...) operands are (batch, query or key, heads * channels)",
                    assertThrows(ShapeException.class, () -> Attention.scaled().heads(4, 2).apply(q, k, v))
                            .getMessage());
        }
    }

    @DeviceSpec
    void shorterMasksBlockTheRest(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, 1, 1, 2, 6, 4);
            Tensor mask = s.tensor(new boolean[] {true, false, true, true});
            Tensor bias = s.tensor(new float[] {0, Float.NEGATIVE_INFINITY, 0, 0});
            Tensor expected = Attention.attend(x, Join.concat(-2, x.slice(-2, 0, 1), x.slice(-2, 2, 4)),
                    Join.concat(-2, x.slice(-2, 0, 1), x.slice(-2, 2, 4)));
            for (Attention a : new Attention[] {Attention.scaled().mask(mask), Attention.scaled().bias(bias)}) {
                assertArrayEquals(expected.toFloatArray(), a.apply(x, x, x).output().toFloatArray(), 1e-6f);
            }
        }
    }

    @DeviceSpec
    void packedSequencesAreAloneWithThemselves(Device device) {
        try (Scope s = device.open()) {
            long[] qo = {0, 3, 3, 10};
            long[] ko = {0, 5, 7, 14};
            Tensor q = s.normal(DType.F32, 1, 10, 4, 8);
            Tensor k = s.normal(DType.F32, 2, 14, 2, 8);
            Tensor v = s.normal(DType.F32, 3, 14, 2, 6);
            Attention a = Attention.scaled().causal(Causal.BOTTOM_RIGHT);
            Attention.Result y = a.packed(q, k, v, qo, ko);
            assertEquals(Shape.of(10, 4, 6), y.output().shape());
            assertEquals(Shape.of(4, 10), y.logSumExp().shape());
            for (int b = 0; b < 3; b++) {
                Attention.Result x = a.apply(q.slice(0, qo[b], qo[b + 1]).transpose(0, 1),
                        k.slice(0, ko[b], ko[b + 1]).transpose(0, 1), v.slice(0, ko[b], ko[b + 1]).transpose(0, 1));
                assertArrayEquals(x.output().transpose(0, 1).toFloatArray(),
                        y.output().slice(0, qo[b], qo[b + 1]).toFloatArray());
            }
            assertEquals(
                    "attend: query offsets do not divide the query axis 0; offsets [0, 11], q [10, 4, 8]; they rise from 0 "
                            + "to 10, one more than there are sequences",
                    assertThrows(ShapeException.class, () -> a.packed(q, k, v, new long[] {0, 11}, ko)).getMessage());
            packedFails("attend: packed k has 4 axes; k [1, 14, 2, 8]; give (key of all sequences, head, channel)",
                    q, k.unsqueeze(0), v, qo, ko);
            packedFails("attend: packed k and v differ in key count (key axis 0); k [14, 2, 8], v [13, 2, 6]; each key "
                    + "needs one value", q, k, v.slice(0, 0, 13), qo, ko);
            packedFails("attend: 1 sequences of queries, 3 of keys; query offsets [0, 10], key offsets [0, 5, 7, 14]; "
                    + "give as many of each", q, k, v, new long[] {0, 10}, ko);
            packedFails("attend: q and k differ in head size (channel axis -1): q [1, 4, 3, 8], k [1, 2, 5, 6]; their "
                    + "dot products need equal sizes; in packed sequence 0 as (sequence, head, query or key, channel)",
                    q, v, v, qo, ko);
        }
    }

    private static void packedFails(String text, Tensor q, Tensor k, Tensor v, long[] qo, long[] ko) {
        packedFails(text, Attention.scaled(), q, k, v, qo, ko);
    }

    private static void packedFails(String text, Attention a, Tensor q, Tensor k, Tensor v, long[] qo, long[] ko) {
        GramianException e = assertThrows(GramianException.class, () -> a.packed(q, k, v, qo, ko));
        assertEquals(text, e.getMessage());
    }

    @DeviceSpec
    void packedOptionsThatDoNotFit(Device device) {
        try (Scope s = device.open()) {
            long[] qo = {0, 3, 3, 10};
            long[] ko = {0, 5, 7, 14};
            Tensor q = s.ones(10, 4, 8);
            Tensor k = s.ones(14, 2, 8);
            Attention a = Attention.scaled();
            String batch = "; 3 packed sequences of up to 7 queries and 7 keys are the batch";
            packedFails("attend: mask does not broadcast to the scores; mask [3, 1, 5, 7], scores [3, 4, 7, 7] (batch, "
                    + "head, query, key); sizes must be equal or 1 from the last axis on" + batch,
                    a.mask(s.ones(DType.BOOL, 3, 1, 5, 7)), q, k, k, qo, ko);
            packedFails(
                    "attend: bias does not broadcast to the scores; bias [10, 14], scores [3, 4, 7, 7] (batch, head, "
                            + "query, key); sizes must be equal or 1 from the last axis on" + batch,
                    a.bias(s.ones(10, 14)), q, k, k, qo, ko);
            packedFails(
                    "attend: slopes do not fit the query heads; slopes [2, 4], q [10, 4, 8] has batch and query heads "
                            + "[3, 4]; give one per query head" + batch,
                    a.align(0).alibi(s.ones(2, 4)), q, k, k, qo, ko);
            packedFails("attend: sinks are F64, scores are F32; sinks [4], q F32 [10, 4, 8]; cast with .to(DType.F32)"
                    + batch, a.sinks(s.ones(DType.F64, 4)), q, k, k, qo, ko);
            packedFails("attend: 1 lengths for batch [3]; lengths [5], k [14, 2, 8]; give one per sequence of the batch"
                    + batch, a.lengths(5), q, k, k, qo, ko);
            packedFails(
                    "attend: 2 offsets for batch [3]; offsets [1, 2], k [14, 2, 8]; give one per sequence of the batch"
                            + batch,
                    a.alignEach(1, 2).causal(), q, k, k, qo, ko);
            packedFails(
                    "attend: a length is more than there are keys; lengths [3], k [1, 2, 2, 8] has 2 (key axis -2); "
                            + "give the valid keys of each sequence; in packed sequence 1 as (sequence, head, query or key, "
                            + "channel)",
                    a.lengths(5, 3, 7), q, k, k, qo, ko);
            packedFails(
                    "attend: causal, but 3 queries and 5 keys can be aligned two ways; q [1, 4, 3, 8], k [1, 2, 5, 8];"
                            + " causal(Causal.TOP_LEFT) lets query i see keys j <= i, causal(Causal.BOTTOM_RIGHT) keys j <= i + 2, "
                            + "offset(n) keys j <= i + n; in packed sequence 0 as (sequence, head, query or key, channel)",
                    a.causal(), q, k, k, qo, ko);
            packedFails(
                    "attend: query heads are no multiple of key heads (head axis -3): q [2, 4, 5, 8] has 4, k [2, 3, 5, "
                            + "8] has 3; every key head serves equally many query heads; in packed sequences 0 to 1 as (sequence, "
                            + "head, query or key, channel)",
                    q, s.ones(10, 3, 8), s.ones(10, 3, 8), new long[] {0, 5, 10}, new long[] {0, 5, 10});
            packedFails("attend: packed q has 3 axes; q [10, 4, 8]; give (query of all sequences, heads * channels)",
                    a.heads(4, 2), q, k, k, qo, ko);
            packedFails(
                    "attend: packed k does not divide into 3 heads (axis -1); k [14, 16]; give (key of all sequences, "
                            + "heads * channels)",
                    a.heads(3, 3), s.ones(10, 24), s.ones(14, 16), s.ones(14, 16), qo, ko);
        }
    }

    /** Sequences of equal length one after another are one batch. */
    @DeviceSpec
    void neighboursOfEqualLengthsAreOneCall(Device device) {
        try (Scope s = device.open()) {
            long[] offsets = {0, 3, 6, 9, 11, 13, 16};
            Tensor q = s.normal(DType.F32, 1, 16, 4, 8);
            Tensor k = s.normal(DType.F32, 2, 16, 2, 8);
            List<String> names = new ArrayList<>();
            s.trace(t -> names.add(t.op()));
            Attention.Result y = Attention.scaled().causal().packed(q, k, k, offsets, offsets);
            s.trace(null);
            assertEquals(3, names.stream().filter(n -> n.startsWith("attention")).count(), names.toString());
            for (int b = 0; b < 6; b++) {
                long from = offsets[b];
                long to = offsets[b + 1];
                Attention.Result x = Attention.scaled().causal().apply(q.slice(0, from, to).transpose(0, 1),
                        k.slice(0, from, to).transpose(0, 1), k.slice(0, from, to).transpose(0, 1));
                assertArrayEquals(x.output().transpose(0, 1).toFloatArray(),
                        y.output().slice(0, from, to).toFloatArray(),
                        1e-6f);
                assertArrayEquals(x.logSumExp().toFloatArray(), y.logSumExp().slice(1, from, to).toFloatArray(), 1e-6f);
            }
        }
    }

    @DeviceSpec
    void scoresOfPackedSequences(Device device) {
        try (Scope s = device.open()) {
            long[] qo = {0, 1, 3};
            long[] ko = {0, 3, 5};
            Tensor q = s.normal(DType.F64, 1, 3, 1, 4);
            Tensor k = s.normal(DType.F64, 2, 5, 1, 4);
            Attention a = Attention.scaled().softcap(2).causal(Causal.BOTTOM_RIGHT);
            for (Attention.Stage stage : Attention.Stage.values()) {
                Tensor all = a.packedScores(stage, q, k, qo, ko);
                assertEquals(Shape.of(2, 1, 2, 3), all.shape());
                double rest = stage == Attention.Stage.MASKED ? Double.NEGATIVE_INFINITY : 0;
                for (int b = 0; b < 2; b++) {
                    Tensor one = a.scores(stage, q.slice(0, qo[b], qo[b + 1]).transpose(0, 1),
                            k.slice(0, ko[b], ko[b + 1]).transpose(0, 1));
                    for (long i = 0; i < 2; i++) {
                        for (long j = 0; j < 3; j++) {
                            boolean own = i < one.dim(1) && j < one.dim(2);
                            assertEquals(own ? one.get(0, i, j) : rest, all.get(b, 0, i, j), 1e-15, stage + " " + b);
                        }
                    }
                }
            }
        }
    }

    /** Packed results of parts of the keys merge once their heads come first. */
    @DeviceSpec
    void packedPartsMerge(Device device) {
        try (Scope s = device.open()) {
            long[] qo = {0, 2, 5};
            Tensor q = s.normal(DType.F32, 1, 5, 2, 8);
            Tensor k = s.normal(DType.F32, 2, 9, 2, 8);
            Attention.Result whole = Attention.scaled().packed(q, k, k, qo, new long[] {0, 4, 9});
            Tensor first = Join.concat(0, k.slice(0, 0, 3), k.slice(0, 4, 6));
            Tensor second = Join.concat(0, k.slice(0, 3, 4), k.slice(0, 6, 9));
            Attention.Result merged = Attention.merge(
                    headsFirst(Attention.scaled().packed(q, first, first, qo, new long[] {0, 3, 5})),
                    headsFirst(Attention.scaled().packed(q, second, second, qo, new long[] {0, 1, 4})));
            assertArrayEquals(whole.output().transpose(0, 1).toFloatArray(), merged.output().toFloatArray(), 1e-6f);
            assertArrayEquals(whole.logSumExp().toFloatArray(), merged.logSumExp().toFloatArray(), 1e-6f);
        }
    }

    private static Attention.Result headsFirst(Attention.Result r) {
        return new Attention.Result(r.output().transpose(0, 1), null, r.logSumExp());
    }

    @DeviceSpec
    void mergedPartsAreTheWhole(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, 2, 3, 6, 8);
            Tensor k = s.normal(DType.F32, 2, 2, 3, 17, 8);
            Attention.Result whole = Attention.scaled().apply(q, k, k);
            Attention.Result[] parts = new Attention.Result[3];
            long[] cuts = {0, 4, 4, 17};
            for (int i = 0; i < 3; i++) {
                Tensor part = k.slice(-2, cuts[i], cuts[i + 1]);
                parts[i] = Attention.scaled().apply(q, part, part);
            }
            Attention.Result merged = Attention.merge(parts);
            assertArrayEquals(whole.output().toFloatArray(), merged.output().toFloatArray(), 2e-6f);
            assertArrayEquals(whole.logSumExp().toFloatArray(), merged.logSumExp().toFloatArray(), 2e-6f);
            Attention.Result none = Attention.merge(parts[1], parts[1]);
            assertEquals(0, none.output().abs().max().item());
            assertEquals(Double.NEGATIVE_INFINITY, none.logSumExp().max().item());
        }
    }

    @DeviceSpec
    void partsThatDoNotFitAreNotMerged(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, 2, 3, 4);
            Attention.Result a = Attention.scaled().apply(q, q, q);
            String first = "output F32 [2, 3, 4], log-sum-exp F32 [2, 3]";
            mergeFails("merge: no parts are given; nothing to merge; give at least one result");
            mergeFails(
                    "merge: part 1 has no log-sum-exp; output F32 [2, 3, 4], log-sum-exp none; parts are weighted by "
                            + "it, give results of apply(...)",
                    a, new Attention.Result(a.output(), null, null));
            mergeFails("merge: part 0 has no output; output none, log-sum-exp F32 [2, 3]; parts are weighted by "
                    + "it, give results of apply(...)", new Attention.Result(null, null, a.logSumExp()));
            mergeFails(
                    "merge: parts differ in shape; part 0 " + first + ", part 1 output F32 [1, 3, 4], log-sum-exp F32 "
                            + "[1, 3]; give results of the same queries (..., head, query, channel)",
                    a, new Attention.Result(a.output().slice(0, 0, 1), null, a.logSumExp().slice(0, 0, 1)));
            mergeFails(
                    "merge: output and log-sum-exp of part 1 do not fit; output F32 [2, 3, 4], log-sum-exp F32 [3, 2]; "
                            + "output is (..., head, query, channel), log-sum-exp (..., head, query); results of packed(...) fit "
                            + "as output.transpose(0, 1), with heads(...) once these have their axis",
                    a, new Attention.Result(a.output(), null, a.logSumExp().transpose(0, 1)));
            mergeFails("merge: parts differ in element type; part 0 " + first + ", part 1 output F16 [2, 3, 4], "
                    + "log-sum-exp F32 [2, 3]; cast one with .to(DType.F32)",
                    a, new Attention.Result(a.output().to(DType.F16), null, a.logSumExp()));
            Device other = Device.of(device.name().equals("cpu:scalar") ? "cpu:vector" : "cpu:scalar");
            if (other.isAvailable()) {
                try (Scope far = other.open()) {
                    mergeFails("merge: parts are on different devices; part 0 " + first + " on " + device.name()
                            + ", part 1 " + first + " on " + other.name() + "; move it with .to(Device.of(\""
                            + device.name() + "\"))",
                            a, new Attention.Result(far.ones(2, 3, 4), null, far.ones(2, 3)));
                }
            }
        }
    }

    private static void mergeFails(String text, Attention.Result... parts) {
        assertEquals(text, assertThrows(GramianException.class, () -> Attention.merge(parts)).getMessage());
    }

    @DeviceSpec
    void partsAfterTheirScopeAreNamed(Device device) {
        Attention.Result gone;
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, 2, 3, 4);
            gone = Attention.scaled().apply(q, q, q);
        }
        try (Scope s = device.open()) {
            String text = assertThrows(ClosedException.class, () -> Attention.merge(gone)).getMessage();
            assertTrue(text.contains("used after its scope closed") && text.endsWith("; in merge"), text);
        }
    }

    /** A dropped weight counts for nothing, NaN or not. */
    @DeviceSpec
    void droppedWeightsAreZeroWhateverTheyWere(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.full(DType.F32, Double.NaN, 1, 1, 40, 4);
            Tensor k = s.ones(1, 1, 1, 4);
            float[] y = Attention.scaled().dropout(0.5, 7).apply(q, k, k).output().toFloatArray();
            double[] u = s.uniform(DType.F32, 7, 0, 1, 40).toDoubleArray();
            for (int i = 0; i < 40; i++) {
                for (int c = 0; c < 4; c++) {
                    assertEquals(u[i] >= 0.5 ? Float.NaN : 0, y[4 * i + c], i + ", " + c);
                }
            }
        }
    }

    @DeviceSpec
    void dropoutDropsWhatItsSeedSays(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, 2, 2, 9, 8);
            Tensor k = s.normal(DType.F32, 2, 2, 1, 21, 8);
            double p = 0.3;
            Attention a = Attention.scaled().dropout(p, 77).causal(Causal.BOTTOM_RIGHT);
            Rules rules = new Rules();
            rules.scale = 1 / Math.sqrt(8);
            rules.limit = 12L;
            rules.kept = Arrays.stream(s.uniform(DType.F32, 77, 0, 1, 2, 2, 9, 21).toDoubleArray())
                    .map(u -> u >= p ? 1 / (1 - p) : 0).toArray();
            Attention.Result y = a.apply(q, k, k);
            Reference exact = new Reference(false, q, k, k, rules);
            assertArrayEquals(exact.output, y.output().toDoubleArray(), 2e-6);
            assertArrayEquals(exact.logSumExp, y.logSumExp().toDoubleArray(), 2e-6);
            assertArrayEquals(exact.output, a.workspace(0).apply(q, k, k).output().toDoubleArray(), 2e-6);
        }
    }

    @DeviceSpec
    void stagesInOnnxOrder(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F64, 1, 2, 3, 4);
            Tensor k = s.normal(DType.F64, 2, 2, 3, 4);
            Attention a = Attention.scaled().softcap(0.5).causal();
            double[] raw = q.matmul(k.transpose(-2, -1)).mul(0.5).toDoubleArray();
            double[] capped = Arrays.stream(raw).map(x -> 0.5 * Math.tanh(x / 0.5)).toArray();
            double[] masked = capped.clone();
            for (int i = 0; i < masked.length; i++) {
                masked[i] = i % 3 > i / 3 % 3 ? Double.NEGATIVE_INFINITY : masked[i];
            }
            assertArrayEquals(raw, a.scores(Attention.Stage.RAW, q, k).toDoubleArray(), 1e-14);
            assertArrayEquals(capped, a.scores(Attention.Stage.SOFTCAP, q, k).toDoubleArray(), 1e-14);
            assertArrayEquals(masked, a.scores(Attention.Stage.MASKED, q, k).toDoubleArray(), 1e-14);
            assertArrayEquals(a.weights(true).apply(q, k, k).weights().toDoubleArray(),
                    a.scores(Attention.Stage.WEIGHTS, q, k).toDoubleArray(), 1e-14);
        }
    }

    @DeviceSpec
    void optionsThatDoNotFit(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.ones(2, 4, 3, 5);
            Tensor k = s.ones(2, 2, 6, 5);
            text("attend: 1 lengths for batch [2]; lengths [3], k [2, 2, 6, 5]; give one per sequence of the batch",
                    Attention.scaled().lengths(3), q, k);
            text("attend: a length is more than there are keys; lengths [3, 7], k [2, 2, 6, 5] has 6 (key axis -2); give the "
                    + "valid keys of each sequence", Attention.scaled().lengths(3, 7), q, k);
            text("attend: slopes do not fit the query heads; slopes [3], q [2, 4, 3, 5] has batch and query heads [2, 4]; "
                    + "give one per query head", Attention.scaled().align(0).alibi(s.ones(3)), q, k);
            text("attend: a window, but 3 queries and 6 keys can be aligned two ways; q [2, 4, 3, 5], k [2, 2, 6, 5]; "
                    + "align(Causal.TOP_LEFT) lets query i stand at key i, align(Causal.BOTTOM_RIGHT) at key i + 3, align(n) "
                    + "at key i + n", Attention.scaled().window(1, 1), q, k);
            text("attend: sinks do not fit the query heads; sinks [2, 2], q [2, 4, 3, 5] has batch and query heads [2, 4]; "
                    + "give one per query head", Attention.scaled().sinks(s.ones(2, 2)), q, k);
            text("attend: 3 offsets for batch [2]; offsets [0, 1, 2], k [2, 2, 6, 5]; give one per sequence of the batch",
                    Attention.scaled().alignEach(0, 1, 2).causal(), q, k);
            text("attend: distances matter, but 3 queries and 6 keys can be aligned two ways; q [2, 4, 3, 5], "
                    + "k [2, 2, 6, 5]; align(Causal.TOP_LEFT) lets query i stand at key i, align(Causal.BOTTOM_RIGHT) at "
                    + "key i + 3, align(n) at key i + n", Attention.scaled().alibi(s.ones(4)), q, k);
            for (String name : new String[] {"slopes", "sinks"}) {
                Tensor wide = s.ones(DType.F64, 4);
                Attention a = name.equals("sinks") ? Attention.scaled().sinks(wide) : Attention.scaled().alibi(wide);
                assertEquals(
                        "attend: " + name + " are F64, scores are F32; " + name + " [4], q F32 [2, 4, 3, 5]; cast with "
                                + ".to(DType.F32)",
                        assertThrows(DTypeException.class, () -> a.align(0).apply(q, k, k)).getMessage());
            }
            assertEquals("attend: a length is negative; lengths [3, -1]; give the valid keys of each sequence",
                    assertThrows(ShapeException.class, () -> Attention.scaled().lengths(3, -1)).getMessage());
            assertEquals("attend: no heads; query heads 4, key heads 0; give 1 or more",
                    assertThrows(ShapeException.class, () -> Attention.scaled().heads(4, 0)).getMessage());
            assertEquals(
                    "attend: window is negative; left -2, right 0; give the neighbours seen on each side, -1 for all",
                    assertThrows(GramianException.class, () -> Attention.scaled().window(-2, 0)).getMessage());
            assertEquals(
                    "attend: dropout is 1.0; it is the probability of losing a weight; give 0 up to, not including, 1",
                    assertThrows(GramianException.class, () -> Attention.scaled().dropout(1, 0)).getMessage());
        }
    }

    private static void text(String expected, Attention a, Tensor q, Tensor k) {
        assertEquals(expected, assertThrows(ShapeException.class, () -> a.apply(q, k, k)).getMessage());
    }
}
