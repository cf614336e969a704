package dev.gramian.spec;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gramian.cuda.emulated.EmulatedCuda;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Counts the tests that name a device, per device, and writes {@code target/spec-summary.json} and the same as text,
 * which the build prints at its end. Tests that name none are counted as {@code any}.
 */
public final class SpecSummary implements TestExecutionListener {
    private static final Pattern DEVICE = Pattern.compile("\\b(cpu:[a-z]+|cuda:[0-9]+)\\b");

    /** Outcomes on one device. */
    static final class Counts {
        public int passed;
        public int failed;
        public int skipped;
        public final Map<String, Integer> skipReasons = new TreeMap<>();
    }

    private final Map<String, Counts> devices = new TreeMap<>();

    /** The device that a test's name names, or {@code any}. */
    static String device(TestIdentifier test) {
        Matcher m = DEVICE.matcher(test.getDisplayName());
        String device = m.find() ? m.group() : "any";
        return device.startsWith("cuda") && EmulatedCuda.isActive() ? device + " (emulated)" : device;
    }

    private synchronized Counts of(TestIdentifier test) {
        return devices.computeIfAbsent(device(test), d -> new Counts());
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (test.isTest() || result.getStatus() == TestExecutionResult.Status.FAILED) {
            Counts c = of(test);
            switch (result.getStatus()) {
                case SUCCESSFUL -> c.passed++;
                case FAILED -> c.failed++;
                case ABORTED -> skip(c, result.getThrowable().map(Throwable::getMessage).orElse("aborted"));
            }
        }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        skip(of(test), reason);
    }

    static void skip(Counts c, String reason) {
        c.skipped++;
        c.skipReasons.merge(reason, 1, Integer::sum);
    }

    @Override
    public synchronized void testPlanExecutionFinished(TestPlan plan) {
        StringBuilder text = new StringBuilder();
        devices.forEach((device, c) -> {
            text.append(
                    String.format("%-18s %6d passed %4d failed %4d skipped%n", device, c.passed, c.failed, c.skipped));
            c.skipReasons.forEach((reason, n) -> text.append(String.format("%-18s   %d skipped: %s%n", "", n, reason)));
        });
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("devices", devices);
        try {
            Path target = Path.of("target");
            Files.createDirectories(target);
            new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .writeValue(target.resolve("spec-summary.json").toFile(), json);
            Files.writeString(target.resolve("spec-summary.txt"), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
