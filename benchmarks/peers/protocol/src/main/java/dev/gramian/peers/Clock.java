package dev.gramian.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Processor time of this process, and of everything else on the machine, in nanoseconds. Linux. */
final class Clock {
    private static final int PROCESS = 2; // CLOCK_PROCESS_CPUTIME_ID
    private static final Path PROC = Path.of("/proc");
    private static final MethodHandle GET = Linker.nativeLinker().downcallHandle(
            Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    private static final MemorySegment TIME = Arena.global().allocate(ValueLayout.JAVA_LONG, 2);

    private final String own = String.valueOf(ProcessHandle.current().pid());
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private final Set<Path> apart = new HashSet<>();

    /** To be made on the thread that works. Threads of the JIT are started with the JVM and stay, by its options. */
    Clock() throws IOException {
        String self = Path.of("/proc/thread-self").toRealPath().getFileName().toString();
        for (Path t : tasks(PROC.resolve("self"))) {
            if (t.getFileName().toString().equals(self)
                    || Files.readString(t.resolve("comm")).matches("C[12] Compiler.*\\s*")) {
                apart.add(t);
            }
        }
    }

    private static List<Path> tasks(Path process) throws IOException {
        List<Path> all = new ArrayList<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(process.resolve("task"))) {
            tasks.forEach(all::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return all;
    }

    /** Of this thread. */
    static long thread() {
        return THREADS.getCurrentThreadCpuTime();
    }

    /** Of all other threads of this process but the JIT's; exact for those asleep. */
    long helpers() {
        try {
            long sum = 0;
            for (Path t : tasks(PROC.resolve("self"))) {
                sum += apart.contains(t) ? 0 : run(t.resolve("schedstat"));
            }
            return sum;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of this process. */
    static long process() {
        try {
            int status = (int) GET.invokeExact(PROCESS, TIME);
            assert status == 0;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        return TIME.getAtIndex(ValueLayout.JAVA_LONG, 0) * 1_000_000_000L + TIME.getAtIndex(ValueLayout.JAVA_LONG, 1);
    }

    private static long run(Path schedstat) {
        try {
            String text = Files.readString(schedstat);
            return Long.parseLong(text.substring(0, text.indexOf(' ')));
        } catch (IOException | RuntimeException e) {
            return 0; // gone
        }
    }

    /**
     * Of each thread of all other processes.
     *
     * @param at when, as System.nanoTime
     */
    record Others(long at, Map<Path, Long> used) {
        /** Cores that others had busy since an earlier look; a thread that came and went between them is not seen. */
        double since(Others before) {
            long sum = 0;
            for (Map.Entry<Path, Long> e : used.entrySet()) {
                sum += Math.max(0, e.getValue() - before.used.getOrDefault(e.getKey(), 0L));
            }
            return (double) sum / (at - before.at);
        }
    }

    /** Takes some milliseconds. */
    Others others() {
        long start = System.nanoTime();
        Map<Path, Long> all = new HashMap<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path p : processes) {
                if (p.getFileName().toString().equals(own)) {
                    continue;
                }
                try {
                    for (Path t : tasks(p)) {
                        all.put(t, run(t.resolve("schedstat")));
                    }
                } catch (IOException e) {
                    // gone
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Others(start, all);
    }

    /** Nanoseconds that the host took from this machine, in steps of 10 ms. */
    static long stolen() {
        try (var lines = Files.lines(PROC.resolve("stat"))) {
            return Long.parseLong(lines.findFirst().orElseThrow().split(" +")[8]) * 10_000_000L;
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }
}
