package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.cli.HeatMaps.Map;
import dev.gramian.core.DType;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights of attention as pictures, with fonts and without. */
final class HeadPlotTest {
    private static final int WHITE = 0xffffffff;
    private static final int DARKEST = 0xff082d66;
    private static final int NOT_A_NUMBER = 0xffd93025;

    @TempDir
    Path dir;

    @BeforeEach
    void files() throws Exception {
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 2, 6, 5, 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 2, 3, 7, 8));
        Files.write(file("keys.txt"), List.of("The", "cat", "", "\tsat", "on", "the", "unbelievablylongmat"));
    }

    private Path file(String name) {
        return dir.resolve(name);
    }

    private Cli attend(String options) {
        List<Object> args = new ArrayList<>(List.of(
                "attend", file("q.npy"), file("k.npy"), file("k.npy"), "-o", file("o.npy"), "--quiet"));
        args.addAll(Arrays.asList(options.replace("@", dir + "/").split(" ")));
        return Cli.run(args.toArray());
    }

    private static Map map(int rows, int columns, double... weights) {
        return new Map("head 0", rows, columns, weights);
    }

    /** Number of pixels of each of two colours. */
    private static long count(BufferedImage image, int rgb) {
        return Arrays.stream(image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()))
                .filter(p -> p == rgb).count();
    }

    // ---- drawing ----------------------------------------------------------------------------------------------------

    @Test
    void cellsHaveTheColourOfTheirWeight() {
        BufferedImage image = new HeatMaps(
                List.of(map(2, 3, 0, 1, 0.25, Double.NaN, 0.5, 0)), null, null, false, null).draw();
        int x = image.getWidth();
        // without text the map begins behind a margin, a tick and its frame; cells are 28 wide
        int left = 16 + 4 + 2;
        int top = 16 + 2;
        int[][] cells = new int[2][3];
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 3; j++) {
                cells[i][j] = image.getRGB(left + 28 * j + 13, top + 28 * i + 13);
            }
        }
        assertEquals(WHITE, cells[0][0]);
        assertEquals(DARKEST, cells[0][1]);
        assertEquals(NOT_A_NUMBER, cells[1][0]);
        assertEquals(WHITE, cells[1][2]);
        assertTrue(light(cells[0][2]) > light(cells[1][1]) && light(cells[1][1]) > light(DARKEST));
        assertTrue(count(image, NOT_A_NUMBER) > 27 * 27, "the legend names it");
        BufferedImage root = new HeatMaps(
                List.of(map(2, 3, 0, 1, 0.25, 0, 0.5, 0)), null, null, true, null).draw();
        assertEquals(cells[1][1], root.getRGB(left + 28 * 2 + 13, top + 13), "the square root of 1/4 is 1/2");
        assertEquals(x, root.getWidth());
    }

    private static int light(int rgb) {
        return (rgb >> 16 & 255) + (rgb >> 8 & 255) + (rgb & 255);
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "1,300,1", "300,1,1", "8,8,3", "64,64,12", "512,512,2", "3000,2000,1"})
    void everySizeIsReadable(int rows, int columns, int heads) {
        Font font = HeatMaps.font();
        List<Map> maps = IntStream.range(0, heads).mapToObj(h -> {
            double[] w = new double[rows * columns];
            Arrays.fill(w, 1.0 / columns);
            return new Map("head " + h, rows, columns, w);
        }).toList();
        List<String> names = IntStream.range(0, columns).mapToObj(i -> "token" + i).toList();
        for (boolean labels : new boolean[] {false, true}) {
            BufferedImage image = new HeatMaps(maps, null, labels ? names : null, false, font).draw();
            assertTrue(image.getWidth() <= 2600 && image.getHeight() <= 2600,
                    image.getWidth() + " x " + image.getHeight());
            assertTrue(count(image, DARKEST) >= Math.min(rows, 1000) * Math.min(columns, 1000) / 4,
                    "the maps fill their place");
        }
    }

    @Test
    void zerosAloneAreWhite() {
        BufferedImage image = new HeatMaps(List.of(map(1, 2, 0, 0)), null, null, false, HeatMaps.font()).draw();
        assertTrue(count(image, WHITE) > 1000);
    }

    // ---- the command ------------------------------------------------------------------------------------------------

    @Test
    void labelledHeads() throws Exception {
        assertEquals(0, attend("--causal=bottom-right --plot @a.png --plot-heads 0,2-3 --labels @keys.txt").code);
        BufferedImage labelled = ImageIO.read(file("a.png").toFile());
        assertEquals(0, attend("--causal=bottom-right --plot @b.png --plot-heads 0,2-3").code);
        BufferedImage plain = ImageIO.read(file("b.png").toFile());
        if (HeatMaps.font() != null) {
            assertNotEquals(plain.getHeight(), labelled.getHeight(), "labels stand upright");
        }
        assertEquals(0, attend("--causal=bottom-right --plot @c.png --plot-heads 0,2-3 --plot-batch 1").code);
        assertFalse(Arrays.equals(Files.readAllBytes(file("b.png")), Files.readAllBytes(file("c.png"))));
        assertEquals(0, attend("--causal=bottom-right --plot @d.png --plot-heads 0,2-3").code);
        assertArrayEquals(Files.readAllBytes(file("b.png")), Files.readAllBytes(file("d.png")));
        Files.write(file("queries.txt"), List.of("a", "b", "c", "d", "e"));
        Cli r = attend("--plot @e.png --plot-scale sqrt --labels @keys.txt --query-labels @queries.txt --check");
        assertEquals(0, r.code, r.toString());
        assertEquals("", r.out + r.err);
    }

    /** Each packed sequence by itself, as in the batch of the same sequences. */
    @Test
    void packedSequences() throws Exception {
        assertEquals(0, attend("--causal=bottom-right --plot @a.png --plot-batch 1 --labels @keys.txt").code);
        Cli.write(file("q.npy"), s -> s.normal(DType.F32, 1, 2, 6, 5, 8).transpose(1, 2).reshape(10, 6, 8));
        Cli.write(file("k.npy"), s -> s.normal(DType.F32, 2, 2, 3, 7, 8).transpose(1, 2).reshape(14, 3, 8));
        String packed = "--causal=bottom-right --varlen-k 0,7,14 --labels @keys.txt --plot ";
        assertEquals(0, attend(packed + "@b.png --plot-batch 1 --varlen 0,5,10").code);
        assertArrayEquals(Files.readAllBytes(file("a.png")), Files.readAllBytes(file("b.png")));
        assertEquals(0, attend(packed + "@c.png --plot-batch 1 --varlen 0,3,10").code);
        assertFalse(Arrays.equals(Files.readAllBytes(file("b.png")), Files.readAllBytes(file("c.png"))));
        Cli r = attend(packed + "@d.png --varlen 0,0,10");
        assertEquals(
                "gramian: plot: there are no weights; weights of packed sequence 0 [6, 0, 7] (head, query, key); draw"
                        + " another by --plot-batch\n",
                r.err);
        assertFalse(Files.exists(file("d.png")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--plot-heads needs --plot|--plot-heads 1",
        "--labels needs --plot|--labels @keys.txt",
        "Invalid value for option '--plot': expected a name that ends with .png but was 'a.svg'|--plot a.svg",
        "Invalid value for option '--plot-heads': expected heads like 0,3,8-11 but was 'x'|--plot @a.png --plot-heads x",
        "Invalid value for option '--plot-scale': expected one of [linear, sqrt] but was 'log'"
                + "|--plot @a.png --plot-scale log",
        "plot: no such heads; --plot-heads 4-6, weights [2, 6, 5, 7] (batch, head, query, key); use 0 to 5"
                + "|--plot @a.png --plot-heads 4-6",
        "plot: no such sequence; --plot-batch 2, weights [2, 6, 5, 7] (batch, head, query, key); use 0 to 1"
                + "|--plot @a.png --plot-batch 2",
    })
    void whatIsRefused(String text, String options) {
        Cli r = attend(options);
        assertEquals(2, r.code, r.toString());
        assertEquals("gramian: " + text, r.err.lines().findFirst().orElseThrow());
        assertFalse(Files.exists(file("a.png")));
    }

    @Test
    void labelsThatDoNotFit() throws Exception {
        Files.write(file("five.txt"), List.of("a", "b", "c", "d", "e"));
        Cli r = attend("--plot @a.png --labels @five.txt");
        assertEquals(2, r.code);
        assertEquals("gramian: plot: 5 labels for 7 keys; " + file("five.txt") + ", weights [2, 6, 5, 7] (batch, head,"
                + " query, key); give one a line\n", r.err);
        Files.write(file("bad.txt"), new byte[] {(byte) 0xff, 1});
        assertEquals("gramian: read: not UTF-8; " + file("bad.txt") + "; expected a text in that encoding\n",
                attend("--plot @a.png --labels @bad.txt").err);
    }

    /** A machine with fontconfig but no font file, as bare containers are. */
    @Test
    void withoutFontsThePictureHasNoLabels() throws Exception {
        Files.writeString(file("fonts.conf"),
                "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig></fontconfig>");
        ProcessBuilder java = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Duser.home=" + dir,
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                "dev.gramian.cli.Main", "attend", file("q.npy").toString(), file("k.npy").toString(),
                file("k.npy").toString(), "-o", file("o.npy").toString(), "--quiet", "--device", "cpu:scalar", "--plot",
                file("a.png").toString(), "--labels", file("keys.txt").toString());
        java.environment().put("FONTCONFIG_FILE", file("fonts.conf").toString());
        java.environment().remove("DISPLAY");
        Process p = java.redirectErrorStream(true).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), out);
        assertTrue(count(ImageIO.read(file("a.png").toFile()), WHITE) > 1000);
        // where Java brings fonts of its own there is nothing to say
        assertTrue(out.isEmpty() || out.equals("gramian: plot: no fonts can be drawn here; " + file("a.png")
                + " has no labels; install fontconfig and a font such as DejaVu\n"), out);
    }
}
