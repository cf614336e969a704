package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands below {@code lora}. */
final class LoraCommandTest {
    @TempDir
    Path dir;

    @BeforeEach
    void models() {
        for (boolean tuned : new boolean[] {false, true}) {
            try (Scope s = Device.of("cpu:scalar").open()) {
                Map<String, Tensor> all = new TreeMap<>();
                for (String name : new String[] {"a.q_proj", "a.k_proj"}) {
                    Tensor w = s.normal(DType.F32, name.hashCode(), 12, 10);
                    all.put(name + ".weight", tuned
                            ? w.add(s.normal(DType.F32, 5, 12, 2).matmul(s.normal(DType.F32, 6, 2, 10)))
                            : w);
                }
                all.put("norm.weight", s.full(DType.F32, tuned ? 2 : 1, 10));
                TensorFiles.write(file(tuned ? "tuned.safetensors" : "base.safetensors"), all);
            }
        }
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

    private Cli lora(Object... args) {
        Object[] all = new Object[args.length + 3];
        all[0] = "lora";
        System.arraycopy(args, 0, all, 1, args.length);
        all[all.length - 2] = "--device";
        all[all.length - 1] = "cpu:scalar";
        return Cli.run(all);
    }

    private void refused(String line, Object... args) {
        Cli r = lora(args);
        assertEquals(2, r.code, r.toString());
        assertEquals("gramian: " + line, r.err.lines().findFirst().orElse("").replace(dir.toString(), "DIR"));
    }

    private double[] q(String file) {
        return Cli.values(file(file) + ":a.q_proj.weight");
    }

    @Test
    void extractedMergedAndTakenOutAgain() throws Exception {
        Cli r = lora("extract", file("base.safetensors"), file("tuned.safetensors"), "--energy", "0.9999", "-o",
                file("ad"),
                "--plot", file("p.png"));
        assertEquals(0, r.code, r.toString());
        String[] lines = r.out.split("\n");
        assertEquals("module    shape     rank  ‖Δ‖ / ‖W‖  error / ‖Δ‖  measured  error / ‖W‖", lines[0].replaceAll(
                "(measured|‖Δ‖)  +", "$1  "), r.out);
        assertTrue(lines[1].matches("a\\.k_proj  \\[12, 10\\]     2 .*%"), r.out);
        assertTrue(lines[3].matches("in all: error .*% of ‖Δ‖, .*% of ‖W‖; 88 numbers in place of 240, 36\\.7%"),
                r.out);
        assertEquals("not in the adapter: norm.weight: not the matrix of a module", lines[4]);
        assertTrue(r.closing().startsWith("cpu:scalar  2 modules → " + file("ad") + "  "), r.out);
        assertEquals(960, ImageIO.read(file("p.png").toFile()).getWidth());

        r = lora("merge", file("base.safetensors"), file("ad"), "-o", file("m.safetensors"), "--undo", file(
                "u.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.closing().contains("2 of 3 tensors merged"), r.out);
        assertArrayEquals(q("tuned.safetensors"), q("m.safetensors"), 1e-4);
        assertEquals(1, Cli.values(file("m.safetensors") + ":norm.weight")[0]);

        r = lora("unmerge", file("m.safetensors"), file("ad"), "-o", file("b.safetensors"), "--undo", file(
                "u.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("the weights are those before, bit by bit\n"), r.out);
        assertEquals(-1, Files.mismatch(file("base.safetensors"), file("b.safetensors")));

        r = lora("unmerge", file("m.safetensors"), file("ad"), "-o", file("c.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("subtracted: the weights are those before but for rounding;"), r.out);
        assertArrayEquals(q("base.safetensors"), q("c.safetensors"), 1e-5);
    }

    @Test
    void starts() {
        Cli r = lora("init", file("base.safetensors"), "--rank", "3", "--alpha", "6", "--target", "q_proj", "-o",
                file("ad"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("66 numbers to train beside 120, 55.0%; scale 2.000\n"), r.out);
        r = lora("merge", file("base.safetensors"), file("ad"), "-o", file("m.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(q("base.safetensors"), q("m.safetensors"), "b is zero");
        for (String method : new String[] {"pissa", "olora"}) {
            r = lora("init", file("base.safetensors"), "--rank", "3", "--alpha", "6", "--rslora", "--method", method,
                    "-o",
                    file("ad"), "--residual", file("r.safetensors"));
            assertEquals(0, r.code, r.toString());
            assertTrue(Math.abs(q("r.safetensors")[0] - q("base.safetensors")[0]) > 1e-6);
            r = lora("merge", file("r.safetensors"), file("ad"), "-o", file("m.safetensors"));
            assertEquals(0, r.code, r.toString());
            assertArrayEquals(q("base.safetensors"), q("m.safetensors"), 1e-5);
        }
    }

    @Test
    void weightsTheOtherWayRoundHaveFactorsAsPeftHasThem() {
        Object[][] lines = {
            {"extract", file("base.safetensors"), file("tuned.safetensors"), "--rank", "2", "--check"},
            {"init", file("base.safetensors"), "--rank", "2"},
            {"init", file("base.safetensors"), "--rank", "2", "--method", "pissa", "--residual", file("r.safetensors")}
        };
        for (int i = 0; i < lines.length; i++) {
            Object[] all = Arrays.copyOf(lines[i], lines[i].length + 3);
            all[lines[i].length] = "-o";
            all[lines[i].length + 1] = file("ad" + i);
            all[lines[i].length + 2] = "--fan-in-fan-out";
            Cli r = lora(all);
            assertEquals(0, r.code, r.toString());
            // stored (in, out) = (12, 10)
            Path factors = file("ad" + i).resolve("adapter_model.safetensors");
            String prefix = factors + ":base_model.model.a.q_proj.lora_";
            assertEquals(2 * 12, Cli.values(prefix + "A.weight").length);
            assertEquals(10 * 2, Cli.values(prefix + "B.weight").length);
            Path base = file(i == 2 ? "r.safetensors" : "base.safetensors");
            r = lora("merge", base, file("ad" + i), "-o", file("m.safetensors"), "--check");
            assertEquals(0, r.code, r.toString());
            assertArrayEquals(q(i == 0 ? "tuned.safetensors" : "base.safetensors"), q("m.safetensors"), 1e-4);
        }
    }

    @Test
    void moreModulesThanNamesFitAreDrawnAsLines() throws Exception {
        for (boolean tuned : new boolean[] {false, true}) {
            try (Scope s = Device.of("cpu:scalar").open()) {
                Map<String, Tensor> all = new TreeMap<>();
                for (int i = 0; i < 30; i++) {
                    Tensor w = s.normal(DType.F32, i, 3, 4);
                    all.put("layers." + i + ".q_proj.weight", tuned ? w.mul(1.5) : w);
                }
                TensorFiles.write(file(tuned ? "many2.safetensors" : "many.safetensors"), all);
            }
        }
        Cli r = lora("extract", file("many.safetensors"), file("many2.safetensors"), "--rank", "1", "-o", file("ad"),
                "--plot", file("p.png"));
        assertEquals(0, r.code, r.toString());
        assertEquals(720, ImageIO.read(file("p.png").toFile()).getHeight());
    }

    @Test
    void halfTypesAreComputedInSinglePrecision() {
        for (String name : new String[] {"w", "v"}) {
            Cli.write(file(name + ".safetensors") + ":x.weight",
                    s -> s.normal(DType.F16, name.charAt(0), 6, 5));
        }
        Cli r = lora("extract", file("w.safetensors"), file("v.safetensors"), "--rank", "5", "-o", file("ad"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.contains("\ncomputed in F32, as there is no SVD in F16\ncpu:scalar  1 modules"), r.out);
        r = lora("merge", file("w.safetensors"), file("ad"), "-o", file("m.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(Cli.values(file("v.safetensors") + ":x.weight"),
                Cli.values(file("m.safetensors") + ":x.weight"), 2e-3);
        r = lora("init", file("w.safetensors"), "--rank", "2", "--method", "olora", "-o", file("ad"), "--residual",
                file("r.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.contains("\ncomputed in F32, as there is no QR in F16\n"), r.out);
        assertFalse(
                lora("init", file("w.safetensors"), "--rank", "2", "-o", file("ad")).out.contains("computed in F32"));
    }

    @Test
    void refusals() {
        refused("Missing subcommand: init, extract, merge or unmerge");
        refused("lora init: no module is meant; DIR/base.safetensors, --target x; gramian info lists the names", "init",
                file(
                        "base.safetensors"),
                "--rank", "2", "--target", "x", "-o", file("ad"));
        refused("lora: no such rank; rank 11, w [12, 10]; w is a matrix, use 1 to the smaller of its sides; module a.k_proj",
                "init", file("base.safetensors"), "--rank", "11", "-o", file("ad"));
        refused("--method pissa takes its part out of the base: name where to write the rest with --residual", "init",
                file(
                        "base.safetensors"),
                "--rank", "2", "--method", "pissa", "-o", file("ad"));
        refused("--residual goes with --method pissa or olora", "init", file("base.safetensors"), "--rank", "2", "-o",
                file(
                        "ad"),
                "--residual", file("r.safetensors"));
        refused("lora extract: nothing to extract; DIR/base.safetensors and DIR/base.safetensors are equal in all 2 matrices;"
                + " give a tuned checkpoint", "extract", file("base.safetensors"), file("base.safetensors"), "--rank",
                "1",
                "-o", file("ad"));
        refused("lora extract: energy is 0.0; it is a share; use above 0 to 1, such as 0.9", "extract", file(
                "base.safetensors"), file("tuned.safetensors"), "--energy", "0", "-o", file("ad"));
        assertFalse(Files.exists(file("ad")));
        refused("read: no such file; DIR/none/adapter_config.json; expected a readable file", "merge", file(
                "base.safetensors"), file("none"), "-o", file("m.safetensors"));

        assertEquals(0, lora("init", file("base.safetensors"), "--rank", "2", "-o", file("ad")).code);
        refused("write: no directory can be made; DIR/no/ad; name one in a directory that exists", "init", file(
                "base.safetensors"), "--rank", "2", "-o", file("no/ad"));
        Cli.write(file("other.safetensors"), s -> s.ones(2, 2));
        refused("lora merge: the adapter is of another model; DIR/other.safetensors has no tensor a.k_proj.weight; give the"
                + " checkpoint that it was made for", "merge", file("other.safetensors"), file("ad"), "-o",
                file(
                        "m.safetensors"));
        Cli.write(file("narrow.safetensors") + ":a.k_proj.weight", s -> s.ones(2, 2));
        Cli.write(file("narrow.safetensors") + ":a.q_proj.weight", s -> s.ones(2, 2));
        refused("lora: weight does not fit; w [2, 2], a [2, 10], b [12, 2]; w is (out, in), a (r, in), b (out, r)",
                "merge",
                file("narrow.safetensors"), file("ad"), "-o", file("m.safetensors"));
        assertFalse(Files.exists(file("m.safetensors")));
        refused("lora unmerge: the weight kept is another; a.k_proj.weight is F32 [12, 10] in DIR/base.safetensors, F32 [2, 2]"
                + " in DIR/narrow.safetensors; give the file that this merge wrote", "unmerge",
                file("base.safetensors"),
                file("ad"), "-o", file("m.safetensors"), "--undo", file("narrow.safetensors"));
    }
}
