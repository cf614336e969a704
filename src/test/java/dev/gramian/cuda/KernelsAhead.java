package dev.gramian.cuda;

import dev.gramian.cuda.KernelRequests.Unit;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * While many tests run: compiles, in the order of the last recorded run, the kernels that they will ask the emulated NVRTC
 * for, on the core that tests mostly leave idle. What is not there in time, or not in the list, the tests compile as ever.
 *
 * <p>A process of its own, since tests count and break the calls of NVRTC in theirs. {@code bin/kernel-check} renews the list.
 */
public final class KernelsAhead implements TestExecutionListener {
    private static final Path LIST = Path.of("src/test/resources/kernels/requests.txt").toAbsolutePath();

    /** Classes and methods with several runs. Fewer than a build has are over before this pays. */
    private static final long MANY = 300;

    private Process process;

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        String libraries = System.getProperty("gramian.cuda.libraries", "");
        if (process != null || plan.countTestIdentifiers(TestIdentifier::isContainer) < MANY
                || !libraries.endsWith("emulated-cuda/lib") || Runtime.getRuntime().availableProcessors() < 2) {
            return;
        }
        try {
            process = new ProcessBuilder("nice", Path.of(System.getProperty("java.home"), "bin/java").toString(),
                    "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "--enable-native-access=ALL-UNNAMED",
                    "-cp", System.getProperty("java.class.path"), KernelsAhead.class.getName(),
                    libraries + "/libnvrtc.so.12", LIST.toString())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            System.err.println("kernels are not compiled ahead: " + e.getMessage());
        }
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        if (process != null) {
            process.destroy();
        }
    }

    /** NVRTC's library, list of requests. */
    public static void main(String[] args) throws IOException {
        ProcessHandle tests = ProcessHandle.current().parent().orElseThrow();
        KernelCompiler.Nvrtc nvrtc = new KernelCompiler.Nvrtc(
                SymbolLookup.libraryLookup(Path.of(args[0]), Arena.global()));
        for (Unit u : KernelRequests.read(Path.of(args[1]))) {
            if (!tests.isAlive()) {
                return;
            }
            nvrtc.compile(u.file() + ".cu", Kernels.text(u.file(), u.macros()), "sm_90");
        }
    }
}
