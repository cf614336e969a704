package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.PagedKvCache.Sequence;
import dev.gramian.attention.Reference.Rules;
import dev.gramian.core.Bytes;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The paged cache against the contiguous one, against no cache and against lists on the heap. */
class PagedKvCacheTest {
    private static final long SEED = Seed.VALUE;
    private static final DType[] TYPES = {DType.F32, DType.F64, DType.F16, DType.BF16};

    private static final int HQ = 4;
    private static final int HK = 2;
    private static final int D = 6;
    private static final int DV = 5;

    /** A cache whose memory is all NaN. */
    private static PagedKvCache poisoned(Scope s, DType t, int blockSize, int blocks) {
        PagedKvCache c = PagedKvCache.of(s, t, HK, D, DV, blockSize, blocks);
        try (Sequence all = c.add(); Scope inner = Scope.inner("poison", s.device())) {
            int n = blockSize * blocks;
            c.append(List.of(all), inner.full(t, Double.NaN, 1, HK, n, D), inner.full(t, Double.NaN, 1, HK, n, DV));
        }
        assertEquals(blocks, c.freeBlocks());
        return c;
    }

    private static List<Sequence> add(PagedKvCache c, int n) {
        return Stream.generate(c::add).limit(n).toList();
    }

    @DeviceSpec
    void isTheContiguousCacheToTheBit(Device device) {
        Random r = new Random(SEED);
        for (int n = 0; n < 12; n++) {
            DType t = TYPES[n % TYPES.length];
            int b = 1 + n % 3;
            int blockSize = 1 + r.nextInt(6);
            try (Scope s = device.open()) {
                KvCache contiguous = KvCache.of(s, t, b, HK, D, DV, 40);
                PagedKvCache paged = poisoned(s, t, blockSize, b * 40);
                List<Sequence> all = add(paged, b);
                Attention a = Attention.scaled().weights(n % 2 == 0).softcap(n % 4 == 0 ? 9 : 0)
                        .window(n % 3 == 0 ? 7 : -1, -1);
                for (int step = 0; step < 7; step++) {
                    // a prompt, pieces of one, single tokens, several
                    int rows = step == 0 ? 5 + r.nextInt(6) : 1 + r.nextInt(step < 3 ? 4 : 2);
                    long[] counts = r.longs(b, step % 2 == 0 ? rows : 1, rows + 1).toArray();
                    Tensor k = s.normal(t, r.nextLong(), b, HK, rows, D);
                    Tensor v = s.normal(t, r.nextLong(), b, HK, rows, DV);
                    Tensor q = s.normal(t, r.nextLong(), b, HQ, rows, D);
                    long[] starts = contiguous.lengths();
                    contiguous.append(k, v, counts);
                    paged.append(all, k, v, counts);
                    Attention.Result x = contiguous.attend(a, q, starts);
                    Attention.Result y = paged.attend(a, all, q, starts);
                    String what = "seed " + SEED + " round " + n + " step " + step + " " + t + " " + paged;
                    assertArrayEquals(x.output().toDoubleArray(), y.output().toDoubleArray(), what);
                    assertArrayEquals(x.logSumExp().toDoubleArray(), y.logSumExp().toDoubleArray(), what);
                    if (n % 2 == 0) {
                        assertArrayEquals(x.weights().toDoubleArray(), y.weights().toDoubleArray(), what);
                    }
                    for (int i = 0; i < b; i++) {
                        assertEquals(contiguous.length(i), all.get(i).length());
                        assertArrayEquals(contiguous.keys(i).toDoubleArray(), all.get(i).keys().toDoubleArray());
                        assertArrayEquals(contiguous.values(i).toDoubleArray(), all.get(i).values().toDoubleArray());
                    }
                }
            }
        }
    }

    /** A sequence on the heap: each position's keys (HK * D) and values (HK * DV). */
    private record Model(Sequence of, List<double[]> keys, List<double[]> values) {
        Model(Sequence of) {
            this(of, new ArrayList<>(), new ArrayList<>());
        }

        Model fork() {
            return new Model(of.fork(), new ArrayList<>(keys), new ArrayList<>(values));
        }

        void truncate(int length) {
            of.truncate(length);
            keys.subList(length, keys.size()).clear();
            values.subList(length, values.size()).clear();
        }

        static Tensor tensor(Scope s, List<double[]> rows, int size) {
            double[] all = rows.stream().flatMapToDouble(Arrays::stream).toArray();
            return s.tensor(all, rows.size(), HK, size).transpose(0, 1);
        }
    }

    /** Row {@code b} of x (batch, HK, n, size) by positions. */
    private static List<double[]> rows(Tensor x, int b, long n) {
        List<double[]> rows = new ArrayList<>();
        for (long i = 0; i < n; i++) {
            rows.add(x.select(0, b).select(1, i).toDoubleArray());
        }
        return rows;
    }

    @DeviceSpec
    void agreesWithListsWhateverHappens(Device device) {
        Random r = new Random(SEED);
        int refused = 0;
        for (int n = 0; n < 8; n++) {
            DType t = TYPES[n % TYPES.length];
            int blockSize = 1 + r.nextInt(4);
            int blocks = 6 + r.nextInt(14);
            try (Scope outer = device.open()) {
                PagedKvCache cache = poisoned(outer, t, blockSize, blocks);
                List<Model> models = new ArrayList<>();
                for (int step = 0; step < 60; step++) {
                    String what = "seed " + SEED + " round " + n + " step " + step + " " + t + " " + cache;
                    Model one = models.isEmpty() ? null : models.get(r.nextInt(models.size()));
                    switch (one == null ? 0 : r.nextInt(10)) {
                        case 0 -> models.add(new Model(cache.add()));
                        case 1 -> models.add(one.fork());
                        case 2 -> one.truncate(r.nextInt(one.keys.size() + 1));
                        case 3 -> {
                            models.remove(one);
                            one.of.close();
                        }
                        case 4, 5 -> attend(r, cache, models, what);
                        default -> refused += append(r, cache, models, t, what) ? 0 : 1;
                    }
                    check(cache, models, blockSize, what);
                }
                models.forEach(m -> m.of.close());
                assertEquals(blocks, cache.freeBlocks(), "blocks are lost; seed " + SEED);
            }
        }
        assertTrue(refused > 0, "no pool was exhausted; seed " + SEED);
    }

    private static List<Model> some(Random r, List<Model> models) {
        List<Model> batch = new ArrayList<>(models);
        Collections.shuffle(batch, r);
        return batch.subList(0, 1 + r.nextInt(Math.min(4, batch.size())));
    }

    private static boolean append(Random r, PagedKvCache cache, List<Model> models, DType t, String what) {
        try (Scope s = Scope.inner("test", cache.device())) {
            List<Model> batch = some(r, models);
            int rows = 1 + r.nextInt(5);
            long[] counts = r.longs(batch.size(), 0, rows + 1).toArray();
            Tensor k = s.normal(t, r.nextLong(), batch.size(), HK, rows, D);
            Tensor v = s.normal(t, r.nextLong(), batch.size(), HK, rows, DV);
            int free = cache.freeBlocks();
            try {
                cache.append(batch.stream().map(Model::of).toList(), k, v, counts);
            } catch (DeviceException e) {
                assertTrue(e.getMessage().startsWith("append: pool is exhausted; "), what + ": " + e.getMessage());
                assertEquals(free, cache.freeBlocks(), what);
                return false;
            }
            for (int b = 0; b < batch.size(); b++) {
                batch.get(b).keys.addAll(rows(k, b, counts[b]));
                batch.get(b).values.addAll(rows(v, b, counts[b]));
            }
            return true;
        }
    }

    private static void attend(Random r, PagedKvCache cache, List<Model> models, String what) {
        try (Scope s = Scope.inner("test", cache.device())) {
            List<Model> batch = some(r, models);
            DType t = cache.dtype();
            int rows = 1 + r.nextInt(3);
            Tensor q = s.normal(t, r.nextLong(), batch.size(), HQ, rows, D);
            long[] starts = batch.stream().mapToLong(m -> Math.max(0, m.keys.size() - rows)).toArray();
            Attention.Result y = cache.attend(Attention.scaled(), batch.stream().map(Model::of).toList(), q, starts);
            for (int b = 0; b < batch.size(); b++) {
                Model m = batch.get(b);
                Tensor k = Model.tensor(s, m.keys, D);
                Tensor v = Model.tensor(s, m.values, DV);
                Rules rules = new Rules();
                rules.scale = 1 / Math.sqrt(D);
                rules.limit = starts[b];
                Tensor one = q.select(0, b).to(DType.F64);
                Reference.close(what + " sequence " + b, new Reference(false, one, k, v, rules).output,
                        new Reference(true, one, k, v, rules).output, y.output().select(0, b).toDoubleArray(), t);
            }
        }
    }

    private static void check(PagedKvCache cache, List<Model> models, int blockSize, String what) {
        try (Scope s = Scope.inner("test", cache.device())) {
            assertEquals(cache.device(), s.device());
            assertEquals(models.stream().map(Model::of).sorted(Comparator.comparing(Object::toString)).toList(),
                    cache.sequences().stream().sorted(Comparator.comparing(Object::toString)).toList(), what);
            int most = 0;
            for (Model m : models) {
                assertEquals(m.keys.size(), m.of.length(), what);
                assertEquals((m.keys.size() + blockSize - 1) / blockSize, m.of.blocks(), what);
                assertArrayEquals(Model.tensor(s, m.keys, D).toDoubleArray(), m.of.keys().toDoubleArray(), what);
                assertArrayEquals(Model.tensor(s, m.values, DV).toDoubleArray(), m.of.values().toDoubleArray(), what);
                most += m.of.blocks();
            }
            assertTrue(cache.blocks() - cache.freeBlocks() <= most, what);
        }
    }

    @DeviceSpec
    void memoryIsAsPredicted(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor k = s.normal(t, 1, 2, HK, 7, D);
                Tensor v = s.normal(t, 2, 2, HK, 7, DV);
                Tensor q = s.normal(t, 3, 2, HQ, 7, D);
                long before = device.liveBytes();
                PagedKvCache cache = PagedKvCache.of(s, t, HK, D, DV, 4, 9);
                long bytes = PagedKvCache.bytes(t, HK, D, DV, 4, 9);
                assertEquals(9 * 4 * HK * (D + DV) * t.bytes(), bytes);
                assertEquals(bytes, cache.bytes());
                assertEquals(bytes, device.liveBytes() - before);
                assertEquals(0, cache.liveBytes());
                List<Sequence> all = add(cache, 2);
                device.resetPeak();
                cache.append(all, k, v, 7, 3);
                assertEquals(bytes, device.peakBytes() - before, "append takes no memory");
                assertEquals(PagedKvCache.bytes(t, HK, D, DV, 4, 3), cache.liveBytes());
                try (Scope step = Scope.inner("step", device)) {
                    assertEquals(device, step.device());
                    cache.attend(Attention.scaled(), all, q, 0, 0);
                    cache.attend(List.of(all.get(0)), q.slice(0, 0, 1));
                }
                try (Sequence fork = all.get(0).fork()) {
                    assertEquals(PagedKvCache.bytes(t, HK, D, DV, 4, 3), cache.liveBytes());
                    cache.append(List.of(fork), k.slice(0, 0, 1), v.slice(0, 0, 1), 1);
                    assertEquals(PagedKvCache.bytes(t, HK, D, DV, 4, 4), cache.liveBytes(), "the begun block alone");
                }
                assertEquals(bytes, device.liveBytes() - before);
                assertEquals("paged cache " + t + ", 2 key heads of 6, values of 5, 3 of 9 blocks of 4 positions by 2 "
                        + "sequences, " + Bytes.text(bytes / 3) + " of "
                        + Bytes.text(bytes), cache.toString());
                cache.close();
                assertEquals(before, device.liveBytes());
            }
        }
    }

    @DeviceSpec
    void aPoolIsUsedToItsLastBlock(Device device) {
        try (Scope s = device.open()) {
            PagedKvCache cache = PagedKvCache.of(s, DType.F32, HK, D, DV, 4, 6);
            Sequence prompt = cache.add();
            Tensor k = s.normal(DType.F32, 1, 4, HK, 6, D);
            Tensor v = s.normal(DType.F32, 2, 4, HK, 6, DV);
            cache.append(List.of(prompt), k.slice(0, 0, 1), v.slice(0, 0, 1));
            // four beams of a prompt of a block and a half: three copies of the half block, which the fourth keeps
            List<Sequence> beams = IntStream.range(0, 4).mapToObj(i -> i == 0 ? prompt : prompt.fork()).toList();
            assertEquals(4, cache.freeBlocks());
            cache.append(beams, k.slice(2, 0, 2), v.slice(2, 0, 2));
            assertEquals(1, cache.freeBlocks());
            String text = assertThrows(DeviceException.class, () -> cache.append(beams, k, v, 1, 1, 0, 5)).getMessage();
            assertEquals("append: pool is exhausted; 4 more blocks of 4 positions wanted, 1 of 6 free, largest: "
                    + "sequence 0 of length 8 in 2 blocks, sequence 1 of length 8 in 2 blocks, sequence 2 of length 8 "
                    + "in 2 blocks; close or truncate sequences, or make a pool of at least 9 blocks, 3.1 KiB", text);
            assertEquals(1, cache.freeBlocks());
            for (int i = 0; i < 4; i++) {
                assertArrayEquals(k.select(0, i).slice(1, 0, 2).toDoubleArray(),
                        beams.get(i).keys().slice(1, 6, 8).toDoubleArray());
                assertArrayEquals(k.select(0, 0).toDoubleArray(), beams.get(i).keys().slice(1, 0, 6).toDoubleArray());
            }
            beams.get(3).close();
            beams.get(2).truncate(4);
            assertEquals(3, cache.freeBlocks());
            cache.append(beams.subList(0, 3), k.slice(0, 0, 3), v.slice(0, 0, 3), 1, 1, 1);
            assertEquals(0, cache.freeBlocks());
        }
    }

    @DeviceSpec
    void keysAreStoredRotated(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                RopeTables tables = Rope.of(RopeLayout.HALF_SPLIT, D).rotary(4).tables(s, t, 11);
                KvCache contiguous = KvCache.of(s, t, 2, HK, D, DV, 11).rotating(tables);
                PagedKvCache paged = PagedKvCache.of(s, t, HK, D, DV, 3, 12).rotating(tables);
                KvCache byHand = KvCache.of(s, t, 2, HK, D, DV, 11);
                List<Sequence> all = add(paged, 2);
                for (int step = 0; step < 4; step++) {
                    Tensor k = s.normal(t, 3 * step, 2, HK, 4, D);
                    Tensor v = s.normal(t, 3 * step + 1, 2, HK, 4, DV);
                    Tensor q = s.normal(t, 3 * step + 2, 2, HQ, 4, D);
                    // the last step ends at the tables' end, with padding beyond
                    long[] counts = step == 0 ? new long[] {4, 4} : step == 3 ? new long[] {3, 1} : new long[] {2, 3};
                    if (step == 2) {
                        for (int b = 0; b < 2; b++) {
                            contiguous.truncate(b, 4);
                            byHand.truncate(b, 4);
                            all.get(b).truncate(4);
                        }
                    }
                    long[] starts = byHand.lengths();
                    contiguous.append(k, v, counts);
                    paged.append(all, k, v, counts);
                    long rows = step == 3 ? 3 : 4;
                    byHand.append(tables.apply(k.slice(2, 0, rows), starts), v.slice(2, 0, rows), counts);
                    double[] y = byHand.attend(Attention.scaled(), tables.apply(q.slice(2, 0, rows), starts), starts)
                            .output().toDoubleArray();
                    Attention.Result x = contiguous.attend(Attention.scaled(), q, starts);
                    assertArrayEquals(x.output().toDoubleArray(),
                            paged.attend(Attention.scaled(), all, q, starts).output().toDoubleArray());
                    assertArrayEquals(y, x.output().slice(2, 0, rows).toDoubleArray(),
                            10 * Reference.epsilon(t));
                    assertArrayEquals(byHand.keys(0).toDoubleArray(), contiguous.keys(0).toDoubleArray());
                    assertArrayEquals(byHand.keys(1).toDoubleArray(), all.get(1).keys().toDoubleArray());
                }
                Tensor k = s.zeros(t, 2, HK, 5, D);
                Tensor v = s.zeros(t, 2, HK, 5, DV);
                String said = "cache: positions 9 to 13 of sequence 0 are beyond the rotation's tables; k [2, 2, 5, 6], "
                        + "tables cover 11; make tables of at least 14";
                fails(said, () -> contiguous.append(k, v));
                fails(said, () -> paged.append(all, k, v));
                assertEquals(9, all.get(0).length());
                assertArrayEquals(new long[] {9, 8}, contiguous.lengths());
                fails("cache: keys are stored already; " + paged + "; say how to rotate before anything is appended",
                        () -> paged.rotating(tables));
                RopeTables other = Rope.of(RopeLayout.HALF_SPLIT, 4).tables(s, t, 3);
                fails("cache: rotation does not fit the keys; tables " + t.compute() + " for head size 4, cache " + t
                        + " with head size 6; make them with rope.tables(scope, DType." + t + ", length)",
                        () -> KvCache.of(s, t, 2, HK, D, DV, 11).rotating(other));
            }
        }
    }

    private static void fails(String text, Runnable r) {
        assertEquals(text, assertThrows(GramianException.class, r::run).getMessage());
    }

    @DeviceSpec
    void errors(Device device) {
        try (Scope s = device.open()) {
            fails("cache: I64 holds no keys; 3 blocks of 4 positions, 2 heads; use a float type",
                    () -> PagedKvCache.of(s, DType.I64, 2, 6, 4, 3));
            fails("cache: there is no such pool; 3 blocks of 0 positions; blocks of 16 to 128 positions are usual",
                    () -> PagedKvCache.of(s, DType.F32, 2, 6, 0, 3));
            PagedKvCache cache = PagedKvCache.of(s, DType.F32, HK, D, DV, 4, 3);
            Sequence a = cache.add();
            Sequence b = cache.add();
            List<Sequence> both = List.of(a, b);
            Tensor k = s.zeros(2, HK, 2, D);
            Tensor v = s.zeros(2, HK, 2, DV);
            fails("cache: k does not fit; k [2, 2, 2, 6], batch of 1, 2 key heads of 6; give (1, 2, n, 6)",
                    () -> cache.append(List.of(a), k, v));
            fails("cache: v does not fit; v [2, 2, 2, 6], batch of 2, 2 key heads of 5; give (2, 2, n, 5)",
                    () -> cache.append(both, k, k));
            fails("cache: k is F64; k [2, 2, 2, 6], cache F32; cast with .to(DType.F32)",
                    () -> cache.append(both, k.to(DType.F64), v));
            fails("cache: k and v differ in positions (axis -2); k [2, 2, 1, 6], v [2, 2, 2, 5]; each key needs one "
                    + "value", () -> cache.append(both, k.slice(2, 0, 1), v));
            fails("cache: a count is out of range; counts [1, 3], k [2, 2, 2, 6]; give 0 to 2",
                    () -> cache.append(both, k, v, 1, 3));
            fails("append: a sequence is there twice; [sequence 0 of length 0 in 0 blocks, sequence 0 of length 0 in 0 "
                    + "blocks]; give each once", () -> cache.append(List.of(a, a), k, v));
            PagedKvCache other = PagedKvCache.of(s, DType.F32, HK, D, DV, 4, 3);
            fails("append: a sequence is of another cache; " + a + ", " + other + "; add it here, or append its keys "
                    + "and values", () -> other.append(both, k, v));
            try (Scope inner = Scope.inner("test", device)) {
                Tensor closed = inner.zeros(2, HK, 2, DV);
                inner.close();
                String said = assertThrows(GramianException.class, () -> cache.append(both, k, closed)).getMessage();
                assertTrue(said.startsWith("assign: x is used after its scope closed; F32 [2, 2, 5]"), said);
                assertEquals(3, cache.freeBlocks());
                assertEquals(0, a.length());
            }
            cache.append(both, k, v, 2, 1);
            Tensor q = s.zeros(2, HQ, 2, D);
            fails("cache: more queries than positions; q [2, 4, 2, 6], sequence 1 has length 1; append their keys and "
                    + "values first", () -> cache.attend(both, q));
            fails("cache: q does not fit; q [2, 4, 2, 6], batch of 1, 2 key heads of 6; give (1, query heads, n, 6)",
                    () -> cache.attend(List.of(a), q));
            fails("truncate: sequence 0 cannot have length 3; it has 2; give 0 to 2", () -> a.truncate(3));
            Sequence fork = b.fork();
            b.close();
            b.close();
            String gone = "sequence 1 is closed; it had 1 positions; add another";
            fails("append: " + gone, () -> cache.append(both, k, v));
            fails("attend: " + gone, () -> cache.attend(Attention.scaled(), both, q, 0, 0));
            fails("fork: " + gone, b::fork);
            fails("keys: " + gone, b::keys);
            assertEquals("sequence 1, closed", b.toString());
            assertEquals(1, fork.keys().dim(1));
            cache.close();
            cache.close();
            String said = "cache is closed; 3 blocks of 4 positions; make another";
            for (Runnable use : List.<Runnable>of(cache::add, a::fork, a::keys, () -> cache.append(both, k, v),
                    () -> cache.attend(both, q), () -> cache.snapshot(device), () -> a.truncate(0))) {
                String text = assertThrows(ClosedException.class, use::run).getMessage();
                assertTrue(text.endsWith(": " + said), text);
            }
            a.close();
        }
    }

    @DeviceSpec
    void nothingIsUsedAfterTheScope(Device device) {
        PagedKvCache cache;
        Sequence a;
        try (Scope s = device.open()) {
            cache = PagedKvCache.of(s, DType.F32, HK, D, DV, 4, 3);
            a = cache.add();
            cache.append(List.of(a), s.ones(1, HK, 2, D), s.ones(1, HK, 2, DV));
        }
        try (Scope s = device.open()) {
            Tensor k = s.ones(1, HK, 2, D);
            Tensor v = s.ones(1, HK, 2, DV);
            assertThrows(ClosedException.class, () -> cache.append(List.of(a), k, v));
            assertThrows(ClosedException.class, a::keys);
            assertThrows(ClosedException.class, () -> cache.attend(List.of(a), k));
            assertEquals(2, a.length());
        }
        a.close();
        cache.close();
    }
}
