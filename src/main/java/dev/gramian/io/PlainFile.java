package dev.gramian.io;

import dev.gramian.core.FormatException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Files that hold no tensors: text that is read, pictures that are written. Errors as those of {@link TensorFiles}. */
public final class PlainFile {
    private PlainFile() {}

    /** The lines of a UTF-8 text. */
    public static List<String> lines(Path file) {
        Place place = Place.of(file);
        if (Files.isDirectory(file)) {
            throw place.bad("is a directory", "a text file");
        }
        try {
            return Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw place.bad("not UTF-8", "a text in that encoding");
        } catch (IOException e) {
            throw place.failed(e);
        }
    }

    /** Makes a directory, in one that exists, unless it is there already. */
    public static void directory(Path path) {
        try {
            if (!Files.isDirectory(path)) {
                Files.createDirectory(path);
            }
        } catch (IOException e) {
            throw new FormatException("write: no directory can be made; " + Place.of(path).name()
                    + "; name one in a directory that exists", e);
        }
    }

    /** Writes a file whole or not at all. */
    public static void write(Path file, byte[] bytes) {
        AtomicFile.write(file, out -> out.write(bytes));
    }
}
