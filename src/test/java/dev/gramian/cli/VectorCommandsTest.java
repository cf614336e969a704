package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands {@code neighbors} and {@code similarity}. */
final class VectorCommandsTest {
    @TempDir
    Path dir;

    @BeforeEach
    void files() {
        Cli.write(file("x.npy"), s -> s.tensor(new double[] {1, 0, 0, 2, 3, 4}, 3, 2));
        Cli.write(file("q.npy"), s -> s.tensor(new double[] {0, 1, 5, 1}, 2, 2));
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

    private void refused(String text, Object... line) {
        Cli r = Cli.run(line);
        assertEquals(2, r.code, r.toString());
        assertEquals("gramian: " + text, r.err.lines().findFirst().orElse(""));
    }

    @Test
    void neighbors() {
        Cli r = Cli.run("neighbors", file("x.npy"), "--query", file("q.npy"), "-k", 2, "-o", file("i.npy"), "--scores",
                file("s.npy"));
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {1, 2, 0, 2}, Cli.values(file("i.npy")));
        assertArrayEquals(new double[] {1, 0.8, 5 / Math.sqrt(26), 19 / 5.0 / Math.sqrt(26)},
                Cli.values(file("s.npy")), 1e-15);
        assertTrue(r.out.matches("\\S+  F64 \\[3, 2], queries \\[2, 2] → \\[2, 2]  .*GFLOP/s\n"), r.out);
        r = Cli.run("neighbors", file("x.npy"), "--query", file("q.npy"), "-k", 1, "--metric", "euclidean", "--quiet",
                "--device", "cpu:scalar");
        assertEquals("[2, 1] I64 strides [1, 1] cpu:scalar\n[[1]\n [2]]\n"
                + "[2, 1] F64 strides [1, 1] cpu:scalar\n[[1.        ]\n [3.60555128]]\n", r.out);
        r = Cli.run("neighbors", file("x.npy"), "--query", file("q.npy"), "-k", 1, "--metric=dot", "-o", file("i.npy"),
                "--scores", file("s.npy"));
        assertArrayEquals(new double[] {2, 2}, Cli.values(file("i.npy")), r.toString());
        refused("neighbors: k is 4; x [3, 2] has 3 vectors; use 0 to 3", "neighbors", file("x.npy"), "--query",
                file("q.npy"), "-k", 4);
        refused("Missing required option: '--query=Q'", "neighbors", file("x.npy"), "-k", 4);
        refused("Invalid value for option '--metric': expected one of [COSINE, DOT, EUCLIDEAN] (case-insensitive) but was"
                + " 'l1'", "neighbors", file("x.npy"), "--query", file("q.npy"), "-k", 1, "--metric", "l1");
    }

    @Test
    void similarity() throws Exception {
        Cli r = Cli.run("similarity", file("x.npy"), "-o", file("s.npy"), "--plot", file("s.png"));
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {1, 0, 0.6, 0, 1, 0.8, 0.6, 0.8, 1}, Cli.values(file("s.npy")), 1e-15);
        assertEquals(900, ImageIO.read(file("s.png").toFile()).getWidth());
        Files.writeString(file("names.txt"), "a\nb\nc\n");
        r = Cli.run("similarity", file("x.npy"), file("q.npy"), "--metric", "dot", "--plot", file("s.png"), "--labels",
                file("names.txt"), "-o", file("s.npy"));
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {0, 5, 2, 2, 4, 19}, Cli.values(file("s.npy")));
        assertTrue(r.closing().contains("  F64 [3, 2], F64 [2, 2] → [3, 2]  "), r.out);
        refused("--labels goes with --plot", "similarity", file("x.npy"), "--labels", file("names.txt"));
        Files.writeString(file("names.txt"), "a\n");
        refused("labels: 1 lines; " + file("names.txt") + ", x has 3 rows; give one line per row", "similarity",
                file("x.npy"), "--plot", file("s.png"), "--labels", file("names.txt"));
        Cli.write(file("many.npy"), s -> s.ones(201, 2));
        refused("plot: no matrix that fits a picture; result [201, 201]; up to [200, 200] can be shown", "similarity",
                file("many.npy"), "--plot", file("s.png"));
    }
}
