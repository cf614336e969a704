package dev.gramian.benchmarks;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The Java side of compare-openblas.sh: reads lines "M N K GFLOP", times about so many GFLOP of such products (at
 * least one) and answers with the milliseconds of one and the cores it had (processor time over wall time). The C side,
 * openblas-c/sgemm.c, does the same, and the script lets them take turns. Argument: a device.
 */
public final class GemmTurns {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private GemmTurns() {}

    /** This thread and the library's workers. Costs a tenth of a millisecond, hence not within the time taken. */
    private static List<Long> threads() {
        List<Long> ids = new ArrayList<>();
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            if (t == Thread.currentThread() || t.getName().startsWith("gramian-worker-")) {
                ids.add(t.threadId());
            }
        }
        return ids;
    }

    /** Processor time in nanoseconds; that of the whole process would have the JIT in it. */
    private static long cpu(List<Long> threads) {
        long sum = 0;
        for (long id : threads) {
            sum += THREADS.getThreadCpuTime(id);
        }
        return sum;
    }

    public static void main(String[] args) throws IOException {
        Device device = Device.of(args[0]);
        Map<String, Tensor[]> operands = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        try (Scope scope = device.open()) {
            String line;
            while ((line = in.readLine()) != null) {
                String[] f = line.strip().split(" +");
                long m = Long.parseLong(f[0]);
                long n = Long.parseLong(f[1]);
                long k = Long.parseLong(f[2]);
                double most = 1e9 * Double.parseDouble(f[3]);
                Tensor[] ab = operands.computeIfAbsent(
                        line, l -> new Tensor[] {
                            scope.uniform(DType.F32, 1, -0.5, 0.5, m, k),
                            scope.uniform(DType.F32, 2, -0.5, 0.5, k, n)});
                double flop = 2.0 * m * n * k;
                int inner = flop > most ? 1 : (int) (most / flop) + 1;
                List<Long> threads = threads();
                // untimed: after a pause the operands have left the caches
                try (Scope s = device.open()) {
                    ab[0].matmul(ab[1]);
                }
                long before = cpu(threads);
                long start = System.nanoTime();
                for (int i = 0; i < inner; i++) {
                    try (Scope s = device.open()) {
                        ab[0].matmul(ab[1]);
                    }
                }
                long wall = System.nanoTime() - start;
                long used = cpu(threads) - before;
                System.out.printf(
                        Locale.ROOT, "%.4f %.3f%n", wall * 1e-6 / inner, (double) used / wall);
                System.out.flush();
            }
        }
    }
}
