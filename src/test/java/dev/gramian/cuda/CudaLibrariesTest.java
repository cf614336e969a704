package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.core.NativeException;
import dev.gramian.cuda.LibraryPlaces.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which libraries are chosen; nothing is loaded. */
final class CudaLibrariesTest {
    @TempDir
    static Path shared;

    private static Path cuda12;
    private static Path cuda13;

    @TempDir
    Path dir;

    @BeforeAll
    static void build() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux") && System.getProperty("os.arch").equals("amd64"),
                "CUDA is used on Linux with x86-64 only");
        cuda12 = shared.resolve("cuda12");
        StandIns.libraries(cuda12, 12);
        cuda13 = shared.resolve("cuda13");
        StandIns.libraries(cuda13, 13);
    }

    private static List<Place> places(Path... directories) {
        return Stream.of(directories).map(d -> new Place(d, "test")).toList();
    }

    private static String error(int driver, int capability, Path... directories) {
        return assertThrows(NativeException.class,
                () -> CudaLibraries.choose(places(directories), driver, capability)).getMessage();
    }

    private static Path copy(Path from, Path to, String... names) throws Exception {
        Files.createDirectories(to);
        for (String n : names) {
            Files.copy(from.resolve(n), to.resolve(n));
        }
        return to;
    }

    @Test
    void eachAfterWhatItNeeds() {
        CudaLibraries chosen = CudaLibraries.choose(places(cuda12), 12040, 90);
        assertEquals(12, chosen.major());
        assertEquals(List.of("libcublasLt.so.12", "libcublas.so.12", "libnvJitLink.so.12", "libcusparse.so.12",
                "libcusolver.so.11", "libcusolverMg.so.11", "libnvrtc-builtins.so.12.4", "libnvrtc.so.12"),
                chosen.inOrder().stream().map(CudaLibraries.Found::name).toList());
        assertEquals(List.of("libcublasLt.so.13", "libcublas.so.13", "libnvJitLink.so.13", "libcusparse.so.12",
                "libcusolver.so.12", "libcusolverMg.so.12", "libnvrtc-builtins.so.13.4", "libnvrtc.so.13"),
                CudaLibraries.choose(places(cuda13), 13000, 90).inOrder().stream().map(CudaLibraries.Found::name)
                        .toList());
    }

    @Test
    void theVersionThatDriverAndCardAllow() {
        assertEquals(13, CudaLibraries.choose(places(cuda13, cuda12), 13000, 90).major());
        assertEquals(12, CudaLibraries.choose(places(cuda12, cuda13), 13000, 90).major());
        assertEquals(12, CudaLibraries.choose(places(cuda13, cuda12), 12090, 90).major());
        assertEquals(12, CudaLibraries.choose(places(cuda13, cuda12), 13000, 70).major());
        assertEquals("the libraries found are CUDA 13's (" + cuda13.resolve("libcublas.so.13")
                + "), which need compute capability 7.5; the card has 7.0; install the libraries of CUDA 12",
                error(13000, 70, cuda13));
        assertEquals("the libraries found are CUDA 12's (" + cuda12.resolve("libcublas.so.12")
                + "), which need compute capability 5.0; the card has 3.5 and is too old for CUDA 12 and 13",
                error(12040, 35, cuda12));
    }

    /** Python's layout: every library in a directory of its own. */
    @Test
    void aSetIsPutTogetherFromSeveralDirectories() throws Exception {
        Path blas = copy(cuda12, dir.resolve("nvidia/cublas/lib"), "libcublas.so.12", "libcublasLt.so.12");
        Path solver = copy(cuda12, dir.resolve("nvidia/cusolver/lib"), "libcusolver.so.11", "libcusolverMg.so.11");
        Path sparse = copy(cuda12, dir.resolve("nvidia/cusparse/lib"), "libcusparse.so.12");
        Path link = copy(cuda12, dir.resolve("nvidia/nvjitlink/lib"), "libnvJitLink.so.12");
        Path nvrtc = copy(cuda12, dir.resolve("nvidia/cuda_nvrtc/lib"), "libnvrtc.so.12",
                "libnvrtc-builtins.so.12.4");
        CudaLibraries chosen = CudaLibraries.choose(places(solver, nvrtc, link, blas, sparse), 12040, 90);
        assertEquals(blas.resolve("libcublas.so.12"), chosen.get("libcublas.so.12").file());
        assertEquals(8, chosen.inOrder().size());
        assertEquals(sparse.resolve("libcusparse.so.12"), chosen.get("libcusparse.so.12").file());
    }

    /** Of two CUDA 12 on a machine no library is paired with the other's. */
    @Test
    void whatALibraryNeedsIsTakenFromItsOwnDirectory() throws Exception {
        Path partial = copy(cuda12, dir.resolve("partial"), "libcublasLt.so.12");
        CudaLibraries chosen = CudaLibraries.choose(places(partial, cuda12), 12040, 90);
        assertEquals(cuda12.resolve("libcublasLt.so.12"), chosen.get("libcublasLt.so.12").file());
    }

    @Test
    void mixedVersionsMakeNoSet() throws Exception {
        Path mixed = copy(cuda13, dir.resolve("mixed"), "libcublas.so.13", "libcublasLt.so.13");
        copy(cuda12, mixed, "libcusolver.so.11", "libcusolverMg.so.11", "libcusparse.so.12", "libnvJitLink.so.12",
                "libnvrtc.so.12");
        String error = error(13000, 90, mixed);
        assertTrue(error.startsWith("CUDA 12 is incomplete: libcublas.so.12 not found; there is "), error);
        assertTrue(error.contains(mixed.resolve("libcusolver.so.11").toString()), error);
        assertTrue(error.contains("; looked in " + mixed + "; install the CUDA toolkit 12, or for Python's pip "
                + "nvidia-cublas-cu12 nvidia-cusolver-cu12 nvidia-cuda-nvrtc-cu12, or name the directories with "
                + "-Dgramian.cuda.libraries=DIR:DIR"), error);
    }

    @Test
    void unfitFilesAreNamedAndPassedOver() throws Exception {
        Path bad = copy(cuda12, dir.resolve("bad"), "libnvrtc.so.12");
        byte[] whole = Files.readAllBytes(cuda12.resolve("libcublas.so.12"));
        Files.write(bad.resolve("libcublas.so.12"), Arrays.copyOf(whole, 3000));
        byte[] arm = Files.readAllBytes(cuda12.resolve("libcusolver.so.11"));
        arm[18] = (byte) 183;
        Files.write(bad.resolve("libcusolver.so.11"), arm);
        // a linker script, as -dev packages have them
        Files.writeString(bad.resolve("libcusolverMg.so.11"), "INPUT(libcusolverMg.so.11.6) ".repeat(4));
        Path renamed = Files.copy(cuda12.resolve("libcublasLt.so.12"), bad.resolve("libcublasLt.so.13"));
        String error = error(13000, 90, bad);
        assertTrue(error.contains("; not usable: " + bad.resolve("libcublas.so.12") + ": cut short: 3000 bytes of "),
                error);
        assertTrue(error.contains(bad.resolve("libcusolver.so.11") + ": for another processor (ELF machine 183); "),
                error);
        assertTrue(error.contains(bad.resolve("libcusolverMg.so.11") + ": not a 64-bit shared library; "), error);
        assertTrue(Files.exists(renamed));

        CudaLibraries chosen = CudaLibraries.choose(places(bad, cuda12), 12040, 90);
        assertEquals(cuda12.resolve("libcublas.so.12"), chosen.get("libcublas.so.12").file());
        assertEquals(bad.resolve("libnvrtc.so.12"), chosen.get("libnvrtc.so.12").file());
        assertEquals(3, chosen.refused().size(), chosen.refused().toString());
    }

    @Test
    void aFileOfAnotherNameInside() throws Exception {
        Path bad = Files.createDirectories(dir.resolve("bad"));
        Files.copy(cuda12.resolve("libnvrtc.so.12"), bad.resolve("libcublas.so.12"));
        String error = error(12040, 90, bad);
        assertTrue(error.contains("not usable: " + bad.resolve("libcublas.so.12") + ": is libnvrtc.so.12 inside;"),
                error);
    }

    @Test
    void aFileThatMayNotBeRead() throws Exception {
        Path bad = copy(cuda12, dir.resolve("bad"), "libcublas.so.12");
        Files.setPosixFilePermissions(bad.resolve("libcublas.so.12"), PosixFilePermissions.fromString("---------"));
        assumeTrue(!Files.isReadable(bad.resolve("libcublas.so.12")), "root reads everything");
        assertTrue(error(12040, 90, bad).contains(bad.resolve("libcublas.so.12") + " cannot be read; "));
    }

    /** Two libraries that need each other do not keep the search going for ever. */
    @Test
    void circlesEnd() throws Exception {
        Path d = dir.resolve("circle");
        StandIns.libraries(d, 12);
        dev.gramian.natives.CBuild.library(d.resolve("libcublasLt.so.12"), "int lt(void) { return 0; }", true,
                d.resolve("libcublas.so.12"));
        assertEquals(8, CudaLibraries.choose(places(d), 12040, 90).inOrder().size());
    }

    @Test
    void nothingAtAll() {
        assertEquals("no CUDA libraries: cuBLAS, cuSOLVER and NVRTC of CUDA 12 or 13 not found; looked in no directory "
                + "that exists; install the CUDA toolkit 12, or for Python's pip nvidia-cublas-cu12 nvidia-cusolver-cu12 "
                + "nvidia-cuda-nvrtc-cu12, or name the directories with -Dgramian.cuda.libraries=DIR:DIR",
                error(12040, 90));
        assertTrue(error(13000, 90, dir).contains("looked in " + dir + "; install the CUDA toolkit 13,"));
    }
}
