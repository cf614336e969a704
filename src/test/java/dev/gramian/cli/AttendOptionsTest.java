package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.Causal;
import dev.gramian.core.DType;
import dev.gramian.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each option of {@code attend}: what it asks of the library, its check, and what is refused. */
final class AttendOptionsTest {
    @TempDir
    Path dir;

    @BeforeEach
    void files() {
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 2, 6, 5, 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 2, 3, 7, 8));
        Cli.write(file("v.npy"), s -> s.normal(DType.F32, 3, 2, 3, 7, 4));
        Cli.write(file("slopes.npy"), s -> s.uniform(DType.F32, 4, 0.1, 0.9, 6));
        Cli.write(file("sinks.npy"), s -> s.normal(DType.F32, 5, 6));
        Cli.write(file("lengths.npy"), s -> s.tensor(new long[] {7, 3}));
        Cli.write(file("short.npy"), s -> s.normal(DType.F32, 6, 5, 4).gt(-0.5));
    }

    @AfterEach
    void nothingIsLeftInMemory() {
        for (Device d : Device.all()) {
            assertEquals(0, d.liveBytes(), d.name());
        }
    }

    private Path file(String name) {
        return dir.resolve(name);
    }

    private Cli attend(String options, Object... more) {
        List<Object> args = new ArrayList<>(List.of("attend", file("q.npy"), file("k.npy"), file("v.npy")));
        args.addAll(Arrays.asList(options.isEmpty() ? new String[0] : options.replace("@", dir + "/").split(" ")));
        args.addAll(Arrays.asList(more));
        return Cli.run(args.toArray());
    }

    private void fails(String text, String options) {
        Cli r = attend(options, "-o", file("o.npy"));
        assertEquals(2, r.code, r.toString());
        assertEquals("gramian: " + text, r.err.lines().findFirst().orElseThrow());
        assertFalse(Files.exists(file("o.npy")));
    }

    private Tensor read(Scope s, String name) {
        return TensorFiles.read(s, file(name).toString());
    }

    record Options(String text, BiFunction<Scope, Attention, Attention> same) {
        @Override
        public String toString() {
            return text;
        }
    }

    static List<Options> options() {
        return List.of(
                new Options("--causal-offset 1", (s, a) -> a.offset(1)),
                new Options("--causal-offset -2", (s, a) -> a.offset(-2)),
                new Options("--causal=bottom-right", (s, a) -> a.causal(Causal.BOTTOM_RIGHT)),
                new Options("--causal --align 2", (s, a) -> a.offset(2)),
                new Options("--window 1,2 --align top-left", (s, a) -> a.window(1, 2).align(Causal.TOP_LEFT)),
                new Options("--window 1,-1 --align bottom-right",
                        (s, a) -> a.window(1, -1).align(Causal.BOTTOM_RIGHT)),
                new Options("--window 2,5 --causal=bottom-right", (s, a) -> a.window(2, 5).causal(Causal.BOTTOM_RIGHT)),
                new Options("--kv-lengths 7,3", (s, a) -> a.lengths(7, 3)),
                new Options("--kv-lengths @lengths.npy --causal", (s, a) -> a.lengths(7, 3).causal()),
                new Options("--kv-lengths 6,5 --causal=top-left", (s, a) -> a.lengths(6, 5).causal(Causal.TOP_LEFT)),
                new Options("--kv-lengths 6,5 --causal-offset 3", (s, a) -> a.lengths(6, 5).offset(3)),
                new Options("--kv-lengths 7,2 --window 1,0", (s, a) -> a.lengths(7, 2).window(1, 0)),
                new Options("--kv-lengths 7,0 --alibi", (s, a) -> a.lengths(7, 0).alibi(slopes(s, 6))),
                new Options("--alibi --align 0", (s, a) -> a.align(0).alibi(slopes(s, 6))),
                new Options("--softcap 0.5", (s, a) -> a.softcap(0.5)),
                new Options("--scale 0", (s, a) -> a.scale(0)),
                new Options("--dropout 0.4", (s, a) -> a.dropout(0.4, 0)),
                new Options("--dropout 0.4 --seed 9 --causal=top-left",
                        (s, a) -> a.dropout(0.4, 9).causal(Causal.TOP_LEFT)));
    }

    private static Tensor slopes(Scope s, int heads) {
        return s.tensor(Attention.alibiSlopes(heads)).to(DType.F32);
    }

    @ParameterizedTest
    @MethodSource("options")
    void asTheLibrary(Options options) {
        Cli r = attend(options.text, "-o", file("o.npy"), "--weights", file("w.npy"), "--lse", file("l.npy"),
                "--check");
        assertEquals(0, r.code, r.toString());
        assertEquals(3, r.out.lines().filter(l -> l.startsWith("check") && l.endsWith(": pass")).count(), r.out);
        try (Scope s = Device.best().open()) {
            Attention a = options.same.apply(s, Attention.scaled().weights(true));
            Attention.Result expected = a.apply(read(s, "q.npy"), read(s, "k.npy"), read(s, "v.npy"));
            assertArrayEquals(expected.output().toDoubleArray(), Cli.values(file("o.npy")));
            assertArrayEquals(expected.weights().toDoubleArray(), Cli.values(file("w.npy")));
            assertArrayEquals(expected.logSumExp().toDoubleArray(), Cli.values(file("l.npy")));
            Attention.Result plain = Attention.scaled().apply(read(s, "q.npy"), read(s, "k.npy"), read(s, "v.npy"));
            assertTrue(plain.output().sub(expected.output()).abs().max().item() > 1e-3, "no effect");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--causal-offset 9223372036854775807", "--causal-offset -9223372036854775808",
        "--window 9223372036854775807,9223372036854775807 --align 3", "--window 2,9223372036854775807 --align top-left",
        "--window 0,0 --align -999999999999999999", "--workspace 0", "--workspace 1T", "--softcap 1e-300",
        "--scale 1e300", "--kv-lengths 0,0 --causal", "--dropout 0.999999 --seed -1"})
    void extremes(String options) {
        Cli r = attend(options, "-o", file("o.npy"), "--lse", file("l.npy"), "--check");
        assertEquals(0, r.code, r.toString());
    }

    @Test
    void emptyOperands() {
        for (long[] sizes : new long[][] {{0, 5, 7}, {2, 0, 7}, {2, 5, 0}}) {
            Cli.write(file("q.npy"), s -> s.ones(sizes[0], 6, sizes[1], 8));
            Cli.write(file("k.npy"), s -> s.ones(sizes[0], 3, sizes[2], 8));
            Cli.write(file("v.npy"), s -> s.ones(sizes[0], 3, sizes[2], 4));
            Cli r = attend("--causal=bottom-right --alibi --scores @s.npy", "-o", file("o.npy"), "--check",
                    "--explain");
            assertEquals(0, r.code, r.toString());
        }
    }

    @Test
    void filesPerHeadAndShortMasks() {
        Cli r = attend("--alibi=@slopes.npy --align 2 --sinks @sinks.npy --mask @short.npy", "-o", file("o.npy"),
                "--check", "--lse", file("l.npy"));
        assertEquals(0, r.code, r.toString());
        try (Scope s = Device.best().open()) {
            Attention a = Attention.scaled().alibi(read(s, "slopes.npy")).align(2).sinks(read(s, "sinks.npy"))
                    .mask(read(s, "short.npy"));
            assertArrayEquals(a.apply(read(s, "q.npy"), read(s, "k.npy"), read(s, "v.npy")).output().toDoubleArray(),
                    Cli.values(file("o.npy")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu:native", "cpu:vector", "cpu:scalar"})
    void everyDeviceAndStage(String device) {
        if (!Device.of(device).isAvailable()) {
            return;
        }
        for (String stage : new String[] {"raw", "softcap", "masked", "weights"}) {
            Cli r = attend("--softcap 2 --causal=bottom-right --alibi --sinks @sinks.npy --kv-lengths 7,4 --window 4,1"
                    + " --scores @s.npy --scores-stage " + stage, "-o", file("o.npy"), "--check", "--device", device);
            assertEquals(0, r.code, r.toString());
            assertTrue(r.out.contains("check  scores in float64: 420 values, all; "), r.out);
            try (Scope s = Device.of(device).open()) {
                Attention a = Attention.scaled().softcap(2).causal().alibi(slopes(s, 6)).lengths(7, 4).window(4, 1)
                        .sinks(read(s, "sinks.npy"));
                assertArrayEquals(a.scores(Attention.Stage.valueOf(stage.toUpperCase(Locale.ROOT)),
                        read(s, "q.npy"), read(s, "k.npy")).toDoubleArray(), Cli.values(file("s.npy")));
            }
        }
    }

    @Test
    void headsInTheLastAxisAndPastKeys() {
        Cli.write(file("q3.npy"), s -> s.normal(DType.F32, 1, 2, 5, 6 * 8));
        Cli.write(file("k3.npz") + ":k", s -> s.normal(DType.F32, 2, 2, 5, 3 * 8));
        Cli.write(file("k3.npz") + ":v", s -> s.normal(DType.F32, 3, 2, 5, 3 * 4));
        Cli.write(file("past.safetensors") + ":k", s -> s.normal(DType.F32, 4, 2, 3, 4, 8));
        Cli.write(file("past.safetensors") + ":v", s -> s.normal(DType.F32, 5, 2, 3, 4, 4));
        String past = file("past.safetensors").toString();
        Cli r = Cli.run("attend", file("q3.npy"), file("k3.npz") + ":k", file("k3.npz") + ":v", "--heads", 6,
                "--kv-heads", 3, "--past-k", past + ":k", "--past-v", past + ":v", "--causal", "-o", file("o.npy"),
                "--present-k", file("pk.npy"), "--present-v", file("pv.npy"), "--weights", file("w.npy"),
                "--lse", file("l.npy"), "--scores", file("s.npy"), "--dropout", "0.2", "--check");
        assertEquals(0, r.code, r.toString());
        assertEquals(6, r.out.lines().filter(l -> l.startsWith("check") && l.endsWith(": pass")).count(), r.out);
        assertTrue(r.closing().contains("F32 q [2, 5, 48], k [2, 9, 24], v [2, 9, 12] → [2, 5, 24]"), r.out);
        try (Scope s = Device.best().open()) {
            Tensor q = read(s, "q3.npy").reshape(2, 5, 6, 8).transpose(1, 2);
            Tensor k = Join.concat(2, TensorFiles.read(s, past + ":k"),
                    TensorFiles.read(s, file("k3.npz") + ":k").reshape(2, 5, 3, 8).transpose(1, 2));
            Tensor v = Join.concat(2, TensorFiles.read(s, past + ":v"),
                    TensorFiles.read(s, file("k3.npz") + ":v").reshape(2, 5, 3, 4).transpose(1, 2));
            assertArrayEquals(k.toDoubleArray(), Cli.values(file("pk.npy")));
            assertArrayEquals(v.toDoubleArray(), Cli.values(file("pv.npy")));
            Attention.Result y = Attention.scaled().offset(4).dropout(0.2, 0).weights(true).apply(q, k, v);
            assertArrayEquals(y.output().transpose(1, 2).reshape(2, 5, 24).toDoubleArray(),
                    Cli.values(file("o.npy")), 1e-6);
            assertArrayEquals(y.weights().toDoubleArray(), Cli.values(file("w.npy")), 1e-6);
        }
    }

    @Test
    void pastKeysWithAnAxisOfHeads() {
        Cli.write(file("pk.npy"), s -> s.normal(DType.F32, 4, 2, 3, 2, 8));
        Cli.write(file("pv.npy"), s -> s.normal(DType.F32, 5, 2, 3, 2, 4));
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 2, 6, 7, 8));
        Cli r = attend("--past-k @pk.npy --past-v @pv.npy --causal", "-o", file("o.npy"), "--check", "--present-k",
                file("present.npz") + ":k");
        assertEquals(0, r.code, r.toString());
        try (Scope s = Device.best().open()) {
            Tensor k = Join.concat(2, read(s, "pk.npy"), read(s, "k.npy"));
            Tensor v = Join.concat(2, read(s, "pv.npy"), read(s, "v.npy"));
            assertArrayEquals(Attention.scaled().offset(2).apply(read(s, "q.npy"), k, v).output().toDoubleArray(),
                    Cli.values(file("o.npy")));
            assertArrayEquals(k.toDoubleArray(), Cli.values(file("present.npz") + ":k"));
        }
        failsToo(
                "attend: --past-v does not fit; past F32 [2, 3, 2, 8], v F32 [2, 3, 7, 4]; give (batch, head, past key,"
                        + " channel) of the same type, batch, heads and channels",
                "--past-k @pk.npy --past-v @pk.npy".replace(
                        "@", dir + "/"));
    }

    @Test
    void packedSequences() {
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 10, 4, 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 14, 2, 8));
        Cli.write(file("v.npy"), s -> s.normal(DType.F32, 3, 14, 2, 6));
        Cli.write(file("cu.npy"), s -> s.tensor(new int[] {0, 3, 3, 10}));
        Cli.write(file("slopes.npy"), s -> s.uniform(DType.F32, 4, 0.1, 0.9, 4));
        String[] kinds = {"", "--causal=bottom-right", "--causal-offset 1", "--window 2,0 --align bottom-right",
            "--alibi --align top-left", "--softcap 1 --alibi=@slopes.npy --align 3"};
        for (String options : kinds) {
            Cli r = attend((options + " --varlen @cu.npy --varlen-k 0,5,7,14").strip(), "-o", file("o.npy"), "--lse",
                    file("l.npy"), "--check");
            assertEquals(0, r.code, options + r);
            assertTrue(r.out.contains("check  log-sum-exp in float64: 40 values, all; "), r.out);
        }
        try (Scope s = Device.best().open()) {
            Attention a = Attention.scaled().softcap(1).alibi(read(s, "slopes.npy")).align(3);
            Attention.Result y = a.packed(read(s, "q.npy"), read(s, "k.npy"), read(s, "v.npy"),
                    new long[] {0, 3, 3, 10}, new long[] {0, 5, 7, 14});
            assertArrayEquals(y.output().toDoubleArray(), Cli.values(file("o.npy")));
        }
        failsToo("attend: causal, but 3 queries and 5 keys of packed sequence 0 can be aligned two ways; q [10, 4, 8],"
                + " k [14, 2, 8]; use --causal=top-left, --causal=bottom-right or --causal-offset N",
                "--causal --varlen 0,3,10 --varlen-k 0,5,14");
        failsToo(
                "attend: query offsets do not divide the query axis 0; offsets [0, 11], q [10, 4, 8]; they rise from 0 to"
                        + " 10, one more than there are sequences",
                "--varlen 0,11 --varlen-k 0,14");
        for (String other : new String[] {"--past-k @p.npy --past-v @p.npy", "--present-k @p.npy",
            "--present-v @p.npy"}) {
            failsToo("--varlen and " + other.split(" ")[0]
                    + " do not go together: put each sequence's past keys before its"
                    + " own, --varlen-k counts both", "--varlen 0,10 --varlen-k 0,14 " + other);
        }
    }

    /** Each option by which packed sequences are like the padded batch, as the library has them. */
    @Test
    void packedSequencesTakeEveryOption() {
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 10, 4, 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 14, 2, 8));
        Cli.write(file("v.npy"), s -> s.normal(DType.F32, 3, 14, 2, 6));
        Cli.write(file("mask.npy"), s -> s.uniform(DType.F32, 4, 0, 1, 3, 1, 7, 7).gt(0.3));
        Cli.write(file("bias.npy"), s -> s.normal(DType.F32, 5, 4, 7, 5));
        Cli.write(file("slopes.npy"), s -> s.uniform(DType.F32, 6, 0.1, 0.9, 3, 4));
        long[] qs = {0, 3, 3, 10};
        long[] ks = {0, 5, 7, 14};
        String[] kinds = {"--mask @mask.npy", "--bias @bias.npy --causal=top-left", "--kv-lengths 4,2,5 --causal",
            "--dropout 0.3 --seed 5", "--alibi=@slopes.npy --sinks @slopes.npy --causal=bottom-right",
            "--mask @mask.npy --bias @bias.npy --kv-lengths 4,2,7 --dropout 0.2 --alibi=@slopes.npy --align 2"
                    + " --window 3,2 --softcap 2"};
        for (String options : kinds) {
            for (String stage : new String[] {"raw", "softcap", "masked", "weights"}) {
                Cli r = attend(options + " --varlen 0,3,3,10 --varlen-k 0,5,7,14 --scores-stage " + stage, "-o",
                        file("o.npy"), "--lse", file("l.npy"), "--weights", file("w.npy"), "--scores", file("s.npy"),
                        "--check");
                assertEquals(0, r.code, options + r);
                // 4 heads of 3 by 5 and 7 by 7 places; the sequence between has no queries
                assertTrue(r.out.contains("check  scores in float64: 256 values, all; "), r.out);
                assertTrue(r.out.contains("check  weights in float64: 256 values, all; "), r.out);
            }
        }
        try (Scope s = Device.best().open()) {
            Attention a = Attention.scaled().mask(read(s, "mask.npy")).bias(read(s, "bias.npy")).lengths(4, 2, 7)
                    .dropout(0.2, 0).alibi(read(s, "slopes.npy")).align(2).window(3, 2).softcap(2).weights(true);
            Attention.Result y = a.packed(read(s, "q.npy"), read(s, "k.npy"), read(s, "v.npy"), qs, ks);
            assertArrayEquals(y.output().toDoubleArray(), Cli.values(file("o.npy")));
            assertArrayEquals(y.weights().toDoubleArray(), Cli.values(file("w.npy")));
            assertArrayEquals(a.packedScores(Attention.Stage.WEIGHTS, read(s, "q.npy"), read(s, "k.npy"), qs, ks)
                    .toDoubleArray(), Cli.values(file("s.npy")));
        }
        Cli explained = attend("--explain --varlen 0,3,3,10 --varlen-k 0,5,7,14 --quiet", "-o", file("o.npy"));
        assertTrue(explained.out.startsWith("attend on " + Device.best().name()
                + ": packed F32 q [10, 4, 8], k [14, 2, 8], v [14, 2, 6]\n  options  scale 1/sqrt(d), aligned BOTTOM_RIGHT\n  packed   3 sequences"
                + " of up to 7 queries and 7 keys, in 3 calls"), explained.out);
        Cli traced = attend("--trace --varlen 0,5,10 --varlen-k 0,7,14 --quiet", "-o", file("o.npy"));
        assertTrue(traced.err.lines().anyMatch(
                l -> l.matches("  attention(Weights)? +F32 \\[2, 2, 2, 5, [78]\\].* → .* 1 .*")), traced.err);
    }

    @Test
    void packedSequencesWithHeadsInTheLastAxis() {
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 10, 4 * 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 14, 2 * 8));
        Cli.write(file("v.npy"), s -> s.normal(DType.F32, 3, 14, 2 * 6));
        Cli r = attend("--heads 4 --kv-heads 2 --alibi --causal=bottom-right --dropout 0.1 --varlen 0,3,10 --varlen-k"
                + " 0,7,14", "-o", file("o.npy"), "--lse", file("l.npy"), "--weights", file("w.npy"), "--check");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.closing().contains("F32 q [10, 32], k [14, 16], v [14, 12] → [10, 24]"), r.out);
        try (Scope s = Device.best().open()) {
            Attention a = Attention.scaled().causal(Causal.BOTTOM_RIGHT).dropout(0.1, 0)
                    .alibi(s.tensor(Attention.alibiSlopes(4)).to(DType.F32));
            Attention.Result y = a.packed(read(s, "q.npy").reshape(10, 4, 8), read(s, "k.npy").reshape(14, 2, 8),
                    read(s, "v.npy").reshape(14, 2, 6), new long[] {0, 3, 10}, new long[] {0, 7, 14});
            assertArrayEquals(y.output().toDoubleArray(), Cli.values(file("o.npy")), 1e-6);
        }
        failsToo(
                "attend: packed q does not divide into 3 heads (axis -1); q [10, 32]; give (query of all sequences, heads *"
                        + " channels)",
                "--heads 3 --varlen 0,3,10 --varlen-k 0,7,14");
    }

    private void failsToo(String text, String options) {
        file("o.npy").toFile().delete();
        fails(text, options);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--kv-heads needs --heads|--kv-heads 2",
        "--past-k needs --past-v|--past-k @k.npy",
        "--past-v needs --past-k|--past-v @k.npy",
        "--varlen-k needs --varlen|--varlen-k 0,1",
        "--seed needs --dropout|--seed 1",
        "--scores-stage needs --scores|--scores-stage raw",
        "--kv-lengths and --past-k do not go together: padding before the new keys cannot be told"
                + "|--kv-lengths 1,2 --past-k @k.npy --past-v @v.npy",
        "Invalid value for option '--window': expected two numbers like 3,0 or -1,5 but was '3'|--window 3",
        "Invalid value for option '--window': expected two numbers like 3,0 or -1,5 but was '3,x'|--window 3,x",
        "Invalid value for option '--workspace': expected bytes like 4096 or 64M but was 'much'|--workspace much",
        "Invalid value for option '--align': expected top-left, bottom-right or a number but was 'x'|--align x",
        "Invalid value for option '--causal': expected top-left or bottom-right but was '3'|--causal=3",
        "--causal=ALIGN, --causal-offset and --align say the same: leave one|--causal-offset 1 --align 2",
        "attend: window is negative; left -2, right 0; give the neighbours seen on each side, -1 for all"
                + "|--window -2,0",
        "attend: a window, but 5 queries and 7 keys can be aligned two ways; q [2, 6, 5, 8], k [2, 3, 7, 8]; use"
                + " --align top-left, --align bottom-right or --align N|--window 1,1",
        "attend: distances matter, but 5 queries and 7 keys can be aligned two ways; q [2, 6, 5, 8], k [2, 3, 7, 8];"
                + " use --align top-left, --align bottom-right or --align N|--alibi",
        "attend: 1 lengths for batch [2]; lengths [3], k [2, 3, 7, 8]; give one per sequence of the batch"
                + "|--kv-lengths 3",
        "attend: slopes do not fit the query heads; slopes [2], q [2, 6, 5, 8] has batch and query heads [2, 6]; give"
                + " one per query head|--alibi=@two.npy --align 0",
        "attend: q does not divide into 3 heads (axis -1); q [2, 6, 5, 8], k [2, 3, 7, 8], v [2, 3, 7, 4]; with"
                + " heads(...) operands are (batch, query or key, heads * channels)|--heads 3",
        "attend: no heads; query heads 0, key heads 0; give 1 or more|--heads 0",
        "attend: dropout is 1.0; it is the probability of losing a weight; give 0 up to, not including, 1|--dropout 1",
        "Invalid value for option '--scores-stage': expected one of [raw, softcap, masked, weights]"
                + " but was 'x'|--scores @s.npy --scores-stage x",
    })
    void whatIsRefused(String text, String options) {
        Cli.write(file("two.npy"), s -> s.ones(2));
        fails(text, options);
    }

    @Test
    void lengthsOfAFloatFile() {
        fails("--kv-lengths: numbers are F32; " + file("sinks.npy")
                + " [6]; give a file of I64 or I32, or whole numbers"
                + " with commas between", "--kv-lengths @sinks.npy");
    }

    @Test
    void explained() {
        String first = ": F32 q [2, 6, 5, 8], k [2, 3, 7, 8], v [2, 3, 7, 4]\n";
        Cli r = attend("--explain --causal=top-left --workspace 1K --quiet --device cpu:scalar", "-o", file("o.npy"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("attend on cpu:scalar" + first), r.out);
        assertTrue(r.out.contains(", with a workspace of 1.0 KiB\n"), r.out);
        assertEquals(9, r.out.lines().count());
        Cli tiled = attend("--explain --causal=top-left --quiet --device cpu:vector", "-o", file("o.npy"));
        assertTrue(tiled.out.startsWith("attend on cpu:vector" + first), tiled.out);
        assertTrue(tiled.out.contains("\n  scores   none in memory; "), tiled.out);
        assertEquals(7, tiled.out.lines().count());
    }

    @Test
    void traced() {
        Cli r = attend("--trace --causal=top-left --quiet --device cpu:scalar", "-o", file("o.npy"));
        assertEquals(0, r.code, r.toString());
        assertEquals("", r.out);
        String[] lines = r.err.split("\n");
        assertTrue(lines[0].matches("trace of cpu:scalar: 3 operations, .* (µs|ms|s)"), r.err);
        assertTrue(lines[1].matches("  op +operands → results +times +time +GFLOP/s"), r.err);
        assertTrue(
                lines[2].matches("  matmul +F32 \\[2, 3, 2, 5, 8\\], F32 \\[2, 3, 1, 8, 5\\] → F32 \\[2, 3, 2, 5, 5\\]"
                        + " +1 .*"),
                r.err);
        assertTrue(
                lines[3].startsWith("  attentionWeights  F32 [2, 3, 2, 5, 5] → F32 [2, 3, 2, 5, 5], F32 [2, 3, 2, 5]"),
                r.err);
        assertEquals(5, lines.length);
        Cli twice = attend("--trace --workspace 0 --quiet --device cpu:scalar", "-o", file("o.npy"));
        assertTrue(twice.err.lines().anyMatch(l -> l.matches("  matmul .* 60 .*")), twice.err);
        Cli tiled = attend("--trace --causal=top-left --quiet --device cpu:vector", "-o", file("o.npy"));
        assertTrue(
                tiled.err.contains("\n  attention  F32 [2, 3, 2, 5, 8], F32 [2, 3, 1, 7, 8], F32 [2, 3, 1, 7, 4] → F32 "
                        + "[2, 3, 2, 5, 4], F32 [2, 3, 2, 5]"),
                tiled.err);
        Cli failed = attend("--trace --causal", "-o", file("o.npy"));
        assertEquals(2, failed.code);
        assertTrue(failed.err.startsWith("gramian: attend: causal, but 5 queries and 7 keys "), failed.err);
    }
}
