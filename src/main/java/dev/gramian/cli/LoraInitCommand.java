package dev.gramian.cli;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.adapt.LoraAdapter;
import dev.gramian.adapt.LoraConfig;
import dev.gramian.adapt.LoraInit;
import dev.gramian.adapt.LoraPair;
import dev.gramian.core.GramianException;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.LazyTensor;
import dev.gramian.io.TensorEntry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** An adapter to begin training with. */
@Command(name = "init", description = "An adapter to begin training with, which changes nothing yet.")
final class LoraInitCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "BASE", description = "Checkpoint.")
    private Path base;

    @Option(names = "--rank", paramLabel = "R", required = true, description = "Rank of every module's factors.")
    private long rank;

    @Option(names = "--alpha", paramLabel = "A", description = "The update counts A / R times. Default: R.")
    private Double alpha;

    @Option(names = "--rslora", description = "The update counts A / √R times.")
    private boolean rsLora;

    @Option(names = "--method", paramLabel = "METHOD", defaultValue = "kaiming", completionCandidates = Methods.class,
            description = "${COMPLETION-CANDIDATES}. Default: kaiming. The last two take their part out of the base.")
    private LoraInit method;

    @Option(names = "--target", paramLabel = "NAME", description = LoraCommand.TARGETS)
    private List<String> targets;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Seed of what is random. Default: 1.")
    private long seed;

    @Option(names = "--fan-in-fan-out",
            description = "The weights lie as (in, out), as GPT-2's: factors are written the way PEFT has them there.")
    private boolean fanInFanOut;

    @Option(names = {"-o", "--output"}, paramLabel = "DIR", required = true,
            description = "Where to write the adapter.")
    private Path output;

    @Option(names = "--residual", paramLabel = "OUT",
            description = "Where to write the checkpoint less what pissa or olora took out of it.")
    private Path residual;

    static final class Methods extends ArrayList<String> {
        private static final long serialVersionUID = 1;

        Methods() {
            super(List.of("kaiming", "gaussian", "pissa", "olora"));
        }
    }

    @Override
    public Integer call() {
        if (method.changesBase() != (residual != null)) {
            throw new ParameterException(spec.commandLine(), method.changesBase()
                    ? "--method " + method.name().toLowerCase(Locale.ROOT)
                            + " takes its part out of the base: name where to write the rest with --residual"
                    : "--residual goes with --method pissa or olora");
        }
        try (Session session = session()) {
            Checkpoint checkpoint = Checkpoint.open(base);
            Predicate<String> wanted = LoraCommand.wanted(targets);
            List<String> modules = new ArrayList<>();
            for (String name : checkpoint.entries().keySet()) {
                TensorEntry e = checkpoint.entries().get(name);
                if (name.endsWith(LoraAdapter.weight("")) && e.dtype() != null && e.dtype().isFloat()
                        && e.shape().rank() == 2 && wanted.test(name.substring(0, name.length() - 7))) {
                    modules.add(name.substring(0, name.length() - 7));
                }
            }
            if (modules.isEmpty()) {
                throw LoraCommand.none("lora init", checkpoint, targets);
            }
            LoraConfig config = new LoraConfig(rank, alpha == null ? rank : alpha, rsLora, fanInFanOut, Map.of(),
                    Map.of(), modules, null);
            Map<String, LoraPair> pairs = session.compute("lora init", 0, () -> start(session, checkpoint, config));
            LoraAdapter.write(output, config, pairs);
            if (residual != null) {
                Map<String, LazyTensor> rest = new LinkedHashMap<>();
                pairs.forEach((module, pair) -> {
                    TensorEntry e = checkpoint.entries().get(LoraAdapter.weight(module));
                    rest.put(e.name(),
                            LoraCommand.remade(checkpoint, e, (s, w) -> oriented(pair.unmerge(oriented(w)))));
                });
                checkpoint.copyTo(residual, session.scope().device(), rest);
            }
            long factors = pairs.values().stream().mapToLong(p -> p.a().size() + p.b().size()).sum();
            long weights = modules.stream()
                    .mapToLong(m -> checkpoint.entries().get(LoraAdapter.weight(m)).shape().size())
                    .sum();
            session.say(String.format(Locale.ROOT, "%s numbers to train beside %s, %.3g%%; scale %.4g",
                    Text.count(factors), Text.count(weights), 100.0 * factors / weights,
                    config.scaleOf(modules.get(0))));
            if (method.changesBase()) {
                modules.stream().map(m -> checkpoint.entries().get(LoraAdapter.weight(m)).dtype()).distinct()
                        .forEach(t -> session.sayIfHalf(t, method == LoraInit.PISSA ? "SVD" : "QR"));
            }
            session.closeUncounted(modules.size() + " modules, rank " + rank + " → " + output);
            return 0;
        }
    }

    /** A weight as (out, in), or back again. */
    private Tensor oriented(Tensor w) {
        return fanInFanOut ? w.transpose(0, 1).contiguous() : w;
    }

    private Map<String, LoraPair> start(Session session, Checkpoint checkpoint, LoraConfig config) {
        Map<String, LoraPair> pairs = new LinkedHashMap<>();
        for (String module : config.targets()) {
            try (Scope s = Scope.inner("lora init", session.scope().device())) {
                Tensor w = oriented(checkpoint.read(s, LoraAdapter.weight(module)));
                LoraPair p = method.start(w, rank, config.scaleOf(module), seed + pairs.size()).pair();
                pairs.put(module, new LoraPair(s.keep(p.a()), s.keep(p.b()), p.scale()));
            } catch (GramianException e) {
                throw new GramianException(e.getMessage() + "; module " + module, e);
            }
        }
        return pairs;
    }
}
