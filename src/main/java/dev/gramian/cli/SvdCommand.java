package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.LowRank;
import dev.gramian.linalg.Spectrum;
import dev.gramian.linalg.Svd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Singular value decomposition of a matrix or a stack of matrices. */
@Command(
        name = "svd",
        description = "Thin singular value decomposition A = U diag(S) VT; prints the singular values where none of the"
                + " files is named.")
final class SvdCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "A", description = "Matrix, or stack of matrices, (..., m, n).")
    private String a;

    @Option(names = "-u", paramLabel = "U", description = "Where to write the left vectors, (..., m, min(m, n)).")
    private String u;

    @Option(names = "-s", paramLabel = "S",
            description = "Where to write the singular values, (..., min(m, n)), descending.")
    private String s;

    @Option(names = "-v", paramLabel = "VT",
            description = "Where to write the right vectors as rows, (..., min(m, n), n).")
    private String vt;

    @Option(names = "--values-only", description = "Compute the singular values alone.")
    private boolean valuesOnly;

    @Option(names = "--rank", paramLabel = "R", description = "Rank of the approximation.")
    private Long rank;

    @Option(names = "--approx", paramLabel = "OUT", description = "Where to write the best approximation of rank R.")
    private String approx;

    @Option(names = "--plot", paramLabel = "PICTURE",
            description = "Where to draw the singular values of one matrix, energy and error by rank: .png or .svg.")
    private Path plot;

    @Option(names = "--check",
            description = "Multiply the factors in float64 by plain loops; exit code 1 if they are wrong.")
    private boolean check;

    @Override
    public Integer call() {
        if (valuesOnly && (u != null || vt != null || approx != null || rank != null)) {
            throw new ParameterException(spec.commandLine(),
                    "--values-only gives no vectors: leave out -u, -v and --rank");
        }
        if ((rank == null) != (approx == null)) {
            throw new ParameterException(spec.commandLine(), "--rank and --approx go together");
        }
        PictureFile.check(plot);
        try (Session session = session()) {
            Tensor x = session.single(session.read(a), "SVD");
            return valuesOnly ? values(session, x) : factors(session, x);
        }
    }

    private int values(Session session, Tensor x) {
        Tensor values = session.compute("svd", 0, () -> Linalg.svdValues(x));
        session.result(s, values);
        draw(x, values);
        int code = check ? session.report(SvdReference.values(x, values)) : 0;
        session.closeUncounted(Text.of(x) + " → S " + values.shape());
        return code;
    }

    private void draw(Tensor x, Tensor values) {
        if (plot != null) {
            SpectrumPlot.draw(plot, a + "  " + Text.of(x), Spectrum.of(values), rank);
        }
    }

    private int factors(Session session, Tensor x) {
        if (rank != null && x.rank() > 1 && (rank < 0 || rank > Math.min(x.dim(-2), x.dim(-1)))) {
            throw new ShapeException("svd: no such rank; --rank " + rank + ", a " + x.shape() + "; use 0 to "
                    + Math.min(x.dim(-2), x.dim(-1)));
        }
        Svd svd = session.compute("svd", 0, () -> Linalg.svd(x));
        if (s != null || u == null && vt == null && approx == null) {
            session.result(s, svd.s());
        }
        draw(x, svd.s());
        session.writeIfGiven(u, svd.u());
        session.writeIfGiven(vt, svd.vt());
        List<Verdict> verdicts = new ArrayList<>();
        if (check) {
            verdicts.addAll(SvdReference.factors(x, svd));
        }
        String more = "";
        if (rank != null) {
            LowRank low = session.compute("svd", 0, () -> svd.truncate(rank));
            Tensor product = session.compute("svd", 0, low::product);
            session.writeIfGiven(approx, product);
            more = ", rank " + rank + " " + product.shape();
            double error = Linalg.norm(low.error()).item();
            double norm = Linalg.norm(x).item();
            session.say(String.format(Locale.ROOT, "rank %d: error %.4g of ‖A‖ = %.4g, %.2f%%", rank, error, norm,
                    norm == 0 ? 0 : 100 * error / norm));
            if (check) {
                verdicts.add(SvdReference.approximation(x, svd.s(), rank, product));
            }
        }
        int code = session.report(verdicts);
        session.closeUncounted(
                Text.of(x) + " → U " + svd.u().shape() + ", S " + svd.s().shape() + ", VT " + svd.vt().shape() + more);
        return code;
    }
}
