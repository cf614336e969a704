package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole command lines: results, printed lines, errors and exit codes. */
final class CommandsTest {
    @TempDir
    Path dir;

    @BeforeEach
    void files() {
        Cli.write(dir.resolve("a.npy"), s -> s.tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
        Cli.write(dir.resolve("b.npy"), s -> s.tensor(new float[] {1, 0, 0, 1, 1, 1}, 3, 2));
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

    // ---- matmul -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"auto", "cpu:vector", "cpu:scalar"})
    void matmulWritesTheProduct(String device) {
        Cli r = Cli.run("matmul", file("a.npy"), file("b.npy"), "-o", file("c.npy"), "--check", "--device", device);
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {4, 5, 10, 11}, Cli.values(file("c.npy")));
        String[] lines = r.out.split("\n");
        assertEquals(
                "check  product in float64: 4 values, all; max abs error 0, max rel error 0; bound 7.9e-06: pass",
                lines[0]);
        assertTrue(lines[1].matches(Device.of(device).name()
                + "  F32 \\[2, 3] × F32 \\[3, 2] → F32 \\[2, 2]  [0-9.,]+ (ns|µs|ms|s)  [0-9.]+ GFLOP/s"), lines[1]);
        assertEquals(2, lines.length);
        assertEquals("", r.err);
    }

    @Test
    void matmulPrintsWithoutOutputFile() {
        Cli r = Cli.run("matmul", file("a.npy"), file("b.npy"), "--quiet", "--device", "cpu:scalar");
        assertEquals("[2, 2] F32 strides [2, 1] cpu:scalar\n[[ 4.  5.]\n [10. 11.]]\n", r.out);
        assertEquals(0, r.code);
    }

    @Test
    void matmulOfContainers() {
        Cli.write(file("x.npz") + ":left", s -> s.tensor(new double[] {1, 2}, 2));
        Cli.write(file("x.npz") + ":right", s -> s.tensor(new double[] {3, 4}, 2));
        Cli r = Cli.run("matmul", file("x.npz") + ":left", file("x.npz") + ":right", "-o", file("y.safetensors") + ":p",
                "--check");
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {11}, Cli.values(file("y.safetensors") + ":p"));
    }

    @Test
    void sampledRowsAreSaid() {
        Cli.write(file("big.npy"), s -> s.normal(DType.F32, 7, 800, 800));
        Cli r = Cli.run("matmul", file("big.npy"), file("big.npy"), "-o", file("c.npy"), "--check");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.contains("374,400 values, 468 of 800 rows; max abs error"), r.out);
    }

    // ---- einsum -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "ij,jk->ik|a b", "ij,jk|a b", "ab,bc->ca|a b", "ij->ji|a", "ij->|a", "ij->j|a", "...j,...j->...|a a",
        "ij,jk,ki->|a b w", "ij,jk,kl->il|a b a", "ii->i|s", "ii|s", "ij,kl->ijkl|a b", "...ij,jk->...ik|t b",
        "bij,bjk->bik|t u", "bij,bjk|t u",
    })
    void einsumOfManyKinds(String spec, String names) {
        Cli.write(file("s.npy"), s -> s.normal(DType.F32, 1, 4, 4));
        Cli.write(file("t.npy"), s -> s.normal(DType.F32, 2, 5, 2, 3));
        Cli.write(file("u.npy"), s -> s.normal(DType.F32, 3, 1, 3, 4));
        Cli.write(file("w.npy"), s -> s.normal(DType.F32, 4, 2, 2));
        List<Object> args = new ArrayList<>(List.of("einsum", spec));
        for (String name : names.split(" ")) {
            args.add(file(name + ".npy"));
        }
        args.addAll(List.of("-o", file("o.npy"), "--check"));
        Cli r = Cli.run(args.toArray());
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("check  result in float64: ") && r.out.contains(": pass\n"), r.out);
    }

    @Test
    void einsumExplains() {
        Cli r = Cli.run("einsum", "ij,jk->ki", file("a.npy"), file("b.npy"), "--explain", "-o", file("o.npy"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("einsum ij,jk->ki: 2 operands, 1 step, "), r.out);
        assertArrayEquals(new double[] {4, 10, 5, 11}, Cli.values(file("o.npy")));
        assertTrue(r.closing().contains("  F32 [2, 3], F32 [3, 2] → F32 [2, 2]  "), r.out);
    }

    @Test
    void theCheckFindsAWrongProduct() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor a = s.normal(DType.F32, 1, 3, 20, 30);
            Tensor b = s.normal(DType.F32, 2, 30, 10);
            float[] c = a.matmul(b).toFloatArray();
            assertTrue(ProductReference.matmul(a, b, s.tensor(c, 3, 20, 10)).passed());
            for (float off : new float[] {1e-3f, -1, Float.NaN, Float.NEGATIVE_INFINITY}) {
                float[] wrong = c.clone();
                wrong[599] += off;
                assertFalse(ProductReference.matmul(a, b, s.tensor(wrong, 3, 20, 10)).passed());
            }
            Tensor integers = s.arange(DType.I32, 6).reshape(2, 3);
            Tensor product = integers.matmul(integers.transpose(0, 1));
            assertTrue(ProductReference.matmul(integers, integers.transpose(0, 1), product).passed());
            assertFalse(ProductReference.matmul(integers, integers.transpose(0, 1), product.add(1)).passed());
        }
    }

    // ---- errors -----------------------------------------------------------------------------------------------------

    @Test
    void mixedTypesAreRefused() {
        Cli.write(file("h.npy"), s -> s.ones(DType.F16, 3, 2));
        Cli r = Cli.run("matmul", file("a.npy"), file("h.npy"), "-o", file("c.npy"));
        assertEquals(2, r.code);
        assertEquals("gramian: matmul: element types differ: F32 and F16; a [2, 3], b [3, 2]; cast one with"
                + " .to(DType.F32)\n", r.err);
        assertEquals("", r.out);
        assertFalse(Files.exists(file("c.npy")));
    }

    @Test
    void missingFile() {
        Cli r = Cli.run("matmul", file("a.npy"), file("none.npy"));
        assertEquals(2, r.code);
        assertEquals("gramian: read: no such file; " + file("none.npy") + "; expected a readable file\n", r.err);
    }

    @Test
    void debugAddsTheStackTrace() {
        Cli r = Cli.run("matmul", file("a.npy"), file("none.npy"), "--debug");
        assertEquals(2, r.code);
        assertTrue(r.err.startsWith("gramian: read: no such file"), r.err);
        assertTrue(r.err.contains("\tat dev.gramian.io."), r.err);
    }

    @Test
    void failureLeavesTheOldOutput() throws Exception {
        Files.writeString(file("c.npy"), "old");
        assertEquals(2, Cli.run("matmul", file("a.npy"), file("a.npy"), "-o", file("c.npy")).code);
        assertEquals("old", Files.readString(file("c.npy")));
        Cli r = Cli.run("matmul", file("a.npy"), file("b.npy"), "-o", file("none").resolve("c.npy"));
        assertEquals(2, r.code);
        assertEquals("gramian: write: no such directory; " + file("none").resolve("c.npy") + "; create it first\n",
                r.err);
    }

    @Test
    void unavailableAndUnknownDevices() {
        Cli r = Cli.run("matmul", file("a.npy"), file("b.npy"), "--device", "tpu");
        assertEquals(2, r.code);
        assertEquals(
                "gramian: device: no such device; 'tpu'; use auto, cpu, cpu:native, cpu:vector, cpu:scalar, cuda or cuda:N\n",
                r.err);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "matmul a.npy|gramian: Missing required parameter: 'B'|matmul",
        "matmul a b c|gramian: Unmatched argument at index 3: 'c'|matmul",
        "matmul a b --math half|gramian: Invalid value for option '--math': expected one of [IEEE, TF32, REDUCED]"
                + " (case-insensitive) but was 'half'|matmul",
        "attend q k v --causal=left|gramian: Invalid value for option '--causal': expected top-left or bottom-right"
                + " but was 'left'|attend",
        "svd a --rank 2|gramian: --rank and --approx go together|svd",
        "svd a --values-only -u u.npy|gramian: --values-only gives no vectors: leave out -u, -v and --rank|svd",
        "devices --threads 0|gramian: Invalid value for option '--threads': 0 is not from 1 to 4096|",
        "info|gramian: Missing required parameter: 'FILE'|info",
        "--quiet|gramian: Missing command|",
    })
    void wrongUsage(String args, String message, String command) {
        Cli r = Cli.run((Object[]) args.split(" "));
        assertEquals(2, r.code);
        assertEquals(message + "\nTry 'gramian" + (command == null ? "" : " " + command) + " --help'.\n", r.err);
        assertEquals("", r.out);
    }

    @Test
    void oneLineForWhateverGoesWrong() {
        // no command is known to fail in an unforeseen way: a stream that does stands in
        java.io.StringWriter err = new java.io.StringWriter();
        java.io.PrintWriter broken = new java.io.PrintWriter(new java.io.StringWriter()) {
            @Override
            public void println(Object x) {
                throw new IllegalStateException("broken\n  pipe");
            }
        };
        int code = Main.run(broken, new java.io.PrintWriter(err), picocli.CommandLine.Help.Ansi.OFF, "matmul",
                file("a.npy").toString(), file("b.npy").toString());
        assertEquals(70, code);
        assertEquals("gramian: java.lang.IllegalStateException: broken pipe; run again with --debug for details\n",
                err.toString());
    }

    // ---- devices, info ----------------------------------------------------------------------------------------------

    @Test
    void devicesAreAllListed() {
        Cli r = Cli.run("devices");
        assertEquals(0, r.code);
        for (Device d : Device.all()) {
            String text = d.isAvailable() || d.name().startsWith("cpu")
                    ? d.description()
                    : d.description().replaceFirst("; .*", "\n");
            assertTrue(r.out.contains(d.name() + "  ") && r.out.contains(text), r.out);
        }
        assertTrue(r.out.contains("\n\nCUDA\n   "), r.out);
        for (String line : Device.diagnosis()) {
            assertTrue(r.out.contains("\n   " + line + "\n"), r.out);
        }
        assertTrue(r.out.endsWith("\n* chosen by --device auto\n"), r.out);
    }

    @Test
    void infoListsWithoutReading() {
        Cli.write(file("x.safetensors") + ":w", s -> s.zeros(DType.BF16, 4, 1000));
        Cli.write(file("x.safetensors") + ":mask", s -> s.zeros(DType.BOOL, 5));
        Cli r = Cli.run("info", file("a.npy"), file("x.safetensors"));
        assertEquals(0, r.code, r.toString());
        assertEquals(file("a.npy") + "  1 tensor, 24 B\n"
                + "  name  dtype  shape   axes  byte order  offset  bytes\n"
                + "  -     F32    [2, 3]  C     little         128     24\n"
                + "\n"
                + file("x.safetensors") + "  2 tensors, 7.8 KiB\n"
                + "  name  dtype  shape      axes  byte order  offset  bytes\n"
                + "  w     BF16   [4, 1000]  C     little         136  8,000\n"
                + "  mask  BOOL   [5]        C     -            8,136      5\n", r.out);
    }

    @Test
    void infoGoesOnAfterABadFile() throws Exception {
        Files.writeString(file("bad.npy"), "no");
        Cli r = Cli.run("info", file("bad.npy"), file("a.npy"));
        assertEquals(2, r.code);
        assertTrue(r.err.startsWith("gramian: read: "), r.err);
        assertEquals(1, r.err.lines().count());
        assertTrue(r.out.contains("[2, 3]"), r.out);
    }

    // ---- global options ----------------------------------------------------------------------------------------------

    @Test
    void threadsBecomeTheProperty() {
        String before = System.getProperty("gramian.threads");
        try {
            assertEquals(0, Cli.run("--threads", "3", "devices").code);
            assertEquals("3", System.getProperty("gramian.threads"));
            assertEquals(0, Cli.run("devices", "--threads", "4").code);
            assertEquals("4", System.getProperty("gramian.threads"));
        } finally {
            if (before == null) {
                System.clearProperty("gramian.threads");
            } else {
                System.setProperty("gramian.threads", before);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ieee", "tf32", "reduced", "IEEE"})
    void mathModes(String mode) {
        Cli r = Cli.run("matmul", file("a.npy"), file("b.npy"), "-o", file("c.npy"), "--math", mode, "--check");
        assertEquals(0, r.code, r.toString());
    }

    @Test
    void quietPrintsNothingButWhatIsAsked() {
        Cli r = Cli.run("--quiet", "matmul", file("a.npy"), file("b.npy"), "-o", file("c.npy"), "--check");
        assertEquals(0, r.code, r.toString());
        assertEquals("", r.out);
        assertEquals("", r.err);
    }

    @Test
    void outputMayReplaceAnOperand() {
        Cli r = Cli.run("matmul", file("a.npy"), file("b.npy"), "-o", file("a.npy"), "--check");
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {4, 5, 10, 11}, Cli.values(file("a.npy")));
    }

    // ---- help --------------------------------------------------------------------------------------------------------

    @Test
    void versionNamesTheJvm() {
        Cli r = Cli.run("--version");
        assertEquals(0, r.code);
        assertTrue(r.out.matches("gramian .*, Java [0-9.]+.*, .+\n"), r.out);
    }

    @ParameterizedTest
    @CsvSource({
        "devices,''",
        "info,FILE",
        "attend,Q K V -o --output --heads --kv-heads --past-k --past-v --varlen --varlen-k --mask --bias"
                + " --causal[=ALIGN] --causal-offset --align --window --kv-lengths --scale --softcap --alibi[=SLOPES]"
                + " --sinks --dropout --seed --workspace --weights --lse --scores --scores-stage --present-k"
                + " --present-v --plot --plot-heads --plot-batch --plot-scale --labels --query-labels --explain --check"
                + " --trace",
        "rope,X -o --output --layout --heads --dim --positions --offset --base --length --rope-type --factor"
                + " --original-max-position-embeddings --attention-factor --beta-fast --beta-slow --low-freq-factor"
                + " --high-freq-factor --short-factor --long-factor --check --trace",
        "matmul,A B -o --output --check",
        "einsum,SPEC A... -o --output --explain --check",
        "svd,A -u -s -v --values-only --rank --approx --check",
        "demo,''",
    })
    void helpNamesTheOptions(String command, String words) {
        Cli r = Cli.run(command, "--help");
        assertEquals(0, r.code);
        for (String w : (words + " --device --threads --math --quiet --debug --help --version").strip().split(" ")) {
            assertTrue(r.out.contains(w), w + " in\n" + r.out);
        }
    }

    @Test
    void completionScript() {
        Cli r = Cli.run("generate-completion");
        assertEquals(0, r.code);
        assertTrue(r.out.contains("matmul") && r.out.contains("--check"), r.out);
    }
}
