package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Roofline;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Measures what all workers together reach at most: chains of fused multiply-adds in registers, and reading memory. */
final class Peaks {
    /** Steps of a chain in one call, some microseconds. */
    private static final int STEPS = 2_000;
    /** What is timed takes about so long. */
    private static final long ROUND = 4_000_000;
    /** Enough to leave every cache. */
    private static final long BYTES = 256L << 20;
    /** Long enough for the JIT to be done well before the end. */
    private static final long FLOPS_NANOS = 2_500_000_000L;
    private static final long BYTES_NANOS = 400_000_000;
    /** Chains beside each other: latency times throughput of fused multiply-adds, and more. */
    static final int CHAINS = 12;

    private Peaks() {}

    static Roofline measure(CpuPath kernels, Workers workers, DType type) {
        return new Roofline(flops(kernels, workers, type), bytes(kernels, workers), true, false);
    }

    private static double flops(CpuPath kernels, Workers workers, DType type) {
        int threads = workers.threads();
        boolean vector = kernels != CpuPath.SCALAR;
        boolean f64 = type == DType.F64;
        double each = 2.0 * STEPS * CHAINS * (!vector ? 1 : f64 ? VectorPeaks.F64_LANES : VectorPeaks.F32_LANES);
        double[] sums = new double[threads];
        double best = 0;
        // first a call at a time: vector code that is not compiled yet is a thousand times slower
        long calls = 1;
        long begin = System.nanoTime();
        for (long start = begin; start - begin < FLOPS_NANOS; start = System.nanoTime()) {
            long n = calls;
            workers.parallelFor(threads, 1, (from, to) -> {
                for (long i = from * n; i < to * n; i++) {
                    // exact sums, far from overflow and subnormals
                    sums[(int) (i / n)] = !vector
                            ? scalarChains(STEPS, 0.75, 0.25)
                            : f64
                                    ? VectorPeaks.chains(STEPS, 0.75, 0.25)
                                    : VectorPeaks.chains(STEPS, 0.75f, 0.25f);
                }
            });
            long taken = System.nanoTime() - start;
            best = Math.max(best, each * threads * n / taken * 1e9);
            calls = taken < ROUND / 2 ? 2 * n : taken > 2 * ROUND ? Math.max(1, n / 2) : n;
        }
        for (double s : sums) {
            if (!(s > 0)) {
                throw new AssertionError("chains ended at " + s);
            }
        }
        return best;
    }

    private static double scalarChains(int steps, double x, double y) {
        double a0 = 0;
        double a1 = 0.1;
        double a2 = 0.2;
        double a3 = 0.3;
        double a4 = 0.4;
        double a5 = 0.5;
        double a6 = 0.6;
        double a7 = 0.7;
        double a8 = 0.8;
        double a9 = 0.9;
        double a10 = 1.1;
        double a11 = 1.2;
        for (int i = 0; i < steps; i++) {
            a0 = Math.fma(x, y, a0);
            a1 = Math.fma(x, y, a1);
            a2 = Math.fma(x, y, a2);
            a3 = Math.fma(x, y, a3);
            a4 = Math.fma(x, y, a4);
            a5 = Math.fma(x, y, a5);
            a6 = Math.fma(x, y, a6);
            a7 = Math.fma(x, y, a7);
            a8 = Math.fma(x, y, a8);
            a9 = Math.fma(x, y, a9);
            a10 = Math.fma(x, y, a10);
            a11 = Math.fma(x, y, a11);
        }
        return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
    }

    private static double bytes(CpuPath kernels, Workers workers) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(BYTES, 4096); // zeroed, so its pages are there
            double[] sum = new double[1];
            double best = 0;
            for (long stop = System.nanoTime() + BYTES_NANOS; System.nanoTime() < stop;) {
                long start = System.nanoTime();
                workers.parallelFor(BYTES >> 12, 64, (from, to) -> {
                    double s = 0;
                    // in calls of some microseconds, so that compiled code is called as soon as there is any
                    for (long k = from; k < to; k += 16) {
                        long at = memory.address() + (k << 12);
                        long end = memory.address() + (Math.min(to, k + 16) << 12);
                        s += kernels == CpuPath.SCALAR ? scalarSum(at, end) : VectorPeaks.sum(at, end);
                    }
                    if (s != 0) {
                        sum[0] = s; // never, but the JIT does not know
                    }
                });
                best = Math.max(best, (double) BYTES / (System.nanoTime() - start) * 1e9);
            }
            if (sum[0] != 0) {
                throw new AssertionError("memory of zeros has the sum " + sum[0]);
            }
            return best;
        }
    }

    private static double scalarSum(long at, long end) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        for (; at < end; at += 32) {
            a += Mem.f64(at);
            b += Mem.f64(at + 8);
            c += Mem.f64(at + 16);
            d += Mem.f64(at + 24);
        }
        return a + b + c + d;
    }
}
