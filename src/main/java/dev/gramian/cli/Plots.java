package dev.gramian.cli;

import dev.gramian.core.FormatException;
import dev.gramian.io.PlainFile;
import java.awt.Color;
import java.awt.Font;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
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
        Labels labels = new Labels(groups.values());
        for (Points p : groups.values()) {
            for (int i = 0; p.names() != null && i < p.x().length; i++) {
                double above = p.y()[i] + labels.height;
                if (labels.hasRoom(p.names().get(i), p.x()[i], above)) {
                    chart.addAnnotation(new AnnotationText(p.names().get(i), p.x()[i], above, false));
                }
            }
        }
        Picture.save(file, chart);
    }

    /** Keeps names beside points from being written over one another, by their size in the units of the axes. */
    private static final class Labels {
        final double width;
        final double height;
        private final List<double[]> taken = new ArrayList<>();

        Labels(Collection<Points> groups) {
            width = spread(groups.stream().flatMapToDouble(p -> DoubleStream.of(p.x()))) * 8 / WIDTH;
            height = spread(groups.stream().flatMapToDouble(p -> DoubleStream.of(p.y()))) * 16 / HEIGHT;
        }

        private static double spread(DoubleStream values) {
            DoubleSummaryStatistics s = values.summaryStatistics();
            return s.getCount() == 0 ? 0 : s.getMax() - s.getMin();
        }

        boolean hasRoom(String name, double x, double y) {
            double half = name.length() * width / 2;
            for (double[] t : taken) {
                if (Math.abs(t[0] - x) < t[2] + half && Math.abs(t[1] - y) < height) {
                    return false;
                }
            }
            taken.add(new double[] {x, y, half});
            return true;
        }
    }

    /** A line per series. */
    static void lines(Path file, String title, String x, String y, Map<String, Points> series) {
        XYChart chart = chart(title, x, y, series.size() > 1);
        series.forEach((name, p) -> chart.addSeries(name, p.x(), p.y()).setMarker(SeriesMarkers.NONE));
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

    private static void plain(AxesChartStyler styler) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setChartTitleBoxVisible(false);
        styler.setAnnotationTextFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
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
