package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.NativeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;
import jcuda.nvrtc.JNvrtc;
import jcuda.nvrtc.nvrtcProgram;

/**
 * The kernels of one card. A program is a {@code .cu} resource of this package with macros set before it and the
 * {@code .cuh} resources it includes pasted in; NVRTC compiles it for the card at first use, without any header of the
 * toolkit, and the machine code is kept on disk under the hash of everything it depends on.
 */
final class Kernels {
    /** Before every program: types and conversions, strided walks, threads that share a row. */
    private static final String[] PRELUDE = {"common.cuh", "axes.cuh", "groups.cuh"};

    /** Of NVRTC, beside the architecture. */
    static final String[] OPTIONS = {"--std=c++17", "-default-device", "--fmad=true"};

    /** A line that asks for another resource in its place. */
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"(\\w+\\.cuh)\"$");

    private record Key(String file, String macros) {}

    private record FunctionKey(String file, String macros, String function) {}

    private final CudaContext context;
    private final Map<Key, CUmodule> modules = new ConcurrentHashMap<>();
    private final Map<FunctionKey, Kernel> kernels = new ConcurrentHashMap<>();
    private volatile String architecture;

    Kernels(CudaContext context) {
        this.context = context;
    }

    /** The type's name in kernel text, a typedef of common.cuh: f64, f32, f16, bf16, i64, i32, u8 or b8. */
    static String type(DType t) {
        return switch (t) {
            case F64 -> "f64";
            case F32 -> "f32";
            case F16 -> "f16";
            case BF16 -> "bf16";
            case I64 -> "i64";
            case I32 -> "i32";
            case U8 -> "u8";
            case BOOL -> "b8";
        };
    }

    /** One line of the macros: {@code #define name value}. */
    static String define(String name, String value) {
        return "#define " + name + " " + value + "\n";
    }

    /**
     * The function of {@code file}.cu compiled with {@code macros}, text of {@code #define} lines. The context must be
     * current. Callers on hot paths keep what they get.
     */
    Kernel get(String file, String macros, String function) {
        FunctionKey key = new FunctionKey(file, macros, function);
        Kernel k = kernels.get(key);
        return k != null ? k : kernels.computeIfAbsent(key, this::load);
    }

    private Kernel load(FunctionKey key) {
        CUmodule module = modules.computeIfAbsent(new Key(key.file, key.macros), this::module);
        Pointers.Function f = new Pointers.Function();
        String name = key.file + ":" + key.function;
        Status.driver(JCudaDriver.cuModuleGetFunction(f, module, key.function), "cuModuleGetFunction, kernel " + name);
        int[] most = new int[1];
        Status.driver(JCudaDriver.cuFuncGetAttribute(most,
                CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, f), "cuFuncGetAttribute, kernel " + name);
        KernelLog.requested(key.file, key.function, key.macros);
        return new Kernel(name, f, f.address(), most[0]);
    }

    /** As {@link #get}, for launches with up to so many bytes of dynamic shared memory, which 48 KiB and more need. */
    Kernel withShared(String file, String macros, String function, int sharedBytes) {
        Kernel k = get(file, macros, function);
        Status.driver(JCudaDriver.cuFuncSetAttribute(k.handle(),
                CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedBytes),
                "cuFuncSetAttribute, kernel " + k.name() + " with " + sharedBytes + " bytes of shared memory");
        return k;
    }

    private CUmodule module(Key key) {
        byte[] code = code(key.file, text(key.file, key.macros));
        CUmodule module = new CUmodule();
        Status.driver(JCudaDriver.cuModuleLoadData(module, code), "cuModuleLoadData, kernels of " + key.file + ".cu");
        return module;
    }

    /** The whole program, as it is compiled. */
    static String text(String file, String macros) {
        StringBuilder text = new StringBuilder();
        for (String p : PRELUDE) {
            text.append(resource(p)).append('\n');
        }
        return text.append(macros).append(resource(file + ".cu")).toString();
    }

    private static String resource(String name) {
        try (InputStream in = Kernels.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new NativeException("cuda: kernel text is missing; " + name + "; the jar is incomplete");
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return INCLUDE.matcher(text).replaceAll(m -> Matcher.quoteReplacement(resource(m.group(1))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- compiling ---------------------------------------------------------------------------------------------------

    private byte[] code(String file, String text) {
        String[] options = Stream.concat(Stream.of("--gpu-architecture=" + architecture()), Stream.of(OPTIONS))
                .toArray(String[]::new);
        Path cached = cached(text, options);
        byte[] code = read(cached);
        if (code == null) {
            code = compile(file, text, options);
            write(cached, code);
        }
        return code;
    }

    String architecture() {
        if (architecture == null) {
            architecture = architecture(context.cardName(), context.capability());
        }
        return architecture;
    }

    /** sm_90 and the like where NVRTC knows the card, so that it gives machine code; else PTX of the newest it knows. */
    static String architecture(String card, int capability) {
        int[] count = new int[1];
        Status.nvrtc(JNvrtc.nvrtcGetNumSupportedArchs(count), "nvrtcGetNumSupportedArchs");
        int[] known = new int[count[0]];
        Status.nvrtc(JNvrtc.nvrtcGetSupportedArchs(known), "nvrtcGetSupportedArchs");
        int best = Arrays.stream(known).filter(a -> a <= capability).max().orElseThrow(() -> new NativeException(
                "cuda: NVRTC cannot compile for the card; compute capability " + capability / 10 + "."
                        + capability % 10 + ", " + card + "; it knows " + known[0] + " and up: use an older CUDA"));
        return (best == capability ? "sm_" : "compute_") + best;
    }

    private byte[] compile(String file, String text, String[] options) {
        nvrtcProgram program = new nvrtcProgram();
        Status.nvrtc(JNvrtc.nvrtcCreateProgram(program, text, file + ".cu", 0, null, null), "nvrtcCreateProgram");
        try {
            int status = JNvrtc.nvrtcCompileProgram(program, options.length, options);
            if (status != 0) {
                String[] log = new String[1];
                JNvrtc.nvrtcGetProgramLog(program, log);
                throw new NativeException("cuda: kernels do not compile; " + file + ".cu, "
                        + String.join(" ", options) + ", NVRTC says:\n" + log[0]);
            }
            if (architecture.startsWith("sm_")) {
                long[] size = new long[1];
                Status.nvrtc(JNvrtc.nvrtcGetCUBINSize(program, size), "nvrtcGetCUBINSize");
                byte[] cubin = new byte[Math.toIntExact(size[0])];
                Status.nvrtc(JNvrtc.nvrtcGetCUBIN(program, cubin), "nvrtcGetCUBIN");
                return cubin;
            }
            String[] ptx = new String[1];
            Status.nvrtc(JNvrtc.nvrtcGetPTX(program, ptx), "nvrtcGetPTX");
            return (ptx[0] + "\0").getBytes(StandardCharsets.ISO_8859_1);
        } finally {
            JNvrtc.nvrtcDestroyProgram(program);
        }
    }

    // ---- cache on disk -----------------------------------------------------------------------------------------------

    private static Path cached(String text, String[] options) {
        int[] major = new int[1];
        int[] minor = new int[1];
        Status.nvrtc(JNvrtc.nvrtcVersion(major, minor), "nvrtcVersion");
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update((major[0] + "." + minor[0] + " " + String.join(" ", options)
                    + (CudaPlatform.get().emulated() ? " emulated" : "") + "\n").getBytes(StandardCharsets.UTF_8));
            sha.update(text.getBytes(StandardCharsets.UTF_8));
            return CudaPlatform.get().cache().resolve("kernels")
                    .resolve(HexFormat.of().formatHex(sha.digest(), 0, 16) + ".bin");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** The file's bytes but the digest they end with; null where there is no file or it is damaged. */
    private static byte[] read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                return null;
            }
            byte[] all = Files.readAllBytes(file);
            int n = all.length - 32;
            return n > 0 && Arrays.equals(digest(all, n), Arrays.copyOfRange(all, n, all.length))
                    ? Arrays.copyOf(all, n)
                    : null;
        } catch (IOException e) {
            return null;
        }
    }

    private static void write(Path file, byte[] code) {
        try {
            Files.createDirectories(file.getParent());
            Path part = Files.createTempFile(file.getParent(), "kernel", ".part");
            try {
                byte[] all = Arrays.copyOf(code, code.length + 32);
                System.arraycopy(digest(code, code.length), 0, all, code.length, 32);
                Files.write(part, all);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            // a cache that cannot be written costs a compilation each time, nothing else
        }
    }

    private static byte[] digest(byte[] bytes, int n) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(bytes, 0, n);
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
