package dev.gramian.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Says why a driver does not load or start on this machine, and what to do: {@code fact; hint}. */
final class DriverTrouble {
    static final int NO_DEVICE = 100;

    private static final int STUB_LIBRARY = 34;
    private static final int OPERATING_SYSTEM = 304;
    private static final int SYSTEM_NOT_READY = 802;
    private static final int SYSTEM_DRIVER_MISMATCH = 803;
    private static final int COMPAT_NOT_SUPPORTED = 804;
    private static final int UNKNOWN = 999;

    private final Path root;
    private final UnaryOperator<String> environment;

    /** The machine whose files are under {@code root}. */
    DriverTrouble(Path root, UnaryOperator<String> environment) {
        this.root = root;
        this.environment = environment;
    }

    /** What keeps libcuda.so.1 from loading; {@code error} is the loader's message. */
    String loading(String error) {
        if (!error.contains("cannot open shared object file")) {
            return "the driver's library cannot be loaded: " + error;
        }
        String none = "no NVIDIA driver: libcuda.so.1 not found; ";
        String module = moduleVersion();
        if (inContainer()) {
            return none + "this is a container: start it with --gpus all on a host with the NVIDIA driver and its "
                    + "container toolkit"
                    + (module == null ? "" : ", and NVIDIA_DRIVER_CAPABILITIES with compute among them");
        }
        if (module != null) {
            return none + "the kernel has the driver's module " + module + " but its libraries are missing: install "
                    + "them in the same version (Debian: libcuda1; Ubuntu: libnvidia-compute-"
                    + module.replaceFirst("\\..*", "") + ")";
        }
        return none + "install the NVIDIA driver, series " + CudaLibraries.driverFor(12)
                + " or newer (Debian and Ubuntu: nvidia-driver), if there is an NVIDIA card";
    }

    /** What cuInit's status means here. */
    String initialising(int status, String name) {
        String says = name.equals("no card")
                ? "the NVIDIA driver finds no card"
                : "the NVIDIA driver does not start: cuInit says " + name + " (" + status + ")";
        return says + "; " + switch (status) {
            case NO_DEVICE -> noDevice();
            case STUB_LIBRARY -> "the toolkit's stub was loaded in place of the driver: take its stubs directory off "
                    + "LD_LIBRARY_PATH";
            case SYSTEM_NOT_READY -> "the card's links are not set up: start NVIDIA's fabric manager (systemctl start "
                    + "nvidia-fabricmanager) in the driver's version";
            case SYSTEM_DRIVER_MISMATCH -> "libcuda.so.1 and the kernel's module"
                    + (moduleVersion() == null ? "" : " " + moduleVersion())
                    + " are of different driver versions: restart after a driver update, or start the container again";
            case COMPAT_NOT_SUPPORTED -> "a libcuda.so.1 of the package cuda-compat was loaded, which works with "
                    + "data-centre cards only: take its directory off LD_LIBRARY_PATH";
            case OPERATING_SYSTEM, UNKNOWN -> permissions().orElse("a part of the driver may be missing in the kernel: "
                    + "see what nvidia-smi and dmesg say, load the module nvidia_uvm (nvidia-modprobe -u -c 0), or "
                    + "restart");
            default -> "see what nvidia-smi and dmesg say";
        };
    }

    private String noDevice() {
        String visible = environment.apply("CUDA_VISIBLE_DEVICES");
        if (visible != null && !visible.isBlank() && Files.exists(root.resolve("dev/nvidia0"))) {
            return "CUDA_VISIBLE_DEVICES is " + visible + ", which may hide all cards: unset it";
        }
        if (visible != null && visible.isBlank()) {
            return "CUDA_VISIBLE_DEVICES is empty, which hides all cards: unset it";
        }
        return permissions().orElse(!Files.exists(root.resolve("dev/nvidiactl")) && inContainer()
                ? "this is a container: start it with --gpus all"
                : Files.exists(root.resolve("dev/nvidiactl"))
                        ? "see whether nvidia-smi lists one"
                        : "there is no /dev/nvidiactl: is there an NVIDIA card (lspci) and is the driver's module "
                                + "loaded (modprobe nvidia)?");
    }

    /** The device files that this user may not open, as a sentence. */
    private Optional<String> permissions() {
        List<String> closed = new ArrayList<>();
        String group = "";
        for (Path device : LibraryPlaces.expand(root, "dev/nvidia*")) {
            String name = device.getFileName().toString();
            boolean needed = name.matches("nvidia(ctl|-uvm|\\d+)");
            if (needed && !(Files.isReadable(device) && Files.isWritable(device))) {
                closed.add("/dev/" + name);
                try {
                    group = Files.getAttribute(device, "posix:group").toString();
                } catch (IOException | RuntimeException e) {
                    // the hint does without
                }
            }
        }
        return closed.isEmpty()
                ? Optional.empty()
                : Optional.of("this user may not open " + String.join(", ", closed)
                        + (group.isEmpty() || group.equals("root")
                                ? ": give it read and write permission (nvidia-modprobe sets it)"
                                : ": add the user to the group " + group));
    }

    private boolean inContainer() {
        return Files.exists(root.resolve(".dockerenv")) || Files.exists(root.resolve("run/.containerenv"))
                || environment.apply("container") != null || environment.apply("KUBERNETES_SERVICE_HOST") != null;
    }

    /** Version of the driver's kernel module, or null: 550.54.15. */
    String moduleVersion() {
        try {
            return Files.readString(root.resolve("sys/module/nvidia/version")).strip();
        } catch (IOException e) {
            return null;
        }
    }
}
