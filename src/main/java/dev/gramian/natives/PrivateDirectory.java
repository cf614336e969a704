package dev.gramian.natives;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * A directory that belongs to this user and that nobody else can enter, for files that become code of this process. It is
 * in the cache where that can be; else a temporary one that ends with the process.
 */
public final class PrivateDirectory {
    /** System property: where the cache is. */
    public static final String PROPERTY = "gramian.cache";

    private static final String OWNER_ONLY = "rwx------";
    private static final boolean POSIX = FileSystems.getDefault().supportedFileAttributeViews().contains("unix");

    private final Path path;
    private final String detour;

    private PrivateDirectory(Path path, String detour) {
        this.path = path;
        this.detour = detour;
    }

    /** The cache's directory: the property, else the user's cache directory as the desktop standard has it. */
    public static Path cacheRoot() {
        String p = System.getProperty(PROPERTY);
        if (p != null && !p.isBlank()) {
            return Path.of(p).toAbsolutePath();
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        return xdg != null && !xdg.isBlank() && Path.of(xdg).isAbsolute()
                ? Path.of(xdg, "gramian")
                : Path.of(System.getProperty("user.home", "."), ".cache", "gramian").toAbsolutePath();
    }

    /** The directory {@code name} of the cache, made when it is missing; a fresh temporary one where it is not private. */
    public static PrivateDirectory of(Path cache, String name) throws IOException {
        FileAttribute<?>[] mode = POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY))}
                : new FileAttribute<?>[0];
        Path d = cache.resolve(name);
        String trouble;
        try {
            Files.createDirectories(d, mode);
            trouble = trouble(d);
        } catch (IOException | UnsupportedOperationException e) {
            // read-only home, full disk, a file in the way
            trouble = d + " cannot be made: " + e;
        }
        if (trouble == null) {
            return new PrivateDirectory(d, null);
        }
        Path temporary = Files.createTempDirectory("gramian-", mode);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(temporary)));
        return new PrivateDirectory(temporary, trouble);
    }

    public Path path() {
        return path;
    }

    /** Why the directory is a temporary one; null if it is in the cache. */
    public String detour() {
        return detour;
    }

    /** The resource as a file in this directory. */
    public Path put(String name, URL resource) throws IOException {
        long[] sum = sum(resource);
        return put(name, resource::openStream, sum[0], sum[1]);
    }

    /** The bytes as a file in this directory. */
    public Path put(String name, byte[] content) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(content);
        return put(name, () -> new ByteArrayInputStream(content), content.length, crc.getValue());
    }

    /** Size and CRC-32 of a resource, from the jar's directory where it is in a jar. */
    public static long[] sum(URL resource) throws IOException {
        URLConnection connection = resource.openConnection();
        if (connection instanceof JarURLConnection jar && jar.getJarEntry().getCrc() != -1) {
            return new long[] {jar.getJarEntry().getSize(), jar.getJarEntry().getCrc()};
        }
        try (InputStream in = connection.getInputStream()) {
            return sum(in);
        }
    }

    private interface Source {
        InputStream open() throws IOException;
    }

    /**
     * A file that is there already is read and compared: a power cut may have left its size without its bytes. Else the
     * content is written under a name of its own and renamed, so that processes that start together never see half a file.
     */
    private Path put(String name, Source source, long size, long crc) throws IOException {
        Path to = path.resolve(name);
        if (holds(to, size, crc)) {
            return to;
        }
        Path part = Files.createTempFile(path, name, ".part");
        try {
            try (InputStream in = source.open()) {
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            }
            if (!holds(part, size, crc)) {
                throw new IOException(part + " does not read as it was written; is the disk full?");
            }
            Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
        return to;
    }

    private static boolean holds(Path file, long size, long crc) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != size) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return sum(in)[1] == crc;
        }
    }

    private static long[] sum(InputStream in) throws IOException {
        CheckedInputStream checked = new CheckedInputStream(in, new CRC32());
        long bytes = checked.transferTo(OutputStream.nullOutputStream());
        return new long[] {bytes, checked.getChecksum().getValue()};
    }

    /** Why the directory cannot be trusted or used, or null. */
    private static String trouble(Path d) throws IOException {
        if (!Files.isDirectory(d, LinkOption.NOFOLLOW_LINKS)) {
            return d + " is not a directory";
        }
        if (POSIX) {
            int owner = (int) Files.getAttribute(d, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            if (owner != Owner.ID) {
                return d + " belongs to user " + owner + ", this is user " + Owner.ID;
            }
            String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(d, LinkOption.NOFOLLOW_LINKS));
            if (!mode.equals(OWNER_ONLY)) {
                return d + " has mode " + mode + ", not " + OWNER_ONLY;
            }
        }
        return Files.isWritable(d) ? null : d + " cannot be written";
    }

    /** The user as files know it; the JVM has only a name, and not even that in some containers. */
    private static final class Owner {
        static final int ID = id();

        private static int id() {
            Linker linker = Linker.nativeLinker();
            try {
                return (int) linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("geteuid"), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                        .invokeExact();
            } catch (Throwable t) {
                throw new AssertionError(t);
            }
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path f : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(f);
            }
        } catch (IOException | UncheckedIOException e) {
            // the process ends; what cannot be deleted stays
        }
    }
}
