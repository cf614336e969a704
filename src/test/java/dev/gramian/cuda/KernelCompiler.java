package dev.gramian.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Compiles kernel text without a card, by nvcc or by NVRTC's library alone. */
interface KernelCompiler {
    /** Name and version: part of the key of what is kept on disk. */
    String name();

    /** The compiler's log with what ptxas says of each kernel. */
    Result compile(String text, String architecture) throws IOException, InterruptedException;

    record Result(boolean compiled, String log) {}

    /** nvcc of PATH or of /usr/local/cuda*; null where there is none. */
    static KernelCompiler nvcc() throws IOException, InterruptedException {
        List<Path> candidates = new ArrayList<>();
        for (String dir : System.getenv().getOrDefault("PATH", "").split(":")) {
            candidates.add(Path.of(dir, "nvcc"));
        }
        Path local = Path.of("/usr/local");
        if (Files.isDirectory(local)) {
            try (Stream<Path> dirs = Files.list(local)) {
                dirs.filter(d -> d.getFileName().toString().startsWith("cuda")).sorted()
                        .forEach(d -> candidates.add(d.resolve("bin/nvcc")));
            }
        }
        for (Path nvcc : candidates) {
            if (Files.isExecutable(nvcc)) {
                Result version = run(List.of(nvcc.toString(), "--version"));
                String release = version.log().lines().filter(l -> l.contains("release")).findFirst().orElse("")
                        .replaceFirst(".*release ", "").strip();
                return new Nvcc(nvcc, "nvcc " + release);
            }
        }
        return null;
    }

    /** NVRTC by its library, or null where it is the emulation's, which has no ptxas. */
    static KernelCompiler nvrtc(SymbolLookup symbols) {
        Nvrtc nvrtc = new Nvrtc(symbols);
        return nvrtc.compile("extern \"C\" __global__ void f() {}", "sm_90").log().contains("Compiling entry function")
                ? nvrtc
                : null;
    }

    private static Result run(List<String> command) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        p.getOutputStream().close();
        String log = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(p.waitFor() == 0, log);
    }

    /** The compiler driver, whose front end is not NVRTC's: it sees CUDA's own headers. */
    record Nvcc(Path path, String name) implements KernelCompiler {
        @Override
        public Result compile(String text, String architecture) throws IOException, InterruptedException {
            Path file = Files.createTempFile("kernel", ".cu");
            try {
                Files.writeString(file, text);
                return run(List.of(path.toString(), "-arch=" + architecture, "-cubin", "-std=c++17", "-Xptxas=-v", "-o",
                        "/dev/null", file.toString()));
            } finally {
                Files.delete(file);
            }
        }
    }

    /** The library by java.lang.foreign: JCuda's binding would ask for the driver. */
    final class Nvrtc implements KernelCompiler {
        private final MethodHandle create;
        private final MethodHandle compile;
        private final MethodHandle logSize;
        private final MethodHandle log;
        private final MethodHandle destroy;
        private final String name;

        Nvrtc(SymbolLookup symbols) {
            MemoryLayout a = ValueLayout.ADDRESS;
            MemoryLayout i = ValueLayout.JAVA_INT;
            create = handle(symbols, "nvrtcCreateProgram", a, a, a, i, a, a);
            compile = handle(symbols, "nvrtcCompileProgram", a, i, a);
            logSize = handle(symbols, "nvrtcGetProgramLogSize", a, a);
            log = handle(symbols, "nvrtcGetProgramLog", a, a);
            destroy = handle(symbols, "nvrtcDestroyProgram", a);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment major = arena.allocate(ValueLayout.JAVA_INT);
                MemorySegment minor = arena.allocate(ValueLayout.JAVA_INT);
                call(handle(symbols, "nvrtcVersion", a, a), major, minor);
                name = "NVRTC " + major.get(ValueLayout.JAVA_INT, 0) + "." + minor.get(ValueLayout.JAVA_INT, 0);
            }
        }

        private static MethodHandle handle(SymbolLookup symbols, String function, MemoryLayout... parameters) {
            return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
        }

        private static int call(MethodHandle function, Object... arguments) {
            try {
                return (int) function.invokeWithArguments(arguments);
            } catch (Throwable t) {
                throw new IllegalStateException(t);
            }
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public Result compile(String text, String architecture) {
            return compile("kernel.cu", text, architecture);
        }

        Result compile(String file, String text, String architecture) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment program = arena.allocate(ValueLayout.ADDRESS);
                MemorySegment none = MemorySegment.NULL;
                call(create, program, arena.allocateFrom(text), arena.allocateFrom(file), 0, none, none);
                MemorySegment p = program.get(ValueLayout.ADDRESS, 0);
                List<String> options = new ArrayList<>(List.of(Kernels.OPTIONS));
                options.add("--gpu-architecture=" + architecture);
                options.add("--ptxas-options=-v");
                MemorySegment table = arena.allocate(ValueLayout.ADDRESS, options.size());
                for (int i = 0; i < options.size(); i++) {
                    table.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(options.get(i)));
                }
                int status = call(compile, p, options.size(), table);
                MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
                call(logSize, p, size);
                MemorySegment chars = arena.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
                call(log, p, chars);
                call(destroy, program);
                return new Result(status == 0, chars.getString(0));
            }
        }
    }
}
