package dev.gramian.cpu;

import dev.gramian.natives.ElfFile;
import dev.gramian.natives.Loader;
import dev.gramian.natives.PrivateDirectory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * libopenblas, or the reason why there is none. Looked for in this order: the system property {@value #PROPERTY} (a path,
 * or {@code none}), the environment's GRAMIAN_OPENBLAS, the jar that carries it on the class path, whose files are copied
 * once into a private cache directory.
 *
 * <p>The library runs single-threaded for good: its own threads are ended right after loading, {@link Workers} split the
 * work instead.
 */
final class NativeLibrary {
    static final String PROPERTY = "gramian.openblas";

    private static final String NONE = "none";

    private final SymbolLookup symbols;
    private final String reason;
    private final String config;
    private final String core;
    private final Path path;

    private NativeLibrary(SymbolLookup symbols, String reason, String config, String core, Path path) {
        this.symbols = symbols;
        this.reason = reason;
        this.config = config;
        this.core = core;
        this.path = path;
    }

    private static final class Shared {
        static final NativeLibrary INSTANCE = find(configured(), NativeLibrary.class.getClassLoader(),
                PrivateDirectory.cacheRoot());
    }

    /** The process's OpenBLAS; loaded on the first call. */
    static NativeLibrary openBlas() {
        return Shared.INSTANCE;
    }

    boolean isPresent() {
        return symbols != null;
    }

    /** Why the library is absent; null if it is there. */
    String reason() {
        return reason;
    }

    /** The library's functions; null if it is absent. */
    SymbolLookup symbols() {
        return symbols;
    }

    /** Version and build options in OpenBLAS's own words. */
    String config() {
        return config;
    }

    /** Processor whose kernels OpenBLAS chose. */
    String core() {
        return core;
    }

    /** File it was loaded from. */
    Path path() {
        return path;
    }

    @Override
    public String toString() {
        return isPresent() ? config + " (" + core + ", " + path + ")" : reason;
    }

    private static String configured() {
        String p = System.getProperty(PROPERTY);
        if (p == null || p.isBlank()) {
            p = System.getenv("GRAMIAN_OPENBLAS");
        }
        return p == null || p.isBlank() ? null : p.strip();
    }

    /** {@code configured} is a path, "none" or null for the class path. */
    static NativeLibrary find(String configured, ClassLoader loader, Path cache) {
        try {
            if (configured == null) {
                return fromClassPath(loader, cache);
            }
            if (configured.equals(NONE)) {
                return absent("switched off by " + PROPERTY + "=none or GRAMIAN_OPENBLAS");
            }
            return load(List.of(Path.of(configured).toAbsolutePath()));
        } catch (IOException | RuntimeException | LinkageError e) {
            return absent(e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }

    private static NativeLibrary absent(String why) {
        return new NativeLibrary(null, "libopenblas: " + why, null, null, null);
    }

    // ---- class path -------------------------------------------------------------------------------------------------

    private static NativeLibrary fromClassPath(ClassLoader loader, Path cache) throws IOException {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String arch = switch (System.getProperty("os.arch", "")) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm64";
            default -> null;
        };
        if (!os.equals("linux") || arch == null) {
            return absent("no library for " + os + "/" + System.getProperty("os.arch") + "; name one with -D" + PROPERTY
                    + "=PATH");
        }
        String folder = "org/bytedeco/openblas/linux-" + arch + "/";
        URL main = loader.getResource(folder + "libopenblas.so.0");
        if (main == null) {
            return absent("not on the class path; add org.bytedeco:openblas, classifier linux-" + arch
                    + ", or name one with -D"
                    + PROPERTY + "=PATH");
        }
        long[] sum = PrivateDirectory.sum(main);
        PrivateDirectory directory = PrivateDirectory.of(
                cache, "openblas-" + Long.toHexString(sum[0]) + "-" + Long.toHexString(sum[1]));
        List<Path> files = new ArrayList<>();
        // libgcc_s is the system's where there is one: an older copy loaded first would break later C++ libraries
        for (String name : new String[] {"libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0"}) {
            URL url = loader.getResource(folder + name);
            if (url != null) {
                Path file = directory.put(name, url);
                if (!name.startsWith("libgcc_s") || Loader.open(name) != null) {
                    files.add(file);
                }
            }
        }
        return load(files);
    }

    // ---- loading ----------------------------------------------------------------------------------------------------

    /** Loads the files in order, the last being libopenblas: later ones find earlier ones by name. */
    private static NativeLibrary load(List<Path> files) throws IOException {
        boolean elf = System.getProperty("os.name", "").equals("Linux");
        for (Path f : files) {
            if (!Files.isRegularFile(f)) {
                return absent(f + " is not a file");
            }
            if (elf) {
                ElfFile.read(f);
                String error = Loader.open(f.toString());
                if (error != null) {
                    return absent(error);
                }
            }
        }
        Path file = files.getLast();
        SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
        for (String f : new String[] {"cblas_sgemm", "cblas_dgemm", "cblas_sgemv", "cblas_dgemv",
            "openblas_get_config"}) {
            if (symbols.find(f).isEmpty()) {
                return absent(file + " has no function " + f + "; it is not OpenBLAS with CBLAS");
            }
        }
        String config = text(symbols, "openblas_get_config");
        if (config.contains("USE64BITINT")) {
            return absent(file + " takes 64-bit integers; use a build with 32-bit integers (LP64)");
        }
        endThreads(symbols);
        return new NativeLibrary(symbols, null, config.strip(), text(symbols, "openblas_get_corename"), file);
    }

    /**
     * One thread from now on. Loading starts a pool of as many threads as cores (they spin for a moment, then sleep for
     * ever); with one thread no call uses it, so it is ended.
     */
    private static void endThreads(SymbolLookup symbols) {
        Linker linker = Linker.nativeLinker();
        try {
            linker.downcallHandle(
                    symbols.findOrThrow("openblas_set_num_threads"),
                    FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
                    .invoke(1);
            var shutdown = symbols.find("blas_thread_shutdown_");
            if (shutdown.isPresent()) {
                linker.downcallHandle(shutdown.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                        .invoke();
            }
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    private static String text(SymbolLookup symbols, String function) {
        try {
            MemorySegment s = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(symbols.findOrThrow(function), FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invoke();
            return s.reinterpret(4096).getString(0);
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }
}
