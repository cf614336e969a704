package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.cuda.emulated.EmulatedCuda;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Compiled kernels on disk. */
final class KernelCacheTest {
    private final String macros = Kernels.define("UNIQUE", Long.toString(System.nanoTime()));
    private Path directory;

    @BeforeEach
    void emulated() {
        assumeTrue(EmulatedCuda.isActive(), () -> "CUDA is not emulated: " + EmulatedCuda.reason());
        directory = CudaPlatform.get().cache().resolve("kernels");
    }

    private Set<Path> files() throws IOException {
        if (!Files.isDirectory(directory)) {
            return Set.of();
        }
        try (Stream<Path> all = Files.list(directory)) {
            return all.collect(Collectors.toCollection(HashSet::new));
        }
    }

    /** Has a context that knows no kernel yet ask for one. */
    private void ask() {
        CudaContext context = new CudaContext(0);
        context.makeCurrent();
        assertEquals("addresses:addresses", context.kernels().get("addresses", macros, "addresses").name());
    }

    /** A file that is written anew is another one of the same name. */
    private static Object identity(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    @Test
    void aKernelIsCompiledOnceAndAgainWhenItsFileIsDamaged() throws IOException {
        Set<Path> before = files();
        ask();
        Set<Path> made = files();
        made.removeAll(before);
        assertEquals(1, made.size(), "one file, and no partial one");
        Path file = made.iterator().next();
        byte[] whole = Files.readAllBytes(file);
        Object first = identity(file);
        ask();
        assertEquals(first, identity(file), "taken from disk");
        byte[] damaged = whole.clone();
        damaged[damaged.length / 2] ^= 1;
        for (byte[] bytes : new byte[][] {damaged, new byte[0], Arrays.copyOf(whole, whole.length - 1)}) {
            Files.write(file, bytes);
            first = identity(file);
            ask();
            assertNotEquals(first, identity(file), "compiled again");
            assertArrayEquals(whole, Files.readAllBytes(file));
        }
        Files.delete(file);
        Files.createDirectory(file);
        ask();
        assertTrue(Files.isDirectory(file), "what cannot be written is compiled each time");
        Files.delete(file);
    }
}
