package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The command {@code lowrank}, and the pictures of it and of {@code svd}. */
final class LowRankTest {
    @TempDir
    Path dir;

    private Path file(String name) {
        return dir.resolve(name);
    }

    private static void refused(String line, Object... args) {
        Cli r = Cli.run(args);
        assertEquals(2, r.code, r.toString());
        assertEquals(line, r.err.lines().findFirst().orElse(""), r.toString());
    }

    @Test
    void factorsMakeTheApproximation() {
        Cli.write(file("w.npy"), s -> s.tensor(new double[] {3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0}, 4, 3));
        Cli r = Cli.run("lowrank", file("w.npy"), "--rank", "2", "-o", file("a.npy"), "--factors", file("l.npy"),
                file("r.npy"), "--check", "--device", "cpu:scalar");
        assertEquals(0, r.code, r.toString());
        assertArrayEquals(new double[] {3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}, Cli.values(file("a.npy")), 1e-14);
        double[] left = Cli.values(file("l.npy"));
        double[] right = Cli.values(file("r.npy"));
        assertEquals(3, left[0] * right[0] + left[1] * right[3], 1e-14);
        assertEquals("""
                rank 2 of 3: error 1.000 of ‖W‖ = 3.742, 26.7%; measured 1.000
                factors [4, 2] and [2, 3], 14 numbers in place of 12
                effective rank 2.749 (entropy), stable rank 1.556
                  rank     energy  error / ‖W‖
                     1   64.2857%        59.8%
                   * 2   92.8571%        26.7%
                     3  100.0000%        0.00%
                """, r.out.substring(0, r.out.indexOf("check  ")));
        assertTrue(r.out.contains("against Eckart and Young"), r.out);
        assertTrue(r.closing().startsWith("cpu:scalar  F64 [4, 3] → [4, 2] · [2, 3]  "), r.out);
    }

    @Test
    void rankByEnergyAndTolerance() {
        Cli.write(file("w.safetensors"), s -> s.eye(DType.F32, 20).to(DType.BF16));
        Cli r = Cli.run("lowrank", file("w.safetensors"), "--energy", "0.5");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("computed in F32, as there is no SVD in BF16\nrank 10 of 20: "), r.out);
        r = Cli.run("lowrank", file("w.safetensors"), "--tolerance", "0.5");
        assertTrue(r.out.contains("\nrank 15 of 20: "), r.out);
    }

    @Test
    void pictures() throws Exception {
        Cli.write(file("w.npy"), s -> s.normal(DType.F64, 1, 30, 20));
        Cli.write(file("eye.npy"), s -> s.eye(DType.F64, 3));
        Cli.write(file("zero.npy"), s -> s.zeros(4, 3));
        Cli.write(file("empty.npy"), s -> s.zeros(0, 3));
        for (String w : new String[] {"w", "eye", "zero", "empty"}) {
            Cli r = Cli.run("lowrank", file(w + ".npy"), "--tolerance", "0.5", "--plot", file(w + ".png"));
            assertEquals(0, r.code, r.toString());
            BufferedImage image = ImageIO.read(file(w + ".png").toFile());
            Set<Integer> colours = new HashSet<>();
            for (int y = 0; y < image.getHeight(); y++) {
                for (int x = 0; x < image.getWidth(); x++) {
                    colours.add(image.getRGB(x, y));
                }
            }
            assertTrue(colours.size() > 10, w + ": " + colours.size() + " colours");
        }
        Cli r = Cli.run("svd", file("w.npy"), "-s", file("s.npy"), "--values-only", "--plot", file("w.SVG"));
        assertEquals(0, r.code, r.toString());
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        Document svg = factory.newDocumentBuilder().parse(file("w.SVG").toFile());
        assertEquals("svg", svg.getDocumentElement().getTagName());
        assertTrue(svg.getElementsByTagName("path").getLength() > 10);
        r = Cli.run("svd", file("w.npy"), "-s", file("s.npy"), "--plot", file("s.png"));
        assertEquals(0, r.code, r.toString());
        assertTrue(Files.size(file("s.png")) > 1000);
    }

    @Test
    void badOperands() {
        Cli.write(file("w.npy"), s -> s.ones(4, 3));
        Cli.write(file("stack.npy"), s -> s.ones(2, 4, 3));
        refused("gramian: lowrank: needs one matrix; w [2, 4, 3]; give (rows, columns)", "lowrank", file("stack.npy"),
                "--rank", "1");
        refused("gramian: lowRank: rank is 4; u [4, 3], vt [3, 3] have 3 singular values; use 0 to 3", "lowrank",
                file("w.npy"), "--rank", "4");
        refused("gramian: lowRank: energy is 2.0; it is a share; use 0 to 1, such as 0.99", "lowrank", file("w.npy"),
                "--energy", "2");
        refused("gramian: Error: --rank=R, --energy=E are mutually exclusive (specify only one)", "lowrank",
                file("w.npy"), "--energy", "0.2", "--rank", "1");
        refused("gramian: plot: unknown kind of picture; x.pdf; give a name that ends with .png or .svg", "lowrank",
                file("w.npy"),
                "--rank", "1", "--plot", "x.pdf");
        refused("gramian: write: no such directory; " + file("no/x.png") + "; create it first", "lowrank",
                file("w.npy"),
                "--rank", "1", "--plot", file("no/x.png"));
        refused("gramian: spectrum: needs the values of one matrix; s [2, 3]; select them from the stack first", "svd",
                file("stack.npy"), "-s", file("s.npy"), "--plot", file("x.png"));
        assertFalse(Files.exists(file("x.png")));
    }
}
