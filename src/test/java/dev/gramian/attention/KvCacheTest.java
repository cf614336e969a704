package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** Attention through a cache against attention over everything at once. */
class KvCacheTest {
    private static final long SEED = Seed.VALUE;

    private static final int B = 2;
    private static final int HQ = 6;
    private static final int HK = 2;
    private static final int D = 8;
    private static final int DV = 5;

    private static void close(String what, Tensor expected, Tensor actual, double limit) {
        assertEquals(expected.shape(), actual.shape(), what);
        double error = Reference.error(expected.toDoubleArray(), actual.toDoubleArray());
        assertTrue(error <= limit, () -> what + ": error " + error + " above " + limit + "; seed " + SEED);
    }

    private static double limit(DType t) {
        return switch (t) {
            case F64 -> 1e-13;
            case F16 -> 2e-3;
            case BF16 -> 2e-2;
            default -> 5e-6;
        };
    }

    /** Position {@code p} and on, {@code n} of them. */
    private static Tensor part(Tensor x, long p, long n) {
        return x.slice(2, p, p + n);
    }

    @DeviceSpec
    void chunksOfAnySizeEqualFullCausalAttention(Device device) {
        Random r = new Random(SEED);
        for (DType t : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}) {
            for (int chunk : new int[] {1, 3, 19, 0}) {
                try (Scope s = device.open()) {
                    int length = 19;
                    Tensor q = s.normal(t, r.nextLong(), B, HQ, length, D);
                    Tensor k = s.normal(t, r.nextLong(), B, length, HK, D).transpose(1, 2);
                    Tensor v = s.normal(t, r.nextLong(), B, HK, length, DV);
                    RopeTables rope = Rope.of(RopeLayout.HALF_SPLIT, D).tables(s, t, length);
                    Attention a = Attention.scaled().softcap(20);
                    Tensor all = a.causal().apply(rope.apply(q, 0), rope.apply(k, 0), v).output();
                    try (KvCache cache = KvCache.of(s, t, B, HK, D, DV, 4)) {
                        for (int p = 0; p < length;) {
                            int n = Math.min(length - p, chunk == 0 ? 1 + r.nextInt(6) : chunk);
                            try (Scope step = Scope.inner("step", device)) {
                                cache.append(rope.apply(part(k, p, n), cache.lengths()), part(v, p, n));
                                Tensor y = cache.attend(a, rope.apply(part(q, p, n), p)).output();
                                close(t + " chunk " + n + " at " + p, part(all, p, n), y, limit(t));
                                assertEquals(device, step.device());
                            }
                            p += n;
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void sequencesOfDifferentLengthAnswerAsIfAlone(Device device) {
        Random r = new Random(SEED);
        for (DType t : new DType[] {DType.F32, DType.F16}) {
            try (Scope s = device.open()) {
                int length = 17;
                Tensor q = s.normal(t, r.nextLong(), B, HQ, length, D);
                Tensor k = s.normal(t, r.nextLong(), B, HK, length, D);
                Tensor v = s.normal(t, r.nextLong(), B, HK, length, DV);
                Tensor[] alone = new Tensor[B];
                for (int b = 0; b < B; b++) {
                    alone[b] = Attention.scaled().causal()
                            .apply(q.select(0, b), k.select(0, b), v.select(0, b)).output();
                }
                KvCache cache = KvCache.of(s, t, B, HK, D, DV, 2);
                while (cache.length(0) < length || cache.length(1) < length) {
                    long[] starts = cache.lengths();
                    long[] counts = new long[B];
                    int n = 4;
                    Tensor[] rows = {padding(s, t, HQ, n, D), padding(s, t, HK, n, D), padding(s, t, HK, n, DV)};
                    for (int b = 0; b < B; b++) {
                        counts[b] = Math.min(length - starts[b], r.nextInt(n + 1));
                        rows[0] = put(rows[0], b, q, starts[b], counts[b]);
                        rows[1] = put(rows[1], b, k, starts[b], counts[b]);
                        rows[2] = put(rows[2], b, v, starts[b], counts[b]);
                    }
                    cache.append(rows[1], rows[2], counts);
                    Attention.Result y = cache.attend(Attention.scaled().weights(r.nextBoolean()), rows[0], starts);
                    for (int b = 0; b < B; b++) {
                        close("sequence " + b + " at " + starts[b] + " of " + cache,
                                alone[b].slice(1, starts[b], starts[b] + counts[b]),
                                y.output().select(0, b).slice(1, 0, counts[b]), limit(t));
                    }
                }
            }
        }
    }

    /** NaN at every position. */
    private static Tensor padding(Scope s, DType t, long heads, long n, long d) {
        return s.full(t, Double.NaN, B, heads, n, d);
    }

    /** {@code to} with positions of x's sequence b at the front of its own. */
    private static Tensor put(Tensor to, int b, Tensor x, long at, long n) {
        Tensor[] rows = new Tensor[B];
        for (int i = 0; i < B; i++) {
            Tensor row = to.slice(0, i, i + 1);
            rows[i] = i != b
                    ? row
                    : Join.concat(2, part(x.slice(0, b, b + 1), at, n), row.slice(2, n, row.dim(2)));
        }
        return Join.concat(0, rows);
    }

    @DeviceSpec
    void nothingBehindTheEndReachesAResult(Device device) {
        for (double poison : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            try (Scope s = device.open()) {
                Tensor q = s.normal(DType.F32, 1, B, HQ, 2, D);
                Tensor k = s.normal(DType.F32, 2, B, HK, 9, D);
                Tensor v = s.normal(DType.F32, 3, B, HK, 9, DV);
                double[][] results = new double[2][];
                for (int poisoned = 0; poisoned < 2; poisoned++) {
                    try (KvCache cache = KvCache.of(s, DType.F32, B, HK, D, DV, 32)) {
                        Tensor bad = s.full(DType.F32, poisoned == 1 ? poison : 0, B, HK, 32, 1);
                        cache.append(bad.expand(B, HK, 32, D), bad.expand(B, HK, 32, DV));
                        cache.reset();
                        cache.append(k, v, 9, 4);
                        Attention.Result ragged = cache.attend(Attention.scaled(), q);
                        cache.truncate(0, 4);
                        Attention.Result even = cache.attend(Attention.scaled().weights(true), q);
                        results[poisoned] = Stream
                                .of(ragged.output(), ragged.logSumExp(), even.output(), even.weights())
                                .flatMapToDouble(x -> DoubleStream.of(x.toDoubleArray())).toArray();
                    }
                }
                assertArrayEquals(results[0], results[1]);
                assertFalse(DoubleStream.of(results[1]).anyMatch(Double::isNaN));
            }
        }
    }

    @DeviceSpec
    void memoryIsAsPredicted(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F16}) {
            try (Scope s = device.open()) {
                Tensor k = s.normal(t, 1, B, HK, 3, D);
                Tensor v = s.normal(t, 2, B, HK, 3, DV);
                Tensor q = s.normal(t, 3, B, HQ, 3, D);
                long before = device.liveBytes();
                KvCache cache = KvCache.of(s, t, B, HK, D, DV, 5);
                long capacity = 5;
                for (int i = 1; i < 30; i++) {
                    device.resetPeak();
                    cache.append(k, v);
                    long grown = 3 * i > capacity ? Math.max(3 * i, 2 * capacity) : capacity;
                    long bytes = KvCache.bytes(t, B, HK, D, DV, grown);
                    assertEquals(bytes, cache.bytes());
                    assertEquals(bytes, device.liveBytes() - before);
                    long most = grown == capacity ? bytes : bytes + KvCache.bytes(t, B, HK, D, DV, capacity);
                    assertTrue(device.peakBytes() - before <= most, "peak " + (device.peakBytes() - before));
                    capacity = grown;
                    try (Scope step = Scope.inner("step", device)) {
                        assertEquals(device, step.device());
                        cache.attend(q);
                    }
                    assertEquals(bytes, device.liveBytes() - before, "attend leaves nothing behind");
                }
                cache.close();
                assertEquals(before, device.liveBytes());
            }
        }
    }

    @DeviceSpec
    void forksAndBeamsGoTheirOwnWay(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, B, HQ, 9, D);
            Tensor k = s.normal(DType.F32, 2, B, HK, 9, D);
            Tensor v = s.normal(DType.F32, 3, B, HK, 9, DV);
            KvCache prompt = KvCache.of(s, DType.F32, B, HK, D, DV, 16);
            prompt.append(part(k, 0, 6), part(v, 0, 6));
            KvCache other = prompt.fork();
            Tensor shown = prompt.keys(1);
            double[] values = shown.toDoubleArray();
            other.append(part(k, 0, 2), part(v, 0, 2));
            prompt.append(part(k, 6, 3), part(v, 6, 3));
            Tensor all = Attention.scaled().causal().apply(q, k, v).output();
            close("prompt", part(all, 6, 3), prompt.attend(part(q, 6, 3)), 5e-6);
            KvCache beams = other.select(1, 1, 0);
            other.close();
            assertArrayEquals(new long[] {8, 8, 8}, beams.lengths());
            assertArrayEquals(values, beams.keys(0).slice(1, 0, 6).toDoubleArray());
            assertArrayEquals(k.select(0, 0).slice(1, 0, 2).toDoubleArray(),
                    beams.keys(2).slice(1, 6, 8).toDoubleArray());
            beams.truncate(0, 6);
            beams.truncate(1, 6);
            beams.truncate(2, 6);
            beams.append(
                    Join.concat(0, part(k, 6, 3).slice(0, 1, 2), part(k, 6, 3).slice(0, 1, 2),
                            part(k, 6, 3).slice(0, 0, 1)),
                    Join.concat(0, part(v, 6, 3).slice(0, 1, 2), part(v, 6, 3).slice(0, 1, 2),
                            part(v, 6, 3).slice(0, 0, 1)));
            Tensor y = beams.attend(Indexing.gather(part(q, 6, 3), 0, 1, 1, 0));
            close("beam 0", part(all, 6, 3).select(0, 1), y.select(0, 0), 5e-6);
            close("beam 2", part(all, 6, 3).select(0, 0), y.select(0, 2), 5e-6);
            assertArrayEquals(values, shown.toDoubleArray(), "what was handed out stays");
        }
    }

    @DeviceSpec
    void optionsCompose(Device device) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F64, 1, B, HQ, 3, D);
            Tensor k = s.normal(DType.F64, 2, B, HK, 7, D);
            Tensor v = s.normal(DType.F64, 3, B, HK, 7, DV);
            Tensor mask = s.uniform(DType.F64, 4, 0, 1, 3, 7).gt(0.3);
            Tensor bias = s.normal(DType.F64, 5, HQ, 1, 7);
            Attention a = Attention.scaled().scale(0.2).mask(mask).bias(bias);
            KvCache even = KvCache.of(s, DType.F64, B, HK, D, DV, 7);
            even.append(k, v);
            close("even", a.causal(Causal.BOTTOM_RIGHT).apply(q, k, v).output(), even.attend(a, q).output(), 1e-13);
            KvCache ragged = KvCache.of(s, DType.F64, B, HK, D, DV, 7);
            ragged.append(k, v, 7, 4);
            Tensor y = ragged.attend(a, q).output();
            close("ragged 0", even.attend(a, q).output().select(0, 0), y.select(0, 0), 1e-13);
            Tensor short1 = Attention.scaled().scale(0.2).mask(mask.slice(1, 0, 4)).bias(bias.slice(2, 0, 4))
                    .causal(Causal.BOTTOM_RIGHT)
                    .apply(q.select(0, 1), k.select(0, 1).slice(1, 0, 4), v.select(0, 1).slice(1, 0, 4)).output();
            close("ragged 1", short1, y.select(0, 1), 1e-13);
        }
    }

    private static void fails(String text, Runnable r) {
        assertEquals(text, assertThrows(GramianException.class, r::run).getMessage());
    }

    @DeviceSpec
    void errors(Device device) {
        try (Scope s = device.open()) {
            KvCache c = KvCache.of(s, DType.F32, 2, 3, 4, 5, 6);
            Tensor k = s.zeros(2, 3, 2, 4);
            Tensor v = s.zeros(2, 3, 2, 5);
            fails("cache: I32 holds no keys; batch 1, 1 heads; use a float type",
                    () -> KvCache.of(s, DType.I32, 1, 1, 4, 4));
            fails("cache: k does not fit; k [2, 1, 2, 4], cache [2, 3, 6, 4] (batch, key heads, capacity, channels); "
                    + "give (2, 3, n, 4)", () -> c.append(s.zeros(2, 1, 2, 4), v));
            fails("cache: v does not fit; v [2, 3, 2, 4], cache [2, 3, 6, 5] (batch, key heads, capacity, channels); "
                    + "give (2, 3, n, 5)", () -> c.append(k, k));
            fails("cache: k is F64; k [2, 3, 2, 4], cache F32; cast with .to(DType.F32)",
                    () -> c.append(k.to(DType.F64), v));
            fails("cache: k and v differ in positions (axis -2); k [2, 3, 1, 4], v [2, 3, 2, 5]; each key needs one value",
                    () -> c.append(k.slice(2, 0, 1), v));
            fails("cache: 1 counts for batch 2; counts [1], k [2, 3, 2, 4]; give one per sequence",
                    () -> c.append(k, v, 1));
            fails("cache: a count is out of range; counts [1, 3], k [2, 3, 2, 4]; give 0 to 2",
                    () -> c.append(k, v, 1, 3));
            assertArrayEquals(new long[] {0, 0}, c.lengths());
            try (Scope inner = Scope.inner("test", device)) {
                Tensor closed = inner.zeros(2, 3, 2, 5);
                inner.close();
                String said = assertThrows(GramianException.class, () -> c.append(k, closed)).getMessage();
                assertTrue(said.startsWith("assign: x is used after its scope closed; F32 [2, 3, 2, 5]"), said);
                assertArrayEquals(new long[] {0, 0}, c.lengths());
            }
            c.append(k, v, 2, 1);
            Tensor q = s.zeros(2, 6, 2, 4);
            fails("cache: more queries than positions; q [2, 6, 2, 4], sequence 1 has length 1; append their keys and values "
                    + "first", () -> c.attend(q));
            fails("cache: q does not fit; q [6, 2, 4], cache [2, 3, 6, 4] (batch, key heads, capacity, channels); "
                    + "give (2, query heads, n, 4)", () -> c.attend(q.select(0, 0)));
            fails("cache: 1 starts for batch 2; q [2, 6, 2, 4]; give one per sequence",
                    () -> c.attend(Attention.scaled(), q, 0));
            fails("cache: a start is negative; starts [0, -1], q [2, 6, 2, 4]; positions start at 0",
                    () -> c.attend(Attention.scaled(), q, 0, -1));
            String text = assertThrows(GramianException.class, () -> c.attend(Attention.scaled().causal(), q, 0, 0))
                    .getMessage();
            assertTrue(text.startsWith("cache: the options are causal already; ")
                    && text.endsWith(
                            "; leave that out: queries see earlier positions only, by the cache's own lengths"),
                    text);
            fails("truncate: row 0 cannot have length 3; it has 2; give 0 to 2", () -> c.truncate(0, 3));
        }
    }

    /** Turned as they are written, to the bit what turning and then writing gives; both layouts, rests, views, lengths apart. */
    @DeviceSpec
    void keysTurnOnTheWayIntoTheCache(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}) {
            for (RopeLayout layout : RopeLayout.values()) {
                for (long rotary : new long[] {0, 2, 6, 16, 32}) {
                    try (Scope s = device.open()) {
                        RopeTables tables = Rope.of(layout, 32).rotary(rotary).tables(s, t, 64);
                        KvCache turning = KvCache.of(s, t, 2, 3, 32, 5, 4).rotating(tables);
                        KvCache plain = KvCache.of(s, t, 2, 3, 32, 5, 4);
                        long[][] steps = {{5, 5}, {1, 1}, {0, 3}, {4, 1}, {0, 0}};
                        for (int i = 0; i < steps.length; i++) {
                            // heads after positions, as a projection leaves them
                            Tensor k = s.normal(t, SEED + i, 2, 5, 3, 32).transpose(1, 2);
                            Tensor v = s.normal(t, SEED - i, 2, 3, 5, 5);
                            long[] at = plain.lengths();
                            turning.append(k, v, steps[i]);
                            plain.append(tables.apply(k, at), v, steps[i]);
                        }
                        for (int b = 0; b < 2; b++) {
                            String what = t + " " + layout + ", rotary " + rotary + ", sequence " + b;
                            assertEquals(plain.length(b), turning.length(b), what);
                            assertArrayEquals(plain.keys(b).toDoubleArray(), turning.keys(b).toDoubleArray(), what);
                            assertArrayEquals(plain.values(b).toDoubleArray(), turning.values(b).toDoubleArray(), what);
                        }
                    }
                }
            }
        }
    }
}
