package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of a generating Llama, by its main method. */
final class GenerateTest {
    private static final long[] PROMPT = {7, 77, 1, 0, 100};

    @TempDir
    Path dir;

    /** What the example prints: its result, then what it tells of itself. */
    private record Printed(String result, String told) {}

    private static Printed generate(String... args) throws Exception {
        Method main = Class.forName("Generate").getDeclaredMethod("main", String[].class);
        main.setAccessible(true);
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
            main.invoke(null, (Object) args);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        return new Printed(printed.toString(StandardCharsets.UTF_8).strip(), told.toString(StandardCharsets.UTF_8));
    }

    private static long[] numbers(String line) {
        return Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
    }

    private String made() throws Exception {
        String path = dir.resolve("tiny").toString();
        assertEquals("", generate("--make", path).result);
        return path;
    }

    @DeviceSpec
    void greedyIdsAreThoseOfRecomputing(Device device) throws Exception {
        String path = made();
        String name = device.name();
        Printed printed = generate(path, "--prompt", "7,77,1,0,100", "--tokens", "12", "--device", name);
        assertTrue(
                printed.told.contains("decoder of 2 blocks, tokens [101, 64] (vocabulary, features), F32 on " + name),
                printed.told);
        long[] ids = PROMPT;
        try (Scope s = device.open()) {
            Decoder model = Pretrained.llama(s, Path.of(path), DType.F32);
            for (int n = 0; n < 12; n++) {
                Tensor logits = model.apply(s.tensor(ids, 1, ids.length));
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = logits.select(1, ids.length - 2).argMax(-1).itemLong();
            }
        }
        assertArrayEquals(Arrays.copyOfRange(ids, PROMPT.length, ids.length), numbers(printed.result));
    }

    @DeviceSpec
    void drawnIdsAreThoseOfTheirSeed(Device device) throws Exception {
        String path = made();
        List<String> drawn = new ArrayList<>();
        for (String seed : new String[] {"1", "1", "2"}) {
            drawn.add(generate(path, "--tokens", "16", "--temperature", "0.9", "--top-k", "20", "--seed", seed,
                    "--device", device.name()).result);
        }
        assertEquals(drawn.get(0), drawn.get(1));
        assertNotEquals(drawn.get(0), drawn.get(2));
        String greedy = generate(path, "--tokens", "16", "--device", device.name()).result;
        assertNotEquals(greedy, drawn.get(0));
        assertEquals(greedy, generate(path, "--tokens", "16", "--temperature", "5", "--top-k", "1", "--device",
                device.name()).result);
    }

    @Test
    void itStopsAndSaysWhatIsWrong() throws Exception {
        String path = made();
        String[] all = generate(path, "--device", "cpu:scalar").result.split(" ");
        assertEquals(20, all.length);
        String[] cut = generate(path, "--device", "cpu:scalar", "--stop", all[3]).result.split(" ");
        assertEquals(all[3], cut[cut.length - 1]);
        assertTrue(cut.length <= 4);
        assertTrue(generate().told.startsWith("usage: Generate DIRECTORY"));
        assertTrue(generate(path, "--top", "3").told.startsWith("usage: Generate DIRECTORY"));
        assertEquals("temperature is -1.0, top-k 0; give finite numbers of 0 or more\n",
                generate(path, "--temperature", "-1").told);
        assertEquals("For input string: \"x\"\n", generate(path, "--prompt", "x").told);
        assertTrue(generate(path, "--device", "abacus").told.startsWith("device: no such device; 'abacus'"));
        assertEquals("read: no checkpoint; " + dir + "; expected model.safetensors or model.safetensors.index.json\n",
                generate(dir.toString(), "--device", "cpu:scalar").told);
        assertEquals(
                "cache: positions 0 to 255 of sequence 0 are beyond the rotation's tables; k [1, 2, 256, 16], tables cover "
                        + "200; make tables of at least 256",
                longPrompt(path));
    }

    /** A prompt that takes several pieces, and a model with fewer positions than it has. */
    private String longPrompt(String path) throws Exception {
        Path config = Path.of(path, "config.json");
        String prompt = "3,1,4,1,5,9,2,6,5,3".repeat(30).replaceAll("(.{19})(?=.)", "$1,");
        assertEquals(20, numbers(generate(path, "--prompt", prompt, "--device", "cpu:scalar").result).length);
        Files.writeString(config, Files.readString(config).replace("512", "200"));
        String told = generate(path, "--prompt", prompt, "--device", "cpu:scalar").told;
        return told.lines().filter(l -> l.startsWith("cache")).findFirst().orElse(told);
    }
}
