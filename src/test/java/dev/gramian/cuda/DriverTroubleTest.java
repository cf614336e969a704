package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DriverTroubleTest {
    private static final String MISSING = "libcuda.so.1: cannot open shared object file: No such file or directory";

    @TempDir
    Path root;

    private void file(String path, String text) throws Exception {
        Path f = root.resolve(path);
        Files.createDirectories(f.getParent());
        Files.writeString(f, text);
    }

    private String loading(String error, Map<String, String> environment) {
        return new DriverTrouble(root, environment::get).loading(error);
    }

    private String starting(int status, Map<String, String> environment) {
        return new DriverTrouble(root, environment::get).initialising(status, "CUDA_ERROR_X");
    }

    @Test
    void noDriverOnABareMachine() {
        assertEquals("no NVIDIA driver: libcuda.so.1 not found; install the NVIDIA driver, series 525 or newer (Debian "
                + "and Ubuntu: nvidia-driver), if there is an NVIDIA card", loading(MISSING, Map.of()));
    }

    @Test
    void noDriverInAContainer() throws Exception {
        String hint = "no NVIDIA driver: libcuda.so.1 not found; this is a container: start it with --gpus all on a host "
                + "with the NVIDIA driver and its container toolkit";
        assertEquals(hint, loading(MISSING, Map.of("KUBERNETES_SERVICE_HOST", "10.0.0.1")));
        file(".dockerenv", "");
        assertEquals(hint, loading(MISSING, Map.of()));
        file("sys/module/nvidia/version", "550.54.15\n");
        assertEquals(hint + ", and NVIDIA_DRIVER_CAPABILITIES with compute among them", loading(MISSING, Map.of()));
    }

    @Test
    void theModuleWithoutItsLibraries() throws Exception {
        file("sys/module/nvidia/version", "550.54.15\n");
        assertEquals("no NVIDIA driver: libcuda.so.1 not found; the kernel has the driver's module 550.54.15 but its "
                + "libraries are missing: install them in the same version (Debian: libcuda1; Ubuntu: "
                + "libnvidia-compute-550)", loading(MISSING, Map.of()));
    }

    @Test
    void aDriverThatIsThereAndDoesNotLoad() {
        assertEquals("the driver's library cannot be loaded: libcuda.so.1: file too short",
                loading("libcuda.so.1: file too short", Map.of()));
    }

    @Test
    void noCard() throws Exception {
        String start = "the NVIDIA driver does not start: cuInit says CUDA_ERROR_X (100); ";
        assertEquals(start + "there is no /dev/nvidiactl: is there an NVIDIA card (lspci) and is the driver's module "
                + "loaded (modprobe nvidia)?", starting(100, Map.of()));
        assertEquals(start + "CUDA_VISIBLE_DEVICES is empty, which hides all cards: unset it",
                starting(100, Map.of("CUDA_VISIBLE_DEVICES", "")));
        file("run/.containerenv", "");
        assertEquals(start + "this is a container: start it with --gpus all", starting(100, Map.of()));
        file("dev/nvidiactl", "");
        file("dev/nvidia0", "");
        assertEquals(start + "see whether nvidia-smi lists one", starting(100, Map.of()));
        assertEquals(start + "CUDA_VISIBLE_DEVICES is 7, which may hide all cards: unset it",
                starting(100, Map.of("CUDA_VISIBLE_DEVICES", "7")));
    }

    @Test
    void versionsThatDoNotFit() throws Exception {
        assertEquals("the NVIDIA driver does not start: cuInit says CUDA_ERROR_X (803); libcuda.so.1 and the kernel's "
                + "module are of different driver versions: restart after a driver update, or start the container again",
                starting(803, Map.of()));
        file("sys/module/nvidia/version", "535.1\n");
        assertTrue(starting(803, Map.of()).contains("module 535.1 are of different"), starting(803, Map.of()));
        assertEquals("the NVIDIA driver does not start: cuInit says CUDA_ERROR_X (804); a libcuda.so.1 of the package "
                + "cuda-compat was loaded, which works with data-centre cards only: take its directory off "
                + "LD_LIBRARY_PATH", starting(804, Map.of()));
        assertEquals(
                "the NVIDIA driver does not start: cuInit says CUDA_ERROR_X (34); the toolkit's stub was loaded in "
                        + "place of the driver: take its stubs directory off LD_LIBRARY_PATH",
                starting(34, Map.of()));
    }

    @Test
    void otherStatuses() {
        assertTrue(starting(802, Map.of()).endsWith("; the card's links are not set up: start NVIDIA's fabric manager "
                + "(systemctl start nvidia-fabricmanager) in the driver's version"));
        assertTrue(starting(999, Map.of()).contains("load the module nvidia_uvm (nvidia-modprobe -u -c 0)"));
        assertTrue(starting(2, Map.of()).endsWith("(2); see what nvidia-smi and dmesg say"));
        assertEquals("the NVIDIA driver finds no card; there is no /dev/nvidiactl: is there an NVIDIA card (lspci) and "
                + "is the driver's module loaded (modprobe nvidia)?",
                new DriverTrouble(root, name -> null).initialising(100, "no card"));
    }

    @Test
    void deviceFilesThatMayNotBeOpened() throws Exception {
        file("dev/nvidiactl", "");
        file("dev/nvidia0", "");
        file("dev/nvidia-uvm", "");
        file("dev/nvidia-modeset", "");
        for (String f : new String[] {"nvidia0", "nvidia-uvm", "nvidia-modeset"}) {
            root.resolve("dev/" + f).toFile().setReadable(false);
            root.resolve("dev/" + f).toFile().setWritable(false);
        }
        assumeTrue(!Files.isReadable(root.resolve("dev/nvidia0")), "root opens everything");
        for (int status : new int[] {100, 304, 999}) {
            String said = starting(status, Map.of());
            assertTrue(said.contains("; this user may not open /dev/nvidia0, /dev/nvidia-uvm: ")
                    || said.contains("; this user may not open /dev/nvidia-uvm, /dev/nvidia0: "), said);
        }
    }
}
