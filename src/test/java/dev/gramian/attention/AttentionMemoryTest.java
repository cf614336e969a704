package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What attention takes and leaves, by the device's own counts. */
class AttentionMemoryTest {
    /** Bytes taken at most beyond what was live; after it, only results are. */
    private static long taken(Device device, Attention a, Tensor q, Tensor k, Tensor v) {
        try (Scope s = device.open()) {
            device.resetPeak();
            long before = device.liveBytes();
            Attention.Result r = a.apply(q, k, v);
            long taken = device.peakBytes() - before;
            long results = bytes(r.output()) + bytes(r.logSumExp()) + (r.weights() == null ? 0 : bytes(r.weights()));
            assertEquals(results, s.liveBytes(), "left behind by " + a);
            return taken;
        }
    }

    @DeviceSpec
    void packedAsPredicted(Device device) {
        for (DType t : new DType[] {DType.F32, DType.BF16}) {
            try (Scope s = device.open()) {
                long[] qo = {0, 40, 40, 70, 100, 165};
                long[] ko = {0, 60, 70, 100, 130, 170};
                Tensor q = s.normal(t, 1, 165, 8, 16);
                Tensor k = s.normal(t, 2, 170, 2, 16);
                Tensor v = s.normal(t, 3, 170, 2, 24);
                Attention end = Attention.scaled().causal(Causal.BOTTOM_RIGHT);
                for (Attention a : new Attention[] {
                    Attention.scaled(), end, end.workspace(0), Attention.scaled().weights(true),
                    end.dropout(0.3, 1).weights(true), Attention.scaled().lengths(60, 3, 30, 20, 40),
                    Attention.scaled().mask(s.ones(DType.BOOL, 5, 1, 65, 60)),
                    Attention.scaled().bias(s.ones(t, 8, 1, 50)),
                }) {
                    packed(device, a, q, k, v, qo, ko);
                    packed(device, a.heads(8, 2), q.reshape(165, 128), k.reshape(170, 32), v.reshape(170, 48), qo, ko);
                }
                long[] one = {0, 165};
                long[] equal = {0, 55, 110, 165};
                for (Attention a : new Attention[] {end, end.weights(true)}) {
                    packed(device, a, q, q, q, one, one);
                    packed(device, a, q, q, q, equal, equal);
                }
            }
        }
    }

    private static void packed(Device device, Attention a, Tensor q, Tensor k, Tensor v, long[] qo, long[] ko) {
        String text = a.explainPacked(q, k, v, qo, ko);
        long predicted = a.packedPeakBytes(q, k, v, qo, ko);
        try (Scope s = device.open()) {
            device.resetPeak();
            long before = device.liveBytes();
            Attention.Result r = a.packed(q, k, v, qo, ko);
            long taken = device.peakBytes() - before;
            long results = bytes(r.output()) + bytes(r.logSumExp()) + (r.weights() == null ? 0 : bytes(r.weights()));
            String what = q.dtype() + " " + q.shape() + " " + qo.length + " offsets, " + a;
            assertEquals(results, s.liveBytes(), "left behind by " + what);
            assertEquals(predicted, taken, what);
            Matcher m = Pattern.compile("memory   ([0-9,]+) bytes.* results; results ([0-9,]+) bytes").matcher(text);
            assertTrue(m.find(), text);
            assertEquals(taken, number(m.group(1)) + number(m.group(2)), text);
            assertEquals(results, number(m.group(2)), text);
        }
    }

    private static long bytes(Tensor t) {
        return t.size() * t.dtype().bytes();
    }

    @DeviceSpec
    void asPredicted(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F16, DType.F64}) {
            try (Scope s = device.open()) {
                Tensor q = s.normal(t, 1, 2, 8, 150, 16);
                Tensor k = s.normal(t, 2, 2, 2, 170, 16);
                Tensor v = s.normal(t, 3, 2, 2, 170, 24);
                Tensor strided = s.normal(t, 4, 2, 2, 170, 48).slice(-1, 0, 48, 2);
                Tensor bias = s.normal(t, 5, 150, 170);
                for (Attention a : new Attention[] {
                    Attention.scaled(),
                    Attention.scaled().bias(bias),
                    Attention.scaled().weights(true),
                    Attention.scaled().workspace(0),
                    Attention.scaled().workspace(300_000),
                    Attention.scaled().workspace(900_000).bias(bias),
                    Attention.scaled().causal(Causal.TOP_LEFT),
                    Attention.scaled().causal(Causal.BOTTOM_RIGHT).workspace(200_000),
                }) {
                    assertEquals(a.peakBytes(q, k, v), taken(device, a, q, k, v), t + " " + a);
                    assertEquals(a.peakBytes(q, k, strided), taken(device, a, q, k, strided), t + " strided, " + a);
                }
            }
        }
    }

    /** Every option has its bytes counted, those of masks made wider and of numbers per sequence too. */
    @DeviceSpec
    void explainedAsTaken(Device device) {
        for (DType t : new DType[] {DType.F32, DType.BF16}) {
            try (Scope s = device.open()) {
                Tensor q = s.normal(t, 1, 2, 8, 150, 16);
                Tensor k = s.normal(t, 2, 2, 2, 170, 16);
                Tensor v = s.normal(t, 3, 2, 2, 170, 24);
                Attention end = Attention.scaled().causal(Causal.BOTTOM_RIGHT);
                for (Attention a : new Attention[] {
                    Attention.scaled().mask(s.ones(DType.BOOL, 150, 100)),
                    Attention.scaled().bias(s.ones(t, 8, 1, 100)),
                    Attention.scaled().lengths(170, 20),
                    Attention.scaled().lengths(160, 20).causal().window(5, 0),
                    Attention.scaled().lengths(160, 20).causal().window(5, 0).workspace(40_000),
                    Attention.scaled().alignEach(3, 20).causal().sinks(s.ones(t, 8)),
                    end.alibi(s.ones(t, 8)).softcap(3),
                    end.window(10, 0).workspace(100_000),
                    Attention.scaled().dropout(0.3, 1),
                    end.dropout(0.3, 1).weights(true),
                }) {
                    explained(device, a, q, k, v);
                }
                Tensor flat = s.normal(t, 4, 2, 150, 8 * 16);
                Tensor turned = s.normal(t, 5, 2, 8 * 16, 150).transpose(1, 2);
                for (Attention a : new Attention[] {
                    Attention.scaled(), Attention.scaled().causal(), Attention.scaled().weights(true),
                    Attention.scaled().workspace(0)
                }) {
                    explained(device, a.heads(8, 8), flat, flat, flat);
                    explained(device, a.heads(8, 8), turned, flat, flat);
                    explained(device, a.heads(8, 2), flat, flat.slice(-1, 0, 32), flat.slice(-1, 0, 64));
                    explained(device, a.heads(1, 1), flat, flat, flat);
                }
            }
        }
    }

    private static void explained(Device device, Attention a, Tensor q, Tensor k, Tensor v) {
        String what = q.dtype() + " q " + q.shape() + " " + a;
        long live = device.liveBytes();
        String text = a.explain(q, k, v);
        long predicted = a.peakBytes(q, k, v);
        assertEquals(live, device.liveBytes(), what);
        long taken = taken(device, a, q, k, v);
        assertEquals(predicted, taken, what);
        Matcher m = Pattern.compile("memory   ([0-9,]+) bytes.* results; results ([0-9,]+) bytes").matcher(text);
        assertTrue(m.find(), text);
        assertEquals(taken, number(m.group(1)) + number(m.group(2)), text);
    }

    private static long number(String text) {
        return Long.parseLong(text.replace(",", ""));
    }

    @Test
    void explainedInWords() {
        Device device = Device.of("cpu:scalar");
        try (Scope s = device.open()) {
            Tensor q = s.ones(2, 8, 300, 64);
            Tensor k = s.ones(2, 2, 300, 64);
            assertEquals("""
                    attend on cpu:scalar: F32 q [2, 8, 300, 64], k [2, 2, 300, 64], v [2, 2, 300, 64]
                      options  scale 1/sqrt(d)
                      path     q kᵀ in F32, softmax with scale and masks in one pass, weights times v in F32
                      heads    8 of queries, 2 of keys: each serves 4, nothing is copied for it
                    """, text(Attention.scaled().workspace(1 << 20), q, k, 4).replace(", workspace 1.0 MiB", ""));
            String causal = Attention.scaled().causal().workspace(1 << 20).explain(q, k, k);
            assertTrue(causal.contains("one after another, by "), causal);
            assertTrue(causal.contains("as no query of a piece sees the other keys"), causal);
            assertTrue(causal.contains(" of the key heads, with a workspace of 1.0 MiB\n  largest  scores [1, "),
                    causal);
            String one = Attention.scaled().explain(q.select(0, 0).select(0, 0), q.select(0, 0).select(0, 0),
                    s.ones(300, 128).slice(-1, 0, 128, 2));
            assertTrue(one.contains("heads    1, each with keys and values of its own"), one);
            assertTrue(
                    one.contains("pieces   1, all at once\n  largest  scores [1, 1, 300, 300] (batch axes, key head,"),
                    one);
            assertTrue(one.contains("scores   90,000 of 90,000\n"), one);
            assertTrue(one.contains("copies   v, as no product reads its layout in place\n"), one);
            assertEquals(
                    "attend: k and v differ in key count (key axis -2): k [2, 2, 300, 64], v [2, 2, 299, 64]; each "
                            + "key needs one value",
                    assertThrows(ShapeException.class,
                            () -> Attention.scaled().explain(q, k, k.slice(-2, 0, 299))).getMessage());
        }
    }

    @Test
    void explainedPacked() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor q = s.ones(10, 4, 8);
            Tensor k = s.ones(14, 2, 8);
            assertEquals(List.of(
                    "attend on cpu:scalar: packed F32 q [10, 4, 8], k [14, 2, 8], v [14, 2, 8]",
                    "  options  scale 1/sqrt(d), causal TOP_LEFT",
                    "  packed   3 sequences of up to 7 queries and 7 keys, in 3 calls: neighbours of equal lengths go together",
                    "  scores   256, of 588 in a padded batch"),
                    Attention.scaled().causal(Causal.TOP_LEFT)
                            .explainPacked(q, k, k, new long[] {0, 3, 3, 10}, new long[] {0, 5, 7, 14})
                            .lines().limit(4).toList());
            String one = Attention.scaled().explainPacked(q, k.slice(0, 0, 10), k.slice(0, 0, 10),
                    new long[] {0, 5, 10},
                    new long[] {0, 5, 10});
            assertTrue(
                    one.contains("\n  packed sequences 0 to 1, the largest call: attend on cpu:scalar: F32 q [2, 4, 5, "
                            + "8], k [2, 2, 5, 8], v [2, 2, 5, 8]\n    options  scale 1/sqrt(d)\n"),
                    one);
            assertTrue(one.contains("packed   2 sequences of up to 5 queries and 5 keys, in 1 call:"), one);
        }
    }

    /** The first lines. */
    private static String text(Attention a, Tensor q, Tensor k, int lines) {
        return a.explain(q, k, k).lines().limit(lines).map(l -> l + "\n").collect(Collectors.joining());
    }

    @DeviceSpec
    void keysAndValuesAreNotCopiedForQueryHeads(Device device) {
        try (Scope s = device.open()) {
            for (long groups : new long[] {1, 2, 4, 8}) {
                Tensor q = s.normal(DType.F32, 1, 1, 8, 2, 64);
                Tensor k = s.normal(DType.F32, 2, 1, 512, 8 / groups, 64).transpose(1, 2);
                long scores = 8 * 2 * 512 * 4;
                long results = 8 * 2 * 64 * 4 + 8 * 2 * 4;
                long taken = taken(device, Attention.scaled(), q, k, k);
                assertTrue(taken <= 2 * scores + results, groups + " groups: " + taken);
            }
        }
    }

    @DeviceSpec
    void workspaceLimitsScores(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, 1, 4, 400, 8);
            long outputs = 4 * 400 * 9 * 4;
            for (long workspace : new long[] {1 << 13, 1 << 16, 1 << 20}) {
                long taken = taken(device, Attention.scaled().workspace(workspace), x, x, x);
                assertTrue(taken <= workspace + 3 * outputs, "workspace " + workspace + ", taken " + taken);
            }
            long taken = taken(device, Attention.scaled(), x, x, x);
            if (device.profile().tiledAttention()) {
                assertEquals(outputs, taken, "no scores in memory");
            } else {
                assertTrue(taken >= 2 * 4 * 400 * 400 * 4);
            }
        }
    }
}
