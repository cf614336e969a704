package dev.gramian.adapt;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.FormatException;
import dev.gramian.core.Shape;
import dev.gramian.io.JsonConfig;
import dev.gramian.io.PlainFile;
import dev.gramian.io.Safetensors;
import dev.gramian.io.TensorEntry;
import dev.gramian.io.TensorFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An adapter as PEFT stores it: a directory with {@code adapter_config.json} and {@code adapter_model.safetensors}, in which
 * {@code base_model.model.MODULE.lora_A.weight} (r, in) and {@code .lora_B.weight} (out, r) belong to the weight
 * {@code MODULE.weight}. A plain value; factors are mapped when they are asked for.
 */
public final class LoraAdapter {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PREFIX = "base_model.model.";
    private static final String A = ".lora_A.weight";
    private static final String B = ".lora_B.weight";

    private final Safetensors file;
    private final LoraConfig config;
    private final List<String> modules;

    private LoraAdapter(Safetensors file, LoraConfig config, List<String> modules) {
        this.file = file;
        this.config = config;
        this.modules = List.copyOf(modules);
    }

    /** Reads and checks config and header. */
    public static LoraAdapter open(Path directory) {
        Path json = directory.resolve(CONFIG);
        LoraConfig config = LoraConfig.of(JsonConfig.read(json).values(), json.toString());
        Safetensors file = Safetensors.open(directory.resolve(WEIGHTS));
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        file.entries().forEach(e -> entries.put(e.name(), e));
        List<String> modules = new ArrayList<>();
        for (TensorEntry e : file.entries()) {
            String name = e.name();
            boolean a = name.endsWith(A);
            if (!name.startsWith(PREFIX) || !a && !name.endsWith(B)) {
                throw bad(file, name, "not a factor of a linear layer", PREFIX + "MODULE" + A + " and " + B);
            }
            String module = name.substring(PREFIX.length(), name.length() - A.length());
            if (e.problem() != null) {
                throw new FormatException(e.problem());
            }
            TensorEntry other = entries.get(PREFIX + module + (a ? B : A));
            if (other == null) {
                throw bad(file, name, "its partner is missing", PREFIX + module + (a ? B : A));
            }
            long rank = config.rankOf(module);
            Shape shape = e.shape();
            if (shape.rank() != 2 || shape.at(a ? 0 : 1) != rank) {
                throw bad(file, name, "shape " + shape + " is not of rank " + rank + ", which " + CONFIG + " names",
                        a ? "(" + rank + ", in)" : "(out, " + rank + ")");
            }
            if (a) {
                modules.add(module);
            }
        }
        return new LoraAdapter(file, config, modules);
    }

    private static FormatException bad(Safetensors file, String name, String fact, String expected) {
        return new FormatException("read: " + fact + "; " + file.path() + ":" + name + "; expected " + expected);
    }

    public LoraConfig config() {
        return config;
    }

    /** Names of the modules that have factors, in the order of the file. */
    public List<String> modules() {
        return modules;
    }

    /** Name of the weight that a module's factors belong to. */
    public static String weight(String module) {
        return module + ".weight";
    }

    /** A module's factors and scale. */
    public LoraPair pair(Scope scope, String module) {
        return new LoraPair(file.read(scope, PREFIX + module + A), file.read(scope, PREFIX + module + B),
                config.scaleOf(module));
    }

    /** The weight with a module's update, or without one that it has; in the weight's own orientation, as a fresh tensor. */
    public Tensor merged(Scope scope, String module, Tensor w, boolean take) {
        LoraPair pair = pair(scope, module);
        Tensor x = config.fanInFanOut() && w.rank() == 2 ? w.transpose(0, 1) : w;
        Tensor y = take ? pair.unmerge(x) : pair.merge(x);
        return config.fanInFanOut() ? y.transpose(0, 1).contiguous() : y;
    }

    /** Writes a directory, made where missing, with the factors of these modules. */
    public static void write(Path directory, LoraConfig config, Map<String, LoraPair> pairs) {
        PlainFile.directory(directory);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        pairs.forEach((module, pair) -> {
            tensors.put(PREFIX + module + A, pair.a());
            tensors.put(PREFIX + module + B, pair.b());
        });
        TensorFiles.write(directory.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
        JsonConfig.write(directory.resolve(CONFIG), config.toJson());
    }
}
