package dev.gramian.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

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
    static final String CACHE_PROPERTY = "gramian.cache";

    private static final String NONE = "none";
    private static final int RTLD_NOW = 2;

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
        static final NativeLibrary INSTANCE = find(configured(), NativeLibrary.class.getClassLoader(), cacheRoot());
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

    static Path cacheRoot() {
        String p = System.getProperty(CACHE_PROPERTY);
        if (p != null && !p.isBlank()) {
            return Path.of(p);
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        return xdg != null && !xdg.isBlank()
                ? Path.of(xdg, "gramian")
                : Path.of(System.getProperty("user.home", "."), ".cache", "gramian");
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
        long size;
        long crc;
        URLConnection connection = main.openConnection();
        if (connection instanceof JarURLConnection jar && jar.getJarEntry().getCrc() != -1) {
            size = jar.getJarEntry().getSize();
            crc = jar.getJarEntry().getCrc();
        } else {
            CRC32 sum = new CRC32();
            try (InputStream in = new CheckedInputStream(main.openStream(), sum)) {
                size = in.transferTo(java.io.OutputStream.nullOutputStream());
            }
            crc = sum.getValue();
        }
        String key = "openblas-" + Long.toHexString(size) + "-" + Long.toHexString(crc);
        Path directory = privateDirectory(cache, key);
        List<Path> files = new ArrayList<>();
        // libgcc_s is the system's where there is one: an older copy loaded first would break later C++ libraries
        for (String name : new String[] {"libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0"}) {
            URL url = loader.getResource(folder + name);
            if (url != null) {
                Path file = extract(url, directory.resolve(name), name.startsWith("libopenblas") ? size : -1);
                if (!name.startsWith("libgcc_s") || dlopen(name) != null) {
                    files.add(file);
                }
            }
        }
        return load(files);
    }

    /** A directory only this user can write, or a fresh temporary one where the cache cannot be written. */
    private static Path privateDirectory(Path cache, String key) throws IOException {
        FileAttribute<?>[] mode = FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))}
                : new FileAttribute<?>[0];
        try {
            Path d = cache.resolve(key);
            Files.createDirectories(d, mode);
            boolean mine = mode.length == 0
                    || PosixFilePermissions.toString(Files.getPosixFilePermissions(d)).equals("rwx------");
            if (mine && Files.isWritable(d)) {
                return d;
            }
        } catch (IOException | UnsupportedOperationException e) {
            // read-only home, full disk, a file in the way: the temporary directory is the answer
        }
        Path d = Files.createTempDirectory("gramian-", mode);
        d.toFile().deleteOnExit();
        return d;
    }

    /** Copies under a name of its own and renames, so that processes that start together never see half a file. */
    private static Path extract(URL from, Path to, long size) throws IOException {
        URLConnection connection = from.openConnection();
        long expected = size >= 0 ? size : connection.getContentLengthLong();
        if (Files.isRegularFile(to) && Files.size(to) == expected) {
            return to;
        }
        Path part = Files.createTempFile(to.getParent(), to.getFileName().toString(), ".part");
        try {
            try (InputStream in = connection.getInputStream()) {
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            }
            Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
        return to;
    }

    // ---- loading ----------------------------------------------------------------------------------------------------

    /** Loads the files in order, the last being libopenblas: later ones find earlier ones by name. */
    private static NativeLibrary load(List<Path> files) throws IOException {
        boolean elf = System.getProperty("os.name", "").equals("Linux");
        for (Path f : files) {
            if (!Files.isRegularFile(f)) {
                return absent(f + " is not a file");
            }
            String damage = elf ? elfDamage(f) : null;
            String error = damage != null ? f + ": " + damage : elf ? dlopen(f.toString()) : null;
            if (error != null) {
                return absent(error);
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

    /** Loads a library by name or path for the life of the process; null, or the system's message. */
    private static String dlopen(String name) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) linker.downcallHandle(
                    libc.findOrThrow("dlopen"),
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                    .invoke(arena.allocateFrom(name), RTLD_NOW);
            if (handle.address() != 0) {
                return null;
            }
            MemorySegment message = (MemorySegment) linker.downcallHandle(
                    libc.findOrThrow("dlerror"), FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invoke();
            return message.address() == 0
                    ? name + " cannot be loaded"
                    : message.reinterpret(4096).getString(0);
        } catch (Throwable t) {
            return name + " cannot be loaded: " + t;
        }
    }

    /**
     * What is wrong with an ELF file, or null. The system maps segments without asking whether the file is long enough,
     * and touching a page beyond its end kills the process.
     */
    private static String elfDamage(Path file) throws IOException {
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer head = read(in, 0, 64);
            if (head == null || head.getInt(0) != 0x464C457F || head.get(4) != 2 || head.get(5) != 1) {
                return "not a 64-bit shared library";
            }
            long table = head.getLong(32);
            int entry = head.getShort(54);
            int entries = head.getShort(56);
            ByteBuffer headers = entry < 56 || table < 0 ? null : read(in, table, entry * entries);
            if (headers == null) {
                return "damaged or cut short";
            }
            for (int i = 0; i < entries; i++) {
                long offset = headers.getLong(i * entry + 8);
                long bytes = headers.getLong(i * entry + 32);
                if (headers.getInt(i * entry) == 1 && (offset < 0 || bytes < 0 || offset + bytes > in.size())) {
                    return "cut short: " + in.size() + " bytes of " + (offset + bytes);
                }
            }
            return null;
        }
    }

    private static ByteBuffer read(FileChannel in, long at, int bytes) throws IOException {
        ByteBuffer b = ByteBuffer.allocate(Math.max(0, bytes)).order(ByteOrder.LITTLE_ENDIAN);
        while (b.hasRemaining()) {
            int n = in.read(b, at + b.position());
            if (n < 0) {
                return null;
            }
        }
        return b;
    }
}
