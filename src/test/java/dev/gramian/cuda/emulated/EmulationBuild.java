package dev.gramian.cuda.emulated;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Before the first test: builds the emulated CUDA libraries where they are stale and points the CUDA backend at them.
 * Does nothing where the user has named libraries, or with {@code -Dgramian.cuda.emulated=false}.
 */
public final class EmulationBuild implements LauncherSessionListener {
    /** Where the backend looks for CUDA; a directory list. */
    static final String LIBRARIES = "gramian.cuda.libraries";
    private static final String EMULATED = "gramian.cuda.emulated";
    private static final String CACHE = "gramian.cache";

    private static final Path SOURCES = Path.of("src/test/emulated-cuda").toAbsolutePath();
    private static final Path TARGET = Path.of("target/emulated-cuda").toAbsolutePath();
    static final Path LIBRARY_DIRECTORY = TARGET.resolve("lib");

    private static boolean done;
    private static String reason;

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        install();
    }

    /** Why CUDA is not emulated, or null. */
    static synchronized String reason() {
        return reason;
    }

    static synchronized void install() {
        if (done) {
            return;
        }
        done = true;
        if (System.getProperty(EMULATED, "true").equals("false")) {
            reason = "refused by -D" + EMULATED + "=false";
        } else if (System.getProperty(LIBRARIES) != null || System.getenv("GRAMIAN_CUDA_LIBRARIES") != null) {
            reason = "CUDA libraries are named by " + LIBRARIES + " or GRAMIAN_CUDA_LIBRARIES";
        } else if (!System.getProperty("os.name").equals("Linux") || !System.getProperty("os.arch").equals("amd64")) {
            reason = "CUDA is emulated on Linux with x86-64 processors only";
        } else {
            reason = build();
        }
        if (reason == null) {
            System.setProperty(LIBRARIES, LIBRARY_DIRECTORY.toString());
            if (System.getProperty(CACHE) == null) {
                System.setProperty(CACHE, TARGET.resolve("cache").toString());
            }
        } else {
            System.err.println("no emulated CUDA: " + reason);
        }
    }

    /** Null, or why it cannot be built. */
    private static String build() {
        try {
            String version = firstLine("g++", "--version");
            if (version == null || firstLine("make", "--version") == null) {
                return "g++ and make are needed to build it";
            }
            Files.createDirectories(LIBRARY_DIRECTORY);
            // two builds at once: the second waits, and finds everything done
            try (FileChannel channel = FileChannel.open(TARGET.resolve("lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
                Path stamp = TARGET.resolve("stamp");
                String wanted = hash(version);
                if (lock.isValid() && Files.exists(stamp) && Files.readString(stamp).equals(wanted)) {
                    return null;
                }
                Path log = TARGET.resolve("make.log");
                int status = new ProcessBuilder("make", "-j2", "-C", SOURCES.toString(), "OUT=" + LIBRARY_DIRECTORY)
                        .redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
                if (status != 0) {
                    throw new IllegalStateException(
                            "the CUDA emulation does not build:\n" + Files.readString(log).strip());
                }
                Files.writeString(stamp, wanted);
                return null;
            }
        } catch (IOException e) {
            throw new IllegalStateException("the CUDA emulation cannot be built", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    private static String firstLine(String... command) throws InterruptedException {
        try {
            Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
            String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return p.waitFor() == 0 ? text.lines().findFirst().orElse("") : null;
        } catch (IOException e) {
            return null;
        }
    }

    private static String hash(String compiler) throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update((compiler + " " + SOURCES + " " + System.getenv("CXX")).getBytes(StandardCharsets.UTF_8));
            List<Path> sorted = files.filter(Files::isRegularFile).sorted().toList();
            for (Path f : sorted) {
                sha.update(f.getFileName().toString().getBytes(StandardCharsets.UTF_8));
                sha.update(Files.readAllBytes(f));
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
