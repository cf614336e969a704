package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class WorkersTest {
    private static void coverOnce(Workers w, int n, long grain) {
        AtomicIntegerArray hits = new AtomicIntegerArray(n);
        w.parallelFor(n, grain, (from, to) -> {
            for (long i = from; i < to; i++) {
                hits.incrementAndGet((int) i);
            }
        });
        for (int i = 0; i < n; i++) {
            assertEquals(1, hits.get(i), "n " + n + " grain " + grain + " threads " + w.threads());
        }
    }

    @Test
    void everyItemOnce() {
        for (int threads : new int[] {1, 2, 3, 7}) {
            Workers w = new Workers(threads);
            for (int n : new int[] {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 4097}) {
                for (long grain : new long[] {1, 2, 3, 64, 1000, 5000}) {
                    coverOnce(w, n, grain);
                }
            }
        }
    }

    @Test
    void manySmallCallsAllReturn() {
        Workers w = new Workers(3);
        AtomicLong sum = new AtomicLong();
        for (int i = 0; i < 100_000; i++) {
            w.parallelFor(4, 1, (from, to) -> sum.addAndGet(to - from));
        }
        assertEquals(400_000, sum.get());
    }

    @Test
    void exceptionOfAnyRangeReachesTheCaller() {
        Workers w = new Workers(3);
        for (int bad = 0; bad < 100; bad++) {
            int at = bad;
            RuntimeException e = assertThrows(IllegalStateException.class, () -> w.parallelFor(100, 1, (from, to) -> {
                if (from <= at && at < to) {
                    throw new IllegalStateException("item " + at);
                }
            }));
            assertEquals("item " + at, e.getMessage());
            coverOnce(w, 50, 1);
        }
    }

    @Test
    void nestedCallsAndManyCallers() throws InterruptedException {
        Workers w = new Workers(3);
        AtomicInteger done = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread[] callers = new Thread[6];
        for (int t = 0; t < callers.length; t++) {
            callers[t] = new Thread(() -> {
                try {
                    for (int i = 0; i < 300; i++) {
                        w.parallelFor(8, 1, (from, to) -> {
                            for (long j = from; j < to; j++) {
                                w.parallelFor(5, 1, (a, b) -> done.addAndGet((int) (b - a)));
                            }
                        });
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            callers[t].start();
        }
        for (Thread t : callers) {
            t.join();
        }
        assertNull(failure.get());
        assertEquals(6 * 300 * 8 * 5, done.get());
    }
}
