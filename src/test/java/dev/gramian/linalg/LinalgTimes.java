package dev.gramian.linalg;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;

/** Prints the figures of native-notes/cpu/decompositions.md beyond the SVD: wall-clock and processor time, medians. */
final class LinalgTimes {
    private static final int ROUNDS = 5;

    private LinalgTimes() {}

    public static void main(String[] args) {
        for (String name : new String[] {"cpu:native", "cpu:scalar"}) {
            Device device = Device.of(name);
            System.out.println(name + ": " + device.description());
            for (DType t : new DType[] {DType.F32, DType.F64}) {
                square(device, t, 512);
            }
        }
        Device device = Device.of("cpu:native");
        try (Scope s = device.open()) {
            Tensor a = s.normal(DType.F32, 1, 2000, 40).matmul(s.normal(DType.F32, 2, 40, 1500))
                    .add(s.normal(DType.F32, 3, 2000, 1500).mul(1e-2));
            time("svd F32 [2000, 1500]", device, () -> Linalg.svd(a));
            time("randomised, rank 40", device, () -> new RandomizedSvd(1).ofRank(a, 40));
            time("randomised, no power iterations", device, () -> new RandomizedSvd(10, 0, 1).ofRank(a, 40));
            double best = new Svd(Linalg.svd(a).u(), Linalg.svd(a).s(), Linalg.svd(a).vt()).truncate(40).error().item();
            for (int power : new int[] {0, 1, 2}) {
                System.out.printf(Locale.ROOT, "  error / best error, %d power iterations: %.6f%n", power,
                        new RandomizedSvd(10, power, 1).ofRank(a, 40).error() / best);
            }
        }
    }

    private static void square(Device device, DType t, long n) {
        try (Scope s = device.open()) {
            Tensor a = s.normal(t, 1, n, n);
            Tensor spd = a.matmul(a.transpose(0, 1)).add(s.eye(t, n));
            Tensor stack = s.normal(t, 2, 256, 64, 64);
            String size = " " + t + " " + n;
            time("eigh" + size, device, () -> Linalg.eigh(a));
            time("eigvalsh" + size, device, () -> Linalg.eigvalsh(a));
            time("qr" + size, device, () -> Linalg.qr(a));
            time("cholesky" + size, device, () -> Linalg.cholesky(spd));
            time("lu" + size, device, () -> Linalg.lu(a));
            time("solveTriangular" + size, device, () -> Linalg.solveTriangular(spd, a, true, false, false));
            time("expm" + size, device, () -> Linalg.expm(a));
            time("eigh " + t + " 256 x 64", device, () -> Linalg.eigh(stack));
            time("qr " + t + " 256 x 64", device, () -> Linalg.qr(stack));
        }
    }

    private static void time(String what, Device device, Runnable call) {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        double[] wall = new double[ROUNDS];
        double[] cpu = new double[ROUNDS];
        for (int i = -2; i < ROUNDS; i++) {
            try (Scope s = device.open()) {
                long before = system.getProcessCpuTime();
                long start = System.nanoTime();
                call.run();
                wall[Math.max(0, i)] = (System.nanoTime() - start) / 1e6;
                cpu[Math.max(0, i)] = (system.getProcessCpuTime() - before) / 1e6;
            }
        }
        Arrays.sort(wall);
        Arrays.sort(cpu);
        System.out.printf(Locale.ROOT, "  %-34s wall %8.1f  cpu %8.1f ms%n", what, wall[ROUNDS / 2], cpu[ROUNDS / 2]);
    }
}
