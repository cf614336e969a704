package dev.gramian.cuda.emulated;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The CUDA emulation that tests run on where there is no GPU: whether it is used, and what tests steer and read. It lies
 * in src/test/emulated-cuda; native-notes/cuda/emulation.md tells what it can show.
 */
public final class EmulatedCuda {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout ADDRESS = ValueLayout.ADDRESS;
    /** Room for the errors of one test. */
    private static final int TEXT = 1 << 18;

    private EmulatedCuda() {}

    /** Loaded with the first call to it. */
    private static final class Library {
        static final SymbolLookup SYMBOLS = open();

        private static SymbolLookup open() {
            String directory = System.getProperty(EmulationBuild.LIBRARIES);
            Path driver = directory == null ? null : Path.of(directory, "libcuda.so.1");
            if (driver == null || !Files.exists(driver)) {
                return null;
            }
            SymbolLookup symbols = SymbolLookup.libraryLookup(driver, Arena.global());
            return symbols.find("gramian_emulated_cuda").isPresent() ? symbols : null;
        }
    }

    /** Whether cuda devices are emulated in this process. */
    public static boolean isActive() {
        return Library.SYMBOLS != null;
    }

    /** Why there is no emulation, or null. */
    public static String reason() {
        return isActive() ? null : EmulationBuild.reason();
    }

    private static Object call(String function, FunctionDescriptor type, Object... arguments) {
        if (!isActive()) {
            throw new IllegalStateException("CUDA is not emulated here: " + reason());
        }
        try {
            return Linker.nativeLinker().downcallHandle(Library.SYMBOLS.findOrThrow(function), type)
                    .invokeWithArguments(arguments);
        } catch (Throwable t) {
            throw new IllegalStateException(function, t);
        }
    }

    private static long get(String function) {
        return (long) call(function, FunctionDescriptor.of(LONG));
    }

    /**
     * The {@code nth} call (1: the next one; 0: every one) of a CUDA function returns {@code status}. The function
     * {@code run} stands for work at the moment the device does it.
     */
    public static void inject(String function, int nth, int status) {
        try (Arena arena = Arena.ofConfined()) {
            call("emu_inject", FunctionDescriptor.ofVoid(ADDRESS, INT, INT), arena.allocateFrom(function), nth, status);
        }
    }

    /** Forgets injected faults and finds a lost device again. */
    public static void reset() {
        call("emu_reset_faults", FunctionDescriptor.ofVoid());
    }

    /** Every call from now on returns {@code status}. */
    public static void loseDevice(int status) {
        call("emu_lose_device", FunctionDescriptor.ofVoid(INT), status);
    }

    /** Device memory that is allocated. */
    public static long liveBytes() {
        return get("emu_live_bytes");
    }

    /** Number of blocks of device memory that are allocated. */
    public static long liveBlocks() {
        return get("emu_live_blocks");
    }

    /** Pinned host memory that is allocated. */
    public static long pinnedBytes() {
        return get("emu_pinned_bytes");
    }

    /** Work that waits on streams. */
    public static long pending() {
        return get("emu_pending");
    }

    /** What was done wrong since the last call: writes out of bounds, diverging barriers and the like. */
    public static List<String> takeErrors() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(TEXT);
            int count = (int) call("emu_take_errors", FunctionDescriptor.of(INT, ADDRESS, LONG), text, (long) TEXT);
            return count == 0 ? List.of() : text.getString(0).lines().toList();
        }
    }

    /** Work runs when it is put on a stream, instead of as late as possible. */
    public static void eager(boolean eager) {
        call("emu_set_mode", FunctionDescriptor.ofVoid(INT), eager ? 1 : 0);
    }

    /** Size of the pretended card; 0: the usual 8 GiB. */
    public static void memory(long bytes) {
        call("emu_set_memory", FunctionDescriptor.ofVoid(LONG), bytes);
    }

    /** Launches of kernels of that name that ran so far; null: of all. */
    public static long launches(String kernel) {
        return count("emu_launches", kernel);
    }

    /** Calls of a CUDA function so far; null: of all. */
    public static long calls(String function) {
        return count("emu_calls", function);
    }

    private static long count(String what, String name) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) call(what, FunctionDescriptor.of(LONG, ADDRESS),
                    name == null ? MemorySegment.NULL : arena.allocateFrom(name));
        }
    }
}
