package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tensors in and out of files: values, views, who owns the mapping. */
final class TensorFilesTest {
    private static final Device CPU = Device.of("cpu:scalar");

    @TempDir
    Path dir;

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, CPU.liveBytes());
    }

    static Stream<String> stated() {
        return Golden.STATED.keySet().stream();
    }

    private static double[] values(Tensor t) {
        Tensor flat = t.contiguous();
        byte[] raw = new byte[Math.toIntExact(t.size() * t.dtype().bytes())];
        flat.copyTo(MemorySegment.ofArray(raw));
        double[] v = new double[Math.toIntExact(t.size())];
        for (int i = 0; i < v.length; i++) {
            v[i] = Golden.value(MemorySegment.ofArray(raw), t.dtype(), i);
        }
        return v;
    }

    @ParameterizedTest
    @MethodSource("stated")
    void readsEveryGoldenFileAndWritesItBack(String name) throws IOException {
        Golden.Stated want = Golden.STATED.get(name);
        for (String kind : List.of("x.npy", "x.npz:a", "x.safetensors:a")) {
            Files.deleteIfExists(dir.resolve(kind.replace(":a", "")));
            try (Scope s = CPU.open()) {
                Tensor t = TensorFiles.read(s, Golden.HERE + "/" + name);
                assertEquals(want.dtype(), t.dtype());
                assertEquals(want.shape(), t.shape());
                assertArrayEquals(want.values(), values(t));
                TensorFiles.write(dir + "/" + kind, t);
                Tensor back = TensorFiles.read(s, dir + "/" + kind);
                assertEquals(want.dtype(), back.dtype());
                assertEquals(want.shape(), back.shape());
                assertArrayEquals(want.values(), values(back));
            }
        }
    }

    @Test
    void writesViews() throws IOException {
        try (Scope s = CPU.open()) {
            Tensor x = s.tensor(new float[] {0, 1, 2, 3, 4, 5}, 2, 3);
            Map<String, Tensor> views = new LinkedHashMap<>();
            views.put("turned", x.transpose(0, 1));
            views.put("reversed", x.slice(1, Long.MAX_VALUE, Long.MIN_VALUE, -1));
            views.put("column", x.select(1, 1));
            views.put("expanded", x.select(0, 1).expand(2, 3));
            views.put("row", x.select(0, 1));
            views.put("none", x.slice(0, 1, 1));
            for (String kind : List.of("x.npz", "x.safetensors")) {
                Path file = dir.resolve(kind);
                TensorFiles.write(file, views);
                for (Map.Entry<String, Tensor> v : views.entrySet()) {
                    Tensor back = TensorFiles.read(s, file + ":" + v.getKey());
                    assertEquals(v.getValue().shape(), back.shape());
                    assertArrayEquals(values(v.getValue()), values(back), v.getKey());
                }
            }
        }
    }

    @Test
    void metadataIsKept() {
        Path file = dir.resolve("x.safetensors");
        try (Scope s = CPU.open()) {
            TensorFiles.write(file, Map.of("a", s.ones(2)), Map.of("format", "gramian"));
            TensorFiles.write(file + ":b", s.ones(3));
        }
        assertEquals(Map.of("format", "gramian"), TensorFiles.open(file).metadata());
        assertEquals(2, TensorFiles.list(file).size());
    }

    @Test
    void theResultMayReplaceItsOwnInput() {
        String file = dir + "/x.npy";
        try (Scope s = CPU.open()) {
            TensorFiles.write(file, s.arange(DType.F32, 5));
            Tensor x = TensorFiles.read(s, file);
            TensorFiles.write(file, x.mul(2));
            assertArrayEquals(new float[] {0, 1, 2, 3, 4}, x.toFloatArray());
            assertArrayEquals(new float[] {0, 2, 4, 6, 8}, TensorFiles.read(s, file).toFloatArray());
        }
    }

    @Test
    void writingNeedsNoScopeOnItsThread() throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (Scope s = CPU.open()) {
            Tensor x = s.arange(DType.F32, 6).reshape(2, 3).transpose(0, 1);
            Thread t = new Thread(() -> TensorFiles.write(dir + "/x.npy", x));
            t.setUncaughtExceptionHandler((_, e) -> failure.set(e));
            t.start();
            t.join();
            assertEquals(null, failure.get());
            assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, TensorFiles.read(s, dir + "/x.npy").toFloatArray());
        }
    }

    @Test
    void mappingsEndWithTheScope() throws IOException {
        Path file = dir.resolve("mapped.npy");
        Tensor kept;
        try (Scope s = CPU.open()) {
            TensorFiles.write(file.toString(), s.ones(1000));
            try (Scope inner = CPU.open()) {
                kept = inner.keep(TensorFiles.read(inner, file.toString()));
                TensorFiles.read(inner, file.toString());
                assertEquals(2, mappings(file));
            }
            assertEquals(1, mappings(file));
            assertEquals(1000, kept.toFloatArray().length);
        }
        assertEquals(0, mappings(file));
        assertThrows(ClosedException.class, kept::toFloatArray);
    }

    @Test
    void aClosedScopeLeavesNoMapping() throws IOException {
        Path file = dir.resolve("mapped.npy");
        try (Scope s = CPU.open()) {
            TensorFiles.write(file.toString(), s.ones(10));
        }
        Scope closed = CPU.open();
        closed.close();
        assertThrows(ClosedException.class, () -> TensorFiles.read(closed, file.toString()));
        assertEquals(0, mappings(file));
    }

    private static long mappings(Path file) throws IOException {
        Path maps = Path.of("/proc/self/maps");
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(maps), "needs /proc/self/maps");
        try (Stream<String> lines = Files.lines(maps)) {
            return lines.filter(l -> l.endsWith(file.toString())).count();
        }
    }

    @Test
    void manyTensorsInOneFile() {
        Path file = dir.resolve("many.safetensors");
        try (Scope s = CPU.open()) {
            Map<String, Tensor> all = new LinkedHashMap<>();
            for (int i = 0; i < 500; i++) {
                all.put("layer." + i, s.full(i % 2 == 0 ? DType.F32 : DType.I64, i, i % 7, 3));
            }
            TensorFiles.write(file, all);
            TensorFile f = TensorFiles.open(file);
            assertEquals(500, f.entries().size());
            List<Long> offsets = new ArrayList<>();
            for (TensorEntry e : f.entries()) {
                assertEquals(0, e.offset() % e.dtype().bytes());
                offsets.add(e.offset());
            }
            assertEquals(offsets.stream().sorted().toList(), offsets);
            assertArrayEquals(new float[] {8, 8, 8}, f.read(s, "layer.8").toFloatArray());
            assertEquals(Shape.of(0, 3), f.read(s, "layer.7").shape());
        }
    }

    @Test
    void errorsReachTheCaller() {
        try (Scope s = CPU.open()) {
            String m = assertThrows(FormatException.class, () -> TensorFiles.read(s, dir + "/no.npz:w")).getMessage();
            assertEquals("read: no such file; " + dir + "/no.npz; expected a readable file", m);
            assertTrue(assertThrows(FormatException.class, () -> TensorFiles.write(dir + "/x.txt", s.ones(1)))
                    .getMessage().startsWith("write: unknown kind of file; "));
        }
    }
}
