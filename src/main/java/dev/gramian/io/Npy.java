package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/**
 * A NumPy {@code .npy} file: one tensor without a name, in C or Fortran order, of either byte order. Bytes after the
 * elements are ignored, as NumPy does. {@link FormatException} for anything damaged.
 */
public final class Npy extends TensorFile {
    private Npy(Path path, TensorEntry entry) {
        super(path, List.of(entry));
    }

    /** Reads and checks the header. */
    public static Npy open(Path path) {
        try (FileBytes file = FileBytes.open(path)) {
            return new Npy(path, TensorEntry.of("", header(file, 0, file.size(), file.place()), 0, file.place()));
        }
    }

    /** The header of npy bytes that begin at {@code start} of a file and are {@code length} long. */
    static NpyHeader header(FileBytes file, long start, long length, Place place) {
        try (InputStream in = file.stream(start, length)) {
            return NpyHeader.read(in, length, place);
        } catch (IOException e) {
            throw place.failed(e);
        }
    }

    /** The file is read again, so that one replaced since {@link #open} is taken as it is now. */
    @Override
    HostTensor load(TensorEntry entry) {
        try (FileBytes file = FileBytes.open(path())) {
            return load(file, header(file, 0, file.size(), file.place()), 0, file.place());
        }
    }

    /** The elements of npy bytes that begin at {@code start} of a file. */
    static HostTensor load(FileBytes file, NpyHeader h, long start, Place place) {
        DType dtype = h.dtype(place);
        HostBytes mapped = file.map(start + h.dataOffset(), h.dataBytes());
        return new HostTensor(dtype, h.layout(), mapped.asNative(dtype, h.type().order(), place));
    }
}
