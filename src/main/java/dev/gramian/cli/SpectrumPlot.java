package dev.gramian.cli;

import dev.gramian.linalg.Spectrum;
import java.awt.BasicStroke;
import java.awt.Color;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Singular values, and what approximations of each rank keep of them. */
final class SpectrumPlot {
    static final int WIDTH = 960;
    static final int HEIGHT = 360;
    /** Room for the labels of the y axis, the same in all charts so that their x axes lie one below the other. */
    private static final int AXIS = 72;
    private static final int TICKS = 90;
    private static final int LABELS = 16;
    /** More points than this are drawn without markers. */
    private static final int MARKED = 64;
    private static final Color GREY = new Color(0x60, 0x60, 0x60);

    private SpectrumPlot() {}

    /** Singular values above, energy and error by rank below; {@code rank} is marked, null marks none. */
    static void draw(Path file, String title, Spectrum spectrum, Long rank) {
        double[] values = spectrum.values();
        int k = values.length;
        int positive = (int) Arrays.stream(values).filter(v -> v > 0).count();
        XYChart above = chart(title, "index", "singular value");
        boolean decades = positive > 0 && values[0] / values[positive - 1] > 10;
        above.getStyler().setYAxisLogarithmic(decades);
        int shown = decades ? positive : k; // zeros have no logarithm
        if (shown > 0) {
            line(above, "singular value", upTo(1, shown), Arrays.copyOf(values, shown), Plots.BLUE);
        }
        XYChart below = chart("", "rank", "percent");
        below.getStyler().setYAxisMin(0.0).setYAxisMax(100.0);
        double[] ranks = upTo(0, k);
        line(below, "energy kept", ranks, Arrays.stream(ranks).map(r -> 100 * spectrum.energy((int) r)).toArray(),
                Plots.BLUE);
        line(below, "error / norm", ranks, Arrays.stream(ranks).map(r -> 100 * spectrum.error((int) r)).toArray(),
                Plots.ORANGE);
        for (XYChart c : new XYChart[] {above, below}) {
            c.getStyler().setXAxisMin(0.0).setXAxisMax((double) Math.max(1, k));
        }
        if (rank != null) {
            if (shown > 0) {
                mark(above, rank, values[shown - 1], values[0]);
            }
            mark(below, rank, 0, 100);
        }
        Picture.save(file, above, below);
    }

    private static double[] upTo(int first, int last) {
        return IntStream.rangeClosed(first, last).asDoubleStream().toArray();
    }

    static XYChart chart(String title, String x, String y) {
        XYChart chart = Picture.make(() -> new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(x)
                .yAxisTitle(y).build());
        style(chart.getStyler(), title);
        chart.getStyler().setXAxisTickMarkSpacingHint(TICKS).setXAxisMaxLabelCount(LABELS);
        return chart;
    }

    /** Of charts one below the other, the title above the first. */
    static void style(AxesChartStyler style, String title) {
        Plots.plain(style);
        style.setChartTitleVisible(!title.isEmpty())
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Horizontal)
                .setYAxisLeftWidthHint(AXIS)
                .setLegendBorderColor(Color.WHITE);
    }

    static void line(XYChart chart, String name, double[] x, double[] y, Color colour) {
        XYSeries series = chart.addSeries(name, x, y);
        series.setLineColor(colour);
        series.setLineStyle(new BasicStroke(1.6f));
        series.setMarkerColor(colour);
        series.setMarker(x.length <= MARKED ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    }

    private static void mark(XYChart chart, long rank, double low, double high) {
        XYSeries series = chart.addSeries("rank " + rank, new double[] {rank, rank}, new double[] {low, high});
        series.setLineColor(GREY);
        series.setLineStyle(new BasicStroke(1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {6, 4},
                0));
        series.setMarker(SeriesMarkers.NONE);
    }
}
