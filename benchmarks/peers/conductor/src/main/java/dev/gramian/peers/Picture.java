package dev.gramian.peers;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A row per work, a dot per peer: its time over that of cpu:native. */
final class Picture {
    private static final int WIDTH = 1100;
    private static final int ROW = 24;
    private static final int REST = 150;
    private static final double LEAST = 0.1;

    private static final Color[] COLOURS = {new Color(0x1f5fa8), new Color(0xd95f02), new Color(0xe0a030),
        new Color(0x1b9e77), new Color(0x66c2a5), new Color(0xb2182b), new Color(0xe7298a), new Color(0x7570b3),
        new Color(0x000000), new Color(0x666666), new Color(0xa6761d), new Color(0x66a61e), new Color(0x00a0c0)};
    private static final Marker[] MARKERS = {SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.TRIANGLE_UP,
        SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_DOWN};

    static {
        System.setProperty("java.awt.headless", "true");
    }

    private Picture() {}

    private record Dots(List<Double> x, List<Double> y) {}

    /** False where there is nothing to draw or no font to draw with. */
    static boolean draw(Path file, int threads, Map<Work, Map<String, Cell>> rows) throws IOException {
        List<Work> works = new ArrayList<>();
        rows.forEach((w, row) -> {
            if (row.containsKey("cpu:native") && row.get("cpu:native").timed() && row.size() > 1) {
                works.add(w);
            }
        });
        if (works.isEmpty()) {
            return false;
        }
        Map<String, Dots> peers = new LinkedHashMap<>();
        for (int i = 0; i < works.size(); i++) {
            double own = rows.get(works.get(i)).get("cpu:native").ms();
            int y = works.size() - i;
            rows.get(works.get(i)).forEach((p, c) -> {
                if (c.timed() && !p.equals("cpu:native")) {
                    Dots d = peers.computeIfAbsent(p, k -> new Dots(new ArrayList<>(), new ArrayList<>()));
                    d.x.add(Math.max(c.ms() / own, LEAST));
                    d.y.add((double) y);
                }
            });
        }
        try {
            BitmapEncoder.saveBitmap(chart(threads, works, peers), file.toString(), BitmapEncoder.BitmapFormat.PNG);
            return true;
        } catch (LinkageError | InternalError e) {
            System.err.println("no picture: " + e);
            return false;
        }
    }

    private static XYChart chart(int threads, List<Work> works, Map<String, Dots> peers) {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(REST + ROW * (works.size() + 1))
                .title("Time over that of Gramian's cpu:native, " + (threads == 1 ? "1 thread" : threads + " threads")
                        + " (right of 1: Gramian is faster)")
                .xAxisTitle("times as long").build();
        XYStyler style = chart.getStyler();
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
        style.setChartBackgroundColor(Color.WHITE).setPlotBackgroundColor(Color.WHITE)
                .setChartTitleFont(font.deriveFont(Font.BOLD, 15f)).setLegendFont(font)
                .setLegendPosition(LegendPosition.OutsideE).setLegendBorderColor(Color.WHITE);
        style.setAxisTitleFont(font).setAxisTickLabelsFont(font).setPlotGridLinesColor(new Color(0xe0, 0xe0, 0xe0));
        double most = peers.values().stream().flatMap(d -> d.x.stream()).mapToDouble(x -> x).max().orElse(10);
        style.setXAxisLogarithmic(true).setXAxisMin(LEAST).setXAxisMax(Math.max(10, 1.2 * most)).setYAxisMin(0.0)
                .setYAxisMax(works.size() + 1.0).setMarkerSize(8);
        style.setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        // labels must differ for XChart to draw them, hence blanks of several lengths
        style.setYAxisTickLabelsFormattingFunction(y -> {
            int at = (int) Math.round(y);
            boolean work = Math.abs(y - at) < 1e-6 && at >= 1 && at <= works.size();
            return work ? works.get(works.size() - at).id() : " ".repeat((int) Math.round(Math.abs(4 * y)));
        });
        style.setYAxisTickMarkSpacingHint(ROW - 6);
        XYSeries one = chart.addSeries("cpu:native", new double[] {1, 1}, new double[] {0, works.size() + 1});
        one.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Line);
        one.setMarker(SeriesMarkers.NONE);
        one.setLineColor(Color.BLACK);
        one.setLineStyle(new BasicStroke(1.4f));
        List<String> names = List.copyOf(peers.keySet());
        peers.forEach((name, d) -> {
            int i = names.indexOf(name);
            XYSeries dots = chart.addSeries(name, d.x, d.y);
            dots.setMarker(MARKERS[i % MARKERS.length]);
            dots.setMarkerColor(COLOURS[i % COLOURS.length]);
        });
        return chart;
    }
}
