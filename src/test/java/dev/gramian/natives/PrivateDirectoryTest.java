package dev.gramian.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URL;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PrivateDirectoryTest {
    private static final byte[] CONTENT = "content of a library".getBytes();

    @TempDir
    Path dir;

    @BeforeEach
    void posix() {
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("unix"), "modes are POSIX");
    }

    @Test
    void isMadeForTheOwnerAlone() throws Exception {
        PrivateDirectory d = PrivateDirectory.of(dir.resolve("cache"), "a");
        assertEquals(dir.resolve("cache/a"), d.path());
        assertNull(d.detour());
        assertEquals("rwx------", mode(d.path()));
        assertEquals("rwx------", mode(dir.resolve("cache")));
        assertEquals(d.path(), PrivateDirectory.of(dir.resolve("cache"), "a").path());
    }

    @Test
    void whatOthersCouldHaveWrittenIsNotUsed() throws Exception {
        for (String mode : List.of("rwxrwxrwx", "rwxr-xr-x", "rwx-----x", "rwxrwx---")) {
            Path open = Files.createDirectory(dir.resolve(mode));
            Files.setPosixFilePermissions(open, PosixFilePermissions.fromString(mode));
            detoured(dir, mode, open + " has mode " + mode + ", not rwx------");
        }
    }

    @Test
    void linksAndFilesInTheWayAreNotUsed() throws Exception {
        Path elsewhere = PrivateDirectory.of(dir, "elsewhere").path();
        Path link = Files.createSymbolicLink(dir.resolve("link"), elsewhere);
        detoured(dir, "link", link + " is not a directory");
        Path file = Files.createFile(dir.resolve("file"));
        detoured(dir, "file", file + " cannot be made: java.nio.file.FileAlreadyExistsException: " + file);
        detoured(file, "below", file.resolve("below") + " cannot be made: ");
    }

    @Test
    void anotherUsersDirectoryIsNotUsed() throws Exception {
        Path foreign = PrivateDirectory.of(dir, "foreign").path();
        try {
            Files.setAttribute(foreign, "unix:uid", 12345);
        } catch (java.io.IOException e) {
            assumeTrue(false, "only root can give a directory away");
        }
        detoured(dir, "foreign", foreign + " belongs to user 12345, this is user 0");
    }

    private static void detoured(Path cache, String name, String why) throws Exception {
        PrivateDirectory d = PrivateDirectory.of(cache, name);
        assertTrue(d.detour().startsWith(why), d.detour());
        assertFalse(d.path().startsWith(cache), d.path().toString());
        assertEquals("rwx------", mode(d.path()));
        assertNotEquals(d.path(), PrivateDirectory.of(cache, name).path());
    }

    @Test
    void aDamagedOrPlantedFileIsReplaced() throws Exception {
        PrivateDirectory d = PrivateDirectory.of(dir, "a");
        Path file = d.put("lib.so", CONTENT);
        assertArrayEquals(CONTENT, Files.readAllBytes(file));
        Object inode = Files.getAttribute(file, "unix:ino");
        assertEquals(file, d.put("lib.so", CONTENT));
        assertEquals(inode, Files.getAttribute(file, "unix:ino"), "a good file stays");

        Files.write(file, new byte[5]);
        assertArrayEquals(CONTENT, Files.readAllBytes(d.put("lib.so", CONTENT)));
        byte[] sameSize = CONTENT.clone();
        sameSize[3] ^= 1;
        Files.write(file, sameSize);
        assertArrayEquals(CONTENT, Files.readAllBytes(d.put("lib.so", CONTENT)));
        Files.delete(file);
        Path planted = Files.write(dir.resolve("planted"), CONTENT);
        Files.createSymbolicLink(file, planted);
        d.put("lib.so", CONTENT);
        assertFalse(Files.isSymbolicLink(file));
        try (var files = Files.list(d.path())) {
            assertEquals(List.of(file), files.toList(), "no partial files stay");
        }
    }

    @Test
    void resourcesAreCopiedFromJarsAndDirectories() throws Exception {
        PrivateDirectory d = PrivateDirectory.of(dir, "a");
        URL inJar = Test.class.getResource("Test.class");
        URL inDirectory = PrivateDirectoryTest.class.getResource("PrivateDirectoryTest.class");
        for (URL u : List.of(inJar, inDirectory)) {
            byte[] expected;
            try (var in = u.openStream()) {
                expected = in.readAllBytes();
            }
            assertArrayEquals(expected, Files.readAllBytes(d.put("copy", u)));
            assertEquals(expected.length, PrivateDirectory.sum(u)[0]);
        }
        assertEquals("jar", inJar.getProtocol());
        assertEquals("file", inDirectory.getProtocol());
    }

    @Test
    void manyAtOnceSeeWholeFiles() throws Exception {
        byte[] large = new byte[1 << 20];
        java.util.Arrays.fill(large, (byte) 7);
        try (var pool = Executors.newFixedThreadPool(8)) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                tasks.add(() -> {
                    Path f = PrivateDirectory.of(dir, "busy").put("lib.so", large);
                    assertArrayEquals(large, Files.readAllBytes(f));
                    return null;
                });
            }
            for (Future<Void> f : pool.invokeAll(tasks)) {
                f.get();
            }
        }
    }

    private static String mode(Path p) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(p));
    }
}
