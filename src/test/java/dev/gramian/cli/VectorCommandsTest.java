package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.core.DType;
import dev.gramian.vectors.SmallCorpus;
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

    @Test
    void concentration() throws Exception {
        Cli r = Cli.run("concentration", "--simulate", "--dimensions", "2,30", "--count", 60, "-k", 3, "--plot",
                file("c.png"));
        assertEquals(0, r.code, r.toString());
        String[] lines = r.out.split("\n");
        assertTrue(lines[0].matches("dimension +nearest +farthest +far/near +contrast +MLE +TwoNN +hubness +cosine"),
                r.out);
        assertTrue(lines[1].matches(" +2( +-?[0-9.]+){8} ± [0-9.]+"), r.out);
        assertTrue(lines[2].matches(" +30( +-?[0-9.]+){8} ± [0-9.]+"), r.out);
        assertTrue(r.closing().contains("  60 normal vectors of each dimension  "), r.out);
        assertEquals(900, ImageIO.read(file("c.png").toFile()).getWidth());
        Cli.write(file("many.npy"), s -> s.normal(DType.F32, 1, 50, 4));
        r = Cli.run("concentration", file("many.npy"), "--sample", 20, "--plot", file("c.png"));
        assertEquals(0, r.code, r.toString());
        assertTrue(r.closing().contains("  F32 [50, 4], 1 row in 3  "), r.out);
        refused("give X or --simulate", "concentration");
        refused("give X or --simulate", "concentration", file("x.npy"), "--simulate");
        refused("--count, --sample and --dimensions count from 1", "concentration", "--simulate", "--dimensions",
                "2,0");
        refused("concentration: 10 neighbours; x [3, 2] has 3 vectors; use 2 or more, fewer than there are vectors",
                "concentration", file("x.npy"));
    }

    @Test
    void words() throws Exception {
        Files.write(file("t.txt"), SmallCorpus.lines());
        Cli r = Cli.run("words", file("t.txt"), "--near", "cat,ship", "--similarity", "cat,dog", "--analogy",
                "cat,fur,car", "-k", 2, "--rank", 8, "-o", file("e.npy"), "--vocabulary", file("v.txt"), "--plot",
                file("w.png"));
        assertEquals(0, r.code, r.toString());
        String[] lines = r.out.split("\n");
        assertTrue(lines[0].matches("near cat: \\w+ [0-9.]+, \\w+ [0-9.]+"), r.out);
        assertTrue(lines[1].matches("near ship: (airplane|car|train) [0-9.]+, (airplane|car|train) [0-9.]+"), r.out);
        assertTrue(lines[2].matches("similarity cat, dog: 0\\.[0-9]{3}"), r.out);
        assertTrue(lines[3].matches("cat is to fur as car to: \\w+ [0-9.]+, \\w+ [0-9.]+"), r.out);
        int size = Files.readAllLines(file("v.txt")).size();
        assertTrue(r.closing().contains("  " + size + " words → [" + size + ", 8]  "), r.out);
        assertEquals(8 * size, Cli.values(file("e.npy")).length);
        assertEquals(900, ImageIO.read(file("w.png").toFile()).getWidth());
        refused("Invalid value for option '--similarity': 'cat' is not 2 words between commas", "words", file("t.txt"),
                "--similarity", "cat");
        refused("words: no vector for 'x'; " + size + " words have one; take a more frequent word, or more words",
                "words",
                file("t.txt"), "--near", "x");
        refused("read: no such file; " + file("no.txt") + "; expected a readable file", "words", file("no.txt"));
        refused("plot: too few words; " + file("t.txt") + " gives vectors [1, 1]; give more text", "words",
                file("t.txt"),
                "--words", 1, "--plot", file("w.png"));
    }
}
