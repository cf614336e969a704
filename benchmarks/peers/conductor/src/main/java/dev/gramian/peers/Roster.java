package dev.gramian.peers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Who plays: for each peer its module, class and what its JVM is told. */
final class Roster {
    /** Of the environment, what would change how a peer's threads or kernels are chosen. */
    private static final List<String> CLEARED = List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS",
            "OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_WAIT_POLICY", "GOTO_NUM_THREADS", "MKL_NUM_THREADS",
            "MKL_THREADING_LAYER", "MKL_DEBUG_CPU_TYPE", "MKL_ENABLE_INSTRUCTIONS", "KMP_BLOCKTIME", "KMP_AFFINITY",
            "LD_LIBRARY_PATH", "LD_PRELOAD", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS");

    private static final String LINUX = "linux-x86_64";

    private final Path peers;
    private final String gramian;
    private final Map<String, Peer> all = new LinkedHashMap<>();

    /**
     * One peer.
     *
     * @param ours one of Gramian's devices
     * @param name in tables and for -p
     * @param module its folder and Maven module
     * @param type its class
     * @param natives a folder of libraries it finds by name, or null
     * @param properties of its JVM
     * @param environment on top of the number of threads
     * @param fromThreads it differs from another peer only from so many threads on
     */
    record Peer(boolean ours, String name, String module, String type, Path natives, Map<String, String> properties,
            Map<String, String> environment, int fromThreads) {}

    /**
     * @param peers the folder of the modules
     * @param gramian class path of the Gramian to be measured
     */
    Roster(Path peers, String gramian) {
        this.peers = peers;
        this.gramian = gramian;
        Path openblas = natives("openblas", "org/bytedeco/openblas/" + LINUX);
        Path mkl = natives("mkl", "org/bytedeco/mkl/" + LINUX);
        Path libtorch = natives("torch-mkl", "pytorch/cpu/" + LINUX);
        String blas = openblas.resolve("libopenblas.so.0").toString();
        add(true, "cpu:native", "gramian", "GramianPeer", null, Map.of("peers.device", "cpu:native"));
        add(true, "cpu:vector", "gramian", "GramianPeer", null, Map.of("peers.device", "cpu:vector"));
        add(false, "openblas", "openblas", "BlasPeer", openblas, Map.of("peers.library", blas));
        add(false, "openblas-batch", "openblas", "BlasPeer", openblas,
                Map.of("peers.library", blas, "peers.batched", "true"));
        add(false, "mkl", "mkl", "BlasPeer", mkl, Map.of("peers.library", mkl.resolve("libmkl_rt.so.2").toString()));
        add(false, "mkl-batch", "mkl", "BlasPeer", mkl,
                Map.of("peers.library", mkl.resolve("libmkl_rt.so.2").toString(), "peers.batched", "true"));
        Map<String, String> torch = Map.of("org.bytedeco.javacpp.cachedir", cache("torch"));
        add(false, "torch", "torch", "TorchPeer", null, torch);
        // without it libtorch's threads and those of its OpenBLAS get in each other's way
        all.put("torch-ob1", new Peer(false, "torch-ob1", "torch", "TorchPeer", null, torch,
                Map.of("OPENBLAS_NUM_THREADS", "1"), 2));
        add(false, "torch-mkl", "torch-mkl", "TorchPeer", libtorch,
                Map.of("org.bytedeco.javacpp.cachedir", cache("torch-mkl"), "org.bytedeco.javacpp.pathsFirst", "true",
                        "java.library.path", libtorch.toString(), "peers.natives", libtorch.toString()));
        // neither fetches anything nor reports its use
        add(false, "djl", "djl", "DjlPeer", null,
                Map.of("ENGINE_CACHE_DIR", cache("djl"), "DJL_CACHE_DIR", cache("djl"), "ai.djl.offline", "true",
                        "OPT_OUT_TRACKING", "true", "ai.djl.pytorch.num_interop_threads", "1"));
        add(false, "nd4j", "nd4j", "Nd4jPeer", null, Map.of("org.bytedeco.javacpp.cachedir", cache("nd4j")));
        add(false, "ejml", "ejml", "EjmlPeer", null, Map.of());
        add(false, "ojalgo", "ojalgo", "OjalgoPeer", null, Map.of());
        add(false, "smile", "smile", "SmilePeer", natives("smile", "org/bytedeco/openblas/" + LINUX), Map.of());
    }

    private Path natives(String module, String inside) {
        return peers.resolve(module).resolve("target/natives").resolve(inside);
    }

    private String cache(String module) {
        return peers.resolve(module).resolve("target/cache").toString();
    }

    private void add(boolean ours, String name, String module, String type, Path natives,
            Map<String, String> properties) {
        all.put(name, new Peer(ours, name, module, type, natives, properties, Map.of(), 1));
    }

    Map<String, Peer> all() {
        return all;
    }

    /** Why a peer cannot be started, or null. */
    String missing(Peer p) {
        return Files.exists(peers.resolve(p.module).resolve("target/class-path"))
                ? null
                : "its module did not build: are its jars to be had?";
    }

    /** A process that answers as {@link Turns} does; what it says besides goes to {@code log}. */
    ProcessBuilder process(Peer p, int threads, Path log) throws java.io.IOException {
        Path target = peers.resolve(p.module).resolve("target");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        long heap = Math.clamp(memory() / 6, 512L << 20, 4L << 30);
        command.addAll(List.of("-Xmx" + (heap >> 20) + "m", "-XX:+UseParallelGC",
                "-XX:-UseDynamicNumberOfCompilerThreads", "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + log + ".crash",
                "--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow", "-Djava.awt.headless=true",
                "-Dorg.bytedeco.javacpp.maxbytes=0", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                "-Dgramian.threads=" + threads));
        p.properties.forEach((k, v) -> command.add("-D" + k + "=" + v));
        String path = Files.readString(target.resolve("class-path")).strip();
        command.addAll(List.of("-cp", target.resolve("classes") + ":" + (p.ours ? gramian + ":" : "") + path,
                "dev.gramian.peers.Turns", "dev.gramian.peers." + p.type, String.valueOf(threads)));
        ProcessBuilder b = new ProcessBuilder(command);
        b.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        CLEARED.forEach(b.environment()::remove);
        for (String n : List.of("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")) {
            b.environment().put(n, String.valueOf(threads));
        }
        if (p.natives != null) {
            b.environment().put("LD_LIBRARY_PATH", p.natives.toString());
        }
        b.environment().putAll(p.environment);
        return b;
    }

    private static long memory() {
        return ((com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory
                .getOperatingSystemMXBean()).getTotalMemorySize();
    }
}
