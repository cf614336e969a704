package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Ownership: what a scope frees, what it hands on, and what it says when it is misused. */
final class ScopeTest {
    @DeviceSpec
    void endOfScopeFreesEverything(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.ones(100, 100);
            a.matmul(a).add(1).exp();
            assertEquals(4 * 4 * 10_000, device.liveBytes());
            assertEquals(device.liveBytes(), s.liveBytes());
        }
        assertEquals(0, device.liveBytes());
    }

    @DeviceSpec
    void keepHandsToTheEnclosingScope(Device device) {
        try (Scope outer = device.open()) {
            Tensor kept;
            try (Scope inner = device.open()) {
                Tensor x = inner.arange(DType.F32, 10);
                kept = inner.keep(x.mul(2).slice(0, 1, 4));
            }
            assertArrayEquals(new float[] {2, 4, 6}, kept.toFloatArray());
            assertEquals(40, outer.liveBytes());
        }
    }

    @DeviceSpec
    void keepNeedsAnEnclosingScope(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(3);
            ClosedException e = assertThrows(ClosedException.class, () -> s.keep(x));
            assertTrue(
                    e.getMessage()
                            .startsWith("keep: no scope encloses this one; x F32 [3], scope opened at "
                                    + "dev.gramian.ScopeTest.keepNeedsAnEnclosingScope(ScopeTest.java:"),
                    e.getMessage());
            assertTrue(
                    e.getMessage()
                            .endsWith("; open an outer scope on " + device.name()
                                    + ", or read the values with toFloatArray()"),
                    e.getMessage());
        }
    }

    @DeviceSpec
    void keepPassesThroughSeveralScopes(Device device) {
        try (Scope outer = device.open()) {
            Tensor t;
            try (Scope middle = device.open()) {
                try (Scope inner = device.open()) {
                    t = middle.keep(inner.keep(inner.ones(5)));
                }
                assertEquals(0, middle.liveBytes());
            }
            assertEquals(5, t.sum().item());
            assertEquals(20 + 4, outer.liveBytes());
        }
    }

    @DeviceSpec
    void useAfterCloseNamesOpOperandAndScope(Device device) {
        Tensor dead;
        try (Scope s = device.open()) {
            dead = s.ones(2, 3);
        }
        String text = "; F32 [2, 3], scope opened at dev.gramian.ScopeTest.useAfterCloseNamesOpOperandAndScope(";
        try (Scope s = device.open()) {
            Tensor alive = s.ones(3);
            ClosedException e = assertThrows(ClosedException.class, () -> alive.add(dead));
            assertTrue(e.getMessage().startsWith("add: operand 1 is used after its scope closed" + text),
                    e.getMessage());
            e = assertThrows(ClosedException.class, dead::exp);
            assertTrue(e.getMessage().startsWith("exp: x is used after its scope closed" + text), e.getMessage());
            assertTrue(e.getMessage().endsWith("; hand it to the enclosing scope with scope.keep(t)"), e.getMessage());
            e = assertThrows(ClosedException.class, () -> dead.toFloatArray());
            assertTrue(e.getMessage().startsWith("read: x is used after its scope closed"), e.getMessage());
            ClosedException none = assertThrows(ClosedException.class, () -> s.keep(dead));
            assertTrue(none.getMessage().startsWith("keep: x is used after"), none.getMessage());
        }
        assertTrue(dead.toString().endsWith("(closed)"), dead.toString());
    }

    @DeviceSpec
    void computingWithoutScopeSaysWhatToDo(Device device) throws Exception {
        try (Scope s = device.open()) {
            Tensor t = s.ones(2);
            AtomicReference<Throwable> error = new AtomicReference<>();
            Thread thread = new Thread(() -> error.set(assertThrows(ClosedException.class, () -> t.add(t))));
            thread.start();
            thread.join();
            assertEquals("add: no scope is open on this thread; device " + device.name()
                    + "; compute inside try (Scope s = Device.of(\"" + device.name() + "\").open()) { ... }",
                    error.get().getMessage());
        }
    }

    @DeviceSpec
    void closedScopeRefusesWork(Device device) {
        Scope s = device.open();
        s.close();
        s.close();
        ClosedException e = assertThrows(ClosedException.class, () -> s.zeros(3));
        assertTrue(e.getMessage().startsWith("full: scope is closed; scope opened at dev.gramian.ScopeTest."),
                e.getMessage());
    }

    @DeviceSpec
    void scopesCloseInReverseOrder(Device device) {
        try (Scope outer = device.open()) {
            Scope inner = device.open();
            ClosedException e = assertThrows(ClosedException.class, outer::close);
            assertTrue(e.getMessage().startsWith("close: a scope opened later is still open; "), e.getMessage());
            inner.close();
        }
    }

    @DeviceSpec
    void scopesBelongToTheirThread(Device device) throws Exception {
        try (Scope s = device.open()) {
            List<String> errors = new ArrayList<>();
            Thread thread = new Thread(
                    () -> {
                        errors.add(assertThrows(ClosedException.class, s::close).getMessage());
                        errors.add(assertThrows(ClosedException.class, () -> s.zeros(1)).getMessage());
                    },
                    "other");
            thread.start();
            thread.join();
            assertTrue(
                    errors.get(0).startsWith("close: scope belongs to thread main; called on other, scope opened at"),
                    errors.get(0));
            assertTrue(errors.get(1).startsWith("full: scope belongs to thread main; called on other, scope opened at"),
                    errors.get(1));
        }
    }

    @DeviceSpec
    void devicesDoNotMixSilently(Device device) {
        Device other = Device.of("cpu:scalar") == device ? Device.of("cpu:vector") : Device.of("cpu:scalar");
        try (Scope s = device.open();
                Scope o = other.open()) {
            Tensor a = s.tensor(new float[] {1, 2});
            Tensor b = o.tensor(new float[] {10, 20});
            DeviceException e = assertThrows(DeviceException.class, () -> a.add(b));
            assertEquals("add: operand 1 is on another device; F32 [2] is on " + other.name() + ", this scope on "
                    + device.name() + "; move it with .to(Device.of(\"" + device.name() + "\"))", e.getMessage());
            assertArrayEquals(new float[] {11, 22}, a.add(b.to(device)).toFloatArray());
            assertArrayEquals(new float[] {2, 1}, a.flip(0).to(other).toFloatArray());
            assertSame(b, b.to(other));
        }
        assertEquals(0, other.liveBytes());
    }

    @DeviceSpec
    void otherThreadsReadWhatIsOpen(Device device) throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(4);
                Scope s = device.open()) {
            Tensor shared = s.arange(DType.F32, 1000);
            List<Future<Double>> sums = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                int k = i;
                sums.add(pool.submit(() -> {
                    try (Scope mine = device.open()) {
                        return shared.mul(k).sum().item();
                    }
                }));
            }
            for (int i = 0; i < 50; i++) {
                assertEquals(i * 499_500.0, sums.get(i).get());
            }
        }
    }

    /** A scope that ends while others compute with its tensors waits for them; they then see it closed, never freed memory. */
    @DeviceSpec
    void endWaitsForReaders(Device device) throws Exception {
        for (int round = 0; round < 20; round++) {
            AtomicInteger wrong = new AtomicInteger();
            CountDownLatch started = new CountDownLatch(2);
            List<Thread> threads = new ArrayList<>();
            try (Scope s = device.open()) {
                Tensor shared = s.ones(300, 70);
                for (int i = 0; i < 2; i++) {
                    Thread t = new Thread(() -> {
                        started.countDown();
                        while (true) {
                            try (Scope mine = device.open()) {
                                if (shared.sum().item() != 21_000) {
                                    wrong.incrementAndGet();
                                }
                            } catch (ClosedException e) {
                                return;
                            }
                        }
                    });
                    t.start();
                    threads.add(t);
                }
                started.await();
                Thread.sleep(1);
            }
            for (Thread t : threads) {
                t.join();
            }
            assertEquals(0, wrong.get());
        }
    }

    @DeviceSpec
    void manyThreadsEachTheirScope(Device device) throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
            List<Future<Boolean>> all = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                int n = 1 + i % 37;
                all.add(pool.submit(() -> {
                    try (Scope s = device.open()) {
                        Tensor a = s.full(DType.F32, n, n, n);
                        Tensor b = a.matmul(s.eye(DType.F32, n)).sub(a).abs();
                        return b.max().item() == 0;
                    }
                }));
            }
            for (Future<Boolean> f : all) {
                assertTrue(f.get());
            }
        }
    }

    @DeviceSpec
    void noLeakOverManyOperations(Device device) {
        device.resetPeak();
        try (Scope s = device.open()) {
            Tensor x = s.ones(64);
            for (int i = 0; i < 100_000; i++) {
                try (Scope step = device.open()) {
                    Tensor y = x.add(1);
                    if (i % 1000 == 0) {
                        assertEquals(128, y.sum().item());
                    }
                }
            }
            assertEquals(256, device.liveBytes());
            // x, y, the sum, and its copy as F64 that item() reads
            assertEquals(256 + 256 + 4 + 8, device.peakBytes());
        }
    }

    @DeviceSpec
    void failedOperationLeavesNothing(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(5, 3);
            long before = device.liveBytes();
            assertThrows(ShapeException.class, () -> x.matmul(x));
            assertThrows(ShapeException.class, () -> x.add(s.ones(4)));
            assertEquals(before + 16, device.liveBytes());
            assertThrows(ShapeException.class, () -> Indexing.gather(x, 0, 7));
            assertEquals(before + 16 + 8, device.liveBytes());
        }
    }

    @DeviceSpec
    void outOfMemoryNamesRequestAndHolders(Device device) {
        try (Scope s = device.open()) {
            s.zeros(1 << 20);
            DeviceException e = assertThrows(DeviceException.class, () -> s.zeros(1L << 50));
            assertTrue(
                    e.getMessage()
                            .startsWith("full: out of memory on " + device.name() + "; needs 4.0 PiB, 4.0 MiB of "),
                    e.getMessage());
            assertTrue(e.getMessage().contains("; largest scopes: 4.0 MiB in scope opened at dev.gramian.ScopeTest."),
                    e.getMessage());
            assertEquals(4 << 20, device.liveBytes());
        }
    }

    @DeviceSpec
    void wrappedMemoryIsSharedAndGivenBack(Device device) {
        AtomicInteger freed = new AtomicInteger();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(24, 8);
            for (int i = 0; i < 6; i++) {
                bytes.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            }
            try (Scope s = device.open()) {
                Tensor t = s.wrap(bytes, freed::incrementAndGet, DType.F32, Layout.columnMajor(Shape.of(2, 3)));
                assertArrayEquals(new float[] {0, 2, 4, 1, 3, 5}, t.toFloatArray());
                ShapeException e = assertThrows(
                        ShapeException.class,
                        () -> s.wrap(bytes, freed::incrementAndGet, DType.F64, Layout.contiguous(Shape.of(2, 3))));
                assertTrue(e.getMessage().startsWith("view: layout leaves its storage; [2, 3]"), e.getMessage());
                assertEquals(1, freed.get());
            }
            assertEquals(2, freed.get());
        }
    }

    @DeviceSpec
    void traceSeesEveryOperation(Device device) {
        List<Trace> seen = new ArrayList<>();
        try (Scope s = device.open()) {
            Tensor a = s.ones(8, 16);
            s.trace(seen::add);
            try (Scope inner = device.open()) {
                a.matmul(a.transpose(0, 1));
            }
            a.exp();
        }
        assertEquals(List.of("matmul", "exp"), seen.stream().map(Trace::op).toList());
        assertEquals(2 * 8 * 8 * 16, seen.get(0).flops());
        assertEquals("[F32 [8, 16], F32 [16, 8]]", seen.get(0).inputs().toString());
        assertEquals("[F32 [8, 8]]", seen.get(0).outputs().toString());
    }

    @DeviceSpec
    void biasWithoutWeightAndReadOnlySegments(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new float[] {-1, 1, 3, 5}, 2, 2);
            Tensor bias = s.tensor(new float[] {10, 20});
            assertArrayEquals(new float[] {9, 21, 9, 21}, Norms.layerNorm(x, null, bias, 0).toFloatArray());
            MemorySegment fixed = MemorySegment.ofArray(new float[4]).asReadOnly();
            assertEquals("copyTo: segment is read-only; x F32 [2, 2]; give one that can be written",
                    assertThrows(GramianException.class, () -> x.copyTo(fixed)).getMessage());
        }
    }

    @DeviceSpec
    void forgottenScopeIsReportedAndFreed(Device device) throws Exception {
        LeakLog.install();
        Thread thread = new Thread(() -> {
            Scope forgotten = device.open();
            forgotten.ones(1000);
        });
        thread.start();
        thread.join();
        thread = null;
        for (int i = 0; i < 100 && device.liveBytes() > 0; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertEquals(0, device.liveBytes());
        assertFalse(LeakLog.MESSAGES.stream().noneMatch(m -> m.startsWith(
                "scope: never closed; scope opened at dev.gramian.ScopeTest.")
                && m.contains("held 3.9 KiB on "
                        + device.name())),
                LeakLog.MESSAGES.toString());
    }
}
