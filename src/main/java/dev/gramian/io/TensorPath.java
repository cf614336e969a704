package dev.gramian.io;

import dev.gramian.core.FormatException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Where a tensor is: {@code x.npy}, {@code x.npz:name}, {@code x.safetensors:name}. A file whose own name contains the
 * colon wins if it exists. In a container with one tensor the name may be left out.
 *
 * @param file the file
 * @param name in the container; null if none was given
 */
public record TensorPath(Path file, String name) {
    /** The file formats, told apart by the end of the file's name. */
    enum Format {
        NPY(".npy"),
        NPZ(".npz"),
        SAFETENSORS(".safetensors");

        private final String end;

        Format(String end) {
            this.end = end;
        }

        /** Null for any other file. */
        static Format of(String name) {
            for (Format f : values()) {
                if (name.toLowerCase(Locale.ROOT).endsWith(f.end)) {
                    return f;
                }
            }
            return null;
        }
    }

    /** {@link FormatException} if the text cannot name a tensor; whether the file exists is not looked at here. */
    public static TensorPath parse(String text) {
        if (text.isEmpty()) {
            throw new Place("''").bad("no file is named", "FILE.npy, FILE.npz:NAME or FILE.safetensors:NAME");
        }
        if (Files.exists(path(text))) {
            return new TensorPath(path(text), null);
        }
        int split = -1;
        for (int colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
            String file = text.substring(0, colon);
            if (Format.of(file) == null) {
                continue;
            }
            if (split < 0) {
                split = colon;
            }
            if (Files.isRegularFile(path(file))) {
                split = colon;
                break;
            }
        }
        if (split < 0) {
            return new TensorPath(path(text), null);
        }
        String file = text.substring(0, split);
        String name = text.substring(split + 1);
        Place place = Place.of(path(file));
        if (Format.of(file) == Format.NPY) {
            throw place.bad("the tensor of an npy file has no name, but '" + Place.shown(name) + "' is given",
                    "the file alone");
        }
        if (name.isEmpty()) {
            throw place.bad("no name after the colon", "FILE:NAME");
        }
        return new TensorPath(path(file), name);
    }

    /** The format by the end of the file's name; {@link FormatException} for any other. */
    Format format(String op) {
        Format f = Format.of(file.toString());
        if (f == null) {
            throw new FormatException(op + ": unknown kind of file; " + Place.of(file).name()
                    + "; expected a name that ends with .npy, .npz or .safetensors");
        }
        return f;
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new Place("'" + Place.shown(text) + "'").bad("not a file name", "a path of this system");
        }
    }

    @Override
    public String toString() {
        return name == null ? file.toString() : file + ":" + name;
    }
}
