package dev.gramian.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.NativeException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ElfFileTest {
    @TempDir
    Path dir;

    @Test
    void hashesAsTheAbiSays() {
        // expected values: readelf -V of libraries that need these versions, and the ABI's own examples
        assertEquals(0, ElfFile.hash(""));
        assertEquals(0x09691a75, ElfFile.hash("GLIBC_2.2.5"));
        assertEquals(0x06969194, ElfFile.hash("GLIBC_2.14"));
        assertEquals(0x077905a6, ElfFile.hash("printf"));
    }

    @Test
    void readsNamesAndVersions() throws Exception {
        Path a = CBuild.library(dir.resolve("libfirst.so.12"), "int first(void) { return 1; }", true);
        Path b = CBuild.library(dir.resolve("libsecond.so.1"),
                "int first(void); int second(void) { return first() + 1; }", false, a);
        ElfFile first = ElfFile.read(a);
        assertEquals("libfirst.so.12", first.soname());
        assertTrue(first.versions().contains("libfirst.so.12"), first.versions().toString());
        ElfFile second = ElfFile.read(b);
        assertEquals("libsecond.so.1", second.soname());
        assertEquals("libfirst.so.12", second.needed().getFirst());
        assertEquals(List.of(), second.versions());
        int machine = System.getProperty("os.arch").equals("aarch64") ? ElfFile.AARCH64 : ElfFile.X86_64;
        assertEquals(machine, first.machine());
    }

    /** The call lands in the library of the other name, whose symbols have the other version. */
    @Test
    void aRenamedCopyNeedsTheOtherLibrary() throws Exception {
        Path old = CBuild.library(dir.resolve("libelfold.so.12"), "int which(void) { return 12; }", true);
        Path caller = CBuild.library(dir.resolve("libelfcaller.so"),
                "int which(void); int ask(void) { return 100 * which(); }", false, old);
        Path current = CBuild.library(dir.resolve("libelfold.so.13"), "int which(void) { return 13; }", true);
        Files.delete(old);
        byte[] copy = ElfFile.read(caller).renamed(Map.of("libelfold.so.12", "libelfold.so.13"));
        ElfFile renamed = ElfFile.of("copy", copy);
        assertEquals("libelfold.so.13", renamed.needed().getFirst());
        assertEquals("libelfcaller.so", renamed.soname());
        Path file = Files.write(dir.resolve("copy.so"), copy);

        String missing = Loader.open(file.toString());
        assertTrue(missing != null && missing.contains("libelfold.so.13"), missing);
        assertNull(Loader.open(current.toString()));
        assertNull(Loader.open(file.toString()));
        SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
        assertEquals(1300, call(symbols, "ask"));
    }

    @Test
    void onlyNamesOfOthersChange() throws Exception {
        Path self = CBuild.library(dir.resolve("libelfself.so.12"), "int which(void) { return 12; }", true);
        byte[] before = Files.readAllBytes(self);
        assertArrayEquals(before, ElfFile.read(self).renamed(Map.of("libelfself.so.12", "libelfself.so.13")));
        NativeException e = assertThrows(NativeException.class,
                () -> ElfFile.read(self).renamed(Map.of("libc.so.6", "libc.so.10")));
        assertEquals(self + ": a name must keep its length; libc.so.6 -> libc.so.10", e.getMessage());
    }

    /** The linker stores libelf.so.12 as the end of xlibelf.so.12 where a library needs both. */
    @Test
    void namesThatShareBytesAreNotChangedApart() throws Exception {
        Path a = CBuild.library(dir.resolve("libelftail.so.12"), "int a(void) { return 1; }", false);
        Path b = CBuild.library(dir.resolve("xlibelftail.so.12"), "int b(void) { return 1; }", false);
        Path both = CBuild.library(dir.resolve("libelfboth.so"),
                "int a(void); int b(void); int c(void) { return a() + b(); }", false, a, b);
        NativeException e = assertThrows(NativeException.class,
                () -> ElfFile.read(both).renamed(Map.of("libelftail.so.12", "libelftail.so.13")));
        assertEquals(both + ": two names share their bytes and cannot be changed apart; xlibelftail.so.12",
                e.getMessage());
    }

    @Test
    void jcudasBindingsAreUnderstood() throws Exception {
        check("JCublas2", Map.of("libcublas.so.12", "libcublas.so.13"));
        check("JCusolver", Map.of("libcusolver.so.11", "libcusolver.so.12", "libcusolverMg.so.11",
                "libcusolverMg.so.12"));
        check("JNvrtc", Map.of("libnvrtc.so.12", "libnvrtc.so.13"));
    }

    private static void check(String binding, Map<String, String> names) throws Exception {
        byte[] content = binding(binding);
        ElfFile before = ElfFile.of(binding, content);
        assertTrue(before.needed().containsAll(names.keySet()), before.needed().toString());
        byte[] copy = before.renamed(names);
        assertEquals(before.needed().stream().map(n -> names.getOrDefault(n, n)).toList(),
                ElfFile.of(binding, copy).needed());
        int changed = 0;
        for (int i = 0; i < copy.length; i++) {
            changed += copy[i] == content[i] ? 0 : 1;
        }
        // one digit of each name, and its hash's last byte
        assertEquals(2 * names.size(), changed, binding);
    }

    static byte[] binding(String name) throws Exception {
        try (InputStream in = ElfFileTest.class.getResourceAsStream("/lib/lib" + name + "-12.6.0-linux-x86_64.so")) {
            assertNotNull(in, name);
            return in.readAllBytes();
        }
    }

    @Test
    void foreignFilesSayWhatTheyAre() throws Exception {
        Path missing = dir.resolve("no.so");
        assertEquals(missing + " is not a file", error(missing));
        assertEquals(dir + " is not a file", error(dir));
        Path text = Files.writeString(dir.resolve("text.so"), "GROUP ( libcublas.so.12 )".repeat(4));
        assertEquals(text + ": not a 64-bit shared library", error(text));
        Path empty = Files.createFile(dir.resolve("empty.so"));
        assertEquals(empty + ": not a 64-bit shared library", error(empty));
        byte[] program = Arrays.copyOf(binding("JNvrtc"), 4096);
        program[16] = 2;
        Path executable = Files.write(dir.resolve("program"), program);
        assertEquals(executable + ": not a shared library but ELF of type 2", error(executable));
    }

    @Test
    void everyTruncationIsAnErrorAndNoReadLeavesTheFile() throws Exception {
        byte[] good = binding("JNvrtc");
        // the last segment that is loaded ends before the tables that only debuggers read
        int end = 0;
        ByteBuffer header = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 64; at < 64 + 56 * header.getShort(56); at += 56) {
            if (header.getInt(at) == 1) {
                end = Math.max(end, (int) (header.getLong(at + 8) + header.getLong(at + 32)));
            }
        }
        ElfFile.of("cut", Arrays.copyOf(good, end));
        for (int length = 0; length < end; length += length < 5000 || length > end - 600 ? 1 : 509) {
            byte[] cut = Arrays.copyOf(good, length);
            NativeException e = assertThrows(NativeException.class, () -> ElfFile.of("cut", cut), "cut at " + length);
            assertTrue(e.getMessage().startsWith("cut: "), e.getMessage());
        }
        NativeException e = assertThrows(NativeException.class, () -> ElfFile.of("cut", Arrays.copyOf(good, 5000)));
        assertTrue(e.getMessage().matches("cut: cut short: 5000 bytes of \\d+"), e.getMessage());
    }

    @Test
    void damageIsAnErrorOrHarmless() throws Exception {
        byte[] good = binding("JNvrtc");
        long seed = Seed.VALUE;
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bad = good.clone();
            for (int j = random.nextInt(1, 5); j > 0; j--) {
                // half of the hits in the headers, else where the dynamic section and its tables are
                int at = random.nextInt(2) == 0 ? random.nextInt(64 + 56 * 8) : random.nextInt(good.length);
                bad[at] = (byte) random.nextInt(256);
            }
            try {
                ElfFile.of("bad", bad).renamed(Map.of("libnvrtc.so.12", "libnvrtc.so.13"));
            } catch (NativeException e) {
                assertTrue(e.getMessage().startsWith("bad: "), "seed " + seed + ": " + e.getMessage());
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static String error(Path file) {
        return assertThrows(NativeException.class, () -> ElfFile.read(file)).getMessage();
    }

    private static int call(SymbolLookup symbols, String function) throws Exception {
        try {
            return (int) Linker.nativeLinker()
                    .downcallHandle(symbols.findOrThrow(function), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                    .invokeExact();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
