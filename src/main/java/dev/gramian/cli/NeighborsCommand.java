package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.vectors.Metric;
import dev.gramian.vectors.Neighbors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Exact nearest neighbours. */
@Command(
        name = "neighbors",
        description = "The nearest rows of X to each query, by comparing with all of them; X is read in blocks and may be"
                + " larger than memory.")
final class NeighborsCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "X", description = "Vectors, (n, d).")
    private String x;

    @Option(names = "--query", required = true, paramLabel = "Q", description = "Queries, (q, d), of X's element type.")
    private String query;

    @Option(names = "-k", required = true, paramLabel = "K", description = "How many neighbours of each query.")
    private long k;

    @Option(names = "--metric", paramLabel = "METRIC", defaultValue = "cosine",
            description = "cosine, dot or euclidean. Default: cosine.")
    private Metric metric;

    @Option(names = {"-o", "--output"}, paramLabel = "INDICES",
            description = "Where to write the neighbours' rows, (q, K), nearest first. Default: print them.")
    private String output;

    @Option(names = "--scores", paramLabel = "SCORES",
            description = "Where to write the cosines, products or distances, (q, K). Default: print them.")
    private String scores;

    @Option(names = "--check",
            description = "Score all of X by plain loops in float64 for the queries, or some of them; exit code 1 if they are wrong.")
    private boolean check;

    @Override
    public Integer call() {
        try (Session s = session()) {
            Tensor vectors = s.map(x);
            Tensor queries = s.read(query);
            Neighbors found = s.compute("neighbors", 0, () -> Neighbors.of(vectors, queries, k, metric));
            s.result(output, found.indices());
            s.result(scores, found.scores());
            int code = check ? s.report(VectorReference.neighbors(metric, vectors, queries, found)) : 0;
            s.close(Text.of(vectors) + ", queries " + queries.shape() + " → " + found.indices().shape());
            return code;
        }
    }
}
