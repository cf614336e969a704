package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.Shape;
import java.util.Arrays;
import java.util.Map;

/**
 * What a cache held, as tensors by name and text: they live where they were made for, and are what
 * {@code TensorFiles.write(path, tensors, metadata)} writes to a safetensors file and {@code TensorFile.readAll} reads.
 * Positions that no sequence has are not in it or zero.
 */
public record CacheSnapshot(Map<String, Tensor> tensors, Map<String, String> metadata) {
    static final String KIND = "cache";
    static final String ROPE = "rope";

    public CacheSnapshot {
        tensors = Map.copyOf(tensors);
        metadata = Map.copyOf(metadata);
    }

    /** What rotates keys, as text that differs where angles do. */
    static String describe(RopeTables rope) {
        return rope == null
                ? "none"
                : rope.rope() + ", frequencies "
                        + Integer.toHexString(Arrays.hashCode(rope.rope().frequencies(rope.length())));
    }

    void check(String kind, RopeTables rope) {
        if (!kind.equals(metadata.get(KIND))) {
            throw new FormatException("restore: snapshot is of another kind of cache; it says " + metadata.get(KIND)
                    + ", wanted " + kind + "; restore it by the class that made it");
        }
        String stored = metadata.get(ROPE);
        if (!describe(rope).equals(stored)) {
            throw new FormatException("restore: keys in the snapshot are rotated otherwise; snapshot " + stored
                    + ", given " + describe(rope) + "; give the tables the cache was made with");
        }
    }

    /** A copy of x in the innermost open scope of {@code to}. */
    static Tensor copy(Tensor x, Device to) {
        return x.device() == to ? x.copy() : x.to(to);
    }

    DType dtype() {
        for (DType t : DType.values()) {
            if (t.name().equals(metadata.get("dtype"))) {
                return t;
            }
        }
        throw missing("dtype", null);
    }

    long number(String name) {
        try {
            return Long.parseLong(metadata.get(name));
        } catch (NumberFormatException e) {
            throw missing(name, e);
        }
    }

    private FormatException missing(String name, Exception cause) {
        return new FormatException("restore: snapshot does not say " + name + "; it says " + metadata
                + "; is the file one that a snapshot was written to?", cause);
    }

    /** Positions of a tensor (heads, positions, size); 0 where there is none, which asking for it tells. */
    long length(String name) {
        Tensor t = tensors.get(name);
        return t == null || t.rank() != 3 ? 0 : t.dim(1);
    }

    long[] numbers(Scope s, String name) {
        Tensor t = tensors.get(name);
        return tensor(s, name, DType.I64, Shape.of(t == null ? 0 : t.size())).toLongArray();
    }

    /** The tensor of that name on the device of {@code s}. */
    Tensor tensor(Scope s, String name, DType dtype, Shape shape) {
        Tensor t = tensors.get(name);
        if (t == null || t.dtype() != dtype || !t.shape().equals(shape)) {
            throw new FormatException("restore: snapshot does not fit together; " + name + " "
                    + (t == null ? "is missing" : t.dtype() + " " + t.shape()) + ", wanted " + dtype + " " + shape
                    + "; is the file one that a snapshot was written to?");
        }
        return t.to(s.device());
    }
}
