package dev.gramian.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The kernels that a run asked for, from the file that {@link KernelLog} wrote. */
final class KernelRequests {
    private KernelRequests() {}

    /** One program to compile, and the functions wanted of it. */
    record Unit(String file, String macros, TreeSet<String> functions) {
        /** {@code elementwise VECTOR=4 T=f32}. */
        String name() {
            StringBuilder name = new StringBuilder(file);
            for (String line : macros.split("\n")) {
                String definition = line.replaceFirst("^#define ", "").strip();
                if (!definition.isEmpty()) {
                    name.append(' ').append(definition.replaceFirst("^(\\w+) +", "$1=").replace(' ', '_'));
                }
            }
            return name.toString();
        }
    }

    static List<Unit> read(Path file) throws IOException {
        Map<String, Unit> units = new LinkedHashMap<>();
        for (String line : Files.readAllLines(file)) {
            String[] f = line.split("\t", -1);
            if (f.length != 3) {
                throw new IOException(file + ": not a line of kernel requests: " + line);
            }
            String macros = unescape(f[2]);
            units.computeIfAbsent(f[0] + "\t" + macros, k -> new Unit(f[0], macros, new TreeSet<>())).functions()
                    .add(f[1]);
        }
        return new ArrayList<>(units.values());
    }

    private static String unescape(String text) {
        StringBuilder s = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                c = text.charAt(++i);
                s.append(c == 'n' ? '\n' : c);
            } else {
                s.append(c);
            }
        }
        return s.toString();
    }
}
