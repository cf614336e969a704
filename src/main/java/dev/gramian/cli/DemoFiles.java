package dev.gramian.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The demo's files, written by NumPy (demo/make.py), out of the jar into a directory that goes when this is closed. */
final class DemoFiles implements AutoCloseable {
    private static final List<String> NAMES = List.of("embeddings.npy", "q.npy", "k.npy", "v.npy", "weight.npy",
            "expected.npz");

    private final Path directory;

    DemoFiles() {
        try {
            directory = Files.createTempDirectory("gramian-demo");
            for (String name : NAMES) {
                try (InputStream in = DemoFiles.class.getResourceAsStream("demo/" + name)) {
                    Files.copy(in, directory.resolve(name));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("demo: its files cannot be unpacked", e);
        }
    }

    /** A file by its name, {@code FILE.npz:NAME} included. */
    String path(String name) {
        return directory.resolve(name).toString();
    }

    @Override
    public void close() {
        try {
            for (String name : NAMES) {
                Files.deleteIfExists(directory.resolve(name));
            }
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("demo: " + directory + " cannot be removed", e);
        }
    }
}
