package dev.gramian.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A life ends once nobody holds it, and cannot be held after. */
class LifetimeTest {
    @Test
    void endWaitsForPins() throws Exception {
        Lifetime life = new Lifetime(Thread.currentThread(), "test");
        assertTrue(life.pin());
        AtomicBoolean ended = new AtomicBoolean();
        Thread closer = new Thread(() -> {
            life.end();
            ended.set(true);
        });
        closer.start();
        // a pin may still be had after isOpen() is false, and holds
        while (life.pin()) {
            life.unpin();
        }
        assertFalse(life.isOpen());
        Thread.sleep(20);
        assertFalse(ended.get());
        life.unpin();
        closer.join(5000);
        assertTrue(ended.get());
    }

    @Test
    void nobodyReadsAfterTheEnd() throws Exception {
        for (int round = 0; round < 200; round++) {
            Lifetime life = new Lifetime(Thread.currentThread(), "test");
            AtomicBoolean freed = new AtomicBoolean();
            AtomicInteger wrong = new AtomicInteger();
            List<Thread> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Thread t = new Thread(() -> {
                    while (life.pin()) {
                        if (freed.get()) {
                            wrong.incrementAndGet();
                        }
                        life.unpin();
                    }
                });
                t.start();
                readers.add(t);
            }
            Thread.yield();
            life.end();
            freed.set(true);
            for (Thread t : readers) {
                t.join();
            }
            assertEquals(0, wrong.get());
        }
    }
}
