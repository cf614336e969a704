package dev.gramian.cli;

import dev.gramian.adapt.LoraExtract.Layer;
import java.awt.Color;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.internal.chartpart.Chart;

/** Errors and ranks of an adapter, module by module in the order of the table: bars with names, or lines where many. */
final class AdapterPlot {
    /** Letters of names that fit below an axis side by side. */
    private static final int LETTERS = 110;

    private AdapterPlot() {}

    static void draw(Path file, String title, List<Layer> layers) {
        Map<String, ToDoubleFunction<Layer>> errors = new TreeMap<>(Map.of(
                "error / update", l -> 100 * l.measured(),
                "update / weight", l -> l.weightNorm() == 0 ? 0 : 100 * l.deltaNorm() / l.weightNorm()));
        Map<String, ToDoubleFunction<Layer>> ranks = Map.of("rank", Layer::rank);
        boolean named = layers.stream().mapToInt(l -> l.module().length() + 2).sum() < LETTERS;
        Picture.save(file, named ? bars(title, "percent", errors, layers) : lines(title, "percent", errors, layers),
                named ? bars("", "rank", ranks, layers) : lines("", "rank", ranks, layers));
    }

    private static Chart<?, ?> bars(
            String title, String y, Map<String, ToDoubleFunction<Layer>> series, List<Layer> layers) {
        CategoryChart chart = Picture.make(() -> new CategoryChartBuilder().width(SpectrumPlot.WIDTH)
                .height(SpectrumPlot.HEIGHT).title(title).xAxisTitle("module").yAxisTitle(y).build());
        SpectrumPlot.style(chart.getStyler(), title);
        chart.getStyler().setAvailableSpaceFill(0.4).setYAxisMin(0.0).setYAxisDecimalPattern("0.##");
        List<String> names = layers.stream().map(Layer::module).toList();
        series.forEach((name, value) -> chart.addSeries(
                name, names, layers.stream().map(value::applyAsDouble).toList()));
        return chart;
    }

    private static Chart<?, ?> lines(
            String title, String y, Map<String, ToDoubleFunction<Layer>> series, List<Layer> layers) {
        XYChart chart = SpectrumPlot.chart(title, "module, by its line in the table", y);
        chart.getStyler().setXAxisMin(0.0).setXAxisMax(layers.size() + 1.0).setYAxisMin(0.0);
        double[] index = IntStream.rangeClosed(1, layers.size()).asDoubleStream().toArray();
        Iterator<Color> colours = List.of(Plots.BLUE, Plots.ORANGE).iterator();
        series.forEach((name, value) -> SpectrumPlot.line(chart, name, index,
                layers.stream().mapToDouble(value).toArray(), colours.next()));
        return chart;
    }
}
