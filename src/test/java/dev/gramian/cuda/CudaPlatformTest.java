package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.Device;
import dev.gramian.natives.PrivateDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading as a whole, in JVMs of their own, with stand-ins for the driver and the libraries. */
final class CudaPlatformTest {
    @TempDir
    static Path shared;

    private static Path driver;
    private static Path cuda12;
    private static Path cuda13;

    @TempDir
    Path dir;

    @BeforeAll
    static void build() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux") && System.getProperty("os.arch").equals("amd64"),
                "CUDA is used on Linux with x86-64 only");
        driver = StandIns.driver(shared.resolve("driver"), 0, 13000, 1, 90).getParent();
        cuda12 = shared.resolve("cuda12");
        StandIns.libraries(cuda12, 12);
        cuda13 = shared.resolve("cuda13");
        StandIns.libraries(cuda13, 13);
    }

    // ---- what is found -----------------------------------------------------------------------------------------------

    @Test
    void cuda12IsUsedAsItIs() throws Exception {
        String said = run(List.of(driver, cuda12), "load", "call");
        assertEquals("""
                reason null
                major 12, retargeted false, emulated false, cards 1
                cublasCreate 12000
                cusolverDnCreate 12000
                NVRTC 12.4
                """, said);
    }

    @Test
    void cuda13IsUsedByRewrittenBindings() throws Exception {
        String said = run(List.of(driver, cuda13), "load", "call");
        assertEquals("""
                reason null
                major 13, retargeted true, emulated false, cards 1
                cublasCreate 13000
                cusolverDnCreate 13000
                NVRTC 13.4
                """, said);
    }

    /**
     * With NVIDIA's libraries: without a card handles are refused, kernels compile. Those of the profile cuda-libraries,
     * and of the directories that -Dgramian.test.cuda=DIR:DIR names.
     */
    @Test
    void nvidiasOwnLibrariesLoad() throws Exception {
        List<Path> directories = new ArrayList<>();
        if (Files.isDirectory(Path.of("target", "cuda-libraries"))) {
            directories.add(Path.of("target", "cuda-libraries"));
        }
        for (String d : System.getProperty("gramian.test.cuda", "").split(":")) {
            if (!d.isEmpty()) {
                directories.add(Path.of(d));
            }
        }
        assumeTrue(!directories.isEmpty(), "mvn -Pcuda-libraries generate-resources brings NVIDIA's libraries");
        for (Path d : directories) {
            String said = run(List.of(driver, d), "load", "call", "compile");
            assertTrue(said.matches("""
                    reason null
                    major (12, retargeted false|13, retargeted true), emulated false, cards 1
                    cublasCreate 1
                    cusolverDnCreate 1
                    NVRTC 1[23]\\.\\d+
                    machine code for sm_90a
                    """), d + ": " + said);
        }
    }

    @Test
    void theFirstDirectoryDecidesBetweenVersions() throws Exception {
        assertTrue(run(List.of(driver, cuda13, cuda12), "load").contains("major 13"));
        assertTrue(run(List.of(driver, cuda12, cuda13), "load").contains("major 12"));
    }

    @Test
    void aDriverWithoutLibraries() throws Exception {
        assertEquals("reason no CUDA libraries: cuBLAS, cuSOLVER and NVRTC of CUDA 12 or 13 not found; looked in "
                + driver + "; install the CUDA toolkit 13, or for Python's pip nvidia-cublas nvidia-cusolver "
                + "nvidia-cuda-nvrtc, or name the directories with -Dgramian.cuda.libraries=DIR:DIR\n",
                run(List.of(driver), "load"));
    }

    @Test
    void aDriverThatIsOlderThanTheLibraries() throws Exception {
        Path old = StandIns.driver(dir.resolve("old"), 0, 12040, 1, 90).getParent();
        assertEquals("reason the libraries found are CUDA 13's (" + cuda13.resolve("libcublas.so.13")
                + "), the driver supports CUDA 12.4 at most; install a driver of the 580 series or newer, or the "
                + "libraries of CUDA 12\n", run(List.of(old, cuda13), "load"));
        assertTrue(run(List.of(old, cuda13, cuda12), "load").contains("major 12"));
        Path ancient = StandIns.driver(dir.resolve("ancient"), 0, 11080, 1, 90).getParent();
        assertEquals("reason the NVIDIA driver is too old: it supports CUDA 11.8, 12.0 is needed; install a driver of "
                + "the 525 series or newer\n", run(List.of(ancient, cuda12), "load"));
    }

    @Test
    void aDriverThatDoesNotStart() throws Exception {
        Path other = StandIns.driver(dir.resolve("d"), 803, 12040, 1, 90).getParent();
        String said = run(List.of(other, cuda12), "load");
        assertTrue(said.matches("reason the NVIDIA driver does not start: cuInit says CUDA_ERROR_STAND_IN \\(803\\); "
                + "libcuda.so.1 and the kernel's module.* are of different driver versions: restart after a driver "
                + "update, or start the container again\n"), said);
        Path none = StandIns.driver(dir.resolve("none"), 0, 12040, 0, 90).getParent();
        assertTrue(run(List.of(none, cuda12), "load").startsWith("reason the NVIDIA driver finds no card; "));
    }

    @Test
    void aDriverThatIsNoLibrary() throws Exception {
        Path text = Files.createDirectories(dir.resolve("text"));
        Files.writeString(text.resolve("libcuda.so.1"), "no library");
        assertEquals("reason the driver's library cannot be loaded: " + text.resolve("libcuda.so.1")
                + ": not a 64-bit shared library\n", run(List.of(text, cuda12), "load"));
    }

    /** JCuda's natives would end the process at the first call of it. */
    @Test
    void aLibraryThatLacksAFunction() throws Exception {
        Path lacking = Files.createDirectories(dir.resolve("lacking"));
        StandIns.libraries(lacking, 12);
        dev.gramian.natives.CBuild.library(lacking.resolve("libcublas.so.12"),
                "int cublasCreate_v2(void** h) { return 0; }", true);
        String said = run(List.of(driver, lacking), "load");
        assertTrue(said.matches("reason " + lacking.resolve("libcublas.so.12") + " lacks cublas\\w+, cublas\\w+, "
                + "cublas\\w+ and \\d+ more functions; install another CUDA 12\n"), said);
    }

    @Test
    void switchedOffAndNamingNothing() throws Exception {
        assertEquals("reason switched off by gramian.cuda.libraries=none or GRAMIAN_CUDA_LIBRARIES\n",
                run(List.of(Path.of("none")), "load"));
        Path missing = dir.resolve("missing");
        assertEquals("reason gramian.cuda.libraries names no directory that exists; it is " + missing + "\n",
                run(List.of(missing), "load"));
    }

    @Test
    void theEnvironmentNamesLibrariesToo() throws Exception {
        ProcessBuilder child = StandIns.java(List.of("-Dgramian.cache=" + dir), Child.class, "load");
        child.environment().put("GRAMIAN_CUDA_LIBRARIES", driver + ":" + cuda12);
        assertTrue(said(child.start()).contains("major 12"));
    }

    @Test
    void withoutADriverNothingElseIsLookedFor() throws Exception {
        assumeTrue(dev.gramian.natives.Loader.open("libcuda.so.1") != null, "this machine has a driver");
        String said = run(List.of(cuda12), "load");
        assertTrue(said.startsWith("reason no NVIDIA driver: libcuda.so.1 not found; "), said);
    }

    @Test
    void bindingsThatAreNotOnTheClassPath() throws Exception {
        ProcessBuilder child = StandIns.java(flags(List.of(driver, cuda12)), Child.class, "load");
        List<String> command = child.command();
        int at = command.indexOf("-cp") + 1;
        List<String> entries = new ArrayList<>(List.of(command.get(at).split(":")));
        String all = String.join(":", entries);
        entries.removeIf(e -> e.contains("jcusolver-natives"));
        command.set(at, String.join(":", entries));
        assertEquals(
                "reason JCuda's binding of cuSOLVER cannot be loaded: no lib/libJCusolver-12.6.0-linux-x86_64.so on "
                        + "the class path; add JCuda's natives jar of that name with classifier linux-x86_64\n",
                said(child.start()));
        entries.removeIf(e -> e.matches(".*/jcuda-\\d.*\\.jar"));
        command.set(at, String.join(":", entries));
        assertEquals("reason JCuda is not on the class path; add org.jcuda:jcuda, jcublas and jcusolver\n",
                said(child.start()));
        assertFalse(all.equals(String.join(":", entries)));
    }

    @Test
    void jcudaUsedBefore() throws Exception {
        String said = run(List.of(driver, cuda12), "jcuda", "load");
        assertTrue(
                said.contains("reason JCuda was used in this process before Gramian looked for a card, and has loaded "
                        + "its natives its own way; call Device.best() or Device.of(\"cuda\") first: "),
                said);
    }

    // ---- private files -----------------------------------------------------------------------------------------------

    /** JCuda's own loader takes both of these; ours takes neither. */
    @Test
    void plantedNativesAreNotLoaded() throws Exception {
        Path planted = dir.resolve("tmp");
        for (String name : List.of("JCudaDriver", "JCublas2", "JCusolver", "JNvrtc")) {
            StandIns.planted(planted.resolve("lib" + name + "-12.6.0-linux-x86_64.so"));
        }
        for (String property : List.of("java.io.tmpdir", "java.library.path")) {
            List<String> flags = new ArrayList<>(flags(List.of(driver, cuda12)));
            flags.add("-D" + property + "=" + planted);
            String said = said(StandIns.java(flags, Child.class, "load", "call").start());
            assertTrue(said.startsWith("reason null\n") && said.contains("cublasCreate 12000"), said);
            assertFalse(said.contains("PLANTED"), said);
            String before = said(StandIns.java(flags, Child.class, "jcuda").start());
            assertTrue(before.contains("PLANTED"), "the test must be able to fail: " + before);
        }
    }

    @Test
    void aCacheThatOthersCanWriteIsNotUsed() throws Exception {
        Path open = Files.createDirectories(dir.resolve("jcuda"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        String said = run(List.of(driver, cuda12), "load", "call", "diagnosis");
        assertTrue(said.startsWith("reason null\n"), said);
        assertTrue(said.contains(", for this process only: " + open + " has mode rwxrwxrwx, not rwx------\n"), said);
        try (var files = Files.list(open)) {
            assertEquals(0, files.count());
        }
        Path used = Path.of(said.replaceFirst("(?s).*bindings   JCuda; in ", "").replaceFirst("(?s),.*", ""));
        assertFalse(used.startsWith(dir), used.toString());
        assertFalse(Files.exists(used), used + " stays after the process");
    }

    @Test
    void damagedAndPlantedFilesInTheCacheAreReplaced() throws Exception {
        run(List.of(driver, cuda13), "load");
        List<Path> files;
        try (var all = Files.list(dir.resolve("jcuda"))) {
            files = all.toList();
        }
        assertEquals(4, files.size());
        for (Path f : files) {
            byte[] bytes = Files.readAllBytes(f);
            bytes[bytes.length / 2] ^= 1;
            Files.write(f, bytes);
        }
        assertTrue(run(List.of(driver, cuda13), "load", "call").contains("cublasCreate 13000"));
        // both versions side by side
        run(List.of(driver, cuda12), "load");
        try (var all = Files.list(dir.resolve("jcuda"))) {
            assertEquals(7, all.count(), "the driver's binding is the same for both");
        }
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(dir.resolve("jcuda"))));
    }

    @Test
    void manyThreadsAndTwoProcessesAtOnce() throws Exception {
        List<Process> children = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            children.add(StandIns.java(flags(List.of(driver, cuda13)), Child.class, "threads", "call").start());
        }
        for (Process p : children) {
            assertEquals("""
                    16 threads: null 1
                    cublasCreate 13000
                    cusolverDnCreate 13000
                    NVRTC 13.4
                    """, said(p));
        }
        try (var files = Files.list(dir.resolve("jcuda"))) {
            assertTrue(files.allMatch(f -> f.toString().endsWith(".so")), "no partial files stay");
        }
    }

    // ---- what is not loaded ------------------------------------------------------------------------------------------

    @Test
    void aProgramThatNamesTheCpuLoadsNothingOfCuda() throws Exception {
        List<String> loaded = loaded("cpu");
        assertTrue(loaded.contains("dev.gramian.Device"), "classes are logged");
        assertEquals(List.of(), loaded.stream()
                .filter(c -> c.startsWith("jcuda.") || c.startsWith("dev.gramian.cuda."))
                .filter(c -> !c.startsWith(CudaPlatformTest.class.getName())).toList());
    }

    @Test
    void withoutADriverNoClassOfJcudaIsLoaded() throws Exception {
        List<String> loaded = loaded("best");
        assertTrue(loaded.contains("dev.gramian.cuda.CudaPlatform"));
        assertEquals(List.of(), loaded.stream().filter(c -> c.startsWith("jcuda.")).toList());
    }

    private List<String> loaded(String what) throws Exception {
        Path log = dir.resolve(what + ".log");
        List<String> flags = new ArrayList<>(flags(List.of(Path.of("none"))));
        flags.add("-Xlog:class+load:file=" + log);
        assertEquals("cpu\n", said(StandIns.java(flags, Child.class, what).start()));
        return Files.readAllLines(log).stream().map(l -> l.replaceFirst("^(\\[[^]]*])+ ", "").replaceFirst(" .*", ""))
                .toList();
    }

    // ---- children ----------------------------------------------------------------------------------------------------

    private List<String> flags(List<Path> libraries) {
        return List.of("-Dgramian.cuda.libraries=" + String.join(":", libraries.stream().map(Path::toString).toList()),
                "-D" + PrivateDirectory.PROPERTY + "=" + dir);
    }

    private String run(List<Path> libraries, String... steps) throws Exception {
        return said(StandIns.java(flags(libraries), Child.class, steps).start());
    }

    private static String said(Process p) throws IOException, InterruptedException {
        try {
            String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(p.waitFor(1, TimeUnit.MINUTES), "child does not end");
            assertEquals(0, p.exitValue(), said);
            return said;
        } finally {
            p.destroyForcibly();
        }
    }

    /** Does the steps named by its arguments. */
    static final class Child {
        private Child() {}

        public static void main(String[] steps) throws Exception {
            for (String step : steps) {
                switch (step) {
                    case "load" -> load();
                    case "call" -> Calls.call();
                    case "compile" -> Calls.compile();
                    case "threads" -> threads();
                    case "diagnosis" -> CudaPlatform.get().diagnosis().forEach(System.out::println);
                    case "jcuda" -> Calls.jcudaAlone();
                    case "cpu" -> System.out.println(Device.of("cpu:scalar").open().device().name().substring(0, 3));
                    case "best" -> System.out.println(Device.best().name().substring(0, 3));
                    default -> throw new IllegalArgumentException(step);
                }
            }
        }

        private static void load() {
            CudaPlatform p = CudaPlatform.get();
            System.out.println("reason " + p.reason());
            if (p.reason() == null) {
                System.out.println("major " + p.major() + ", retargeted " + p.retargeted() + ", emulated "
                        + p.emulated() + ", cards " + p.deviceCount());
            }
        }

        private static void threads() throws InterruptedException {
            CountDownLatch start = new CountDownLatch(1);
            CudaPlatform[] seen = new CudaPlatform[16];
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < seen.length; i++) {
                int at = i;
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        start.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    seen[at] = CudaPlatform.get();
                }));
            }
            start.countDown();
            for (Thread t : threads) {
                t.join();
            }
            System.out.println("16 threads: " + seen[0].reason() + " "
                    + java.util.Arrays.stream(seen).distinct().count());
        }
    }

    /** In a class of its own, so that the child does not touch JCuda before. */
    private static final class Calls {
        static void call() {
            System.out.println("cublasCreate "
                    + jcuda.jcublas.JCublas2.cublasCreate(new jcuda.jcublas.cublasHandle()));
            System.out.println("cusolverDnCreate "
                    + jcuda.jcusolver.JCusolverDn.cusolverDnCreate(new jcuda.jcusolver.cusolverDnHandle()));
            int[] major = new int[1];
            int[] minor = new int[1];
            jcuda.nvrtc.JNvrtc.nvrtcVersion(major, minor);
            System.out.println("NVRTC " + major[0] + "." + minor[0]);
        }

        static void compile() {
            jcuda.nvrtc.nvrtcProgram program = new jcuda.nvrtc.nvrtcProgram();
            jcuda.nvrtc.JNvrtc.nvrtcCreateProgram(program,
                    "extern \"C\" __global__ void half(float* a) { a[threadIdx.x] *= 0.5f; }", "half.cu", 0, null,
                    null);
            int status = jcuda.nvrtc.JNvrtc.nvrtcCompileProgram(program, 1,
                    new String[] {"--gpu-architecture=sm_90a"});
            long[] size = new long[1];
            jcuda.nvrtc.JNvrtc.nvrtcGetCUBINSize(program, size);
            System.out.println(status == 0 && size[0] > 1000 ? "machine code for sm_90a" : "status " + status);
        }

        static void jcudaAlone() {
            try {
                jcuda.driver.JCudaDriver.setExceptionsEnabled(false);
            } catch (LinkageError e) {
                System.out.println("JCuda alone: " + e.getClass().getSimpleName());
            }
        }
    }
}
