package dev.gramian.io;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * A model's tensors in one safetensors file or in several with an index, as Hugging Face keeps them beside a
 * {@code config.json}. Headers are read and checked when it is opened; a plain value that needs no closing, as
 * {@link TensorFile}, and whose files must likewise not be changed in place.
 */
public final class Checkpoint {
    private static final String WHOLE = "model.safetensors";
    private static final String INDEX = ".safetensors.index.json";
    /** Names a file of the index's own directory. */
    private static final Pattern PLAIN = Pattern.compile("[\\w.+ -]+\\.safetensors");

    private final Path path;
    private final Path directory;
    private final boolean sharded;
    private final Map<String, TensorFile> files;
    private final Map<String, TensorEntry> entries;

    private Checkpoint(Path path, boolean sharded, Map<String, TensorFile> files, Map<String, TensorEntry> entries) {
        this.path = path;
        this.sharded = sharded;
        this.directory = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
        this.files = files;
        this.entries = Collections.unmodifiableMap(entries);
    }

    /**
     * A {@code .safetensors} file, a {@code .safetensors.index.json} file, or a directory: of its
     * {@code model.safetensors}, else {@code model.safetensors.index.json}, else its only safetensors file.
     */
    public static Checkpoint open(Path path) {
        Path file = Files.isDirectory(path) ? inside(path) : path;
        Map<String, TensorFile> files = new LinkedHashMap<>();
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        boolean sharded = file.toString().endsWith(INDEX);
        if (sharded) {
            shards(file, files, entries);
        } else {
            Safetensors one = Safetensors.open(file);
            one.entries().forEach(e -> {
                files.put(e.name(), one);
                entries.put(e.name(), e);
            });
        }
        return new Checkpoint(path, sharded, files, entries);
    }

    private static Path inside(Path directory) {
        for (String name : List.of(WHOLE, "model" + INDEX)) {
            if (Files.exists(directory.resolve(name))) {
                return directory.resolve(name);
            }
        }
        List<Path> all = new ArrayList<>();
        try (DirectoryStream<Path> list = Files.newDirectoryStream(directory, "*.safetensors")) {
            list.forEach(all::add);
        } catch (IOException e) {
            throw Place.of(directory).failed(e);
        } catch (DirectoryIteratorException e) {
            throw Place.of(directory).failed(e.getCause());
        }
        if (all.size() != 1) {
            throw Place.of(directory).bad(
                    all.isEmpty() ? "no checkpoint" : all.size() + " safetensors files and no index",
                    WHOLE + " or model" + INDEX + (all.isEmpty() ? "" : ", or the name of one file"));
        }
        return all.getFirst();
    }

    /** The index decides which file a tensor is read from; what else the files hold is not part of the checkpoint. */
    private static void shards(Path index, Map<String, TensorFile> files, Map<String, TensorEntry> entries) {
        Map<String, Map<String, TensorEntry>> inFile = new LinkedHashMap<>();
        Map<String, TensorFile> opened = new LinkedHashMap<>();
        Map<String, String> lost = new LinkedHashMap<>();
        JsonConfig.read(index).object("weight_map").texts().forEach((name, shard) -> {
            if (!PLAIN.matcher(shard).matches()) {
                throw Place.of(index).bad("weight_map names the file '" + Place.shown(shard) + "'",
                        "a safetensors file of the same directory");
            }
            TensorFile file = opened.computeIfAbsent(shard, s -> Safetensors.open(index.resolveSibling(s)));
            TensorEntry e = inFile.computeIfAbsent(shard, s -> byName(file)).get(name);
            if (e == null) {
                lost.put(name, shard);
            } else {
                files.put(name, file);
                entries.put(name, e);
            }
        });
        if (!lost.isEmpty()) {
            throw Place.of(index).bad(
                    "files lack " + Names.list(lost.entrySet().stream().map(e -> Place.shown(e.getKey()) + " ("
                            + e.getValue() + ")").toList()),
                    "what weight_map says");
        }
    }

    private static Map<String, TensorEntry> byName(TensorFile file) {
        Map<String, TensorEntry> all = new LinkedHashMap<>();
        file.entries().forEach(e -> all.put(e.name(), e));
        return all;
    }

    /** What was opened. */
    public Path path() {
        return path;
    }

    /** The tensors by name. */
    public Map<String, TensorEntry> entries() {
        return entries;
    }

    /** {@code config.json} beside the tensors. */
    public JsonConfig config() {
        return JsonConfig.read(directory.resolve("config.json"));
    }

    /** One tensor in {@code scope}, as {@link TensorFile#read}. */
    public Tensor read(Scope scope, String name) {
        TensorFile file = files.get(name);
        if (file == null) {
            throw new FormatException("read: no tensor named '" + Place.shown(name) + "'; " + Place.of(path).name()
                    + "; expected one of " + Names.list(entries.keySet().stream().map(Place::shown).toList()));
        }
        return file.read(scope, name);
    }

    /**
     * What {@code model} makes of this checkpoint's tensors, which it takes by name and shape. It is called twice: first
     * with stand-ins of the shapes asked for, to find everything that does not fit before anything is read, then with the
     * tensors. {@link FormatException} that lists what is missing, not expected or of another shape.
     *
     * @param scope owns the tensors; on the CPU they are the files' own pages where nothing is converted
     * @param dtype converts every tensor to this float type; null keeps the type they have, all one
     */
    public <M> M load(Scope scope, DType dtype, Function<Weights, M> model) {
        if (dtype != null && !dtype.isFloat()) {
            throw new DTypeException("load: " + dtype + " holds no weights; " + Place.of(path).name()
                    + "; name a float type, or null for the files' own");
        }
        DType type;
        try (Scope s = Scope.inner("load", scope.device())) {
            Weights tried = new Weights(this, s, dtype, true);
            model.apply(tried);
            type = tried.check();
        }
        return model.apply(new Weights(this, scope, type, false));
    }

    /**
     * Writes a copy in which some tensors are others: to a file, or of several files to a directory, made where missing, with
     * the same names of files and an index. Each tensor in {@code replaced} is made on {@code device} when its turn comes,
     * the others are copied from file to file: size does not matter.
     */
    public void copyTo(Path out, Device device, Map<String, LazyTensor> replaced) {
        if (!sharded) {
            copy(entries.keySet(), Files.isDirectory(out) ? out.resolve(WHOLE) : out, device, replaced);
            return;
        }
        PlainFile.directory(out);
        Map<String, List<String>> shards = new LinkedHashMap<>();
        Map<String, String> map = new LinkedHashMap<>();
        long bytes = 0;
        for (TensorEntry e : entries.values()) {
            String shard = files.get(e.name()).path().getFileName().toString();
            shards.computeIfAbsent(shard, s -> new ArrayList<>()).add(e.name());
            map.put(e.name(), shard);
            bytes += e.bytes();
        }
        shards.forEach((shard, names) -> copy(names, out.resolve(shard), device, replaced));
        JsonConfig.write(out.resolve("model" + INDEX),
                Map.of("metadata", Map.of("total_size", bytes), "weight_map", map));
    }

    private void copy(Collection<String> names, Path out, Device device, Map<String, LazyTensor> replaced) {
        Map<String, Elements> all = new LinkedHashMap<>();
        Map<String, String> metadata = Map.of();
        for (String name : names) {
            TensorEntry e = entries.get(name);
            LazyTensor other = replaced.get(name);
            if (other == null && e.problem() != null) {
                throw new FormatException(e.problem());
            }
            all.put(name, other == null
                    ? new Elements(e.dtype(), e.shape(), new FromFile(files.get(name), e))
                    : TensorFiles.elements(device, other));
            metadata = files.get(name).metadata();
        }
        TensorFiles.save(out, all, metadata);
    }

    /** Elements of a file, mapped while they are copied. */
    private static final class FromFile implements Elements.Source {
        private final TensorFile file;
        private final TensorEntry entry;
        private HostBytes mapped;

        FromFile(TensorFile file, TensorEntry entry) {
            this.file = file;
            this.entry = entry;
        }

        @Override
        public MemorySegment piece(long at, long length) {
            if (mapped == null) {
                mapped = TensorFiles.load(file, entry).data();
            }
            return mapped.bytes().asSlice(at, length);
        }

        @Override
        public void close() {
            if (mapped != null) {
                mapped.onFree().run();
                mapped = null;
            }
        }
    }

    @Override
    public String toString() {
        return "checkpoint " + path + ", " + entries.size() + " tensors";
    }
}
