package dev.gramian.spec;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.DType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the test classes named on its input, one a line, without Maven; {@link SpecPool} starts it. Every test's outcome is a
 * line of JSON in the file that the argument names, written at once: the process may die at any test. After a class it
 * answers {@code done}, or {@code lost} and ends where a device does not compute any more.
 */
public final class SpecRun implements TestExecutionListener {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final int TEXT = 1500;

    private final Path file;
    private final Map<String, Long> started = new ConcurrentHashMap<>();
    private String className;
    private boolean failed;

    private SpecRun(Path file) {
        this.file = file;
    }

    public static void main(String[] args) throws IOException {
        PrintStream answers = System.out;
        // what tests print must not be taken for answers
        System.setOut(System.err);
        SpecRun run = new SpecRun(Path.of(args[0]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (LauncherSession session = LauncherFactory.openSession()) {
            Launcher launcher = session.getLauncher();
            for (String name = in.readLine(); name != null; name = in.readLine()) {
                run.run(launcher, name);
                boolean lost = run.failed && isLost();
                answers.println(lost ? "lost" : "done");
                answers.flush();
                if (lost) {
                    // a lost context takes the process with it; its shutdown may hang
                    Runtime.getRuntime().halt(0);
                }
            }
        }
    }

    private void run(Launcher launcher, String name) {
        className = name;
        failed = false;
        launcher.execute(
                LauncherDiscoveryRequestBuilder.request().selectors(DiscoverySelectors.selectClass(name)).build(),
                this);
    }

    private static boolean isLost() {
        for (Device d : Device.all()) {
            if (d.name().startsWith("cuda") && d.isAvailable()) {
                try (Scope s = d.open()) {
                    if (s.full(DType.F32, 2, 3).mul(2).toFloatArray()[1] != 4) {
                        return true;
                    }
                } catch (RuntimeException e) {
                    return true;
                }
            }
        }
        return false;
    }

    private ObjectNode line(TestIdentifier test, String status) {
        ObjectNode node = JSON.createObjectNode().put("class", className).put("test", name(test));
        return node.put("device", SpecSummary.device(test)).put("status", status);
    }

    /** {@code method()} or, of a test that takes arguments, {@code method(Device) [cuda:0]}. */
    private static String name(TestIdentifier test) {
        String id = test.getLegacyReportingName().replaceFirst("\\[\\d+]$", "");
        String shown = test.getDisplayName();
        return id.equals(shown) || shown.startsWith(id) ? shown : id + " " + shown;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        if (test.isTest()) {
            started.put(test.getUniqueId(), System.nanoTime());
            write(line(test, "started"));
        }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        boolean bad = result.getStatus() == TestExecutionResult.Status.FAILED;
        if (!test.isTest() && !bad) {
            return;
        }
        failed |= bad;
        ObjectNode node = line(test, switch (result.getStatus()) {
            case SUCCESSFUL -> "passed";
            case FAILED -> "failed";
            case ABORTED -> "skipped";
        });
        Long start = started.remove(test.getUniqueId());
        node.put("ms", start == null ? 0 : (System.nanoTime() - start) / 1_000_000);
        result.getThrowable().ifPresent(t -> node.put("message", message(t, bad)));
        write(node);
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        write(line(test, "skipped").put("message", reason));
    }

    private static String message(Throwable t, boolean withPlace) {
        StringBuilder text = new StringBuilder(String.valueOf(withPlace ? t : t.getMessage()));
        for (StackTraceElement e : withPlace ? t.getStackTrace() : new StackTraceElement[0]) {
            if (e.getClassName().startsWith("dev.gramian.")) {
                text.append("\n  at ").append(e);
                break;
            }
        }
        return text.length() > TEXT ? text.substring(0, TEXT) + " ..." : text.toString();
    }

    private synchronized void write(ObjectNode node) {
        try {
            Files.writeString(file, JSON.writeValueAsString(node) + "\n", StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
