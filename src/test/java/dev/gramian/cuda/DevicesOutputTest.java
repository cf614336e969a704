package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.cli.Main;
import dev.gramian.natives.Loader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code gramian devices} and {@code --device cuda} print, on machines made of stand-ins. */
final class DevicesOutputTest {
    @TempDir
    static Path dir;

    @BeforeAll
    static void linux() {
        assumeTrue(System.getProperty("os.name").equals("Linux") && System.getProperty("os.arch").equals("amd64"),
                "CUDA is used on Linux with x86-64 only");
    }

    @Test
    void switchedOff() throws Exception {
        String said = run("none", "devices");
        assertTrue(said.endsWith("""

                   cuda:0      unavailable: switched off by gramian.cuda.libraries=none or GRAMIAN_CUDA_LIBRARIES

                CUDA
                   problem    switched off by gramian.cuda.libraries=none or GRAMIAN_CUDA_LIBRARIES

                * chosen by --device auto
                """), said);
    }

    @Test
    void aDriverWithoutLibraries() throws Exception {
        Path driver = StandIns.driver(dir.resolve("alone"), 0, 12040, 1, 90).getParent();
        String said = run(driver.toString(), "devices");
        assertTrue(said.endsWith("""

                   cuda:0      unavailable: no CUDA libraries: cuBLAS, cuSOLVER and NVRTC of CUDA 12 or 13 not found

                CUDA
                   driver     MODULE, supports CUDA 12.4; DIR/libcuda.so.1
                   card 0     Stand-in, compute capability 9.0, 132 multiprocessors, 8.0 GiB memory, 7.0 GiB free
                   problem    no CUDA libraries: cuBLAS, cuSOLVER and NVRTC of CUDA 12 or 13 not found
                              looked in DIR
                              install the CUDA toolkit 12, or for Python's pip nvidia-cublas-cu12 nvidia-cusolver-cu12 \
                nvidia-cuda-nvrtc-cu12, or name the directories with -Dgramian.cuda.libraries=DIR:DIR

                * chosen by --device auto
                """.replace("libraries=DIR:DIR", "libraries=D:D").replace("DIR", driver.toString())
                .replace("libraries=D:D", "libraries=DIR:DIR").replace("MODULE", module())), said);
        assertEquals("gramian: cuda:0 unavailable: no CUDA libraries: cuBLAS, cuSOLVER and NVRTC of CUDA 12 or 13 not "
                + "found; looked in " + driver
                + "; install the CUDA toolkit 12, or for Python's pip nvidia-cublas-cu12 "
                + "nvidia-cusolver-cu12 nvidia-cuda-nvrtc-cu12, or name the directories with "
                + "-Dgramian.cuda.libraries=DIR:DIR; use device cpu\n",
                run(driver.toString(), "demo", "--device", "cuda"));
        assertTrue(run(driver.toString(), "demo", "--device", "cuda:1").startsWith(
                "gramian: device: no such card; 'cuda:1'; CUDA cannot be used: no CUDA libraries: "));
    }

    @Test
    void aMachineWithoutADriver() throws Exception {
        assumeTrue(Loader.open("libcuda.so.1") != null, "this machine has a driver");
        Path d = dir.resolve("driverless");
        StandIns.libraries(d, 12);
        String said = run(d.toString(), "devices");
        assertTrue(said.contains("\n   cuda:0      unavailable: no NVIDIA driver: libcuda.so.1 not found\n"), said);
        assertTrue(said.contains("\nCUDA\n   problem    no NVIDIA driver: libcuda.so.1 not found\n              "),
                said);
        assertTrue(run(d.toString(), "demo", "--device", "cuda").startsWith(
                "gramian: cuda:0 unavailable: no NVIDIA driver: libcuda.so.1 not found; "));
    }

    @Test
    void aMachineWithoutCublas() throws Exception {
        Path d = dir.resolve("partial");
        StandIns.driver(d, 0, 12040, 1, 90);
        StandIns.libraries(d, 12);
        Files.delete(d.resolve("libcublas.so.12"));
        String said = run(d.toString(), "devices");
        assertTrue(said.contains("""

                CUDA
                   driver     MODULE, supports CUDA 12.4; DIR/libcuda.so.1
                   card 0     Stand-in, compute capability 9.0, 132 multiprocessors, 8.0 GiB memory, 7.0 GiB free
                   problem    CUDA 12 is incomplete: libcublas.so.12 not found
                              there is DIR/libnvJitLink.so.12, \
                """.replace("DIR", d.toString()).replace("MODULE", module())), said);
        assertTrue(said.contains("""
                              looked in DIR
                              install the CUDA toolkit 12, or for Python's pip nvidia-cublas-cu12 \
                """.replace("DIR", d.toString())), said);
        assertTrue(said.contains("\n   cuda:0      unavailable: CUDA 12 is incomplete: libcublas.so.12 not found\n"),
                said);
    }

    @Test
    void aMachineWithCuda13AndTwoCardsOneOfThemTaken() throws Exception {
        Path d = dir.resolve("cuda13");
        StandIns.driver(d, 0, 13000, 2, 90);
        StandIns.libraries(d, 13);
        String said = run(d.toString(), "devices");
        assertTrue(said.contains("\n*  cuda:0      Stand-in, compute capability 9.0, 132 multiprocessors; CUDA 13; "),
                said);
        assertTrue(
                said.contains("\n   cuda:1      unavailable: cuda: driver says CUDA_ERROR_DEVICE_UNAVAILABLE (46)\n"),
                said);
        assertTrue(said.endsWith("""

                CUDA
                   driver     MODULE, supports CUDA 13.0; DIR/libcuda.so.1
                   card 0     Stand-in, compute capability 9.0, 132 multiprocessors, 8.0 GiB memory, 7.0 GiB free, \
                kernels for sm_90
                   card 1     Stand-in, compute capability 9.0, 132 multiprocessors, 8.0 GiB memory, not open to this \
                process: see nvidia-smi, kernels for sm_90
                   CUDA 13    libcublasLt.so.13  DIR/libcublasLt.so.13 (gramian.cuda.libraries)
                              libcublas.so.13 13.1.2  DIR/libcublas.so.13 (gramian.cuda.libraries)
                              libnvJitLink.so.13  DIR/libnvJitLink.so.13 (gramian.cuda.libraries)
                              libcusparse.so.12  DIR/libcusparse.so.12 (gramian.cuda.libraries)
                              libcusolver.so.12 12.1.2  DIR/libcusolver.so.12 (gramian.cuda.libraries)
                              libcusolverMg.so.12  DIR/libcusolverMg.so.12 (gramian.cuda.libraries)
                              libnvrtc-builtins.so.13.4  DIR/libnvrtc-builtins.so.13.4 (gramian.cuda.libraries)
                              libnvrtc.so.13 13.4  DIR/libnvrtc.so.13 (gramian.cuda.libraries)
                   bindings   JCuda, made for CUDA 12, rewritten for CUDA 13; in CACHE/jcuda
                   kernels    kept in CACHE/cuda

                * chosen by --device auto
                """.replace("DIR", d.toString()).replace("CACHE", dir.resolve("cache").toString())
                .replace("MODULE", module())), said);
        assertEquals("gramian: device: no such card; 'cuda:2'; there are 2, cuda:0 to cuda:1\n",
                run(d.toString(), "demo", "--device", "cuda:2"));
    }

    /** Version of the driver that the machine really has, which the stand-in's line shows. */
    private static String module() {
        String version = new DriverTrouble(Path.of("/"), System::getenv).moduleVersion();
        return version == null ? "version unknown" : version;
    }

    private static String run(String libraries, String... arguments) throws Exception {
        Process p = StandIns.java(List.of("-Dgramian.cuda.libraries=" + libraries,
                "-Dgramian.cache=" + dir.resolve("cache")), Main.class, arguments).start();
        try {
            return new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            p.destroyForcibly();
        }
    }
}
