package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies of checkpoints in which some tensors are others. */
class CheckpointCopyTest {
    private static final Device DEVICE = Device.of("cpu:scalar");

    @TempDir
    Path dir;

    @AfterEach
    void nothingIsLeftInMemory() {
        assertEquals(0, DEVICE.liveBytes());
    }

    private void file(String name, String tensor) {
        try (Scope s = DEVICE.open()) {
            TensorFiles.write(dir.resolve(name), Map.of(tensor, s.arange(DType.F32, 4)), Map.of("by", name));
        }
    }

    @Test
    void oneFile() {
        file("model.safetensors", "a");
        for (Path p : new Path[] {dir, dir.resolve("model.safetensors")}) {
            Checkpoint c = Checkpoint.open(p);
            assertEquals(List.of("a"), List.copyOf(c.entries().keySet()));
            c.copyTo(dir.resolve("copy.safetensors"), DEVICE, Map.of());
            Checkpoint copy = Checkpoint.open(dir.resolve("copy.safetensors"));
            try (Scope s = DEVICE.open()) {
                assertArrayEquals(new float[] {0, 1, 2, 3}, copy.read(s, "a").toFloatArray());
            }
            assertEquals(Map.of("by", "model.safetensors"),
                    Safetensors.open(dir.resolve("copy.safetensors")).metadata());
        }
    }

    @Test
    void severalFiles() throws Exception {
        file("x.safetensors", "a");
        file("y.safetensors", "b");
        Files.writeString(dir.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"x.safetensors\", \"b\": \"y.safetensors\"}}");
        Checkpoint c = Checkpoint.open(dir);
        assertEquals(List.of("a", "b"), List.copyOf(c.entries().keySet()));
        Path out = dir.resolve("out");
        c.copyTo(out, DEVICE, Map.of("b", new LazyTensor(DType.I32, Shape.of(2), s -> s.full(DType.I32, 7, 2))));
        Checkpoint copy = Checkpoint.open(out.resolve("model.safetensors.index.json"));
        try (Scope s = DEVICE.open()) {
            assertArrayEquals(new float[] {0, 1, 2, 3}, copy.read(s, "a").toFloatArray());
            assertArrayEquals(new long[] {7, 7}, copy.read(s, "b").toLongArray());
        }
        assertEquals(Map.of("by", "y.safetensors"), Safetensors.open(out.resolve("y.safetensors")).metadata());
    }

    @Test
    void whatIsMadeMustBeWhatWasAnnounced() {
        Path file = dir.resolve("x.safetensors");
        assertEquals("write: tensor is not what was announced; F32 [3] in place of F32 [2]; announce what is made",
                assertThrows(ShapeException.class, () -> TensorFiles.write(file, DEVICE,
                        Map.of("a", new LazyTensor(DType.F32, Shape.of(2), s -> s.ones(3))), Map.of())).getMessage());
        assertFalse(Files.exists(file));
        assertThrows(IllegalStateException.class, () -> TensorFiles.write(file, DEVICE,
                Map.of("a", new LazyTensor(DType.F32, Shape.of(2), s -> {
                    s.ones(3);
                    throw new IllegalStateException();
                })), Map.of()));
        assertFalse(Files.exists(file));
    }
}
