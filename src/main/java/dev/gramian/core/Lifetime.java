package dev.gramian.core;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The life of everything one scope owns. The scope's own thread needs no synchronisation: it computes and closes in
 * program order. Another thread that reads the scope's tensors pins the life for the duration of one operation, and the
 * end waits for pins, so memory is never freed under a running kernel.
 */
public final class Lifetime {
    private static final long CLOSED = 1L << 62;

    private final Thread thread;
    private final String name;
    private final Lifetime owner;
    private final AtomicLong state = new AtomicLong();
    private volatile boolean open = true;

    /** {@code name} identifies the scope in errors, with the place where it was opened. */
    public Lifetime(Thread thread, String name) {
        this.thread = thread;
        this.name = name;
        this.owner = this;
    }

    /** A life that may end before its owner's and ends with it at the latest. */
    public Lifetime(Lifetime owner, String name) {
        this.thread = owner.thread;
        this.name = name;
        this.owner = owner;
    }

    /** The scope's life that this one is part of; itself for a scope's own. */
    public Lifetime owner() {
        return owner;
    }

    public boolean isOpen() {
        return open;
    }

    public Thread thread() {
        return thread;
    }

    public String name() {
        return name;
    }

    /** Holds the life open for one operation on another thread; false if it has ended. */
    public boolean pin() {
        while (true) {
            long s = state.get();
            if (s >= CLOSED) {
                return false;
            }
            if (state.compareAndSet(s, s + 1)) {
                return true;
            }
        }
    }

    public void unpin() {
        state.decrementAndGet();
    }

    /** Refuses new pins, then waits for those held: each is one operation long. */
    public void end() {
        open = false;
        long s = state.getAndUpdate(v -> v | CLOSED);
        while ((s & ~CLOSED) != 0) {
            LockSupport.parkNanos(1_000);
            s = state.get();
        }
    }
}
