package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.util.Arrays;
import java.util.Locale;

/** Times of attention, median of several runs: {@code AttentionTimes <device> <runs>}. */
final class AttentionTimes {
    private AttentionTimes() {}

    private record Case(String name, Attention attention, Tensor q, Tensor k, Tensor v) {}

    public static void main(String[] args) {
        Device device = Device.of(args.length > 0 ? args[0] : "cpu");
        int runs = args.length > 1 ? Integer.parseInt(args[1]) : 9;
        System.out.println(device.name() + ": " + device.description());
        Attention all = Attention.scaled();
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, 1, 8, 12, 512, 64);
            Tensor half = x.to(DType.BF16);
            Tensor one = s.normal(DType.F32, 2, 1, 12, 2048, 64);
            Tensor query = s.normal(DType.F32, 3, 8, 32, 1, 128);
            Tensor cache = s.normal(DType.F32, 4, 8, 8, 1024, 128);
            Tensor mask = s.normal(DType.F32, 5, 8, 1, 1, 512).gt(-1);
            Case[] cases = {
                new Case("8x12x512x64", all, x, x, x),
                new Case("8x12x512x64, whole", all.workspace(1L << 40), x, x, x),
                new Case("8x12x512x64, 16 MiB", all.workspace(16 << 20), x, x, x),
                new Case("8x12x512x64, 8 MiB", all.workspace(8 << 20), x, x, x),
                new Case("8x12x512x64, 4 MiB", all.workspace(4 << 20), x, x, x),
                new Case("8x12x512x64, 2 MiB", all.workspace(2 << 20), x, x, x),
                new Case("8x12x512x64, 1 MiB", all.workspace(1 << 20), x, x, x),
                new Case("8x12x512x64, padding mask", all.mask(mask), x, x, x),
                new Case("8x12x512x64, causal", all.causal(), x, x, x),
                new Case("8x12x512x64, causal, 16 MiB", all.causal().workspace(16 << 20), x, x, x),
                new Case("8x12x512x64, causal, 8 MiB", all.causal().workspace(8 << 20), x, x, x),
                new Case("8x12x512x64, causal, 4 MiB", all.causal().workspace(4 << 20), x, x, x),
                new Case("8x12x512x64, causal, unblocked", all.causal().weights(true), x, x, x),
                new Case("8x12x512x64 BF16", all, half, half, half),
                new Case("1x12x2048x64", all, one, one, one),
                new Case("1x12x2048x64, 64 MiB", all.workspace(64 << 20), one, one, one),
                new Case("1x12x2048x64, 16 MiB", all.workspace(16 << 20), one, one, one),
                new Case("1x12x2048x64, 4 MiB", all.workspace(4 << 20), one, one, one),
                new Case("1x12x2048x64, causal", all.causal(), one, one, one),
                new Case("1x12x2048x64, causal, 16 MiB", all.causal().workspace(16 << 20), one, one, one),
                new Case("1x12x2048x64, causal, 4 MiB", all.causal().workspace(4 << 20), one, one, one),
                new Case("decode 8x32x1x128, 8 key heads, 1024 keys", all, query, cache, cache),
            };
            double[][] ms = new double[cases.length][runs];
            for (int run = -2; run < runs; run++) {
                for (int c = 0; c < cases.length; c++) {
                    try (Scope inner = device.open()) {
                        long start = System.nanoTime();
                        cases[c].attention.apply(cases[c].q, cases[c].k, cases[c].v);
                        if (run >= 0) {
                            ms[c][run] = (System.nanoTime() - start) / 1e6;
                        }
                    }
                }
            }
            for (int c = 0; c < cases.length; c++) {
                Arrays.sort(ms[c]);
                System.out.printf(Locale.ROOT, "%-45s median %8.2f ms, fastest %8.2f ms, takes %6.1f MiB%n",
                        cases[c].name, ms[c][runs / 2], ms[c][0],
                        cases[c].attention.peakBytes(cases[c].q, cases[c].k, cases[c].v) / 0x1p20);
            }
        }
    }
}
