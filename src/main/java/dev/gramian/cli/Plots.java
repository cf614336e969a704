package dev.gramian.cli;

import dev.gramian.core.FormatException;
import dev.gramian.io.PlainFile;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.DoubleSummaryStatistics;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Pictures of results. */
final class Plots {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 640;

    /** Apart from each other, and from white. */
    private static final Color[] COLOURS = IntStream
            .of(0x1F5FA8, 0xD95F02, 0x1B9E77, 0x9B2FAE, 0xC2185B, 0x4A4A4A, 0x2AA7C9, 0x7A5A1E, 0x66A61E, 0xE6AB02)
            .mapToObj(Color::new).toArray(Color[]::new);
    static final Color BLUE = COLOURS[0];
    static final Color ORANGE = COLOURS[1];

    private Plots() {}

    /** What a point cloud shows: coordinates, and the text beside each point or null for none. */
    record Points(double[] x, double[] y, List<String> names) {}

    /** A line of a text file for each of so many rows. */
    static List<String> labels(Path file, long rows) {
        List<String> lines = PlainFile.lines(file);
        if (lines.size() != rows) {
            throw new FormatException("labels: " + lines.size() + " lines; " + file + ", x has " + rows
                    + " rows; give one line per row");
        }
        return lines;
    }

    /** A point cloud per group, with a legend where there are several, and names where there is room. */
    static void scatter(Path file, String title, String x, String y, Map<String, Points> groups) {
        XYChart chart = chart(title, x, y, groups.size() > 1);
        chart.getStyler().setDefaultSeriesRenderStyle(XYSeriesRenderStyle.Scatter).setMarkerSize(7);
        groups.forEach((name, p) -> chart.addSeries(name, p.x(), p.y()).setMarker(SeriesMarkers.CIRCLE));
        Room room = new Room(groups.values());
        for (Points p : groups.values()) {
            for (int i = 0; p.names() != null && i < p.x().length; i++) {
                if (room.take(p.names().get(i), p.x()[i], p.y()[i])) {
                    chart.addAnnotation(new AnnotationText(p.names().get(i), p.x()[i], p.y()[i] + room.above, false));
                }
            }
        }
        Picture.save(file, chart);
    }

    /** Where names fit beside points, on no other name and no point: the picture in cells of a few pixels. */
    private static final class Room {
        /** Pixels: a cell, a letter's width and a name's height, from a point to the middle of its name. */
        private static final int CELL = 4;
        private static final int LETTER = 8;
        private static final int TEXT = 14;
        private static final int ABOVE = 14;
        /** Of the picture, less its axes and margins. */
        private static final double INSIDE = 0.85;

        final double above;
        private final DoubleSummaryStatistics xs;
        private final DoubleSummaryStatistics ys;
        private final Set<Long> taken = new HashSet<>();

        Room(Collection<Points> groups) {
            xs = groups.stream().flatMapToDouble(p -> DoubleStream.of(p.x())).summaryStatistics();
            ys = groups.stream().flatMapToDouble(p -> DoubleStream.of(p.y())).summaryStatistics();
            above = ABOVE * (ys.getMax() - ys.getMin()) / (HEIGHT * INSIDE);
            for (Points p : groups) {
                for (int i = 0; i < p.x().length; i++) {
                    taken.add(cell(pixel(p.x()[i], xs, WIDTH) / CELL, pixel(p.y()[i], ys, HEIGHT) / CELL));
                }
            }
        }

        private static long pixel(double v, DoubleSummaryStatistics all, int size) {
            double spread = all.getMax() - all.getMin();
            return spread == 0 ? 0 : Math.round((v - all.getMin()) / spread * size * INSIDE);
        }

        private static long cell(long x, long y) {
            return x << 32 ^ y;
        }

        /** Whether the name of the point fits above it; from then on it is there. */
        boolean take(String name, double x, double y) {
            long middle = pixel(x, xs, WIDTH);
            long half = name.length() * LETTER / 2;
            long bottom = pixel(y, ys, HEIGHT) + ABOVE - TEXT / 2;
            List<Long> cells = new ArrayList<>();
            for (long i = Math.floorDiv(middle - half, CELL); i <= Math.floorDiv(middle + half, CELL); i++) {
                for (long j = bottom / CELL; j <= (bottom + TEXT) / CELL; j++) {
                    cells.add(cell(i, j));
                }
            }
            return cells.stream().noneMatch(taken::contains) && taken.addAll(cells);
        }
    }

    /** A line per series. */
    static void lines(Path file, String title, String x, String y, Map<String, Points> series) {
        XYChart chart = chart(title, x, y, series.size() > 1);
        chart.getStyler().setXAxisTickMarkSpacingHint(90);
        series.forEach((name, p) -> chart.addSeries(name, p.x(), p.y()).setMarker(SeriesMarkers.NONE)
                .setLineStyle(new BasicStroke(1.8f)));
        Picture.save(file, chart);
    }

    /** A marked line per series, both axes logarithmic: a power is a straight line. All values above 0. */
    static void growth(Path file, String title, String x, String y, Map<String, Points> series) {
        XYChart chart = chart(title, x, y, true);
        chart.getStyler().setXAxisLogarithmic(true).setYAxisLogarithmic(true).setMarkerSize(7);
        chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
        series.forEach((name, p) -> chart.addSeries(name, p.x(), p.y()).setMarker(SeriesMarkers.CIRCLE)
                .setLineStyle(new BasicStroke(1.8f)));
        Picture.save(file, chart);
    }

    private static XYChart chart(String title, String x, String y, boolean legend) {
        XYChart chart = Picture
                .make(() -> new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(x).yAxisTitle(y)
                        .build());
        plain(chart.getStyler());
        chart.getStyler().setLegendVisible(legend).setLegendPosition(LegendPosition.OutsideE);
        return chart;
    }

    /** What all pictures have in common. */
    static void plain(AxesChartStyler styler) {
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
        styler.setChartBackgroundColor(Color.WHITE).setPlotBackgroundColor(Color.WHITE);
        styler.setChartTitleBoxVisible(false).setChartTitleFont(font.deriveFont(Font.BOLD, 15f));
        styler.setLegendFont(font).setSeriesColors(COLOURS);
        styler.setAnnotationTextFont(font.deriveFont(12f));
        styler.setAxisTitleFont(font).setAxisTickLabelsFont(font);
        styler.setPlotGridLinesColor(new Color(0xE0E0E0));
        styler.setLocale(Locale.ROOT);
    }

    /** Values by colour, the first row at the top; the scale goes from {@code min} to {@code max}. */
    static void heatMap(
            Path file, String title, String x, String y, List<String> columns, List<String> rows, double[] values,
            double min, double max) {
        HeatMapChart chart = Picture
                .make(() -> new HeatMapChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(x)
                        .yAxisTitle(y).build());
        plain(chart.getStyler());
        chart.getStyler().setRangeColors(new Color[] {new Color(0x2166AC), Color.WHITE, new Color(0xB2182B)})
                .setMin(min).setMax(max).setShowValue(false);
        chart.getStyler().setPlotGridLinesVisible(false).setXAxisLabelRotation(columns.size() > 12 ? 90 : 0);
        List<Number[]> cells = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            for (int j = 0; j < columns.size(); j++) {
                // from the bottom up
                cells.add(new Number[] {j, rows.size() - 1 - i, values[i * columns.size() + j]});
            }
        }
        chart.addSeries(title, columns, rows.reversed(), cells);
        Picture.save(file, chart);
    }
}
