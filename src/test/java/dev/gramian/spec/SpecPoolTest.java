package dev.gramian.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the rest where a test class fails, kills its JVM or hangs. */
final class SpecPoolTest {
    @TempDir
    Path dir;

    /** Nested classes, so that the build does not run them by themselves. */
    static final class Good {
        @Test
        void passes() {}

        @Disabled("not today")
        @Test
        void skipped() {}
    }

    static final class Failing {
        @Test
        void fails() {
            fail("as it must");
        }
    }

    static final class Deadly {
        @Test
        void kills() {
            Runtime.getRuntime().halt(42);
        }
    }

    static final class Hanging {
        @Test
        void hangs() throws InterruptedException {
            Thread.sleep(600_000);
        }
    }

    private JsonNode summary() throws Exception {
        return SpecRun.JSON.readTree(dir.resolve("spec-summary.json").toFile());
    }

    private static List<String> names(Class<?>... classes) {
        return Stream.of(classes).map(Class::getName).toList();
    }

    @Test
    void theRestGoesOn() throws Exception {
        assertEquals(1, SpecPool.run(names(Deadly.class, Failing.class, Hanging.class, Good.class), 1, 200, 12, dir));
        JsonNode any = summary().path("devices").path("any");
        assertEquals(1, any.path("passed").asInt());
        assertEquals(1, any.path("failed").asInt());
        assertEquals(Map.of("not today", 1), SpecRun.JSON.convertValue(any.path("skipReasons"), Map.class));
        JsonNode failure = summary().path("failures").path(0);
        assertEquals(Failing.class.getName(), failure.path("class").asText());
        assertEquals("fails()", failure.path("test").asText());
        assertTrue(
                failure.path("message").asText().startsWith("org.opentest4j.AssertionFailedError: as it must\n  at "),
                failure.toString());
        List<String> stopped = new ArrayList<>();
        summary().path("stopped")
                .forEach(s -> stopped.add(s.path("status").asText() + " " + s.path("test").asText() + ": "
                        + s.path("message").asText()));
        assertEquals(List.of("stopped kills(): the JVM ended with exit code 42", "stopped hangs(): no end after 12 s"),
                stopped);
    }

    @Test
    void timeThatRunsOutIsNoFailure() throws Exception {
        assertEquals(4, SpecPool.run(names(Good.class, Hanging.class, Failing.class), 1, 12, 60, dir));
        assertEquals(1, summary().path("devices").path("any").path("passed").asInt());
        assertEquals(2, summary().path("stopped").size());
        summary().path("stopped").forEach(s -> assertEquals("left out: no time left",
                s.path("status").asText() + ": " + s.path("message").asText()));
    }

    @Test
    void specsAreFound() throws Exception {
        List<String> names = SpecPool.specClasses();
        assertTrue(names.contains("dev.gramian.ElementTypeTest"), names.toString());
        assertFalse(names.contains("dev.gramian.ArchitectureTest"), names.toString());
        assertNotNull(Class.forName("dev.gramian.LargeTensorTest"));
        assertTrue(names.contains("dev.gramian.LargeTensorTest"));
    }
}
