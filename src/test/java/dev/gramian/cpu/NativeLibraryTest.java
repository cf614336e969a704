package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.core.NativeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeLibraryTest {
    private static final ClassLoader LOADER = NativeLibrary.class.getClassLoader();

    @TempDir
    Path dir;

    @Test
    void absenceHasAReason() {
        NativeLibrary none = NativeLibrary.find("none", LOADER, dir);
        assertFalse(none.isPresent());
        assertEquals("libopenblas: switched off by gramian.openblas=none or GRAMIAN_OPENBLAS", none.reason());
        NativeException e = assertThrows(NativeException.class, () -> new OpenBlas(none, new ScalarBlas()));
        assertTrue(e.getMessage().startsWith("cpu: OpenBLAS is not available; libopenblas: switched off"),
                e.getMessage());
    }

    @Test
    void missingAndForeignFiles() throws Exception {
        Path missing = dir.resolve("no.so");
        assertEquals("libopenblas: " + missing + " is not a file", reason(missing));
        Path text = Files.writeString(dir.resolve("text.so"),
                "no library at all, but long enough to have a header of 64 bytes");
        assertTrue(reason(text).contains("not a 64-bit shared library"), reason(text));
        Path empty = Files.createFile(dir.resolve("empty.so"));
        assertTrue(reason(empty).contains("not a 64-bit shared library"), reason(empty));
    }

    @Test
    void damagedFiles() throws Exception {
        NativeLibrary found = NativeLibrary.openBlas();
        assumeTrue(found.isPresent() && System.getProperty("os.name").equals("Linux"), found.reason());
        byte[] good = Files.readAllBytes(found.path());
        for (int length : new int[] {63, 100, 5000, good.length / 2}) {
            Path cut = Files.write(dir.resolve("cut" + length + ".so"), Arrays.copyOf(good, length));
            assertFalse(NativeLibrary.find(cut.toString(), LOADER, dir).isPresent(), "cut at " + length);
            assertTrue(reason(cut).startsWith("libopenblas: " + cut), reason(cut));
        }
        byte[] wrong = Arrays.copyOf(good, 4096);
        wrong[18] = 99; // another processor
        assertNotNull(reason(Files.write(dir.resolve("wrong.so"), wrong)));
    }

    @Test
    void notOnTheClassPath() {
        assumeTrue(System.getProperty("os.name").equals("Linux"));
        String reason = NativeLibrary.find(null, ClassLoader.getPlatformClassLoader(), dir).reason();
        assertTrue(reason.startsWith("libopenblas: not on the class path; add org.bytedeco:openblas"), reason);
    }

    @Test
    void copiesOnceIntoAPrivateDirectoryAndReplacesATruncatedCopy() throws Exception {
        NativeLibrary found = NativeLibrary.openBlas();
        assumeTrue(
                found.isPresent() && LOADER.getResource("org/bytedeco/openblas/linux-x86_64/libopenblas.so.0") != null);
        NativeLibrary first = NativeLibrary.find(null, LOADER, dir);
        assertTrue(first.isPresent(), first.reason());
        assertTrue(first.path().startsWith(dir), first.toString());
        assertEquals(
                "rwx------",
                java.nio.file.attribute.PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(first.path().getParent())));
        long size = Files.size(first.path());
        Files.delete(first.path());
        Files.write(first.path(), new byte[100]);
        assertTrue(NativeLibrary.find(null, LOADER, dir).isPresent());
        assertEquals(size, Files.size(first.path()));
        try (var files = Files.list(first.path().getParent())) {
            assertTrue(files.noneMatch(f -> f.toString().endsWith(".part")));
        }
    }

    @Test
    void anUnwritableCacheFallsBackToATemporaryDirectory() throws Exception {
        assumeTrue(LOADER.getResource("org/bytedeco/openblas/linux-x86_64/libopenblas.so.0") != null);
        Path inTheWay = Files.createFile(dir.resolve("file"));
        NativeLibrary found = NativeLibrary.find(null, LOADER, inTheWay);
        assertTrue(found.isPresent(), found.reason());
        assertFalse(found.path().startsWith(dir));
    }

    private String reason(Path library) {
        NativeLibrary found = NativeLibrary.find(library.toString(), LOADER, dir);
        assertFalse(found.isPresent());
        return found.reason();
    }
}
