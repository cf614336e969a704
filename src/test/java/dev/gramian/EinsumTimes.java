package dev.gramian;

import dev.gramian.core.DType;
import java.util.Arrays;
import java.util.function.Supplier;

/** Prints the figures of native-notes/cpu/einsum.md: einsum against the same by other operations, taking turns. */
final class EinsumTimes {
    private static final int ROUNDS = 41;

    private EinsumTimes() {}

    public static void main(String[] args) {
        for (String name : args.length > 0 ? args : new String[] {"cpu:native", "cpu:vector"}) {
            Device device = Device.of(name);
            System.out.println(device.name() + ": " + device.description());
            try (Scope s = device.open()) {
                times(s);
            }
        }
    }

    private static void times(Scope s) {
        Tensor a = s.normal(DType.F32, 1, 2, 2, 4, 4);
        Einsum scores = Einsum.of("bhqd,bhkd->bhqk");
        many(s, "64 elements, bhqd,bhkd->bhqk", () -> scores.apply(a, a), "matmul",
                () -> a.matmul(a.transpose(-2, -1)));
        many(s, "64 elements, b h l d -> b l (h d)", () -> a.rearrange("b h l d -> b l (h d)"), "transpose, reshape",
                () -> a.transpose(1, 2).reshape(2, 4, 8));

        Tensor q = s.normal(DType.F32, 1, 2, 256, 12, 64);
        Einsum heads = Einsum.of("bqhd,bkhd->bhqk");
        turns(s, "2x256x12x64, bqhd,bkhd->bhqk", () -> heads.apply(q, q), "matmul of views",
                () -> q.transpose(1, 2).matmul(q.permute(0, 2, 3, 1)));

        Einsum dots = Einsum.of("bi,bi->b");
        for (long k : new long[] {3, 16, 128, 512, 2048}) {
            Tensor x = s.normal(DType.F32, 1, 3_000_000 / k, k);
            turns(s, "dot products of " + k + ", mul and sum", () -> x.mul(x).sum(-1), "matmul",
                    () -> x.unsqueeze(-2).matmul(x.unsqueeze(-1)).squeeze(-1).squeeze(-1));
        }
        Tensor w = s.normal(DType.F32, 6, 256, 256);
        for (long rows : new long[] {1, 4, 8, 16, 32}) {
            Tensor x = s.normal(DType.F32, 5, 4096 / rows, rows, 2, 256).select(2, 1);
            turns(s, "4096 rows, batches of " + rows, () -> x.matmul(w), "copy, one product",
                    () -> x.contiguous().matmul(w));
        }
    }

    /** As {@link #turns}, of calls too short to time one by one. */
    private static void many(Scope s, String a, Supplier<Tensor> x, String b, Supplier<Tensor> y) {
        int calls = 2000;
        report(s, a, () -> repeat(s, x, calls), b, () -> repeat(s, y, calls), x, y, calls);
    }

    private static void repeat(Scope s, Supplier<Tensor> x, int calls) {
        for (int i = 0; i < calls; i++) {
            once(s, x);
        }
    }

    private static void turns(Scope s, String a, Supplier<Tensor> x, String b, Supplier<Tensor> y) {
        report(s, a, () -> once(s, x), b, () -> once(s, y), x, y, 1);
    }

    private static void once(Scope s, Supplier<Tensor> x) {
        try (Scope inner = s.device().open()) {
            x.get();
        }
    }

    private static void report(Scope s, String a, Runnable x, String b, Runnable y, Supplier<Tensor> first,
            Supplier<Tensor> second, int calls) {
        try (Scope inner = s.device().open()) {
            Tensor difference = first.get().sub(second.get()).abs();
            double scale = second.get().abs().max().item();
            if (!(difference.max().item() <= 1e-4 * scale)) {
                throw new AssertionError(a + " and " + b + " disagree by " + difference.max().item());
            }
        }
        double[] p = new double[ROUNDS];
        double[] q = new double[ROUNDS];
        for (int i = -9; i < ROUNDS; i++) {
            double t = nanos(x);
            double u = nanos(y);
            if (i >= 0) {
                p[i] = t / calls / 1e3;
                q[i] = u / calls / 1e3;
            }
        }
        Arrays.sort(p);
        Arrays.sort(q);
        System.out.printf("%-40s %10.2f us (%.2f)   %-20s %10.2f us (%.2f)%n",
                a, p[ROUNDS / 2], p[0], b, q[ROUNDS / 2], q[0]);
    }

    private static double nanos(Runnable r) {
        long start = System.nanoTime();
        r.run();
        return System.nanoTime() - start;
    }
}
