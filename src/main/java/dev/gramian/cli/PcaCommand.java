package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.analysis.IncrementalPca;
import dev.gramian.analysis.Pca;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.RandomizedSvd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Principal components. */
@Command(
        name = "pca",
        description = "Principal components of the rows of X, centred: coordinates along the directions of most variance."
                + " Prints the coordinates where none of the files is named.")
final class PcaCommand extends ComputeCommand {
    /** Distinct labels that get a colour each; more are written beside the points. */
    private static final int COLOURS = 10;

    private static final int SHOWN = 8;

    @Parameters(index = "0", paramLabel = "X",
            description = "Samples, (..., n, d): n rows of d features; a stack has components for each matrix.")
    private String x;

    @Option(names = {"-k", "--components"}, required = true, paramLabel = "K", description = "How many components.")
    private long k;

    @Option(names = {"-o", "--output"}, paramLabel = "Y", description = "Where to write the coordinates, (..., n, K).")
    private String output;

    @Option(names = "--components-out", paramLabel = "C",
            description = "Where to write the components as rows, (..., K, d).")
    private String components;

    @Option(names = "--mean-out", paramLabel = "M", description = "Where to write the mean, (..., d).")
    private String mean;

    @Option(names = "--explained", paramLabel = "E",
            description = "Where to write each component's share of the variance, (..., K).")
    private String explained;

    @Option(names = "--whiten", description = "Scale the coordinates to variance 1.")
    private boolean whiten;

    @ArgGroup
    private Method method;

    private static final class Method {
        @Option(names = "--randomized",
                description = "Sample the components at random: faster where K is far below n and d.")
        private boolean randomized;

        @Option(names = "--covariance",
                description = "By the covariance matrix: faster where n is far above d, with half the digits.")
        private boolean covariance;

        @Option(names = "--incremental",
                description = "Read X in batches of rows: for files larger than memory. Same result.")
        private boolean incremental;
    }

    @Option(names = "--batch", paramLabel = "ROWS", defaultValue = "0",
            description = "Rows of a batch of --incremental. Default: d, or more where rows are short.")
    private long batch;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Of --randomized. Default: 0.")
    private long seed;

    @Option(names = "--plot", paramLabel = "PICTURE",
            description = "Where to draw the first two coordinates: .png or .svg.")
    private Path plot;

    @Option(names = "--labels", paramLabel = "FILE",
            description = "A line of text per sample: up to 10 different ones are colours of --plot, more are written"
                    + " beside the points where there is room.")
    private Path labels;

    @Option(names = "--check",
            description = "Hold the components and coordinates against the samples in float64 by plain loops; exit code 1 if they are wrong.")
    private boolean check;

    @Override
    public Integer call() {
        boolean incremental = method != null && method.incremental;
        if (labels != null && plot == null) {
            throw new ParameterException(spec.commandLine(), "--labels goes with --plot");
        }
        if (plot != null && k < 2) {
            throw new ParameterException(spec.commandLine(), "--plot needs --components 2 or more");
        }
        PictureFile.check(plot);
        try (Session s = session()) {
            Tensor samples = incremental ? s.map(x) : s.read(x);
            if (plot != null && samples.rank() != 2) {
                throw new ShapeException(
                        "plot: needs one matrix; x " + samples.shape() + "; leave out --plot for a stack");
            }
            s.sayIfHalf(samples.dtype(), "PCA");
            List<String> names = labels == null ? null : Plots.labels(labels, samples.dim(0));
            Pca pca = s.compute("pca", 0, () -> fit(s, samples));
            Tensor y = s.compute("pca", 0, () -> coordinates(pca, samples, incremental));
            if (output != null || components == null && mean == null && explained == null && plot == null) {
                s.result(output, y);
            }
            s.writeIfGiven(components, pca.components());
            s.writeIfGiven(mean, pca.mean());
            s.writeIfGiven(explained, pca.explainedVarianceRatio());
            if (plot != null) {
                draw(pca, y, names);
            }
            say(s, pca);
            int code = check
                    ? s.report(PcaReference.check(samples, pca, y, whiten, method != null && method.randomized))
                    : 0;
            s.closeUncounted(Text.of(samples) + " → " + y.shape());
            return code;
        }
    }

    private Pca fit(Session s, Tensor samples) {
        if (method == null) {
            return Pca.exact(samples, k);
        }
        if (method.randomized) {
            return Pca.randomized(samples, k, new RandomizedSvd(seed));
        }
        if (method.covariance) {
            return Pca.byCovariance(samples, k);
        }
        IncrementalPca pca = new IncrementalPca(s.scope());
        pca.addAll(samples, batch);
        return pca.components(k);
    }

    private Tensor coordinates(Pca pca, Tensor samples, boolean incremental) {
        if (incremental) {
            return whiten ? pca.whiten(samples, batch) : pca.transform(samples, batch);
        }
        return whiten ? pca.whiten(samples) : pca.transform(samples);
    }

    private void say(Session s, Pca pca) {
        double[] ratios = pca.explainedVarianceRatio().toDoubleArray();
        int size = (int) k;
        int matrices = size == 0 ? 0 : ratios.length / size;
        for (int m = 0; m < Math.min(matrices, SHOWN); m++) {
            List<String> parts = new ArrayList<>();
            double sum = 0;
            for (int i = 0; i < size; i++) {
                sum += ratios[m * size + i];
                if (i < SHOWN) {
                    parts.add(percent(ratios[m * size + i]));
                }
            }
            s.say((matrices == 1 ? "" : "matrix " + m + ": ") + "variance explained " + String.join(" + ", parts)
                    + (size > SHOWN ? " + ..." : "") + (size > 1 ? " = " + percent(sum) : ""));
        }
        if (matrices > SHOWN) {
            s.say("and " + (matrices - SHOWN) + " matrices more");
        }
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    private void draw(Pca pca, Tensor y, List<String> names) {
        double[] first = y.select(1, 0).toDoubleArray();
        double[] second = y.select(1, 1).toDoubleArray();
        Map<String, Plots.Points> groups = new LinkedHashMap<>();
        TreeSet<String> distinct = names == null ? null : new TreeSet<>(names);
        if (distinct == null || distinct.size() > COLOURS) {
            groups.put("samples", new Plots.Points(first, second, names));
        } else {
            for (String label : distinct) {
                int[] rows = IntStream.range(0, first.length).filter(i -> names.get(i).equals(label)).toArray();
                groups.put(label.isBlank() ? "(none)" : label, new Plots.Points(
                        IntStream.of(rows).mapToDouble(i -> first[i]).toArray(),
                        IntStream.of(rows).mapToDouble(i -> second[i]).toArray(), null));
            }
        }
        double[] ratios = pca.explainedVarianceRatio().toDoubleArray();
        Plots.scatter(plot, "Principal components of " + x, "component 1, " + percent(ratios[0]) + " of the variance",
                "component 2, " + percent(ratios[1]), groups);
    }
}
