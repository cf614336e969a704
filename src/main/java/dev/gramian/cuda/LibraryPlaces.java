package dev.gramian.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The directories that may hold CUDA's libraries, in the order in which they are asked: what the user named, the system's
 * loader, toolkits, Python packages, conda.
 */
final class LibraryPlaces {
    /** A directory that exists, and why it is looked into. */
    record Place(Path directory, String origin) {}

    private static final String TARGET = "targets/x86_64-linux/lib";
    /** Where the loader looks when its configuration names nothing. */
    private static final List<String> LOADER_DEFAULTS = List.of(
            "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib");
    private static final List<String> SITES = List.of("lib/python3*/site-packages", "lib/python3*/dist-packages",
            "lib/python3/dist-packages");

    private final Path root;
    private final UnaryOperator<String> environment;
    private final Map<Path, Place> places = new LinkedHashMap<>();

    private LibraryPlaces(Path root, UnaryOperator<String> environment) {
        this.root = root;
        this.environment = environment;
    }

    /** Only the directories of a list that the user wrote, separated as paths are. */
    static List<Place> named(String list, String origin) {
        LibraryPlaces p = new LibraryPlaces(Path.of("/"), name -> null);
        p.addList(list, origin);
        return List.copyOf(p.places.values());
    }

    /**
     * Every place of a machine whose file system is under {@code root}; {@code home} is the user's, {@code beside} a
     * directory next to our own code.
     */
    static List<Place> of(Path root, UnaryOperator<String> environment, Path home, Path beside) {
        LibraryPlaces p = new LibraryPlaces(root, environment);
        p.addList(environment.apply("LD_LIBRARY_PATH"), "LD_LIBRARY_PATH");
        for (String variable : new String[] {"CUDA_HOME", "CUDA_PATH"}) {
            p.addToolkit(p.directory(environment.apply(variable)), variable);
        }
        if (beside != null) {
            p.add(beside, "beside gramian's own code");
        }
        p.addConfigured(root.resolve("etc/ld.so.conf"), 0);
        for (String d : LOADER_DEFAULTS) {
            p.add(root.resolve(d), "the system's loader");
        }
        for (String pattern : new String[] {"usr/local/cuda", "usr/local/cuda-*", "opt/cuda", "opt/cuda-*"}) {
            for (Path toolkit : expand(root, pattern)) {
                p.addToolkit(toolkit, toolkit.toString());
            }
        }
        p.addPython(home);
        p.addConda();
        return List.copyOf(p.places.values());
    }

    private void addList(String list, String origin) {
        if (list != null) {
            for (String d : list.split(java.io.File.pathSeparator)) {
                // an empty entry means the working directory to the loader: nobody wants code from there
                if (!d.isBlank()) {
                    add(directory(d.strip()), origin);
                }
            }
        }
    }

    private void addToolkit(Path toolkit, String origin) {
        if (toolkit != null) {
            for (String d : new String[] {"lib64", TARGET, "lib"}) {
                add(toolkit.resolve(d), origin);
            }
        }
    }

    /** The loader's configuration, which is a text; its cache is a binary file made of the same directories. */
    private void addConfigured(Path file, int depth) {
        if (depth > 4 || !Files.isReadable(file)) {
            return;
        }
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            return;
        }
        for (String line : lines) {
            String text = line.replaceFirst("#.*", "").strip();
            if (text.startsWith("include ")) {
                for (String pattern : text.substring("include ".length()).strip().split("\\s+")) {
                    Path base = pattern.startsWith("/") ? root : file.getParent();
                    for (Path included : expand(base, pattern.replaceFirst("^/+", ""))) {
                        addConfigured(included, depth + 1);
                    }
                }
            } else if (text.startsWith("/")) {
                add(root.resolve(text.substring(1)), "the system's loader");
            }
        }
    }

    /** The packages nvidia-cublas-cu12 and the like put each library, those for CUDA 13 all of them, below nvidia/. */
    private void addPython(Path home) {
        List<Path> prefixes = new ArrayList<>();
        prefixes.add(directory(environment.apply("VIRTUAL_ENV")));
        String path = environment.apply("PATH");
        for (String bin : path == null ? new String[0] : path.split(java.io.File.pathSeparator)) {
            Path d = directory(bin);
            if (d != null && d.isAbsolute() && Files.isExecutable(d.resolve("python3"))) {
                prefixes.add(d.getParent());
            }
        }
        prefixes.add(home.resolve(".local"));
        prefixes.add(directory(environment.apply("CONDA_PREFIX")));
        prefixes.add(root.resolve("usr/local"));
        prefixes.add(root.resolve("usr"));
        for (Path prefix : prefixes) {
            if (prefix != null) {
                for (String site : SITES) {
                    for (Path lib : expand(prefix, site + "/nvidia/*/lib")) {
                        add(lib, "Python packages");
                    }
                }
            }
        }
    }

    private void addConda() {
        Path prefix = directory(environment.apply("CONDA_PREFIX"));
        if (prefix != null) {
            add(prefix.resolve("lib"), "CONDA_PREFIX");
            add(prefix.resolve(TARGET), "CONDA_PREFIX");
        }
    }

    private Path directory(String text) {
        try {
            return text == null || text.isBlank() ? null : Path.of(text);
        } catch (InvalidPathException e) {
            return null;
        }
    }

    private void add(Path directory, String origin) {
        if (directory == null) {
            return;
        }
        Path d = directory.toAbsolutePath();
        try {
            if (Files.isDirectory(d)) {
                places.putIfAbsent(d.toRealPath(), new Place(d, origin));
            }
        } catch (IOException e) {
            // gone again, or not ours to see
        }
    }

    /** What matches a pattern with stars below a directory, newest version first. */
    static List<Path> expand(Path base, String pattern) {
        List<Path> found = List.of(base);
        for (String step : pattern.split("/")) {
            List<Path> next = new ArrayList<>();
            for (Path d : found) {
                if (step.contains("*")) {
                    try (DirectoryStream<Path> entries = Files.newDirectoryStream(d, step)) {
                        entries.forEach(next::add);
                    } catch (IOException e) {
                        // no such directory, or not ours to see
                    }
                } else if (Files.exists(d.resolve(step))) {
                    next.add(d.resolve(step));
                }
            }
            next.sort(Comparator.comparing(LibraryPlaces::version).reversed());
            found = next;
        }
        return found;
    }

    /** A path with its numbers padded, so that cuda-12.10 comes after cuda-12.9. */
    private static String version(Path p) {
        Matcher digits = Pattern.compile("\\d+").matcher(p.toString());
        return digits.replaceAll(m -> "0".repeat(Math.max(0, 9 - m.group().length())) + m.group());
    }
}
