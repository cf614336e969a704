package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.spec.DeviceSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of one file and of several, what a model takes of them, and their config. */
final class CheckpointTest {
    @TempDir
    Path dir;

    private void write(String file, Map<String, long[]> shapes) {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Map<String, Tensor> all = new LinkedHashMap<>();
            shapes.forEach((name, shape) -> all.put(name, s.arange(DType.F32, product(shape)).reshape(shape)));
            TensorFiles.write(dir.resolve(file), all);
        }
    }

    private static long product(long... shape) {
        long p = 1;
        for (long d : shape) {
            p *= d;
        }
        return p;
    }

    private String fails(Executable call) {
        return assertThrows(FormatException.class, call).getMessage().replace(dir.toString(), "DIR");
    }

    private void index(String map) throws Exception {
        Files.writeString(dir.resolve("model.safetensors.index.json"), "{\"weight_map\": " + map + "}");
    }

    @DeviceSpec
    void shardsAreOneCheckpoint(Device device) throws Exception {
        write("a.safetensors", Map.of("x", new long[] {2, 3}, "left.out", new long[] {1}));
        write("b.safetensors", Map.of("y", new long[] {4}));
        index("{\"x\": \"a.safetensors\", \"y\": \"b.safetensors\"}");
        for (Path p : List.of(dir, dir.resolve("model.safetensors.index.json"))) {
            Checkpoint c = Checkpoint.open(p);
            assertEquals(List.of("x", "y"), List.copyOf(c.entries().keySet()));
            assertEquals(p, c.path());
            assertEquals("checkpoint " + p + ", 2 tensors", c.toString());
            try (Scope s = device.open()) {
                assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, c.read(s, "x").toFloatArray());
                assertArrayEquals(new float[] {0, 1, 2, 3}, c.read(s, "y").toFloatArray());
                assertEquals("read: no tensor named 'z'; " + p.toString().replace(dir.toString(), "DIR")
                        + "; expected one of x, y", fails(() -> c.read(s, "z")));
            }
        }
        write("model.safetensors", Map.of("whole", new long[] {1}));
        assertEquals(List.of("whole"), List.copyOf(Checkpoint.open(dir).entries().keySet()));
    }

    @DeviceSpec
    void aModelTakesWhatItNamesOrNothing(Device device) throws Exception {
        write("one.safetensors",
                Map.of("net.w", new long[] {2, 3}, "net.old", new long[] {3}, "buffer", new long[] {1}));
        Checkpoint c = Checkpoint.open(dir);
        try (Scope s = device.open()) {
            int[] calls = new int[1];
            Tensor[] taken = c.load(s, DType.F64, w -> {
                calls[0]++;
                String p = w.prefix("w", "usual.");
                assertEquals("net.", p);
                assertEquals("usual.", w.prefix("nothing", "usual."));
                assertEquals(DType.F64, w.dtype());
                assertTrue(w.has("buffer"));
                w.ignore("buffer"::equals);
                return new Tensor[] {w.take(p + "w", 2, 3), w.take(List.of(p + "new", p + "old"), 3),
                    w.scope().ones(7)};
            });
            assertEquals(2, calls[0]);
            assertEquals(6 * 8 + 3 * 8 + 7 * 4, s.liveBytes());
            assertEquals(DType.F64, taken[0].dtype());
            assertArrayEquals(new double[] {0, 1, 2, 3, 4, 5}, taken[0].toDoubleArray());
            assertArrayEquals(new double[] {0, 1, 2}, taken[1].toDoubleArray());
            long before = s.liveBytes();
            assertEquals("load: tensors do not fit the model; DIR, 1 missing: bias [2]; "
                    + "2 not expected: buffer [1], net.old [3]; "
                    + "1 of another shape or type: net.w is [2, 3], not [3, 2]; "
                    + "config.json and tensors must be of one model",
                    fails(() -> c.load(s, null, w -> List.of(w.take("net.w", 3, 2), w.take("bias", 2)))));
            assertEquals(before, s.liveBytes());
            assertEquals("made", c.load(s, null, w -> {
                w.ignore(n -> true);
                return "made";
            }));
        }
    }

    @Test
    void severalFilesOrNone() throws Exception {
        assertEquals("read: no checkpoint; DIR; expected model.safetensors or model.safetensors.index.json",
                fails(() -> Checkpoint.open(dir)));
        write("a.safetensors", Map.of("x", new long[] {1}));
        assertEquals(1, Checkpoint.open(dir).entries().size());
        write("b.safetensors", Map.of("x", new long[] {1}));
        assertEquals("read: 2 safetensors files and no index; DIR; expected model.safetensors or "
                + "model.safetensors.index.json, or the name of one file", fails(() -> Checkpoint.open(dir)));
        assertEquals(1, Checkpoint.open(dir.resolve("b.safetensors")).entries().size());
        assertEquals("read: no such file; DIR/c.safetensors; expected a readable file",
                fails(() -> Checkpoint.open(dir.resolve("c.safetensors"))));
    }

    @Test
    void indexesThatAreWrong() throws Exception {
        write("a.safetensors", Map.of("x", new long[] {1}));
        index("{\"x\": \"a.safetensors\", \"y\": \"a.safetensors\"}");
        assertEquals("read: files lack y (a.safetensors); DIR/model.safetensors.index.json; expected what weight_map "
                + "says", fails(() -> Checkpoint.open(dir)));
        for (String name : List.of("../a.safetensors", "/etc/a.safetensors", "", "a.bin", "b/a.safetensors",
                "..\\\\a.safetensors")) {
            index("{\"x\": \"" + name + "\"}");
            assertEquals("read: weight_map names the file '" + name.replace("\\\\", "\\")
                    + "'; DIR/model.safetensors.index.json; expected a safetensors file of the same directory",
                    fails(() -> Checkpoint.open(dir)));
        }
        index("{\"x\": \"gone.safetensors\"}");
        assertEquals("read: no such file; DIR/gone.safetensors; expected a readable file",
                fails(() -> Checkpoint.open(dir)));
        index("{\"x\": 3}");
        assertEquals("read: weight_map.x is 3; DIR/model.safetensors.index.json; expected text",
                fails(() -> Checkpoint.open(dir)));
        index("[]");
        assertEquals("read: weight_map is []; DIR/model.safetensors.index.json; expected an object",
                fails(() -> Checkpoint.open(dir)));
        index("{\"x\": \"a.safetensors\", \"x\": \"a.safetensors\"}");
        assertTrue(fails(() -> Checkpoint.open(dir)).startsWith("read: file is not JSON: Duplicate field 'x'"));
    }

    @Test
    void configs() throws Exception {
        Path file = dir.resolve("config.json");
        Files.writeString(file, """
                {"n": 3, "zero": 0, "half": 0.5, "big": 12345678901, "text": "t", "yes": true, "nothing": null,
                 "list": [1, 2.5], "mixed": [1, "x"], "inside": {"n": 4}, "huge": 1e999}
                """);
        JsonConfig c = JsonConfig.read(file);
        assertEquals(3, c.count("n"));
        assertEquals(7, c.count("nothing", 7));
        assertEquals(0.5, c.number("half"));
        assertEquals(12345678901.0, c.number("big"));
        assertEquals(0.25, c.number("absent", 0.25));
        assertEquals("t", c.text("text"));
        assertEquals("u", c.text("absent", "u"));
        assertTrue(c.flag("yes", false));
        assertTrue(c.flag("nothing", true));
        assertArrayEquals(new double[] {1, 2.5}, c.numbers("list"));
        assertEquals(4, c.object("inside").count("n"));
        String where = "; DIR/config.json; expected ";
        String whole = "a whole number from 1 to 2147483647";
        assertEquals("read: no absent" + where + whole, fails(() -> c.count("absent")));
        assertEquals("read: no nothing" + where + whole, fails(() -> c.count("nothing")));
        assertEquals("read: zero is 0" + where + whole, fails(() -> c.count("zero")));
        assertEquals("read: half is 0.5" + where + whole, fails(() -> c.count("half", 1)));
        assertEquals("read: big is 12345678901" + where + whole, fails(() -> c.count("big")));
        assertEquals("read: text is \"t\"" + where + "a number", fails(() -> c.number("text")));
        assertEquals("a number", fails(() -> c.number("huge")).split("expected ")[1]);
        assertEquals("read: n is 3" + where + "text", fails(() -> c.text("n")));
        assertEquals("read: n is 3" + where + "true or false", fails(() -> c.flag("n", true)));
        assertEquals("read: mixed is [1,\"x\"]" + where + "a list of numbers", fails(() -> c.numbers("mixed")));
        assertEquals("read: n is 3" + where + "a list of numbers", fails(() -> c.numbers("n")));
        assertEquals("read: n is 3" + where + "an object", fails(() -> c.object("n")));
        assertEquals("read: no inside.m" + where + "text", fails(() -> c.object("inside").text("m")));
        for (String text : List.of("", "[1]", "3", "{\"a\": }", "{\"a\": 1, \"a\": 2}", "{} {}", "[".repeat(5000),
                "{\"a\": \"\u0001\"}", "\u0000")) {
            Files.writeString(file, text);
            String said = fails(() -> JsonConfig.read(file));
            assertTrue(said.startsWith("read: file is n"), text + ": " + said);
            assertTrue(said.contains("; DIR/config.json"), said);
            assertEquals(1, said.lines().count(), said);
        }
        Files.write(file, new byte[] {'{', '"', (byte) 0xFF, '"', ':', '1', '}'});
        assertTrue(fails(() -> JsonConfig.read(file)).startsWith("read: file is not JSON: Invalid UTF-8"));
    }
}
