package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.natives.ElfFile;
import dev.gramian.natives.Loader;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The driver's library, loaded and initialised: version and cards. Called through java.lang.foreign, since it must answer
 * before the bindings can load; a constructor that fails says what to do.
 */
final class CudaDriver {
    static final String NAME = "libcuda.so.1";

    /** Places of the driver's library that some systems do not tell their loader. */
    private static final List<String> UNLISTED = List.of("/usr/lib/wsl/lib", "/usr/local/nvidia/lib64",
            "/run/opengl-driver/lib", "/usr/lib/x86_64-linux-gnu/nvidia/current");

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout ADDRESS = ValueLayout.ADDRESS;

    private static final int COMPUTE_CAPABILITY_MAJOR = 75;
    private static final int COMPUTE_CAPABILITY_MINOR = 76;
    private static final int MULTIPROCESSORS = 16;

    /** A card as the driver describes it; capability is ten times the compute capability. */
    record Card(String name, int capability, int multiprocessors, long bytes) {}

    private final SymbolLookup symbols;
    private final Path file;
    private final int version;
    private final List<Card> cards = new ArrayList<>();

    /** {@code directories} come before the system's own; the first that holds the library decides. */
    CudaDriver(List<Path> directories, DriverTrouble trouble) {
        file = load(directories, trouble);
        symbols = file == null
                ? SymbolLookup.libraryLookup(NAME, Arena.global())
                : SymbolLookup.libraryLookup(file, Arena.global());
        int status = call("cuInit", FunctionDescriptor.of(INT, INT), 0);
        if (status != 0) {
            throw new NativeException(trouble.initialising(status, statusName(status)));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(256);
            check(call("cuDriverGetVersion", FunctionDescriptor.of(INT, ADDRESS), out), "cuDriverGetVersion");
            version = out.get(INT, 0);
            if (version < 12000) {
                throw new NativeException("the NVIDIA driver is too old: it supports CUDA "
                        + CudaLibraries.version(version) + ", 12.0 is needed; install a driver of the "
                        + CudaLibraries.driverFor(12) + " series or newer");
            }
            check(call("cuDeviceGetCount", FunctionDescriptor.of(INT, ADDRESS), out), "cuDeviceGetCount");
            int count = out.get(INT, 0);
            if (count == 0) {
                throw new NativeException(trouble.initialising(DriverTrouble.NO_DEVICE, "no card"));
            }
            for (int i = 0; i < count; i++) {
                cards.add(card(i, out));
            }
        }
    }

    private static Path load(List<Path> directories, DriverTrouble trouble) {
        for (Path d : directories) {
            Path named = d.resolve(NAME);
            if (Files.exists(named)) {
                String error = unfit(named);
                if (error == null) {
                    error = Loader.open(named.toString());
                }
                if (error != null) {
                    throw new NativeException(trouble.loading(error));
                }
                return named;
            }
        }
        String error = Loader.open(NAME);
        for (int i = 0; error != null && i < UNLISTED.size(); i++) {
            Path unlisted = Path.of(UNLISTED.get(i), NAME);
            if (Files.exists(unlisted) && Loader.open(unlisted.toString()) == null) {
                return unlisted;
            }
        }
        if (error != null) {
            throw new NativeException(trouble.loading(error));
        }
        return null;
    }

    private static String unfit(Path named) {
        try {
            ElfFile elf = ElfFile.read(named);
            if (elf.machine() != ElfFile.X86_64) {
                return named + ": for another processor (ELF machine " + elf.machine() + ")";
            }
            // under another name it would be loaded a second time by the libraries that need it
            return NAME.equals(elf.soname()) ? null : named + ": is " + elf.soname() + " inside";
        } catch (NativeException e) {
            return e.getMessage();
        }
    }

    SymbolLookup symbols() {
        return symbols;
    }

    /** The CUDA version it supports, as 1000 · major + 10 · minor. */
    int version() {
        return version;
    }

    List<Card> cards() {
        return List.copyOf(cards);
    }

    boolean emulated() {
        return symbols.find("gramian_emulated_cuda").isPresent();
    }

    /** File the library is loaded from, as the kernel knows it. */
    String file() {
        if (file != null) {
            return file.toString();
        }
        try (var maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(l -> l.contains("/libcuda.so.")).findFirst()
                    .map(l -> l.substring(l.indexOf('/'))).orElse(NAME);
        } catch (java.io.IOException | java.io.UncheckedIOException e) {
            return NAME;
        }
    }

    private Card card(int ordinal, MemorySegment out) {
        FunctionDescriptor ofDevice = FunctionDescriptor.of(INT, ADDRESS, INT);
        check(call("cuDeviceGet", ofDevice, out, ordinal), "cuDeviceGet, card " + ordinal);
        int device = out.get(INT, 0);
        check(call("cuDeviceGetName", FunctionDescriptor.of(INT, ADDRESS, INT, INT), out, 256, device),
                "cuDeviceGetName");
        String name = out.getString(0, StandardCharsets.UTF_8);
        check(call("cuDeviceTotalMem_v2", ofDevice, out, device), "cuDeviceTotalMem");
        long bytes = out.get(ValueLayout.JAVA_LONG, 0);
        return new Card(name, 10 * attribute(COMPUTE_CAPABILITY_MAJOR, device, out)
                + attribute(COMPUTE_CAPABILITY_MINOR, device, out), attribute(MULTIPROCESSORS, device, out), bytes);
    }

    private int attribute(int which, int device, MemorySegment out) {
        check(call("cuDeviceGetAttribute", FunctionDescriptor.of(INT, ADDRESS, INT, INT), out, which, device),
                "cuDeviceGetAttribute " + which);
        return out.get(INT, 0);
    }

    /** Free bytes of a card, or -1 where it lets nobody in. Asks within the context that the process shares. */
    long freeBytes(int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(16);
            FunctionDescriptor ofDevice = FunctionDescriptor.of(INT, ADDRESS, INT);
            if (call("cuDeviceGet", ofDevice, out, ordinal) != 0) {
                return -1;
            }
            int device = out.get(INT, 0);
            if (call("cuDevicePrimaryCtxRetain", ofDevice, out, device) != 0) {
                return -1;
            }
            try {
                MemorySegment context = out.get(ValueLayout.ADDRESS, 0);
                if (call("cuCtxPushCurrent_v2", FunctionDescriptor.of(INT, ADDRESS), context) != 0) {
                    return -1;
                }
                int status = call("cuMemGetInfo_v2", FunctionDescriptor.of(INT, ADDRESS, ADDRESS), out,
                        out.asSlice(8));
                long free = out.get(ValueLayout.JAVA_LONG, 0);
                call("cuCtxPopCurrent_v2", FunctionDescriptor.of(INT, ADDRESS), out);
                return status == 0 ? free : -1;
            } finally {
                call("cuDevicePrimaryCtxRelease_v2", FunctionDescriptor.of(INT, INT), device);
            }
        }
    }

    private void check(int status, String what) {
        if (status != 0) {
            throw new NativeException("the NVIDIA driver says " + statusName(status) + " (" + status + ") to " + what
                    + "; try nvidia-smi, which asks the same");
        }
    }

    private String statusName(int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            if (symbols.find("cuGetErrorName").isEmpty()
                    || call("cuGetErrorName", FunctionDescriptor.of(INT, INT, ADDRESS), status, out) != 0) {
                return "error";
            }
            return out.get(ValueLayout.ADDRESS, 0).reinterpret(256).getString(0);
        }
    }

    private int call(String function, FunctionDescriptor type, Object... arguments) {
        Optional<MemorySegment> address = symbols.find(function);
        if (address.isEmpty()) {
            throw new NativeException("the driver's library has no function " + function + "; " + file());
        }
        try {
            return (int) Linker.nativeLinker().downcallHandle(address.get(), type).invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
