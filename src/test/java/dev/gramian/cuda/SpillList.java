package dev.gramian.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which kernels may spill registers, and why: lines of file, kernel, architecture or {@code *}, a macro as
 * {@code NAME=value} or {@code *}, most bytes of spill stores and loads, and the reason. {@code #} begins a comment.
 */
record SpillList(List<Entry> entries) {
    static final SpillList EMPTY = new SpillList(List.of());

    record Entry(String file, String function, String architecture, String macro, int bytes, String reason) {}

    static SpillList read(Path path) throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (String line : Files.readAllLines(path)) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] f = line.strip().split("\\s+", 6);
            if (f.length < 6) {
                throw new IOException(path + ": needs file, kernel, architecture, macro, bytes and a reason: " + line);
            }
            entries.add(new Entry(f[0], f[1], f[2], f[3], Integer.parseInt(f[4]), f[5]));
        }
        return new SpillList(entries);
    }

    /** Bytes that this kernel may spill. */
    int most(String file, String function, String architecture, String macros) {
        return entries.stream()
                .filter(e -> e.file.equals(file) && e.function.equals(function)
                        && (e.architecture.equals("*") || e.architecture.equals(architecture))
                        && (e.macro.equals("*")
                                || macros.contains("#define " + e.macro.replaceFirst("=", " ") + "\n")))
                .mapToInt(Entry::bytes).max().orElse(0);
    }
}
