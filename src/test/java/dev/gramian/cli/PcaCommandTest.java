package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.core.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands {@code pca} and {@code steer}. */
final class PcaCommandTest {
    @TempDir
    Path dir;

    @AfterEach
    void nothingIsLeftInMemory() {
        for (Device d : Device.all()) {
            assertEquals(0, d.liveBytes(), d.name());
        }
    }

    private Path file(String name) {
        return dir.resolve(name);
    }

    private void samples() {
        Cli.write(file("x.npy"), s -> s.normal(DType.F64, 1, 40, 5).mul(s.arange(DType.F64, 5)).add(3));
    }

    @Test
    void everyWayGivesTheSame() {
        samples();
        Cli r = Cli.run("pca", file("x.npy"), "--components", "2", "-o", file("y.npy"), "--components-out",
                file("c.npy"), "--explained", file("e.npy"), "--mean-out", file("m.npy"));
        assertEquals(0, r.code, r.toString());
        assertEquals(80, Cli.values(file("y.npy")).length);
        assertEquals(10, Cli.values(file("c.npy")).length);
        assertEquals(5, Cli.values(file("m.npy")).length);
        double[] share = Cli.values(file("e.npy"));
        assertTrue(r.out.lines().anyMatch(
                l -> l.matches("variance explained [0-9.]+% \\+ [0-9.]+% = [0-9.]+%")), r.out);
        assertTrue(share[0] > share[1] && share[0] + share[1] < 1, r.out);
        assertTrue(r.closing().startsWith(Device.best().name() + "  F64 [40, 5] → [40, 2]  "), r.out);
        for (String[] how : new String[][] {{"--randomized", "--seed=3"}, {"--covariance", "--quiet"},
            {"--incremental", "--batch=7"}, {"--incremental", "--batch=0"}}) {
            r = Cli.run("pca", file("x.npy"), "-k", "2", "-o", file("z.npy"), how[0], how[1]);
            assertEquals(0, r.code, r.toString());
            assertArrayEquals(Cli.values(file("y.npy")), Cli.values(file("z.npy")), 1e-9);
        }
        r = Cli.run("pca", file("x.npy"), "-k", "2", "-o", file("w.npy"), "--whiten", "--incremental");
        assertEquals(0, r.code, r.toString());
        double square = 0;
        for (double v : Cli.values(file("w.npy"))) {
            square += v * v;
        }
        assertEquals(2 * 39, square, 1e-9);
    }

    @Test
    void coordinatesArePrinted() {
        Cli.write(file("line.npy"), s -> s.tensor(new double[] {0, 0, 3, 4, 6, 8}, 3, 2));
        Cli r = Cli.run("pca", file("line.npy"), "-k", "1", "--device", "cpu:scalar");
        assertTrue(r.out.startsWith("[3, 1] F64 strides [1, 1] cpu:scalar\n[[-5.]\n [ 0.]\n [ 5.]]\n"
                + "variance explained 100.0%\n"), r.out);
    }

    @Test
    void halfTypesAreComputedInSinglePrecision() {
        Cli.write(file("h.safetensors"), s -> s.normal(DType.BF16, 1, 10, 4));
        for (String how : new String[] {"--incremental", "--trace"}) {
            Cli r = Cli.run("pca", file("h.safetensors"), "-k", "1", "-o", file("y.npy"), how);
            assertEquals(0, r.code, r.toString());
            assertTrue(r.out.startsWith("computed in F32, as there is no PCA in BF16\nvariance explained "), r.out);
            assertTrue(r.closing().contains("BF16 [10, 4] → [10, 1]"), r.out);
        }
    }

    @Test
    void aStackHasALinePerMatrix() {
        Cli.write(file("layers.npy"), s -> s.normal(DType.F32, 1, 10, 6, 4));
        Cli r = Cli.run("pca", file("layers.npy"), "-k", "1", "-o", file("y.npy"));
        assertEquals(0, r.code, r.toString());
        assertEquals(8, r.out.lines().filter(l -> l.matches("matrix \\d: variance explained [0-9.]+%")).count(), r.out);
        assertTrue(r.out.contains("and 2 matrices more\n"), r.out);
    }

    @Test
    void pictures() throws Exception {
        samples();
        Files.writeString(file("two.txt"), "a\n".repeat(15) + "b\n".repeat(25));
        Files.write(file("many.txt"), IntStream.range(0, 40).mapToObj(i -> "word" + i).toList());
        for (String labels : new String[] {"two.txt", "many.txt"}) {
            Cli r = Cli.run("pca", file("x.npy"), "-k", "2", "--plot", file("p.png"), "--labels", file(labels));
            assertEquals(0, r.code, r.toString());
            assertEquals(900, ImageIO.read(file("p.png").toFile()).getWidth());
        }
        assertEquals(0, Cli.run("pca", file("x.npy"), "-k", "2", "--plot", file("q.png")).code);
    }

    private void refused(String text, Object... line) {
        Cli r = Cli.run(line);
        assertEquals(2, r.code, r.toString());
        assertEquals("gramian: " + text, r.err.lines().findFirst().orElse(""));
    }

    @Test
    void badUsage() throws Exception {
        samples();
        Files.writeString(file("two.txt"), "a\nb\n");
        Files.write(file("latin.txt"), new byte[] {'a', (byte) 0xE4, 'b'});
        refused("Missing required option: '--components=K'", "pca", file("x.npy"));
        refused("pca: 6 components; x [40, 5] has 5; use 0 to 5", "pca", file("x.npy"), "-k", 6);
        refused("--labels goes with --plot", "pca", file("x.npy"), "-k", 2, "--labels", file("two.txt"));
        refused("--plot needs --components 2 or more", "pca", file("x.npy"), "-k", 1, "--plot", file("p.png"));
        refused("plot: unknown kind of picture; " + file("p.gif") + "; give a name that ends with .png or .svg",
                "pca",
                file("x.npy"), "-k", 2, "--plot", file("p.gif"));
        refused("labels: 2 lines; " + file("two.txt") + ", x has 40 rows; give one line per row", "pca",
                file("x.npy"), "-k", 2, "--plot", file("p.png"), "--labels", file("two.txt"));
        refused("read: no such file; " + file("no.txt") + "; expected a readable file", "pca", file("x.npy"), "-k", 2,
                "--plot", file("p.png"), "--labels", file("no.txt"));
        refused("read: is a directory; " + dir + "; expected a text file", "pca", file("x.npy"), "-k", 2,
                "--plot", file("p.png"), "--labels", dir);
        refused("read: not UTF-8; " + file("latin.txt") + "; expected a text in that encoding", "pca", file("x.npy"),
                "-k", 2, "--plot", file("p.png"), "--labels", file("latin.txt"));
        refused("Error: --randomized, --incremental are mutually exclusive (specify only one)", "pca",
                file("x.npy"), "-k", 2, "--randomized", "--incremental");
        Cli.write(file("layers.npy"), s -> s.normal(DType.F32, 1, 2, 6, 4));
        refused("plot: needs one matrix; x [2, 6, 4]; leave out --plot for a stack", "pca", file("layers.npy"), "-k", 2,
                "--plot", file("p.png"));
        assertFalse(Files.exists(file("p.png")));
    }

    @Test
    void steering() {
        Cli.write(file("with.npy"), s -> s.tensor(new double[] {2, 0, 4, 2}, 2, 2));
        Cli.write(file("without.npy"), s -> s.tensor(new double[] {0, 0, 0, -2}, 2, 2));
        Cli.write(file("x.npy"), s -> s.tensor(new double[] {1, 1, 5, -5}, 2, 2));
        Cli r = Cli.run("steer", file("x.npy"), "--with", file("with.npy"), "--without", file("without.npy"),
                "--direction-out", file("v.npy"), "--strength", "2", "-o", file("y.npy"));
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {3, 2}, Cli.values(file("v.npy")));
        assertArrayEquals(new double[] {7, 5, 11, -1}, Cli.values(file("y.npy")));
        assertTrue(r.out.startsWith("direction of length 3.606\n"), r.out);
        assertTrue(r.closing().contains("  F64 [2, 2], direction [2] → [2, 2]  "), r.out);
        Cli.write(file("unit.npy"), s -> s.tensor(new double[] {0, 3}, 2));
        r = Cli.run("steer", file("x.npy"), "--direction", file("unit.npy"), "--project-out", "-o", file("y.npy"));
        assertArrayEquals(new double[] {1, 0, 5, 0}, Cli.values(file("y.npy")), 1e-12, r.toString());
        r = Cli.run("steer", "--with", file("with.npy"), "--without", file("without.npy"), "--method", "pca",
                "--direction-out", file("v.npy"), "--quiet");
        assertEquals("exit code 0\n", r.toString());
        double[] v = Cli.values(file("v.npy"));
        assertEquals(1, Math.hypot(v[0], v[1]), 1e-12);
        assertTrue(v[0] > 0.5 && v[1] > 0.3);
    }

    @Test
    void badSteering() {
        Cli.write(file("v.npy"), s -> s.ones(2));
        refused("give --with and --without, or --direction", "steer", file("v.npy"));
        refused("give --with and --without, or --direction", "steer", "--with", file("v.npy"));
        refused("--output needs activations X", "steer", "--direction", file("v.npy"), "-o", file("y.npy"));
        refused("steer: needs a matrix of samples; x [2]; give (..., samples, features)", "steer", file("v.npy"),
                "--direction", file("v.npy"));
    }
}
