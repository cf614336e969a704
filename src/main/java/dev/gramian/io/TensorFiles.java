package dev.gramian.io;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.FormatException;
import dev.gramian.core.ShapeException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and writes tensors by file name: {@code x.npy}, {@code x.npz:name}, {@code x.safetensors:name}. Reading maps
 * the file, so that its size does not matter; writing replaces a file whole or not at all. {@link FormatException}, one
 * line, for whatever is wrong with a file.
 */
public final class TensorFiles {
    private TensorFiles() {}

    /** Reads and checks a file's header. */
    public static TensorFile open(Path file) {
        return switch (new TensorPath(file, null).format("read")) {
            case NPY -> Npy.open(file);
            case NPZ -> Npz.open(file);
            case SAFETENSORS -> Safetensors.open(file);
        };
    }

    /** The tensors of a file, without reading elements. */
    public static List<TensorEntry> list(Path file) {
        return open(file).entries();
    }

    /** The tensor a path names, owned by {@code scope}; see {@link TensorFile#read}. */
    public static Tensor read(Scope scope, String tensorPath) {
        TensorPath p = TensorPath.parse(tensorPath);
        return open(p.file()).read(scope, p.name());
    }

    /**
     * Writes one tensor, in C order. A container that exists keeps its other tensors and metadata, which costs reading
     * and writing them: use {@link #write(Path, Map)} for several. Without a name in the path the tensor is called
     * {@code arr_0} in an npz file, as NumPy does, and {@code tensor} in a safetensors file. Needs no open scope.
     */
    public static void write(String tensorPath, Tensor tensor) {
        save(tensorPath, elements(tensor));
    }

    /** A container with these tensors and no others, replacing the file. */
    public static void write(Path file, Map<String, Tensor> tensors) {
        write(file, tensors, Map.of());
    }

    /** As {@link #write(Path, Map)}, with text for a safetensors file's metadata. */
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
        Map<String, Elements> all = new LinkedHashMap<>();
        tensors.forEach((name, t) -> all.put(name, elements(t)));
        save(file, all, metadata);
    }

    /** As {@link #write(Path, Map, Map)} of tensors that are made on {@code device} one at a time, each when its turn comes. */
    public static void write(Path file, Device device, Map<String, LazyTensor> tensors, Map<String, String> metadata) {
        Map<String, Elements> all = new LinkedHashMap<>();
        tensors.forEach((name, t) -> all.put(name, elements(device, t)));
        save(file, all, metadata);
    }

    static Elements elements(Device device, LazyTensor t) {
        return new Elements(t.dtype(), t.shape(), new FromLazy(device, t));
    }

    /** Elements of a tensor that is made with its first piece and freed after its last. */
    private static final class FromLazy implements Elements.Source {
        private final Device device;
        private final LazyTensor lazy;
        private Scope scope;
        private FromTensor made;

        FromLazy(Device device, LazyTensor lazy) {
            this.device = device;
            this.lazy = lazy;
        }

        @Override
        public MemorySegment piece(long at, long length) {
            if (made == null) {
                scope = device.open();
                Tensor t = lazy.make().apply(scope);
                if (t.dtype() != lazy.dtype() || !t.shape().equals(lazy.shape())) {
                    throw new ShapeException("write: tensor is not what was announced; " + t.dtype() + " " + t.shape()
                            + " in place of " + lazy.dtype() + " " + lazy.shape() + "; announce what is made");
                }
                made = new FromTensor(t);
            }
            return made.piece(at, length);
        }

        @Override
        public void close() {
            if (made != null) {
                made.close();
                made = null;
            }
            if (scope != null) {
                scope.close();
                scope = null;
            }
        }
    }

    private static Elements elements(Tensor t) {
        return new Elements(t.dtype(), t.shape(), new FromTensor(t));
    }

    /**
     * Elements of a tensor, brought to the host piece by piece. One that is not contiguous is copied whole, by its own
     * {@code copyTo}, when its first piece is asked for.
     */
    private static final class FromTensor implements Elements.Source {
        private final Tensor tensor;
        private byte[] piece = {};
        private HostBytes whole;

        FromTensor(Tensor tensor) {
            this.tensor = tensor;
        }

        @Override
        public MemorySegment piece(long at, long length) {
            int width = tensor.dtype().bytes();
            if (piece.length < length) {
                piece = new byte[Math.toIntExact(length)];
            }
            MemorySegment to = MemorySegment.ofArray(piece).asSlice(0, length);
            if (tensor.layout().isContiguous()) {
                tensor.flatten().slice(0, at / width, (at + length) / width).copyTo(to);
                return to;
            }
            if (whole == null) {
                long bytes = tensor.size() * width;
                whole = HostBytes.allocate(
                        bytes, "write", "tensor " + tensor.shape(), "make it contiguous, then it is written in pieces");
                tensor.copyTo(whole.bytes());
            }
            MemorySegment.copy(whole.bytes(), at, to, 0, length);
            return to;
        }

        @Override
        public void close() {
            if (whole != null) {
                whole.onFree().run();
                whole = null;
            }
        }
    }

    /** The elements a tensor path names. */
    static HostTensor load(String tensorPath) {
        TensorPath p = TensorPath.parse(tensorPath);
        TensorFile file = open(p.file());
        return load(file, file.entry(p.name()));
    }

    static HostTensor load(TensorFile file, TensorEntry entry) {
        if (entry.problem() != null) {
            throw new FormatException(entry.problem());
        }
        return file.load(entry);
    }

    /** One tensor; a container keeps the other tensors it holds. */
    static void save(String tensorPath, Elements elements) {
        TensorPath p = TensorPath.parse(tensorPath);
        switch (p.format("write")) {
            case NPY -> AtomicFile.write(p.file(), out -> {
                out.write(NpyHeader.bytes(elements.dtype(), elements.shape()));
                out.write(elements, null);
            });
            case NPZ -> add(p.file(), p.name() == null ? "arr_0" : p.name(), elements);
            case SAFETENSORS -> add(p.file(), p.name() == null ? "tensor" : p.name(), elements);
        }
    }

    private static void add(Path file, String name, Elements elements) {
        Map<String, Elements> all = new LinkedHashMap<>();
        Map<String, String> metadata = Map.of();
        Map<String, HostTensor> others = new LinkedHashMap<>();
        try {
            if (Files.isRegularFile(file)) {
                TensorFile old = open(file);
                metadata = old.metadata();
                for (TensorEntry e : old.entries()) {
                    if (!e.name().equals(name)) {
                        others.put(e.name(), load(old, e));
                    }
                }
            }
            others.forEach((n, t) -> all.put(n, t.elements()));
            all.put(name, elements);
            save(file, all, metadata);
        } finally {
            others.values().forEach(t -> t.data().onFree().run());
        }
    }

    /** A container of these tensors and no others. */
    static void save(Path file, Map<String, Elements> tensors, Map<String, String> metadata) {
        Place place = Place.of(file);
        tensors.keySet().forEach(name -> checkName(name, place));
        switch (new TensorPath(file, null).format("write")) {
            case NPY ->
                throw new FormatException("write: an npy file holds one tensor without a name, not "
                        + tensors.size() + "; " + place.name() + "; use .npz or .safetensors");
            case NPZ -> {
                if (!metadata.isEmpty()) {
                    throw new FormatException(
                            "write: an npz file holds no metadata; " + place.name() + "; use .safetensors");
                }
                AtomicFile.write(file, out -> ZipWriter.write(out, tensors));
            }
            case SAFETENSORS -> AtomicFile.write(file, out -> SafetensorsWriter.write(out, tensors, metadata));
        }
    }

    private static void checkName(String name, Place place) {
        boolean sound = !name.isEmpty()
                && !name.equals(Safetensors.METADATA)
                && !name.endsWith("/")
                && StandardCharsets.UTF_8.newEncoder().canEncode(name)
                && name.length() < 16_000;
        if (!sound) {
            throw new FormatException("write: '" + Place.shown(name) + "' cannot be a tensor's name; " + place.name()
                    + "; use other text, shorter than 16000 characters");
        }
    }
}
