package dev.gramian.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Builds small shared libraries for tests; a test is skipped where there is no C compiler. */
public final class CBuild {
    private CBuild() {}

    /**
     * A library from C text, named as its file is. {@code versioned} gives its symbols a version of that name, as the CUDA
     * libraries have it. {@code needs} are libraries it is linked against.
     */
    public static Path library(Path file, String text, boolean versioned, Path... needs)
            throws IOException, InterruptedException {
        String name = file.getFileName().toString();
        assumeTrue(System.getProperty("os.name").equals("Linux"), "stand-in libraries are ELF files");
        Path source = Files.writeString(file.resolveSibling(name + ".c"), text);
        List<String> command = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-O1", "-o", file.toString(),
                "-Wl,-soname," + name, "-Wl,--no-as-needed", source.toString()));
        if (versioned) {
            Path map = Files.writeString(file.resolveSibling(name + ".map"), name + " { global: *; };\n");
            command.add("-Wl,--version-script," + map);
        }
        for (Path n : needs) {
            command.add(n.toString());
        }
        Process p;
        try {
            p = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            assumeTrue(false, "no C compiler: " + e.getMessage());
            throw e;
        }
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(p.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, p.exitValue(), said);
        return file;
    }
}
