package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.util.Arrays;
import java.util.function.Supplier;

/** Times rotary embedding and cache steps; the figures in native-notes/cpu/rope.md come from its main method. */
final class RopeTimes {
    private RopeTimes() {}

    public static void main(String[] args) {
        Device device = args.length > 0 ? Device.of(args[0]) : Device.cpu();
        System.out.println(device.name() + ": " + device.description());
        long[][] shapes = {{1, 32, 512, 128}, {1, 32, 1, 128}};
        for (DType t : new DType[] {DType.F32, DType.F16}) {
            for (long[] shape : shapes) {
                try (Scope s = device.open()) {
                    Tensor x = s.normal(t, 1, shape);
                    Tensor strided = s.normal(t, 1, shape[0], shape[2], shape[1], shape[3]).transpose(1, 2);
                    System.out.println(t + " " + x.shape());
                    for (RopeLayout layout : RopeLayout.values()) {
                        RopeTables tables = Rope.of(layout, shape[3]).tables(s, t, 4096);
                        Tensor c = tables.cos().slice(0, 100, 100 + shape[2]);
                        Tensor n = tables.sin().slice(0, 100, 100 + shape[2]);
                        boolean inter = layout == RopeLayout.INTERLEAVED;
                        time("  " + layout, device, () -> tables.apply(x, 100));
                        time("  " + layout + ", (B, L, H, d) seen as (B, H, L, d)", device,
                                () -> tables.apply(strided, 100));
                        time("  " + layout + " composed", device, () -> RopeTest.composed(x, c, n, inter));
                    }
                    time("  mul by a number", device, () -> x.mul(1.5));
                }
            }
        }
        for (long past : new long[] {128, 2048}) {
            try (Scope s = device.open()) {
                KvCache cache = KvCache.of(s, DType.F32, 1, 8, 128, 4096);
                cache.append(s.normal(DType.F32, 1, 1, 8, past, 128), s.normal(DType.F32, 2, 1, 8, past, 128));
                Tensor q = s.normal(DType.F32, 3, 1, 32, 1, 128);
                Tensor k = s.normal(DType.F32, 4, 1, 8, 1, 128);
                System.out.println("cache F32, 8 heads of 128, past " + past);
                time("  append of one position", device, () -> {
                    cache.append(k, k);
                    cache.truncate(0, past);
                    return k;
                });
                time("  attend, one query of 32 heads", device, () -> cache.attend(q));
            }
        }
    }

    private static void time(String what, Device device, Supplier<Tensor> body) {
        double[] us = new double[15];
        long started = System.nanoTime();
        long times = 0;
        // enough calls to be compiled, for as long as that takes: vector code runs boxed until then
        while (times < 600 || System.nanoTime() - started < 500_000_000L) {
            once(device, body);
            times++;
        }
        times = Math.max(5, times * 10_000_000L / (System.nanoTime() - started));
        for (int i = 0; i < us.length; i++) {
            long t = System.nanoTime();
            for (long j = 0; j < times; j++) {
                once(device, body);
            }
            us[i] = (System.nanoTime() - t) / 1e3 / times;
        }
        Arrays.sort(us);
        System.out.printf("%-52s %10.2f us  (fastest %.2f)%n", what, us[us.length / 2], us[0]);
    }

    private static void once(Device device, Supplier<Tensor> body) {
        try (Scope s = Scope.inner("time", device)) {
            body.get();
            s.mathMode();
        }
    }
}
