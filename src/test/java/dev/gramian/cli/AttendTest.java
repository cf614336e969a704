package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.cli.AttentionReference.Rules;
import dev.gramian.core.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command {@code attend}, and that its check finds what is wrong. */
final class AttendTest {
    @TempDir
    Path dir;

    @BeforeEach
    void files() {
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 2, 6, 5, 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 2, 3, 7, 8));
        Cli.write(file("v.npy"), s -> s.normal(DType.F32, 3, 2, 3, 7, 4));
        Cli.write(file("m.npy"), s -> s.normal(DType.F32, 4, 5, 7).gt(-0.5));
        Cli.write(file("b.npy"), s -> s.normal(DType.F32, 5, 6, 1, 7));
    }

    private Path file(String name) {
        return dir.resolve(name);
    }

    private Cli attend(Object... options) {
        Object[] args = new Object[options.length + 4];
        args[0] = "attend";
        args[1] = file("q.npy");
        args[2] = file("k.npy");
        args[3] = file("v.npy");
        System.arraycopy(options, 0, args, 4, options.length);
        return Cli.run(args);
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "cpu:vector", "cpu:scalar"})
    void everythingAtOnce(String device) {
        Cli r = attend("-o", file("o.npy"), "--mask", file("m.npy"), "--bias", file("b.npy"), "--causal=bottom-right",
                "--scale", "0.3", "--softcap", "2", "--weights", file("w.npy"), "--lse", file("l.npy"), "--check",
                "--device", device);
        assertEquals(0, r.code, r.toString());
        assertEquals(2 * 6 * 5 * 4, Cli.values(file("o.npy")).length);
        assertEquals(2 * 6 * 5, Cli.values(file("l.npy")).length);
        double[] weights = Cli.values(file("w.npy"));
        assertEquals(2 * 6 * 5 * 7, weights.length);
        for (int row = 0; row < weights.length; row += 7) {
            double sum = 0;
            for (int j = 0; j < 7; j++) {
                sum += weights[row + j];
            }
            assertEquals(1, sum, 1e-6);
        }
        String[] lines = r.out.split("\n");
        assertTrue(lines[0].matches("check  output in float64: 240 values, all; max abs error .*: pass"), r.out);
        assertTrue(lines[1].matches("check  weights in float64: 420 values, all; max abs error .*: pass"), r.out);
        assertTrue(lines[2].matches("check  log-sum-exp in float64: 60 values, all; max abs error .*: pass"), r.out);
        assertTrue(lines[3].matches(Device.of(device).name() + "  F32 q \\[2, 6, 5, 8\\], k \\[2, 3, 7, 8\\],"
                + " v \\[2, 3, 7, 4\\] → \\[2, 6, 5, 4\\]  .* (µs|ms|s)  .* GFLOP/s"), r.out);
        assertEquals(4, lines.length);
    }

    @Test
    void causalTakesNoFileForItsAlignment() {
        Cli.write(file("x.npy"), s -> s.tensor(new float[] {1, 0, 0, 1}, 2, 2));
        Cli r = Cli.run("attend", "--causal", file("x.npy"), file("x.npy"), file("x.npy"), "-o", file("o.npy"),
                "--check");
        assertEquals(0, r.code, r.toString());
        double[] o = Cli.values(file("o.npy"));
        double w = 1 / (1 + Math.exp(1 / Math.sqrt(2)));
        assertArrayEquals(new double[] {1, 0, w, 1 - w}, o, 1e-6);
    }

    @Test
    void causalNeedsAnAlignmentWhereItMatters() {
        Cli r = attend("--causal", "-o", file("o.npy"));
        assertEquals(2, r.code);
        assertEquals("gramian: attend: causal, but 5 queries and 7 keys can be aligned two ways; q [2, 6, 5, 8],"
                + " k [2, 3, 7, 8]; use --causal=top-left, --causal=bottom-right or --causal-offset N\n", r.err);
        assertFalse(Files.exists(file("o.npy")));
        assertEquals(0, attend("--causal=top-left", "-o", file("o.npy"), "--check").code);
    }

    @Test
    void maskedRowsAreZeroAndPassTheCheck() {
        Cli.write(file("none.npy"), s -> s.zeros(DType.BOOL, 7));
        Cli r = attend("--mask", file("none.npy"), "-o", file("o.npy"), "--lse", file("l.npy"), "--check");
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[240], Cli.values(file("o.npy")));
        assertEquals(Double.NEGATIVE_INFINITY, Cli.values(file("l.npy"))[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"F64", "F16", "BF16"})
    void otherTypes(String name) {
        DType type = DType.valueOf(name);
        for (String f : new String[] {"q", "k", "v"}) {
            Cli.write(file("t.safetensors") + ":" + f, s -> s.normal(DType.F32, f.hashCode(), 3, 20, 16).to(type));
        }
        String t = file("t.safetensors").toString();
        Cli r = Cli.run("attend", t + ":q", t + ":k", t + ":v", "-o", t + ":o", "--causal", "--check");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.closing().contains("  " + name + " q, k, v [3, 20, 16] → [3, 20, 16]  "), r.out);
    }

    @Test
    void mixedTypesAreRefused() {
        Cli.write(file("k.npy"), s -> s.normal(DType.F16, 2, 2, 3, 7, 8));
        Cli r = attend("-o", file("o.npy"));
        assertEquals(2, r.code);
        assertTrue(r.err.startsWith("gramian: attend: element types differ: q F32, k F16, v F32; q [2, 6, 5, 8]"),
                r.err);
        assertEquals(1, r.err.lines().count());
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-3, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void theCheckFindsAWrongElement(double off) {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor q = s.normal(DType.F32, 1, 4, 9, 8);
            Attention.Result right = Attention.scaled().weights(true).apply(q, q, q);
            AttentionReference reference = new AttentionReference(q, q, q, new Rules());
            for (Check c : reference.check(right, true)) {
                assertTrue(c.passed(), c.verdict().line());
            }
            float[] values = right.output().toFloatArray();
            values[123] += (float) off;
            Tensor output = s.tensor(values, 4, 9, 8);
            Check c = reference.check(new Attention.Result(output, null, right.logSumExp()), false).get(0);
            assertFalse(c.passed());
            Verdict v = c.verdict();
            assertTrue(v.line().endsWith(": FAIL"), v.line());
        }
    }

    @Test
    void theCheckFindsAForgottenMaskAndAWrongScale() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor q = s.normal(DType.F32, 1, 4, 9, 8);
            Attention.Result r = Attention.scaled().apply(q, q, q);
            List<Consumer<Rules>> forgotten = List.of(
                    x -> x.causal = true, x -> x.scale = 0.35, x -> x.softcap = 1, x -> x.left = 2, x -> x.right = 3,
                    x -> x.lengths = new long[] {8}, x -> x.sinks = s.zeros(4),
                    x -> x.slopes = s.full(DType.F32, 0.1, 4),
                    x -> x.mask = s.ones(DType.BOOL, 8), x -> x.bias = s.arange(DType.F32, 9),
                    x -> {
                        x.dropout = 0.1;
                        x.uniform = s.uniform(DType.F32, 1, 0, 1, 4, 9, 9);
                    });
            for (int i = 0; i < forgotten.size(); i++) {
                Rules rules = new Rules();
                forgotten.get(i).accept(rules);
                assertFalse(new AttentionReference(q, q, q, rules).check(r, false).get(0).passed(), "rule " + i);
            }
            Rules later = new Rules();
            later.causal = true;
            later.offsets = new long[] {1};
            Attention.Result causal = Attention.scaled().causal().apply(q, q, q);
            assertFalse(new AttentionReference(q, q, q, later).check(causal, false).get(0).passed());
        }
    }
}
