package dev.gramian;

import dev.gramian.core.Backend;
import dev.gramian.core.Bytes;
import dev.gramian.core.Lifetime;
import dev.gramian.core.Storage;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * What every open scope holds, apart from the scope itself, so that one nobody closed can be reported with the place
 * where it was opened, and its memory taken back, once nothing refers to it any more or its thread has ended.
 */
final class OpenScopes {
    private static final System.Logger LOG = System.getLogger("dev.gramian");
    private static final Set<Holding> OPEN = ConcurrentHashMap.newKeySet();
    private static final Cleaner CLEANER = Cleaner.create();
    private static final StackWalker WALKER = StackWalker.getInstance();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(OpenScopes::reportAtExit, "gramian-exit"));
    }

    private OpenScopes() {}

    /** The storages of one scope. Only the scope's thread changes it, others may read the byte count. */
    static final class Holding implements Runnable {
        final Lifetime lifetime;
        final Backend backend;
        private Storage[] storages = new Storage[8];
        private int count;
        private boolean closed;

        Holding(Lifetime lifetime, Backend backend) {
            this.lifetime = lifetime;
            this.backend = backend;
        }

        void add(Storage s) {
            if (count == storages.length) {
                compact();
            }
            storages[count++] = s;
        }

        /** Whether the storage is still this scope's to free: not handed on, nor freed by its buffer. */
        private boolean held(Storage s) {
            Lifetime life = s.lifetime();
            return life == lifetime || life.owner() == lifetime && life.isOpen();
        }

        /** Drops what has been handed on; grows only if most is still here. */
        private void compact() {
            int n = 0;
            for (int i = 0; i < count; i++) {
                if (held(storages[i])) {
                    storages[n++] = storages[i];
                }
            }
            Arrays.fill(storages, n, count, null);
            count = n;
            if (n > storages.length / 2) {
                storages = Arrays.copyOf(storages, 2 * storages.length);
            }
        }

        /** Frees what was not handed to another scope. */
        void free() {
            free(backend::free);
        }

        /** Gives what was not handed to another scope to {@code end}, which frees it. */
        void free(Consumer<Storage> end) {
            closed = true;
            lifetime.end();
            for (int i = 0; i < count; i++) {
                Storage s = storages[i];
                storages[i] = null;
                if (held(s)) {
                    if (s.lifetime() != lifetime) {
                        s.lifetime().end();
                    }
                    end.accept(s);
                }
            }
            count = 0;
        }

        long bytes() {
            long sum = 0;
            Storage[] all = storages;
            for (int i = 0; i < Math.min(count, all.length); i++) {
                Storage s = all[i];
                if (s != null && held(s)) {
                    sum += s.bytes();
                }
            }
            return sum;
        }

        /** Called when the scope object is no longer reachable. */
        @Override
        public void run() {
            if (!closed) {
                OPEN.remove(this);
                LOG.log(System.Logger.Level.WARNING, unclosed(this) + "; its memory has been taken back");
                free();
            }
        }
    }

    private static String unclosed(Holding h) {
        return "scope: never closed; " + h.lifetime.name() + " held " + Bytes.text(h.bytes()) + " on "
                + h.backend.name() + "; open scopes with try (Scope s = device.open()) { ... }";
    }

    /** Registers a scope that no other scope encloses; those inside go with it. */
    static Cleaner.Cleanable register(Scope scope, Holding holding) {
        OPEN.add(holding);
        return CLEANER.register(scope, holding);
    }

    static void remove(Holding holding) {
        OPEN.remove(holding);
    }

    /** Code outside this library that is opening a scope: {@code Service.answer(Service.java:42)}. */
    static String site() {
        return WALKER.walk(frames -> frames.filter(f -> !f.getClassName().equals(Scope.class.getName())
                && !f.getClassName().equals(Device.class.getName())
                && !f.getClassName().equals(OpenScopes.class.getName()))
                .findFirst()
                .map(f -> f.toStackTraceElement().toString())
                .orElse("unknown place"));
    }

    /** The scopes of a device that hold most, for out-of-memory errors. */
    static String largest(Backend backend, Scope innermost) {
        List<Holding> all = new ArrayList<>();
        for (Holding h : OPEN) {
            if (h.backend == backend) {
                all.add(h);
            }
        }
        for (Scope s = innermost; s != null; s = s.outer()) {
            if (s.holding().backend == backend && !all.contains(s.holding())) {
                all.add(s.holding());
            }
        }
        all.sort(Comparator.comparingLong(Holding::bytes).reversed());
        StringBuilder text = new StringBuilder("largest scopes:");
        for (int i = 0; i < Math.min(3, all.size()); i++) {
            Holding h = all.get(i);
            text.append(i == 0 ? " " : ", ")
                    .append(Bytes.text(h.bytes()))
                    .append(" in ")
                    .append(h.lifetime.name());
        }
        return text.toString();
    }

    /** At exit, threads that still run may close their scopes; those that have ended never will. */
    private static void reportAtExit() {
        for (Holding h : OPEN) {
            if (!h.lifetime.thread().isAlive()) {
                LOG.log(System.Logger.Level.WARNING, unclosed(h));
            }
        }
    }
}
