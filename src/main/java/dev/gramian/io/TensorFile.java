package dev.gramian.io;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.FormatException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A tensor file whose header has been read and checked. A plain value: it holds no file open and needs no closing; each
 * tensor read maps the file anew. Everything that is wrong with a file is a {@link FormatException} of one line.
 */
public abstract sealed class TensorFile permits Npy, Npz, Safetensors {
    private static final int SHOWN = 10;

    private final Path path;
    private final List<TensorEntry> entries;

    TensorFile(Path path, List<TensorEntry> entries) {
        this.path = path;
        this.entries = List.copyOf(entries);
    }

    public final Path path() {
        return path;
    }

    /** The tensors, in the order of the file's directory. */
    public final List<TensorEntry> entries() {
        return entries;
    }

    /** Text the writer added, in file order; empty where the format has none. */
    public Map<String, String> metadata() {
        return Map.of();
    }

    /** The entry of that name; {@code null} asks for the only one there is. */
    public TensorEntry entry(String name) {
        Place place = Place.of(path);
        if (name == null) {
            if (entries.size() == 1) {
                return entries.get(0);
            }
            throw place.bad(
                    entries.isEmpty() ? "file holds no tensors" : "which tensor? The file holds " + entries.size(),
                    entries.isEmpty() ? "at least one" : "FILE:NAME with one of " + names());
        }
        for (TensorEntry e : entries) {
            if (e.name().equals(name)) {
                return e;
            }
        }
        throw place.bad("no tensor named '" + Place.shown(name) + "'",
                entries.isEmpty() ? "nothing: the file holds no tensors" : "one of " + names());
    }

    private String names() {
        return entries.stream().limit(SHOWN).map(e -> Place.shown(e.name())).collect(Collectors.joining(", "))
                + (entries.size() > SHOWN ? ", ... (" + entries.size() + " in all)" : "");
    }

    /**
     * A tensor of this file in {@code scope}: on the CPU the file's own pages, mapped until the scope closes, where
     * byte order and compression allow, else a copy. {@code name} as for {@link #entry}. The file must not be changed
     * in place while it is mapped; replacing it, as the writers here do, is harmless.
     */
    public final Tensor read(Scope scope, String name) {
        HostTensor t = TensorFiles.load(this, entry(name));
        boolean done = false;
        try {
            Tensor tensor = scope.wrap(t.data().bytes(), t.data().onFree(), t.dtype(), t.layout());
            done = true;
            return tensor;
        } finally {
            if (!done) {
                t.data().onFree().run();
            }
        }
    }

    /** All tensors by name, each as by {@link #read}. */
    public final Map<String, Tensor> readAll(Scope scope) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (TensorEntry e : entries) {
            all.put(e.name(), read(scope, e.name()));
        }
        return all;
    }

    /** The elements of one entry of {@link #entries}. */
    abstract HostTensor load(TensorEntry entry);
}
