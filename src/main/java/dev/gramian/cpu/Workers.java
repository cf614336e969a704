package dev.gramian.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

/**
 * The threads one kernel may spread over. The calling thread works too and takes along only workers that are idle at that
 * moment, so any number of application threads may compute at once without waiting for each other and without more
 * busy threads than callers plus workers. A kernel that runs on a worker and asks again computes alone.
 */
final class Workers {
    /** Thread count: a whole number of at least 1; without it, the environment's GRAMIAN_THREADS, then all cores. */
    static final String PROPERTY = "gramian.threads";

    /** Half-open range of items. */
    @FunctionalInterface
    interface Range {
        void run(long from, long to);
    }

    /** Looks for work before an idle worker sleeps, and for the others' end before the caller does: some 500 and 200 µs. */
    private static final int IDLE_SPINS = 20_000;

    private static final int END_SPINS = 8_000;
    private static final Job RUNNING = new Job(null, 0, 1, null);

    private final Worker[] workers;

    Workers(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    private static final class Shared {
        static final Workers INSTANCE = new Workers(configuredThreads());
    }

    /** The process's workers, one per core unless told otherwise. */
    static Workers shared() {
        return Shared.INSTANCE;
    }

    private static int configuredThreads() {
        String text = System.getProperty(PROPERTY);
        String where = "property " + PROPERTY;
        if (text == null) {
            text = System.getenv("GRAMIAN_THREADS");
            where = "GRAMIAN_THREADS";
        }
        if (text == null || text.isBlank()) {
            return Runtime.getRuntime().availableProcessors();
        }
        try {
            int n = Integer.parseInt(text.strip());
            if (n >= 1 && n <= 4096) {
                return n;
            }
        } catch (NumberFormatException e) {
            // falls through to the sentence below
        }
        throw new dev.gramian.core.DeviceException(
                "threads: not a thread count; " + where + " is '" + text + "'; give a whole number from 1 to 4096");
    }

    /** Threads a kernel may use, the caller's among them. */
    int threads() {
        return workers.length + 1;
    }

    /**
     * Calls {@code body} on ranges that cover {@code [0, n)} once, none shorter than {@code grain} but the last. Returns
     * when all are done; the first exception of any range is thrown here.
     */
    void parallelFor(long n, long grain, Range body) {
        if (n <= 0) {
            return;
        }
        int threads = threads();
        if (n <= grain || threads == 1 || Thread.currentThread() instanceof Worker) {
            body.run(0, n);
            return;
        }
        // a few chunks a thread, so that a thread that is slowed down does not hold up the rest
        spread(n, Math.max(grain, (n + 4L * threads - 1) / (4L * threads)), body);
    }

    /** Calls {@code body} once for each of {@code n} items, begun in order: for items that are long and uneven. */
    void parallelEach(long n, LongConsumer body) {
        Range each = (from, to) -> {
            for (long i = from; i < to; i++) {
                body.accept(i);
            }
        };
        if (n < 2 || threads() == 1 || Thread.currentThread() instanceof Worker) {
            each.run(0, n);
        } else {
            spread(n, 1, each);
        }
    }

    private void spread(long n, long chunk, Range body) {
        Job job = new Job(body, n, chunk, Thread.currentThread());
        long wanted = (n + chunk - 1) / chunk - 1;
        for (int i = 0; i < workers.length && wanted > 0; i++) {
            if (workers[i].offer(job)) {
                wanted--;
            }
        }
        job.work();
        for (Worker w : workers) {
            w.withdraw(job);
        }
        job.await();
    }

    private static final class Job {
        private final Range body;
        private final long n;
        private final long chunk;
        private final Thread caller;
        private final AtomicLong next = new AtomicLong();
        private final AtomicInteger helpers = new AtomicInteger();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        Job(Range body, long n, long chunk, Thread caller) {
            this.body = body;
            this.n = n;
            this.chunk = chunk;
            this.caller = caller;
        }

        void work() {
            try {
                long from;
                while ((from = next.getAndAdd(chunk)) < n) {
                    body.run(from, Math.min(n, from + chunk));
                }
            } catch (Throwable t) {
                failure.compareAndSet(null, t);
                next.set(n); // nothing more to start
            }
        }

        void leave() {
            if (helpers.decrementAndGet() == 0) {
                LockSupport.unpark(caller);
            }
        }

        void await() {
            boolean interrupted = false;
            for (int i = 0; helpers.get() > 0; i++) {
                if (i < END_SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(this, 100_000);
                    interrupted |= Thread.interrupted(); // else park would return at once, over and over
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            switch (failure.get()) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable t -> throw new AssertionError(t);
            }
        }
    }

    private static final class Worker extends Thread {
        /** null: idle; a job: asked for; RUNNING: at work. */
        private final AtomicReference<Job> slot = new AtomicReference<>();

        Worker(int index) {
            super("gramian-worker-" + index);
            setDaemon(true);
        }

        boolean offer(Job job) {
            if (slot.get() != null) {
                return false;
            }
            job.helpers.incrementAndGet();
            if (slot.compareAndSet(null, job)) {
                LockSupport.unpark(this);
                return true;
            }
            job.helpers.decrementAndGet();
            return false;
        }

        /** Takes an offer back that this worker has not yet begun. */
        void withdraw(Job job) {
            if (slot.get() == job && slot.compareAndSet(job, null)) {
                job.helpers.decrementAndGet();
            }
        }

        @Override
        public void run() {
            int idle = 0;
            while (true) {
                Job job = slot.get();
                if (job == null) {
                    if (idle++ < IDLE_SPINS) {
                        Thread.onSpinWait();
                    } else {
                        LockSupport.park(this);
                        idle = 0; // woken too late for one job, it stays awake for the next
                    }
                } else if (slot.compareAndSet(job, RUNNING)) {
                    job.work();
                    slot.set(null);
                    job.leave();
                    idle = 0;
                }
            }
        }
    }
}
