package dev.gramian.cpu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Helps OpenBLAS where it does not know the processor: 0.3.31 takes AMD's Zen 5 (family 26) for a Haswell and computes
 * with half the vector width, SVDs at three quarters of the speed (native-notes/cpu/gemm.md). Its own switch is the
 * environment variable {@value #VARIABLE}, read once while it loads; set here for just that moment, unless the user has.
 */
final class OpenBlasCore {
    static final String VARIABLE = "OPENBLAS_CORETYPE";

    private OpenBlasCore() {}

    /** The core to name for this machine, or null where OpenBLAS is left to itself. */
    static String wanted() {
        if (System.getenv(VARIABLE) != null || !System.getProperty("os.arch", "").equals("amd64")) {
            return null;
        }
        try {
            return wanted(Files.readString(Path.of("/proc/cpuinfo")));
        } catch (IOException e) {
            return null;
        }
    }

    /** As {@link #wanted()}, for a text as in Linux's /proc/cpuinfo. */
    static String wanted(String cpuinfo) {
        String flags = " " + field(cpuinfo, "flags") + " ";
        String family = field(cpuinfo, "cpu family");
        boolean unknown = field(cpuinfo, "vendor_id").equals("AuthenticAMD")
                && family.matches("\\d{1,4}") && Integer.parseInt(family) >= 26;
        for (String f : new String[] {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}) {
            unknown &= flags.contains(" " + f + " ");
        }
        return unknown ? "SkylakeX" : null;
    }

    private static String field(String cpuinfo, String name) {
        for (String line : cpuinfo.lines().toList()) {
            int colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).strip().equals(name)) {
                return line.substring(colon + 1).strip();
            }
        }
        return "";
    }

    /** Sets the variable for libraries loaded after this, or takes it away again where {@code core} is null. */
    static void set(String core) {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            if (core != null) {
                var setenv = linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("setenv"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT));
                int ignored = (int) setenv.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom(core), 0);
            } else {
                var unsetenv = linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("unsetenv"),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
                int ignored = (int) unsetenv.invokeExact(arena.allocateFrom(VARIABLE));
            }
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }
}
