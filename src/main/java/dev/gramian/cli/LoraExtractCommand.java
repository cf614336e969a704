package dev.gramian.cli;

import dev.gramian.adapt.LoraAdapter;
import dev.gramian.adapt.LoraConfig;
import dev.gramian.adapt.LoraExtract;
import dev.gramian.adapt.LoraPair;
import dev.gramian.core.GramianException;
import dev.gramian.io.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** An adapter that turns one checkpoint nearly into another. */
@Command(name = "extract",
        description = "The adapter that turns one checkpoint most nearly into another, and its errors.")
final class LoraExtractCommand extends ComputeCommand {
    private static final int SHOWN = 10;

    @Parameters(index = "0", paramLabel = "BASE", description = "Checkpoint before tuning.")
    private Path base;

    @Parameters(index = "1", paramLabel = "TUNED", description = "Checkpoint after it, with the same names.")
    private Path tuned;

    @ArgGroup(multiplicity = "1")
    private Size size;

    /** One of the ways to say how many singular values stay. */
    static final class Size {
        @Option(names = "--rank", paramLabel = "R", required = true, description = "Rank of every module's factors.")
        Long rank;

        @Option(names = "--energy", paramLabel = "E", required = true,
                description = "Of each module the smallest rank that keeps this share of the difference's squared singular"
                        + " values, above 0 to 1.")
        Double energy;
    }

    @Option(names = "--target", paramLabel = "NAME", description = LoraCommand.TARGETS)
    private List<String> targets;

    @Option(names = "--fan-in-fan-out",
            description = "The weights lie as (in, out), as GPT-2's: factors are written the way PEFT has them there.")
    private boolean fanInFanOut;

    @Option(names = {"-o", "--output"}, paramLabel = "DIR", required = true,
            description = "Where to write the adapter.")
    private Path output;

    @Option(names = "--plot", paramLabel = "PICTURE",
            description = "Where to draw the errors and ranks of the modules: .png or .svg.")
    private Path plot;

    @Option(names = "--check",
            description = "Measure the error of the adapter that was written in float64 by plain loops; exit code 1 if what is said of it is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        PictureFile.check(plot);
        LoraExtract how = size.rank != null ? LoraExtract.ofRank(size.rank) : LoraExtract.ofEnergy(size.energy);
        try (Session session = session()) {
            Checkpoint from = Checkpoint.open(base);
            Checkpoint to = Checkpoint.open(tuned);
            LoraExtract.Result result = session.compute("lora extract", 0, () -> how.run(
                    session.scope().device(), from, to, LoraCommand.wanted(targets), layer -> {}));
            if (result.layers().isEmpty()) {
                throw LoraCommand.none("lora extract", from, targets);
            }
            Map<String, LoraPair> pairs = new LinkedHashMap<>();
            Map<String, Long> ranks = new LinkedHashMap<>();
            for (LoraExtract.Layer l : result.layers()) {
                if (l.pair() != null) {
                    pairs.put(l.module(), fanInFanOut ? l.pair().transposed() : l.pair());
                    ranks.put(l.module(), l.rank());
                }
            }
            if (pairs.isEmpty()) {
                throw new GramianException("lora extract: nothing to extract; " + base + " and " + tuned
                        + " are equal in all " + result.layers().size() + " matrices; give a tuned checkpoint");
            }
            LoraAdapter.write(output, LoraConfig.ofRanks(ranks, fanInFanOut), pairs);
            if (plot != null) {
                AdapterPlot.draw(plot, base + " to " + tuned, result.layers());
            }
            report(session, result, pairs);
            result.layers().stream().map(l -> from.entries().get(LoraAdapter.weight(l.module())).dtype()).distinct()
                    .forEach(t -> session.sayIfHalf(t, "SVD"));
            int code = check
                    ? session.report(List.of(AdapterReference.extracted(session.scope().device(), from, to,
                            LoraAdapter.open(output), result.layers())))
                    : 0;
            session.closeUncounted(pairs.size() + " modules → " + output);
            return code;
        }
    }

    private static void report(Session session, LoraExtract.Result result, Map<String, LoraPair> pairs) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"module", "shape", "rank", "‖Δ‖ / ‖W‖", "error / ‖Δ‖", "measured", "error / ‖W‖"});
        double delta = 0;
        double error = 0;
        double weight = 0;
        long numbers = 0;
        for (LoraExtract.Layer l : result.layers()) {
            rows.add(row(l.module(), l.shape().toString(), l.rank(), l.weightNorm(), l.deltaNorm(), l.predicted(),
                    l.measured()));
            delta = Math.hypot(delta, l.deltaNorm());
            weight = Math.hypot(weight, l.weightNorm());
            error = Math.hypot(error, l.measured() * l.deltaNorm());
            numbers += l.shape().size();
        }
        Text.table(rows, false, false, true, true, true, true, true).forEach(session::say);
        long factors = pairs.values().stream().mapToLong(p -> p.a().size() + p.b().size()).sum();
        session.say(String.format(Locale.ROOT, "in all: error %s of ‖Δ‖, %s of ‖W‖; %s numbers in place of %s, %.3g%%",
                percent(error, delta), percent(error, weight), Text.count(factors), Text.count(numbers),
                100.0 * factors / numbers));
        List<LoraExtract.LeftOut> left = result.leftOut();
        left.stream().limit(SHOWN).forEach(l -> session.say("not in the adapter: " + l.name() + ": " + l.why()));
        if (left.size() > SHOWN) {
            session.say("not in the adapter: ... (" + left.size() + " in all)");
        }
    }

    private static String[] row(
            String module, String shape, long rank, double weight, double delta, double predicted, double measured) {
        return new String[] {
            module, shape, "" + rank, percent(delta, weight), percent(predicted, 1), percent(measured, 1),
            percent(measured * delta, weight)
        };
    }

    private static String percent(double x, double of) {
        return x == 0 ? "0%" : String.format(Locale.ROOT, "%.3g%%", 100 * x / of);
    }
}
