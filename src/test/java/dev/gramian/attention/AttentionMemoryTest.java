package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;

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
            assertTrue(taken(device, Attention.scaled(), x, x, x) >= 2 * 4 * 400 * 400 * 4);
        }
    }
}
