package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import org.junit.jupiter.api.Test;

/** Texts of what attention refuses; nothing is left behind. */
class AttentionErrorTest {
    private static void refused(
            Class<? extends GramianException> type, String text, Attention a, Tensor q, Tensor k, Tensor v) {
        GramianException e = assertThrows(type, () -> a.apply(q, k, v));
        assertEquals(text, e.getMessage());
    }

    @DeviceSpec
    void shapes(Device device) {
        Attention a = Attention.scaled();
        try (Scope s = device.open()) {
            Tensor q = s.ones(2, 8, 12, 4);
            refused(ShapeException.class,
                    "attend: q and k differ in head size (channel axis -1): q [2, 8, 12, 4], k [2, 8, 12, 5]; "
                            + "their dot products need equal sizes",
                    a, q, s.ones(2, 8, 12, 5), q);
            refused(ShapeException.class,
                    "attend: k and v differ in key count (key axis -2): k [2, 8, 12, 4], v [2, 8, 13, 4]; "
                            + "each key needs one value",
                    a, q, q, s.ones(2, 8, 13, 4));
            refused(ShapeException.class,
                    "attend: k and v differ in heads (head axis -3): k [2, 8, 12, 4], v [2, 4, 12, 4]; "
                            + "each key head needs one value head",
                    a, q, q, s.ones(2, 4, 12, 4));
            refused(ShapeException.class,
                    "attend: query heads are no multiple of key heads (head axis -3): q [2, 8, 12, 4] has 8, "
                            + "k [2, 3, 12, 4] has 3; every key head serves equally many query heads",
                    a, q, s.ones(2, 3, 12, 4), s.ones(2, 3, 12, 4));
            refused(ShapeException.class,
                    "attend: batch axes (before the head axis -3) do not broadcast: q [2, 8, 12, 4], k [3, 8, 12, 4], "
                            + "v [3, 8, 12, 4]; sizes must be equal or 1",
                    a, q, s.ones(3, 8, 12, 4), s.ones(3, 8, 12, 4));
            refused(ShapeException.class,
                    "attend: k has too few axes; q [2, 8, 12, 4], k [4], v [2, 8, 12, 4]; give (batch, head, key, channel) "
                            + "or, for one head, (key, channel)",
                    a, q, s.ones(4), q);
            refused(ShapeException.class,
                    "attend: mask does not broadcast to the scores; mask [3, 12], scores [2, 8, 12, 12] "
                            + "(batch, head, query, key); sizes must be equal or 1 from the last axis on",
                    a.mask(s.ones(DType.BOOL, 3, 12)), q, q, q);
            refused(ShapeException.class,
                    "attend: mask does not broadcast to the scores; mask [3, 5], scores [12, 12] "
                            + "(query, key); sizes must be equal or 1 from the last axis on",
                    a.mask(s.ones(DType.BOOL, 3, 5)), s.ones(12, 4), s.ones(12, 4), s.ones(12, 4));
            refused(ShapeException.class,
                    "attend: mask does not broadcast to the scores; mask [13], scores [8, 12, 12] "
                            + "(head, query, key); sizes must be equal or 1 from the last axis on",
                    a.mask(s.ones(DType.BOOL, 13)), s.ones(8, 12, 4), s.ones(8, 12, 4), s.ones(8, 12, 4));
            refused(ShapeException.class,
                    "attend: bias does not broadcast to the scores; bias [2, 1, 8, 12, 12], scores [2, 8, 12, 12] "
                            + "(batch, head, query, key); sizes must be equal or 1 from the last axis on",
                    a.bias(s.ones(2, 1, 8, 12, 12)), q, q, q);
        }
    }

    @DeviceSpec
    void alignment(Device device) {
        try (Scope s = device.open()) {
            Tensor four = s.ones(4, 3);
            Tensor six = s.ones(6, 3);
            refused(ShapeException.class,
                    "attend: causal, but 4 queries and 6 keys can be aligned two ways; q [4, 3], k [6, 3]; "
                            + "causal(Causal.TOP_LEFT) lets query i see keys j <= i, "
                            + "causal(Causal.BOTTOM_RIGHT) keys j <= i + 2, offset(n) keys j <= i + n",
                    Attention.scaled().causal(), four, six, six);
            GramianException e = assertThrows(ShapeException.class,
                    () -> Attention.scaled().causal().apply(six, four, four));
            assertTrue(e.getMessage().contains("keys j <= i - 2,"), e.getMessage());
            // the last of several settings counts
            Attention.scaled().causal().causal(Causal.TOP_LEFT).apply(four, six, six);
            Attention.scaled().offset(5).causal().apply(four, four, four);
        }
    }

    @DeviceSpec
    void types(Device device) {
        Attention a = Attention.scaled();
        try (Scope s = device.open()) {
            Tensor x = s.ones(4, 3);
            refused(DTypeException.class, "attend: q is I32; q [4, 3], k [4, 3], v [4, 3]; cast with .to(DType.F32)",
                    a, s.ones(DType.I32, 4, 3), x, x);
            refused(DTypeException.class,
                    "attend: element types differ: q F32, k F16, v F32; q [4, 3], k [4, 3], v [4, 3]; "
                            + "cast with .to(DType.F32)",
                    a, x, x.to(DType.F16), x);
            refused(DTypeException.class,
                    "attend: mask is F32; mask [4, 4]; a mask is BOOL with true = may attend, "
                            + "values to add go to bias(...)",
                    a.mask(s.ones(4, 4)), x, x, x);
            refused(DTypeException.class,
                    "attend: mask is I64; mask [4, 4]; a mask is BOOL with true = may attend, "
                            + "compare first, e.g. x.ne(0)",
                    a.mask(s.ones(DType.I64, 4, 4)), x, x, x);
            refused(DTypeException.class,
                    "attend: bias is BOOL, scores are F32; bias [4, 4], q F32 [4, 3]; "
                            + "true = may attend goes to mask(...)",
                    a.bias(s.ones(DType.BOOL, 4, 4)), x, x, x);
            Tensor wide = x.to(DType.F64);
            refused(DTypeException.class,
                    "attend: bias is F32, scores are F64; bias [4, 4], q F64 [4, 3]; cast with .to(DType.F64)",
                    a.bias(s.ones(4, 4)), wide, wide, wide);
        }
    }

    @Test
    void options() {
        assertEquals("attend: scale is not finite; scale NaN; 1 / sqrt(d) is the default",
                assertThrows(GramianException.class, () -> Attention.scaled().scale(Double.NaN)).getMessage());
        assertEquals("attend: softcap is -1.0; it limits scores to (-cap, cap); use a positive number, or 0 for none",
                assertThrows(GramianException.class, () -> Attention.scaled().softcap(-1)).getMessage());
        assertEquals("attend: workspace is negative; -1 bytes; give 0 or more",
                assertThrows(GramianException.class, () -> Attention.scaled().workspace(-1)).getMessage());
        assertEquals("attention: scale 0.5, softcap 3.0, causal BOTTOM_RIGHT, with weights, workspace 1.0 KiB",
                Attention.scaled().scale(0.5).softcap(3).causal(Causal.BOTTOM_RIGHT).weights(true).workspace(1024)
                        .toString());
    }

    @Test
    void devices() {
        Device other = Device.of("cpu:scalar");
        Device first = Device.cpu() == other ? Device.of("cpu:vector") : Device.cpu();
        org.junit.jupiter.api.Assumptions.assumeTrue(first.isAvailable(), first.reason());
        try (Scope a = first.open();
                Scope b = other.open()) {
            Tensor x = a.ones(4, 3);
            refused(DeviceException.class,
                    "attend: q and k are on different devices; q [4, 3] on " + first.name()
                            + ", k [4, 3] on cpu:scalar; move it with .to(Device.of(\"" + first.name() + "\"))",
                    Attention.scaled(), x, b.ones(4, 3), x);
            for (Attention far : new Attention[] {
                Attention.scaled().mask(b.ones(DType.BOOL, 2)), Attention.scaled().bias(b.ones(2)),
                Attention.scaled().sinks(b.ones(1)), Attention.scaled().align(0).alibi(b.ones(1))
            }) {
                String text = assertThrows(DeviceException.class, () -> far.apply(x, x, x)).getMessage();
                assertTrue(
                        text.matches("attend: q and (mask|bias|sinks|slopes) are on different devices; q \\[4, 3\\] on "
                                + first.name() + ", \\w+ \\[\\d\\] on cpu:scalar; .*"),
                        text);
            }
        }
    }

    @DeviceSpec
    void afterTheScope(Device device) {
        Tensor gone;
        try (Scope s = device.open()) {
            gone = s.ones(4, 3);
        }
        String text = assertThrows(ClosedException.class, () -> Attention.attend(gone, gone, gone)).getMessage();
        assertTrue(text.startsWith("attend: no scope is open on this thread; device " + device.name()), text);
        try (Scope s = device.open()) {
            Tensor x = s.ones(4, 3);
            long before = device.liveBytes();
            String used = assertThrows(ClosedException.class, () -> Attention.attend(x, gone, x)).getMessage();
            assertTrue(used.startsWith("matmul: operand 1 is used after its scope closed; F32 [1, 1, 3, 4]"), used);
            assertTrue(used.endsWith("; in attend"), used);
            assertEquals(before, device.liveBytes());
        }
    }
}
