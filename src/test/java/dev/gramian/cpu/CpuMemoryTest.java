package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The pool: sizes, reuse, limits, and blocks that never overlap. */
class CpuMemoryTest {
    @Test
    void classesFitTightly() {
        long last = 0;
        for (long bytes = 1; bytes < 1L << 45; bytes += Math.max(1, bytes / 37)) {
            int c = CpuMemory.sizeClass(bytes);
            long capacity = CpuMemory.capacity(c);
            assertTrue(capacity >= bytes && capacity % 64 == 0, bytes + " in " + capacity);
            assertTrue(capacity <= Math.max(64, bytes + bytes / 8 + 64), bytes + " wastes " + capacity);
            assertTrue(c == 0 || c == 1 || CpuMemory.capacity(c - 1) < bytes, bytes + " would fit a smaller class");
            assertTrue(capacity >= last);
            assertEquals(c, CpuMemory.sizeClass(capacity));
            last = capacity;
        }
    }

    @Test
    void freedBlocksComeBack() {
        CpuMemory m = new CpuMemory(1 << 30, 1 << 28);
        for (long bytes : new long[] {1, 64, 4096, 40_000, 10 << 20}) {
            CpuStorage s = m.allocate(bytes);
            assertEquals(0, s.address % 64);
            long address = s.address;
            m.free(s);
            CpuStorage again = m.allocate(bytes);
            assertEquals(address, again.address);
            m.free(again);
        }
        assertEquals(0, m.live());
        assertEquals(10 << 20, m.peak());
    }

    @Test
    void limitIsKept() {
        CpuMemory m = new CpuMemory(1 << 20, 1 << 20);
        CpuStorage half = m.allocate(1 << 19);
        assertNull(m.allocate((1 << 19) + 1));
        CpuStorage rest = m.allocate(1 << 19);
        assertNotNull(rest);
        assertNull(m.allocate(1));
        m.free(half);
        m.free(rest);
        assertNull(m.allocate(Long.MAX_VALUE / 2));
        assertEquals(0, m.live());
    }

    @Test
    void idleBlocksGoBackToTheSystem() {
        CpuMemory m = new CpuMemory(1L << 32, 8 << 20);
        List<CpuStorage> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            all.add(m.allocate(1 << 20));
        }
        all.forEach(m::free);
        assertTrue(m.cached() <= 8 << 20, "cached " + m.cached());
    }

    /** Threads fill blocks with their own mark; a block handed to two of them would show the other's. */
    @Test
    void blocksNeverOverlap() throws Exception {
        CpuMemory m = new CpuMemory(1 << 30, 1 << 26);
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> wrong = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int mark = t + 1;
                wrong.add(pool.submit(() -> {
                    Random r = new Random(mark);
                    List<CpuStorage> mine = new ArrayList<>();
                    int bad = 0;
                    for (int i = 0; i < 5000; i++) {
                        if (mine.size() < 20) {
                            CpuStorage s = m.allocate(1 + r.nextInt(r.nextInt(10) == 0 ? 100_000 : 500));
                            for (long b = 0; b < s.bytes(); b += 61) {
                                Mem.u8(s.address + b, mark);
                            }
                            mine.add(s);
                        } else {
                            CpuStorage s = mine.remove(r.nextInt(mine.size()));
                            for (long b = 0; b < s.bytes(); b += 61) {
                                bad += Mem.u8(s.address + b) == mark ? 0 : 1;
                            }
                            m.free(s);
                        }
                    }
                    mine.forEach(m::free);
                    return bad;
                }));
            }
            for (Future<Integer> f : wrong) {
                assertEquals(0, f.get());
            }
        }
        assertEquals(0, m.live());
    }
}
