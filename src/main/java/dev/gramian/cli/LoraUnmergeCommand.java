package dev.gramian.cli;

import dev.gramian.Device;
import dev.gramian.adapt.LoraAdapter;
import dev.gramian.core.FormatException;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.LazyTensor;
import dev.gramian.io.TensorEntry;
import dev.gramian.io.TensorFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A merged checkpoint without its adapter. */
@Command(name = "unmerge",
        description = "A merged checkpoint with an adapter taken out again: exactly from the file that merge kept, to rounding"
                + " without it.")
final class LoraUnmergeCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "MERGED", description = "Checkpoint with the adapter in its weights.")
    private Path merged;

    @Parameters(index = "1", paramLabel = "DIR", description = "Adapter: a directory with adapter_config.json.")
    private Path directory;

    @Option(names = {"-o", "--output"}, paramLabel = "OUT", required = true,
            description = "Where to write the result: a file, or a directory where MERGED has several.")
    private Path output;

    @Option(names = "--undo", paramLabel = "FILE", description = "What merge --undo wrote: the weights as they were.")
    private Path undo;

    @Option(names = "--check",
            description = "Recompute weights that were written, or some of their rows, in float64 by plain loops; exit code 1 if they are wrong.")
    private boolean check;

    @Override
    public Integer call() {
        try (Session session = session()) {
            Device device = session.scope().device();
            Checkpoint checkpoint = Checkpoint.open(merged);
            LoraAdapter adapter = LoraAdapter.open(directory);
            Checkpoint kept = undo == null ? null : Checkpoint.open(undo);
            Map<String, LazyTensor> weights = new LinkedHashMap<>();
            for (String module : adapter.modules()) {
                TensorEntry e = LoraCommand.weight("lora unmerge", checkpoint, module);
                if (kept == null) {
                    weights.put(e.name(), LoraCommand.remade(checkpoint, e,
                            (s, w) -> adapter.merged(s, module, w, true)));
                    continue;
                }
                TensorEntry k = LoraCommand.weight("lora unmerge", kept, module);
                if (k.dtype() != e.dtype() || !k.shape().equals(e.shape())) {
                    throw new FormatException("lora unmerge: the weight kept is another; " + e.name() + " is "
                            + e.dtype() + " " + e.shape() + " in " + merged + ", " + k.dtype() + " " + k.shape()
                            + " in "
                            + undo + "; give the file that this merge wrote");
                }
                weights.put(e.name(), LoraCommand.remade(kept, k, (s, w) -> w));
            }
            session.compute("lora unmerge", 0, () -> {
                checkpoint.copyTo(output, device, weights);
                return null;
            });
            session.say(kept == null
                    ? "subtracted: the weights are those before but for rounding; merge with --undo to keep them"
                    : "the weights are those before, bit by bit");
            int code = check
                    ? session
                            .report(AdapterReference.merged(device, checkpoint, Checkpoint.open(output), adapter, true))
                    : 0;
            session.closeUncounted(
                    weights.size() + " of " + checkpoint.entries().size() + " tensors unmerged → " + output);
            return code;
        }
    }
}
