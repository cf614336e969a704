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
import java.util.TreeSet;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The best approximation of a matrix by two thin factors, of a given rank or error. */
@Command(
        name = "lowrank",
        description = "The best approximation of a matrix by a product of two thin factors, and what its singular values say"
                + " about others.")
final class LowRankCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "W", description = "Matrix (m, n).")
    private String w;

    @ArgGroup(multiplicity = "1")
    private Size size;

    /** One of the ways to say how many singular values stay. */
    static final class Size {
        @Option(names = "--rank", paramLabel = "R", required = true, description = "Rank of the approximation.")
        Long rank;

        @Option(names = "--energy", paramLabel = "E", required = true,
                description = "The smallest rank that keeps this share of the sum of the squared singular values, 0 to 1.")
        Double energy;

        @Option(names = "--tolerance", paramLabel = "T", required = true,
                description = "The smallest rank with an error of at most this share of the Frobenius norm.")
        Double tolerance;
    }

    @Option(names = {"-o", "--output"}, paramLabel = "APPROX",
            description = "Where to write the approximation, (m, n).")
    private String output;

    @Option(names = "--factors", arity = "2", paramLabel = "FILE",
            description = "Where to write the factors, (m, R) and (R, n); the singular values go into the first.")
    private String[] factors;

    @Option(names = "--plot", paramLabel = "PICTURE",
            description = "Where to draw the singular values, the energy and the error by rank: .png or .svg.")
    private Path plot;

    @Option(names = "--check",
            description = "Compare the error with Eckart and Young's in float64 by plain loops; exit code 1 if it is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        PictureFile.check(plot);
        try (Session session = session()) {
            Tensor read = session.read(w);
            if (read.rank() != 2) {
                throw new ShapeException("lowrank: needs one matrix; w " + read.shape() + "; give (rows, columns)");
            }
            Tensor x = session.single(read, "SVD");
            Svd svd = session.compute("svd", 0, () -> Linalg.svd(x));
            Spectrum spectrum = Spectrum.of(svd.s());
            LowRank low = session.compute("lowrank", 0, () -> svd.truncate(rank(spectrum)));
            report(session, x, spectrum, low);
            session.writeIfGiven(output, low.product());
            if (factors != null) {
                session.writeIfGiven(factors[0], low.left());
                session.writeIfGiven(factors[1], low.right());
            }
            if (plot != null) {
                SpectrumPlot.draw(plot, w + "  " + Text.of(read), spectrum, low.rank());
            }
            int code = check
                    ? session.report(List.of(SvdReference.approximation(x, svd.s(), low.rank(), low.product())))
                    : 0;
            session.closeUncounted(Text.of(x) + " → " + low.left().shape() + " · " + low.right().shape());
            return code;
        }
    }

    private long rank(Spectrum spectrum) {
        return size.rank != null
                ? size.rank
                : size.energy != null ? spectrum.rankOfEnergy(size.energy) : spectrum.rankOfTolerance(size.tolerance);
    }

    private void report(Session session, Tensor x, Spectrum spectrum, LowRank low) {
        double norm = Linalg.norm(x).item();
        int rank = Math.toIntExact(low.rank());
        session.say(String.format(Locale.ROOT, "rank %d of %d: error %.4g of ‖W‖ = %.4g, %.3g%%; measured %.4g", rank,
                spectrum.size(), low.error().item(), norm, 100 * spectrum.error(rank), low.distance(x).item()));
        String fewer = low.compression() > 1 && rank > 0
                ? String.format(Locale.ROOT, ": %.3g times fewer", low.compression())
                : "";
        session.say("factors " + low.left().shape() + " and " + low.right().shape() + ", "
                + Text.count(low.left().size() + low.right().size()) + " numbers in place of " + Text.count(x.size())
                + fewer);
        session.say(
                String.format(Locale.ROOT, "effective rank %.4g (entropy), stable rank %.4g", spectrum.effectiveRank(),
                        spectrum.stableRank()));
        TreeSet<Integer> ranks = new TreeSet<>();
        for (int r = 1; r < spectrum.size(); r *= 2) {
            ranks.add(r);
        }
        ranks.add(rank);
        ranks.add(spectrum.size());
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"rank", "energy", "error / ‖W‖"});
        for (int r : ranks) {
            rows.add(new String[] {
                (r == rank ? "* " : "") + r, String.format(Locale.ROOT, "%.4f%%", 100 * spectrum.energy(r)),
                String.format(Locale.ROOT, "%.3g%%", 100 * spectrum.error(r))
            });
        }
        Text.table(rows, true, true, true).forEach(l -> session.say("  " + l));
    }
}
