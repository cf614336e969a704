package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The demo agrees with NumPy on every step and leaves nothing behind. */
final class DemoTest {
    @Test
    void filesAreUnpackedAndRemoved() {
        Path directory;
        try (DemoFiles files = new DemoFiles()) {
            directory = Path.of(files.path("q.npy")).getParent();
            assertEquals(128, Cli.values(files.path("q.npy")).length);
        }
        assertFalse(Files.exists(directory));
    }

    @Test
    void everyStepAgrees() {
        Cli r = Cli.run("demo");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("Gramian on cpu:"), r.out);
        assertEquals(7, r.out.lines().filter(l -> l.contains("agrees with NumPy: ")).count(), r.out);
        assertTrue(r.out.contains("\nAll 9 results agree with NumPy's or with float64.\n"), r.out);
        assertTrue(r.closing().matches("cpu:.*  F32 q, k, v \\[1, 12, 512, 64\\] → \\[1, 12, 512, 64\\]  .* GFLOP/s"),
                r.out);
        r.out.lines().forEach(l -> assertTrue(l.length() <= 120 || l.startsWith("Gramian on"), l));
    }
}
