package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.vectors.Concentration;
import dev.gramian.vectors.Metric;
import dev.gramian.vectors.Similarity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** The curse of dimensionality, measured or shown. */
@Command(
        name = "concentration",
        description = "How much distances among the rows of X differ, their intrinsic dimension, hubs and angles; or, by"
                + " --simulate, how all of that changes with the dimension of random vectors.")
final class ConcentrationCommand extends ComputeCommand {
    /** Of the histogram, in units of the mean distance; the first is about 0. */
    private static final double BIN = 0.02;

    private static final int BINS = 126;

    /** Vectors whose distances a picture is made of: their pairs suffice for a smooth line. */
    private static final long DRAWN = 500;

    @Parameters(index = "0", arity = "0..1", paramLabel = "X", description = "Vectors, (n, d).")
    private String x;

    @Option(names = "--simulate", description = "Take normally distributed vectors instead of X.")
    private boolean simulate;

    @Option(names = "--dimensions", paramLabel = "D,D,...", split = ",", defaultValue = "2,8,32,128,512,2048",
            description = "Of --simulate. Default: 2,8,32,128,512,2048.")
    private List<Long> dimensions;

    @Option(names = "--count", paramLabel = "N", defaultValue = "1000",
            description = "Vectors of --simulate. Default: 1000.")
    private long count;

    @Option(names = "--sample", paramLabel = "N", defaultValue = "5000",
            description = "Most rows of X that are looked at, evenly spread. Default: 5000.")
    private long sample;

    @Option(names = "-k", paramLabel = "K", defaultValue = "10",
            description = "Neighbours of each vector that are looked at. Default: 10.")
    private int k;

    @Option(names = "--plot", paramLabel = "FILE",
            description = "Where to draw how often each distance occurs: .png or .svg.")
    private Path plot;

    @Option(names = "--check",
            description = "Measure in float64 by plain loops, some rows where there are many; exit code 1 if a measure is wrong.")
    private boolean check;

    private final List<Verdict> verdicts = new ArrayList<>();

    @Override
    public Integer call() {
        if ((x == null) != simulate) {
            throw new ParameterException(spec.commandLine(), "give X or --simulate");
        }
        if (count < 1 || sample < 1 || dimensions.stream().anyMatch(d -> d < 1)) {
            throw new ParameterException(spec.commandLine(), "--count, --sample and --dimensions count from 1");
        }
        PictureFile.check(plot);
        try (Session s = session()) {
            List<String[]> rows = new ArrayList<>();
            rows.add(
                    new String[] {"dimension", "nearest", "farthest", "far/near", "contrast", "MLE", "TwoNN", "hubness",
                        "cosine"});
            Map<String, Plots.Points> lines = new LinkedHashMap<>();
            String shapes;
            if (simulate) {
                for (long d : dimensions) {
                    add(s, rows, lines, s.scope().normal(DType.F32, d, count, d));
                }
                shapes = count + " normal vectors of each dimension";
            } else {
                Tensor all = s.read(x);
                long step = all.rank() == 2 ? Math.max(1, (all.dim(0) + sample - 1) / sample) : 1;
                Tensor some = step == 1 ? all : all.slice(0, 0, Long.MAX_VALUE, step);
                add(s, rows, lines, some);
                shapes = Text.of(all) + (step == 1 ? "" : ", 1 row in " + step);
            }
            Text.table(rows, true, true, true, true, true, true, true, true, true).forEach(out()::println);
            if (plot != null) {
                Plots.lines(plot, "Distances among " + (simulate ? count + " normal vectors" : "the rows of " + x),
                        "distance / mean distance", "frequency density", lines);
            }
            int code = s.report(verdicts);
            s.closeUncounted(shapes);
            return code;
        }
    }

    private void add(Session s, List<String[]> rows, Map<String, Plots.Points> lines, Tensor vectors) {
        Concentration c = s.compute("concentration", 0, () -> Concentration.of(vectors, k));
        if (check) {
            Tensor some = VectorReference.some(vectors, k);
            Concentration part = some == vectors ? c : Concentration.of(some, k);
            verdicts.add(VectorReference.concentration(some, k, part, vectors.dim(0)));
        }
        rows.add(new String[] {
            Long.toString(vectors.dim(1)), text(c.nearest()), text(c.farthest()), text(c.ratio()), text(c.contrast()),
            text(c.likelihoodDimension()), text(c.twoNearestDimension()), text(c.hubness()),
            text(c.meanCosine()) + " ± " + text(c.cosineSpread())
        });
        if (plot != null) {
            lines.put("dimension " + vectors.dim(1), histogram(vectors));
        }
    }

    private static String text(double value) {
        double shown = Math.abs(value) < 5e-4 ? 0 : value; // no -0.000
        return String.format(
                Locale.ROOT, Math.abs(shown) >= 1000 ? "%.4g" : Math.abs(shown) >= 10 ? "%.1f" : "%.3f", shown);
    }

    /** Density of the distances of all pairs, in units of their mean. */
    private static Plots.Points histogram(Tensor vectors) {
        Tensor some = vectors.slice(0, 0, DRAWN);
        int n = (int) some.dim(0);
        double[] matrix = Similarity.of(Metric.EUCLIDEAN, some).toDoubleArray();
        double[] distances = new double[n * (n - 1) / 2];
        int at = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                distances[at++] = matrix[i * n + j];
            }
        }
        double mean = DoubleStream.of(distances).average().orElse(1);
        double[] x = new double[BINS];
        double[] density = new double[BINS];
        for (int b = 0; b < BINS; b++) {
            x[b] = b * BIN;
        }
        for (double d : distances) {
            int b = mean == 0 ? 0 : (int) Math.round(d / mean / BIN);
            if (b < BINS) {
                density[b] += 1 / BIN / distances.length;
            }
        }
        return new Plots.Points(x, density, null);
    }
}
