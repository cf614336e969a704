package dev.gramian.cli;

import dev.gramian.core.GramianException;
import dev.gramian.io.PlainFile;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.knowm.xchart.internal.chartpart.Chart;

/** Files of charts: PNG and SVG. */
final class Picture {
    static {
        System.setProperty("java.awt.headless", "true");
    }

    private Picture() {}

    /** What {@code chart} gives, or one line where this machine cannot draw text. */
    static <T> T make(Supplier<T> chart) {
        try {
            return chart.get();
        } catch (LinkageError | InternalError e) {
            throw new GramianException("plot: no fonts can be drawn here; " + e.getMessage()
                    + "; install fontconfig and a font such as DejaVu", e);
        }
    }

    /** Charts of one width, one below the other. */
    static void save(Path file, Chart<?, ?>... charts) {
        int width = charts[0].getWidth();
        int height = Stream.of(charts).mapToInt(Chart::getHeight).sum();
        PlainFile.write(file, make(() -> {
            try {
                return PictureFile.isSvg(file) ? svg(width, height, charts) : png(width, height, charts);
            } catch (IOException e) {
                throw new UncheckedIOException(e); // from memory to memory
            }
        }));
    }

    /** What was drawn without a chart, as PNG. */
    static void save(Path file, BufferedImage image) {
        try {
            PlainFile.write(file, encoded(image));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // from memory to memory
        }
    }

    private static byte[] png(int width, int height, Chart<?, ?>[] charts) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        paint(g, charts);
        g.dispose();
        return encoded(image);
    }

    private static byte[] encoded(BufferedImage image) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(image, "png", bytes);
        return bytes.toByteArray();
    }

    private static byte[] svg(int width, int height, Chart<?, ?>[] charts) throws IOException {
        SVGGraphics2D g;
        try {
            g = new SVGGraphics2D(DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .getDOMImplementation()
                    .createDocument("http://www.w3.org/2000/svg", "svg", null));
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException(e); // the JDK's own parser
        }
        g.setSVGCanvasSize(new Dimension(width, height));
        paint(g, charts);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Writer out = new OutputStreamWriter(bytes, StandardCharsets.UTF_8)) {
            g.stream(out, false);
        }
        return bytes.toByteArray();
    }

    private static void paint(Graphics2D g, Chart<?, ?>[] charts) {
        AffineTransform origin = g.getTransform();
        int y = 0;
        for (Chart<?, ?> chart : charts) {
            g.setTransform(origin);
            g.translate(0, y);
            g.setColor(Color.WHITE);
            g.fillRect(0, 0, chart.getWidth(), chart.getHeight());
            chart.paint(g, chart.getWidth(), chart.getHeight());
            y += chart.getHeight();
        }
    }
}
