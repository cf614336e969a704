package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import dev.gramian.vectors.Metric;
import dev.gramian.vectors.Similarity;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** The likeness of every vector with every other. */
@Command(
        name = "similarity",
        description = "The likeness of every row of X with every row of Y, or of X where no Y is given.")
final class SimilarityCommand extends ComputeCommand {
    /** Cells of a side that a picture can show. */
    private static final int LARGEST = 200;

    @Parameters(index = "0", paramLabel = "X", description = "Vectors, (..., m, d).")
    private String x;

    @Parameters(index = "1", arity = "0..1", paramLabel = "Y", description = "Vectors, (..., n, d). Default: X.")
    private String y;

    @Option(names = "--metric", paramLabel = "METRIC", defaultValue = "cosine",
            description = "cosine, dot or euclidean. Default: cosine.")
    private Metric metric;

    @Option(names = {"-o", "--output"}, paramLabel = "S",
            description = "Where to write the matrix, (..., m, n). Default: print it.")
    private String output;

    @Option(names = "--plot", paramLabel = "PNG",
            description = "Where to draw the matrix, at most 200 by 200: .png or .svg.")
    private Path plot;

    @Option(names = "--labels", paramLabel = "FILE", description = "A line of text per row of X, for --plot.")
    private Path labels;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if it is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        if (labels != null && plot == null) {
            throw new ParameterException(spec.commandLine(), "--labels goes with --plot");
        }
        PictureFile.check(plot);
        try (Session s = session()) {
            Tensor a = s.read(x);
            Tensor b = s.readIfGiven(y);
            Tensor r = s.compute("similarity", 0,
                    () -> b == null ? Similarity.of(metric, a) : Similarity.of(metric, a, b));
            if (plot != null) {
                draw(r);
            }
            if (output != null || plot == null) {
                s.result(output, r);
            }
            int code = check ? s.report(List.of(VectorReference.similarity(metric, a, b, r))) : 0;
            s.close(Text.of(a) + (b == null ? "" : ", " + Text.of(b)) + " → " + r.shape());
            return code;
        }
    }

    private void draw(Tensor r) {
        if (r.rank() != 2 || r.dim(0) > LARGEST || r.dim(1) > LARGEST || r.size() == 0) {
            throw new ShapeException("plot: no matrix that fits a picture; result " + r.shape() + "; up to [" + LARGEST
                    + ", " + LARGEST + "] can be shown");
        }
        List<String> rows = labels == null ? numbers(r.dim(0)) : Plots.labels(labels, r.dim(0));
        double[] values = r.toDoubleArray();
        double min = metric == Metric.COSINE ? -1 : DoubleStream.of(values).min().orElse(0);
        double max = metric == Metric.COSINE ? 1 : DoubleStream.of(values).max().orElse(0);
        Plots.heatMap(plot, metric.name().toLowerCase(Locale.ROOT) + " of " + x + (y == null ? "" : " and " + y),
                "row of " + (y == null ? x : y), "row of " + x, y == null ? rows : numbers(r.dim(1)), rows, values, min,
                max);
    }

    private static List<String> numbers(long n) {
        return LongStream.range(0, n).mapToObj(Long::toString).toList();
    }
}
