package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.PagedKvCache.Sequence;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.io.TensorFile;
import dev.gramian.io.TensorFiles;
import dev.gramian.spec.DeviceSpec;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;

/** Caches put away and taken out again, in memory, on another device and in a file. */
class CacheSnapshotTest {
    private static final DType[] TYPES = {DType.F32, DType.F64, DType.F16, DType.BF16};
    private static final int HQ = 4;
    private static final int HK = 2;
    private static final int D = 6;
    private static final int DV = 5;

    @TempDir
    Path dir;

    private static Tensor random(Scope s, DType t, long seed, long batch, long heads, long n, long size) {
        return s.normal(t, seed, batch, heads, n, size);
    }

    private interface Restored {
        void check(Scope s, CacheSnapshot snapshot);
    }

    /** By the snapshot itself, by one made for another device, and by a file. */
    private void everyWay(Device device, CacheSnapshot here, CacheSnapshot there, Restored restored) {
        try (Scope s = device.open()) {
            restored.check(s, here);
            restored.check(s, there);
            Path file = dir.resolve(device.name().replace(':', '-') + System.nanoTime() + ".safetensors");
            TensorFiles.write(file, here.tensors(), here.metadata());
            TensorFile f = TensorFiles.open(file);
            restored.check(s, new CacheSnapshot(f.readAll(s), f.metadata()));
        }
    }

    @DeviceSpec
    void contiguousCachesGoOn(Device device) {
        for (DType t : TYPES) {
            try (Scope host = Device.of("cpu:scalar").open(); Scope s = device.open()) {
                RopeTables rope = Rope.of(RopeLayout.INTERLEAVED, D).tables(s, t, 20);
                KvCache c = KvCache.of(s, t, 2, HK, D, DV, 12).rotating(rope);
                c.append(random(s, t, 1, 2, HK, 7, D), random(s, t, 2, 2, HK, 7, DV), 7, 4);
                CacheSnapshot here = c.snapshot(device);
                CacheSnapshot there = c.snapshot(host.device());
                assertEquals(c.liveBytes(), here.tensors().values().stream()
                        .mapToLong(x -> x.size() * x.dtype().bytes()).sum());
                long[] lengths = c.lengths();
                Tensor k = random(s, t, 3, 2, HK, 3, D);
                Tensor v = random(s, t, 4, 2, HK, 3, DV);
                Tensor q = random(s, t, 5, 2, HQ, 3, D);
                c.append(k, v);
                double[] expected = c.attend(q).toDoubleArray();
                everyWay(device, here, there, (in, snapshot) -> {
                    KvCache r = KvCache.restore(in, snapshot, rope);
                    assertArrayEquals(lengths, r.lengths());
                    assertEquals(12, r.capacity());
                    r.append(k, v);
                    assertArrayEquals(expected, r.attend(q).toDoubleArray());
                    r.close();
                });
            }
        }
    }

    @DeviceSpec
    void pagedCachesGoOnAndShareWhatTheyShared(Device device) {
        for (DType t : TYPES) {
            try (Scope host = Device.of("cpu:scalar").open(); Scope s = device.open()) {
                PagedKvCache c = PagedKvCache.of(s, t, HK, D, DV, 4, 9);
                Sequence gone = c.add();
                c.append(List.of(gone), s.full(t, Double.NaN, 1, HK, 36, D), s.full(t, Double.NaN, 1, HK, 36, DV));
                gone.close();
                Sequence a = c.add();
                c.append(List.of(a), random(s, t, 1, 1, HK, 7, D), random(s, t, 2, 1, HK, 7, DV));
                Sequence b = a.fork();
                Sequence empty = c.add();
                b.truncate(6);
                CacheSnapshot here = c.snapshot(device);
                CacheSnapshot there = c.snapshot(host.device());
                assertEquals(2, here.tensors().get("keys").dim(1), "blocks that both have are there once");
                assertEquals(1, here.tensors().get("keys").isFinite().all().itemLong(), "nothing of sequences gone");
                assertEquals(0, there.tensors().get("values").select(1, 1).slice(1, 3, 4).abs().max().item());
                Tensor k = random(s, t, 3, 3, HK, 3, D);
                Tensor v = random(s, t, 4, 3, HK, 3, DV);
                Tensor q = random(s, t, 5, 3, HQ, 3, D);
                List<Sequence> all = List.of(a, b, empty);
                c.append(all, k, v);
                double[] expected = c.attend(all, q).toDoubleArray();
                int free = c.freeBlocks();
                everyWay(device, here, there, (in, snapshot) -> {
                    PagedKvCache r = PagedKvCache.restore(in, snapshot, null);
                    assertEquals(PagedKvCache.bytes(t, HK, D, DV, 4, 9), r.bytes());
                    assertEquals(7, r.freeBlocks());
                    List<Sequence> again = r.sequences();
                    r.append(again, k, v);
                    assertEquals(free, r.freeBlocks());
                    assertArrayEquals(expected, r.attend(again, q).toDoubleArray());
                    again.forEach(Sequence::close);
                    assertEquals(9, r.freeBlocks());
                    r.close();
                });
            }
        }
    }

    private static void fails(String text, Runnable r) {
        String said = assertThrows(FormatException.class, r::run).getMessage();
        assertEquals(text, said);
    }

    private static CacheSnapshot with(CacheSnapshot s, String name, Tensor t) {
        Map<String, Tensor> tensors = new HashMap<>(s.tensors());
        tensors.put(name, t);
        return new CacheSnapshot(tensors, s.metadata());
    }

    private static CacheSnapshot with(CacheSnapshot s, String name, String value) {
        Map<String, String> metadata = new HashMap<>(s.metadata());
        metadata.put(name, value);
        return new CacheSnapshot(s.tensors(), metadata);
    }

    @DeviceSpec
    void damagedSnapshotsAreRefused(Device device) {
        try (Scope s = device.open()) {
            RopeTables rope = Rope.of(RopeLayout.INTERLEAVED, D).tables(s, DType.F32, 20);
            PagedKvCache c = PagedKvCache.of(s, DType.F32, HK, D, DV, 4, 3);
            Sequence a = c.add();
            c.append(List.of(a), s.ones(1, HK, 7, D), s.ones(1, HK, 7, DV));
            CacheSnapshot good = c.snapshot(device);
            long before = device.liveBytes();
            fails("restore: snapshot is of another kind of cache; it says paged, wanted contiguous; restore it by the "
                    + "class that made it", () -> KvCache.restore(s, good, null));
            fails("restore: keys in the snapshot are rotated otherwise; snapshot none, given "
                    + CacheSnapshot.describe(rope) + "; give the tables the cache was made with",
                    () -> PagedKvCache.restore(s, good, rope));
            String ask = "; is the file one that a snapshot was written to?";
            CacheSnapshot text = with(good, "blocks", "many");
            fails("restore: snapshot does not say blocks; it says " + text.metadata() + ask,
                    () -> PagedKvCache.restore(s, text, null));
            CacheSnapshot type = with(good, "dtype", "F8");
            fails("restore: snapshot does not say dtype; it says " + type.metadata() + ask,
                    () -> PagedKvCache.restore(s, type, null));
            String fit = "restore: snapshot does not fit together; ";
            fails(fit + "2 blocks are used of 1" + ask, () -> PagedKvCache.restore(s, with(good, "blocks", "1"), null));
            fails(fit + "keys F32 [2, 2, 4, 6], wanted F32 [2, 1, 4, 6]" + ask,
                    () -> PagedKvCache.restore(s, with(good, "used", "1"), null));
            Tensor nine = s.tensor(new long[] {9});
            fails(fit + "a sequence of length 9 with 2 blocks left" + ask,
                    () -> PagedKvCache.restore(s, with(good, "lengths", nine), null));
            Tensor tables = s.tensor(new long[] {0, 2});
            fails(fit + "block 2 of 2" + ask, () -> PagedKvCache.restore(s, with(good, "tables", tables), null));
            Tensor four = s.tensor(new long[] {4});
            fails(fit + "block 1 is nobody's" + ask, () -> PagedKvCache.restore(s, with(good, "lengths", four), null));
            KvCache contiguous = KvCache.of(s, DType.F32, 1, HK, D, DV, 4);
            try (Scope inner = Scope.inner("test", device)) {
                contiguous.append(inner.ones(1, HK, 3, D), inner.ones(1, HK, 3, DV));
            }
            CacheSnapshot whole = contiguous.snapshot(device);
            Map<String, Tensor> less = new HashMap<>(whole.tensors());
            less.remove("values.0");
            fails(fit + "values.0 is missing, wanted F32 [2, 3, 5]" + ask,
                    () -> KvCache.restore(s, new CacheSnapshot(less, whole.metadata()), null));
            contiguous.close();
            for (Tensor t : List.of(nine, tables, four)) {
                before += t.size() * t.dtype().bytes();
            }
            for (Tensor t : whole.tensors().values()) {
                before += t.size() * t.dtype().bytes();
            }
            assertEquals(before, device.liveBytes(), "what was refused leaves nothing");
        }
    }
}
