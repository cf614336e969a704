package dev.gramian.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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

    /** The head of a kernel, which ends with its name. */
    private static final Pattern KERNEL = Pattern.compile(
            "extern \"C\" __global__ void\\s+"
                    + "(?:__launch_bounds__\\((?:[^()]|\\((?:[^()]|\\([^()]*\\))*\\))*\\)\\s+)?(\\w+)\\(");

    /** Kernels of a directory's programs that nothing asked for: {@code reduce_rows:dense}. */
    static List<String> missing(List<Unit> units, Path sources) throws IOException {
        Set<String> wanted = new HashSet<>();
        for (Unit u : units) {
            u.functions().forEach(f -> wanted.add(u.file() + ":" + f));
        }
        List<String> missing = new ArrayList<>();
        try (Stream<Path> files = Files.list(sources)) {
            for (Path f : files.filter(f -> f.toString().endsWith(".cu")).sorted().toList()) {
                String name = f.getFileName().toString().replaceFirst("\\.cu$", "");
                Matcher m = KERNEL.matcher(Files.readString(f));
                while (m.find()) {
                    String kernel = name + ":" + m.group(1);
                    if (!wanted.contains(kernel) && !missing.contains(kernel)) {
                        missing.add(kernel);
                    }
                }
            }
        }
        return missing;
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
