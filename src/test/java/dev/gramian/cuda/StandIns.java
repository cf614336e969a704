package dev.gramian.cuda;

import dev.gramian.natives.CBuild;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Libraries with the names, symbol versions and dependencies of CUDA's and with nothing behind them: enough to see what is
 * found, loaded and called.
 */
public final class StandIns {
    private StandIns() {}

    /** A driver that knows {@code cards} cards and answers cuInit with {@code status}. */
    static Path driver(Path directory, int status, int version, int cards, int capability)
            throws IOException, InterruptedException {
        Files.createDirectories(directory);
        String text = """
                #include <string.h>
                int cuInit(unsigned flags) { return %d; }
                // NVRTC 13 asks for a table of functions and crashes where the call is missing, goes on where it fails
                int cuGetExportTable(const void** table, const void* id) { return 1; }
                int cuGetErrorName(int status, const char** name) { *name = "CUDA_ERROR_STAND_IN"; return 0; }
                int cuDriverGetVersion(int* v) { *v = %d; return 0; }
                int cuDeviceGetCount(int* n) { *n = %d; return 0; }
                int cuDeviceGet(int* d, int i) { *d = i; return 0; }
                int cuDeviceGetName(char* b, int n, int d) { strcpy(b, "Stand-in"); return 0; }
                int cuDeviceTotalMem_v2(unsigned long* b, int d) { *b = 8ul << 30; return 0; }
                int cuDeviceGetAttribute(int* v, int w, int d) {
                    *v = w == 75 ? %d : w == 76 ? %d : w == 16 ? 132 : 1; return 0; }
                int cuDevicePrimaryCtxRetain(void** c, int d) { *c = (void*) 64; return d == 0 ? 0 : 46; }
                int cuDevicePrimaryCtxRelease_v2(int d) { return 0; }
                int cuCtxSetCurrent(void* c) { return 0; }
                int cuCtxPushCurrent_v2(void* c) { return 0; }
                int cuCtxPopCurrent_v2(void** c) { return 0; }
                int cuMemGetInfo_v2(unsigned long* f, unsigned long* t) { *f = 7ul << 30; *t = 8ul << 30; return 0; }
                """.formatted(status, version, cards, capability / 10, capability % 10);
        return CBuild.library(directory.resolve("libcuda.so.1"), text + rest("libcuda", text), false);
    }

    /** cuBLAS, cuSOLVER and NVRTC of that version. Creating a handle gives 1000 · major, which no library would. */
    static void libraries(Path directory, int major) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        Path lt = library(directory, "libcublasLt.so." + major, "int lt(void) { return 0; }");
        Path blas = library(directory, "libcublas.so." + major, """
                int cublasCreate_v2(void** h) { return %d; }
                int cublasGetProperty(int which, int* v) { *v = which == 0 ? %d : which; return 0; }
                """.formatted(1000 * major, major), lt);
        Path link = library(directory, "libnvJitLink.so." + major, "int link(void) { return 0; }");
        Path sparse = library(directory, "libcusparse.so.12", "int sparse(void) { return 0; }", link);
        library(directory, "libcusolver.so." + (major - 1), """
                int cusolverDnCreate(void** h) { return %d; }
                int cusolverGetProperty(int which, int* v) { *v = which == 0 ? %d : which; return 0; }
                """.formatted(1000 * major, major - 1), blas, sparse);
        library(directory, "libcusolverMg.so." + (major - 1), "int mg(void) { return 0; }", blas);
        library(directory, "libnvrtc.so." + major, """
                int nvrtcVersion(int* a, int* b) { *a = %d; *b = 4; return 0; }
                int nvrtcGetNumSupportedArchs(int* n) { *n = 2; return 0; }
                int nvrtcGetSupportedArchs(int* a) { a[0] = 80; a[1] = 90; return 0; }
                """.formatted(major));
        library(directory, "libnvrtc-builtins.so." + major + ".4", "int builtins(void) { return 0; }");
    }

    private static Path library(Path directory, String name, String text, Path... needs)
            throws IOException, InterruptedException {
        return CBuild.library(directory.resolve(name), text + rest(name.replaceFirst("\\.so.*", ""), text),
                !name.contains("-"), needs);
    }

    /** Everything else that is called, doing nothing. */
    private static String rest(String library, String text) {
        return Functions.of(library).stream().filter(f -> !text.contains(" " + f + "("))
                .map(f -> "int " + f + "(void) { return 0; }\n").collect(Collectors.joining());
    }

    /** A library that says so when it is loaded. */
    static Path planted(Path file) throws IOException, InterruptedException {
        Files.createDirectories(file.getParent());
        return CBuild.library(file, """
                #include <unistd.h>
                __attribute__((constructor)) static void loaded(void) { write(1, "PLANTED\\n", 8); }
                """, false);
    }

    /** A command line that runs a class of the tests in a JVM of its own, with no CUDA but what the flags name. */
    public static ProcessBuilder java(List<String> flags, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-XX:TieredStopAtLevel=1");
        command.addAll(flags);
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        for (String variable : new String[] {"GRAMIAN_CUDA_LIBRARIES", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH",
            "CUDA_VISIBLE_DEVICES"}) {
            builder.environment().remove(variable);
        }
        return builder;
    }
}
