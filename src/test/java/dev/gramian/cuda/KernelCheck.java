package dev.gramian.cuda;

import dev.gramian.cuda.KernelRequests.Unit;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Compiles every kernel of a list of requests, as {@link KernelLog} writes it, for several architectures and looks at what
 * ptxas says:
 *
 * <pre>KernelCheck [--nvrtc FILE | auto] [--spills FILE] [--cache DIR] [--arch sm_80,sm_89,sm_90] [-v] REQUESTS</pre>
 *
 * <p>Without {@code --nvrtc} nvcc compiles. {@code auto}: the NVRTC that the CUDA backend of this process uses, for
 * the card's own architecture. Exit codes:
 * 0 all compiled and none spills beyond the list; 1 some do not; 3 there is no compiler, which the output tells.
 */
public final class KernelCheck {
    private final KernelCompiler compiler;
    private final Path cache;
    private final SpillList allowed;
    private final List<String> problems = new ArrayList<>();
    /** The heaviest variant of each function and architecture. */
    private final Map<String, Line> heaviest = new TreeMap<>();

    private record Line(PtxasLog.Use use, String variant, int variants) {}

    private record Job(Unit unit, String architecture, Future<KernelCompiler.Result> result) {}

    KernelCheck(KernelCompiler compiler, Path cache, SpillList allowed) {
        this.compiler = compiler;
        this.cache = cache;
        this.allowed = allowed;
    }

    public static void main(String[] args) throws Exception {
        String nvrtc = null;
        Path spills = null;
        Path cache = null;
        String[] architectures = {"sm_80", "sm_89", "sm_90"};
        Path requests = null;
        Path sources = null;
        boolean verbose = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--nvrtc" -> nvrtc = args[++i];
                case "--spills" -> spills = Path.of(args[++i]);
                case "--cache" -> cache = Path.of(args[++i]);
                case "--sources" -> sources = Path.of(args[++i]);
                case "--arch" -> architectures = args[++i].split(",");
                case "-v" -> verbose = true;
                default -> requests = Path.of(args[i]);
            }
        }
        List<Unit> units = KernelRequests.read(requests);
        List<String> missing = sources == null ? List.of() : KernelRequests.missing(units, sources);
        missing.forEach(k -> System.out.println(k + ": no test asks for it"));
        KernelCompiler compiler = nvrtc == null ? KernelCompiler.nvcc() : nvrtcOf(nvrtc);
        if (compiler == null) {
            System.out.println(nvrtc == null
                    ? "not checked: there is no nvcc on PATH or in /usr/local/cuda*, and no --nvrtc"
                    : "not checked: the NVRTC of this process is the emulation's, or there is none");
            System.exit(missing.isEmpty() ? 3 : 1);
        }
        if ("auto".equals(nvrtc)) {
            architectures = new String[] {new CudaContext(0).kernels().architecture()};
        }
        KernelCheck check = new KernelCheck(compiler, cache, spills == null ? SpillList.EMPTY : SpillList.read(spills));
        boolean good = check.run(units, architectures);
        check.print(verbose);
        System.out.println(units.size() + " programs by " + compiler.name() + " for " + String.join(", ", architectures)
                + ": " + (check.problems.size() + missing.size()) + " problems");
        // executors of NVRTC calls that hang would keep the process
        System.exit(good && missing.isEmpty() ? 0 : 1);
    }

    private static KernelCompiler nvrtcOf(String wish) {
        if (!wish.equals("auto")) {
            return KernelCompiler.nvrtc(SymbolLookup.libraryLookup(Path.of(wish).toAbsolutePath(), Arena.global()));
        }
        if (CudaPlatform.get().reason() != null || CudaPlatform.get().emulated()) {
            return null;
        }
        // loaded already: found by its name alone
        return KernelCompiler.nvrtc(
                SymbolLookup.libraryLookup("libnvrtc.so." + CudaPlatform.get().major(), Arena.global()));
    }

    /** True where every kernel compiles and none spills more than the list admits. */
    boolean run(List<Unit> units, String... architectures) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try {
            List<Job> jobs = new ArrayList<>();
            for (Unit u : units) {
                for (String architecture : architectures) {
                    String text = Kernels.text(u.file(), u.macros());
                    Callable<KernelCompiler.Result> compile = () -> compiled(text, architecture);
                    jobs.add(new Job(u, architecture, pool.submit(compile)));
                }
            }
            for (Job j : jobs) {
                look(j.unit, j.architecture, j.result.get());
            }
        } finally {
            pool.shutdownNow();
        }
        return problems.isEmpty();
    }

    List<String> problems() {
        return problems;
    }

    private void look(Unit unit, String architecture, KernelCompiler.Result result) {
        if (!result.compiled()) {
            problems.add(unit.name() + " " + architecture + ": does not compile:\n" + result.log().strip());
            return;
        }
        List<PtxasLog.Use> uses = PtxasLog.parse(result.log());
        for (String function : unit.functions()) {
            PtxasLog.Use use = uses.stream().filter(u -> u.function().equals(function)).findFirst().orElse(null);
            if (use == null) {
                problems.add(unit.name() + " " + architecture + ": has no kernel " + function);
                continue;
            }
            int most = allowed.most(unit.file(), function, architecture, unit.macros());
            if (use.spilled() > most) {
                problems.add(unit.name() + " " + architecture + ": " + function + " spills " + use.spilled() + " bytes"
                        + (most > 0 ? ", " + most + " are admitted" : "") + ", " + use.registers() + " registers");
            }
            heaviest.merge(unit.file() + "\t" + function + "\t" + architecture, new Line(use, unit.name(), 1),
                    (a, b) -> new Line(heavier(a.use, b.use) ? a.use : b.use,
                            heavier(a.use, b.use) ? a.variant : b.variant,
                            a.variants + 1));
        }
    }

    private static boolean heavier(PtxasLog.Use a, PtxasLog.Use b) {
        return a.spilled() != b.spilled() ? a.spilled() > b.spilled() : a.registers() >= b.registers();
    }

    private void print(boolean verbose) {
        System.out.printf("%-16s%-24s%-8s%9s%10s%7s%8s%8s%n", "file", "kernel", "arch", "variants", "registers",
                "stack",
                "spilled", "shared");
        heaviest.forEach((key, line) -> {
            String[] k = key.split("\t");
            PtxasLog.Use u = line.use;
            System.out.printf("%-16s%-24s%-8s%9d%10d%7d%8d%8d%s%n", k[0], k[1], k[2], line.variants, u.registers(),
                    u.stack(), u.spilled(), u.shared(), verbose ? "  " + line.variant : "");
        });
        problems.forEach(System.out::println);
    }

    /** From the cache where the same text was compiled by the same compiler before. */
    private KernelCompiler.Result compiled(String text, String architecture) throws IOException, InterruptedException {
        if (cache == null) {
            return compiler.compile(text, architecture);
        }
        Path file = cache.resolve(key(compiler.name() + " " + architecture + "\n" + text) + ".log");
        if (Files.exists(file)) {
            return new KernelCompiler.Result(true, Files.readString(file));
        }
        KernelCompiler.Result result = compiler.compile(text, architecture);
        if (result.compiled()) {
            Files.createDirectories(cache);
            Path part = Files.createTempFile(cache, "kernel", ".part");
            Files.writeString(part, result.log());
            Files.move(part, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        return result;
    }

    private static String key(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
