package dev.gramian.cli;

import dev.gramian.adapt.LoraExtract;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;

/** Errors and ranks of an adapter, module by module in the order of the table. */
final class AdapterPlot {
    private AdapterPlot() {}

    static void draw(Path file, String title, List<LoraExtract.Layer> layers) {
        double[] index = IntStream.rangeClosed(1, layers.size()).asDoubleStream().toArray();
        XYChart errors = SpectrumPlot.chart(title, "module", "percent");
        SpectrumPlot.line(errors, "error / update", index, each(layers, l -> 100 * l.measured()), SpectrumPlot.BLUE);
        SpectrumPlot.line(errors, "update / weight", index,
                each(layers, l -> l.weightNorm() == 0 ? 0 : 100 * l.deltaNorm() / l.weightNorm()), SpectrumPlot.ORANGE);
        XYChart ranks = SpectrumPlot.chart("", "module", "rank");
        SpectrumPlot.line(ranks, "rank", index, each(layers, LoraExtract.Layer::rank), SpectrumPlot.BLUE);
        for (XYChart c : new XYChart[] {errors, ranks}) {
            c.getStyler().setXAxisMin(0.0).setXAxisMax(layers.size() + 1.0).setYAxisMin(0.0);
        }
        Picture.save(file, errors, ranks);
    }

    private static double[] each(List<LoraExtract.Layer> layers, ToDoubleFunction<LoraExtract.Layer> value) {
        return layers.stream().mapToDouble(value).toArray();
    }
}
