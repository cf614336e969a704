package dev.gramian.io;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** A checkpoint's tensors as a model takes them, by name and expected shape; see {@link Checkpoint#load}. */
public final class Weights {
    /** Beyond it what is asked for is another model. */
    private static final int MOST_MISSING = 1000;

    private final Checkpoint checkpoint;
    private final Scope scope;
    /** What taken tensors are converted to; null for what they are, which is not known before all have been seen. */
    private final DType dtype;
    private final boolean trial;
    private final Map<String, TensorEntry> taken = new LinkedHashMap<>();
    private final Set<String> ignored = new LinkedHashSet<>();
    private final Set<String> missing = new LinkedHashSet<>();
    private final Set<String> wrong = new LinkedHashSet<>();

    Weights(Checkpoint checkpoint, Scope scope, DType dtype, boolean trial) {
        this.checkpoint = checkpoint;
        this.scope = scope;
        this.dtype = dtype;
        this.trial = trial;
    }

    /** Where the tensors go, and whatever a model makes beside them. */
    public Scope scope() {
        return scope;
    }

    /** Element type of the tensors taken. */
    public DType dtype() {
        return dtype != null ? dtype : DType.F32;
    }

    public boolean has(String name) {
        return checkpoint.entries().containsKey(name);
    }

    /**
     * What stands before {@code name} where the checkpoint has one tensor whose name ends so after nothing or a dot;
     * {@code usual} where it has none or several.
     */
    public String prefix(String name, String usual) {
        List<String> found = checkpoint.entries().keySet().stream()
                .filter(n -> n.equals(name) || n.endsWith("." + name))
                .toList();
        return found.size() == 1 ? found.getFirst().substring(0, found.getFirst().length() - name.length()) : usual;
    }

    /** Names that the model does without; all others must be taken. */
    public void ignore(Predicate<String> names) {
        checkpoint.entries().keySet().stream().filter(names).forEach(ignored::add);
    }

    /** The float tensor of that name and shape, of type {@link #dtype}. */
    public Tensor take(String name, long... shape) {
        return take(List.of(name), shape);
    }

    /** As {@link #take(String, long...)} under the first of several names that there is. */
    public Tensor take(List<String> names, long... shape) {
        Shape expected = Shape.of(shape);
        TensorEntry e = names.stream().filter(this::has).findFirst().map(checkpoint.entries()::get).orElse(null);
        if (!trial) {
            return read(e.name());
        }
        if (e == null) {
            missing.add(String.join(" or ", names) + " " + expected);
            if (missing.size() > MOST_MISSING) {
                check();
            }
        } else if (e.dtype() == null || !e.dtype().isFloat()) {
            taken.put(e.name(), e);
            wrong.add(Place.shown(e.name()) + " is " + Place.shown(e.type()) + ", not a supported float type");
        } else {
            taken.put(e.name(), e);
            if (!e.shape().equals(expected)) {
                wrong.add(Place.shown(e.name()) + " is " + e.shape() + ", not " + expected);
            }
        }
        long[] ones = new long[shape.length];
        Arrays.fill(ones, 1);
        return scope.full(dtype(), 0, ones).expand(shape);
    }

    private Tensor read(String name) {
        if (checkpoint.entries().get(name).dtype() == dtype) {
            return checkpoint.read(scope, name);
        }
        try (Scope s = Scope.inner("load", scope.device())) {
            return scope.run(new Op.Copy(dtype), checkpoint.read(s, name));
        }
    }

    /** The type of all that was taken, or the error that lists what does not fit. */
    DType check() {
        List<String> unexpected = new ArrayList<>();
        checkpoint.entries().forEach((name, e) -> {
            if (!taken.containsKey(name) && !ignored.contains(name)) {
                unexpected.add(Place.shown(name) + " " + (e.shape() == null ? "" : e.shape()));
            }
        });
        List<String> facts = new ArrayList<>();
        add(facts, missing, " missing: ");
        add(facts, unexpected, " not expected: ");
        add(facts, wrong, " of another shape or type: ");
        if (!facts.isEmpty()) {
            throw new FormatException("load: tensors do not fit the model; " + Place.of(checkpoint.path()).name() + ", "
                    + String.join("; ", facts) + "; config.json and tensors must be of one model");
        }
        return dtype != null ? dtype : common();
    }

    private static void add(List<String> facts, Collection<String> names, String what) {
        if (!names.isEmpty()) {
            facts.add(names.size() + what + Names.list(names));
        }
    }

    private DType common() {
        Map<DType, String> types = new LinkedHashMap<>();
        taken.forEach((name, e) -> types.putIfAbsent(e.dtype(), Place.shown(name)));
        if (types.size() > 1) {
            throw new FormatException("load: element types differ; " + Place.of(checkpoint.path()).name() + ", "
                    + Names.list(types.entrySet().stream().map(t -> t.getValue() + " is " + t.getKey()).toList())
                    + "; name one that all are converted to");
        }
        return types.isEmpty() ? DType.F32 : types.keySet().iterator().next();
    }
}
