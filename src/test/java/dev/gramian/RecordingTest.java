package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/** Functions recorded once and repeated: the same results as calling them, and what is refused. */
final class RecordingTest {
    private static Tensor[] layer(Tensor x, Tensor w, Tensor b) {
        try (Scope inner = Scope.inner("layer", x.device())) {
            Tensor h = x.matmul(w).add(b).gelu();
            return new Tensor[] {inner.keep(h.softmax(-1)), inner.keep(h.mean(0))};
        }
    }

    @DeviceSpec
    void repeatsWithOtherOperands(Device device) {
        try (Scope s = device.open()) {
            Tensor w = s.normal(DType.F32, 1, 24, 40);
            Tensor b = s.normal(DType.F32, 2, 40);
            Tensor first = s.normal(DType.F32, 3, 7, 24);
            try (Recording r = Recording.of(s, in -> layer(in[0], w, b), first)) {
                assertEquals(5, r.size());
                for (int seed = 3; seed < 7; seed++) {
                    Tensor x = s.normal(DType.F32, seed, 24, 7).transpose(0, 1);
                    Tensor[] expected = layer(x, w, b);
                    Tensor[] actual = r.run(x);
                    assertArrayEquals(expected[0].toFloatArray(), actual[0].toFloatArray(), 1e-6f);
                    assertArrayEquals(expected[1].toFloatArray(), actual[1].toFloatArray(), 1e-6f);
                }
                // results are the caller's own: a later run leaves them as they are
                Tensor before = r.run(first)[0];
                float[] values = before.toFloatArray();
                r.run(first.mul(3));
                assertArrayEquals(values, before.toFloatArray());
            }
        }
    }

    /** Operations that wait for the device (here: indexing and a solve) between others that do not. */
    @DeviceSpec
    void operationsThatWaitAreRepeatedToo(Device device) {
        try (Scope s = device.open()) {
            Tensor index = s.tensor(new long[] {4, 0, 2, 2, 1});
            Tensor x = s.normal(DType.F64, 5, 5, 5).add(s.eye(DType.F64, 5).mul(4));
            try (Recording r = Recording.of(s,
                    in -> new Tensor[] {Linalg.solve(in[0].exp(), Indexing.gather(in[0], 0, index).mul(2)).neg()}, x)) {
                Tensor y = x.mul(0.5);
                double[] expected = Linalg.solve(y.exp(), Indexing.gather(y, 0, index).mul(2)).neg().toDoubleArray();
                assertArrayEquals(expected, r.run(y)[0].toDoubleArray(), 1e-12);
            }
        }
    }

    @DeviceSpec
    void memoryIsHeldUntilClosed(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(10, 10);
            long before = device.liveBytes();
            Recording r = Recording.of(s, in -> new Tensor[] {in[0].exp().sum()}, x);
            // operand, exponentials, sum
            assertEquals(400 + 400 + 4, r.bytes());
            assertTrue(device.liveBytes() >= before + r.bytes());
            r.close();
            r.close();
            assertEquals(before, device.liveBytes());
            ClosedException e = assertThrows(ClosedException.class, () -> r.run(x));
            assertEquals("replay: recording is closed; recording of 2 operations on " + device.name()
                    + "; make another", e.getMessage());
            // not closed: ends with the scope, which the spec's check of live bytes sees
            Recording.of(s, in -> new Tensor[] {in[0].exp()}, x);
        }
    }

    @DeviceSpec
    void aFunctionThatFailsLeavesNothing(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(10, 10);
            long before = device.liveBytes();
            assertThrows(ShapeException.class,
                    () -> Recording.of(s, in -> new Tensor[] {in[0].exp().matmul(s.ones(3, 3))}, x));
            assertEquals(before + 36, device.liveBytes());
            GramianException read = assertThrows(GramianException.class,
                    () -> Recording.of(s, in -> new Tensor[] {in[0].mul(in[0].sum().item())}, x));
            assertEquals(
                    "read: values cannot be read while a recording is made; x F32 []; what depends on them would not "
                            + "be repeated: return x from the function instead",
                    read.getMessage());
            GramianException twice = assertThrows(GramianException.class,
                    () -> Recording.of(s, in -> {
                        Recording.of(s, t -> t, in[0]);
                        return in;
                    }, x));
            assertTrue(twice.getMessage().startsWith("record: a recording is being made already; "),
                    twice.getMessage());
            assertEquals(before + 36, device.liveBytes());
            assertEquals(100, x.sum().item());
        }
    }

    @DeviceSpec
    void operandsMustFit(Device device) {
        try (Scope s = device.open();
                Recording r = Recording.of(s, in -> new Tensor[] {in[0].add(in[1])}, s.ones(2, 3), s.ones(3))) {
            assertEquals("replay: 1 operands for 2; recording of 1 operations on " + device.name()
                    + "; give as many as it was recorded with",
                    assertThrows(ShapeException.class, () -> r.run(s.ones(2, 3))).getMessage());
            assertEquals(
                    "replay: operand 1 has another shape; F32 [2], recorded with F32 [3]; make another recording for "
                            + "it",
                    assertThrows(ShapeException.class, () -> r.run(s.ones(2, 3), s.ones(2))).getMessage());
            assertEquals(
                    "replay: operand 0 has another element type; F64 [2, 3], recorded with F32 [2, 3]; cast it, or make "
                            + "another recording",
                    assertThrows(DTypeException.class, () -> r.run(s.ones(DType.F64, 2, 3), s.ones(3))).getMessage());
        }
    }

    @DeviceSpec
    void weightsMustOutliveTheRecording(Device device) {
        try (Scope s = device.open()) {
            Recording r;
            try (Scope inner = device.open()) {
                Tensor w = inner.ones(3);
                r = Recording.of(s, in -> new Tensor[] {in[0].mul(w)}, s.ones(3));
                assertArrayEquals(new float[] {2, 2, 2}, r.run(s.full(DType.F32, 2, 3))[0].toFloatArray());
            }
            ClosedException e = assertThrows(ClosedException.class, () -> r.run(s.ones(3)));
            assertTrue(
                    e.getMessage().startsWith("replay: a tensor the function uses is gone; recording of 1 operations"),
                    e.getMessage());
        }
    }

    /** Weights of one thread, recordings of others. */
    @DeviceSpec
    void weightsMayBelongToAnotherThread(Device device) throws Exception {
        try (Scope s = device.open(); ExecutorService pool = Executors.newFixedThreadPool(3)) {
            Tensor w = s.normal(DType.F32, 9, 30, 30);
            double expected = w.sum().item();
            for (int i = 0; i < 6; i++) {
                pool.submit(() -> {
                    try (Scope mine = device.open();
                            Recording r = Recording.of(mine, in -> new Tensor[] {in[0].mul(w).sum()},
                                    mine.ones(30, 30))) {
                        for (int k = 1; k <= 5; k++) {
                            assertEquals(k * expected, r.run(mine.full(DType.F32, k, 30, 30))[0].item(), 1e-2);
                        }
                    }
                    return null;
                }).get();
            }
        }
    }

    /** Threads that use what a recording uses, wait for the device and free memory while it is being made. */
    @DeviceSpec
    void othersWorkWhileOneRecords(Device device) throws Exception {
        try (Scope s = device.open(); ExecutorService pool = Executors.newFixedThreadPool(3)) {
            Tensor w = s.normal(DType.F32, 1, 24, 24);
            float[] expected = w.exp().matmul(w).toFloatArray();
            AtomicBoolean recording = new AtomicBoolean(true);
            List<Future<?>> others = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                others.add(pool.submit(() -> {
                    do {
                        try (Scope mine = device.open()) {
                            assertArrayEquals(expected, w.exp().matmul(w).toFloatArray());
                            device.synchronize();
                        }
                    } while (recording.get());
                }));
            }
            try {
                for (int i = 0; i < 40; i++) {
                    try (Recording r = Recording.of(s, in -> new Tensor[] {in[0].exp().matmul(w)}, w)) {
                        assertArrayEquals(expected, r.run(w)[0].toFloatArray());
                    }
                }
            } finally {
                recording.set(false);
            }
            for (Future<?> f : others) {
                f.get();
            }
        }
    }
}
