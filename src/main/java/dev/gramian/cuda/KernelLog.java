package dev.gramian.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * With {@code -Dgramian.cuda.requests=FILE}: appends a line per kernel that is loaded, so that a run of the tests leaves
 * the list of the variants that are really asked for. The compile check reads it.
 *
 * <p>A line is file, function and macros with tabs between; a line end in the macros is {@code \n}, a backslash {@code \\}.
 */
final class KernelLog {
    private static final String FILE = System.getProperty("gramian.cuda.requests");

    private KernelLog() {}

    static synchronized void requested(String file, String function, String macros) {
        if (FILE == null) {
            return;
        }
        String line = file + "\t" + function + "\t" + macros.replace("\\", "\\\\").replace("\n", "\\n") + "\n";
        try {
            Files.writeString(Path.of(FILE), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            System.err.println("gramian: cannot write gramian.cuda.requests=" + FILE + ": " + e);
        }
    }
}
