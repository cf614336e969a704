package dev.gramian.cli;

import dev.gramian.Device;
import dev.gramian.adapt.LoraAdapter;
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

/** A checkpoint with an adapter added to its weights. */
@Command(name = "merge", description = "A checkpoint with an adapter added to its weights.")
final class LoraMergeCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "BASE", description = "Checkpoint.")
    private Path base;

    @Parameters(index = "1", paramLabel = "DIR", description = "Adapter: a directory with adapter_config.json.")
    private Path directory;

    @Option(names = {"-o", "--output"}, paramLabel = "OUT", required = true,
            description = "Where to write the result: a file, or a directory where BASE has several.")
    private Path output;

    @Option(names = "--undo", paramLabel = "FILE",
            description = "Where to keep the weights that are changed, for an exact way back: .safetensors.")
    private Path undo;

    @Option(names = "--check",
            description = "Recompute weights that were written, or some of their rows, in float64 by plain loops; exit code 1 if they are wrong.")
    private boolean check;

    @Override
    public Integer call() {
        try (Session session = session()) {
            Device device = session.scope().device();
            Checkpoint checkpoint = Checkpoint.open(base);
            LoraAdapter adapter = LoraAdapter.open(directory);
            Map<String, LazyTensor> merged = new LinkedHashMap<>();
            Map<String, LazyTensor> kept = new LinkedHashMap<>();
            for (String module : adapter.modules()) {
                TensorEntry e = LoraCommand.weight("lora merge", checkpoint, module);
                merged.put(e.name(), LoraCommand.remade(checkpoint, e,
                        (s, w) -> adapter.merged(s, module, w, false)));
                kept.put(e.name(), LoraCommand.remade(checkpoint, e, (s, w) -> w));
            }
            if (undo != null) {
                TensorFiles.write(undo, device, kept, Map.of("format", "pt"));
            }
            session.compute("lora merge", 0, () -> {
                checkpoint.copyTo(output, device, merged);
                return null;
            });
            int code = check
                    ? session.report(
                            AdapterReference.merged(device, checkpoint, Checkpoint.open(output), adapter, false))
                    : 0;
            session.closeUncounted(
                    merged.size() + " of " + checkpoint.entries().size() + " tensors merged → " + output);
            return code;
        }
    }
}
