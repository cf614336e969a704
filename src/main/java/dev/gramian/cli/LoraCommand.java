package dev.gramian.cli;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.adapt.LoraAdapter;
import dev.gramian.core.FormatException;
import dev.gramian.core.GramianException;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.LazyTensor;
import dev.gramian.io.TensorEntry;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** Low-rank adapters of checkpoints, in PEFT's layout. */
@Command(
        name = "lora",
        description = "Low-rank adapters (LoRA) of .safetensors checkpoints, in the layout of the Python library PEFT.",
        footer = {
            "",
            "A checkpoint is FILE.safetensors, or a directory or model.safetensors.index.json with several such files. Layers are"
                    + " read, computed and written one at a time."
        },
        subcommands = {
            LoraInitCommand.class, LoraExtractCommand.class, LoraMergeCommand.class, LoraUnmergeCommand.class
        })
final class LoraCommand extends GramianCommand {
    static final String TARGETS = "Modules by name or the end of one, such as q_proj; may be repeated. Default: all matrices"
            + " named MODULE.weight.";

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "Missing subcommand: init, extract, merge or unmerge");
    }

    /** Which modules {@code --target} means; all where it is not given. */
    static Predicate<String> wanted(List<String> targets) {
        return module -> targets == null
                || targets.stream().anyMatch(t -> module.equals(t) || module.endsWith("." + t));
    }

    static GramianException none(String op, Checkpoint base, List<String> targets) {
        return new GramianException(op + ": no module is meant; " + base.path() + (targets == null
                ? " has no matrix named MODULE.weight"
                : ", --target " + String.join(" --target ", targets) + "; gramian info lists the names"));
    }

    /** The checkpoint's entry of a module's weight. */
    static TensorEntry weight(String op, Checkpoint checkpoint, String module) {
        TensorEntry e = checkpoint.entries().get(LoraAdapter.weight(module));
        if (e == null) {
            throw new FormatException(op + ": the adapter is of another model; " + checkpoint.path() + " has no tensor "
                    + LoraAdapter.weight(module) + "; give the checkpoint that it was made for");
        }
        if (e.problem() != null) {
            throw new FormatException(e.problem());
        }
        return e;
    }

    /** A tensor like the entry's, made from it. */
    static LazyTensor remade(
            Checkpoint checkpoint, TensorEntry e, BiFunction<Scope, Tensor, Tensor> how) {
        return new LazyTensor(e.dtype(), e.shape(), s -> how.apply(s, checkpoint.read(s, e.name())));
    }
}
