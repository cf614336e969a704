package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;
import java.util.Arrays;

/** Prints GB/s (bytes read and written) and ns of elementwise operations, before and after every function has run. */
final class ElementwiseTiming {
    private static final Elementwise E = new Elementwise(CpuPath.VECTOR, Workers.shared());
    private static final long N = 8L << 20;

    private ElementwiseTiming() {}

    public static void main(String[] args) {
        figures("fresh");
        View x = Samples.empty(DType.F32, Shape.of(100_000));
        E.fill(new Op.Fill(x.shape(), DType.F32, 0.7), x);
        View y = Samples.empty(DType.F32, x.shape());
        View b = Samples.empty(DType.BOOL, x.shape());
        for (int r = 0; r < 20; r++) {
            for (MapFn f : MapFn.values()) {
                if (f.accepts(DType.F32)) {
                    E.map(new Op.Map(f, 0, 1), new View[] {x}, f.isTest() ? b : y);
                }
            }
            for (ZipFn f : ZipFn.values()) {
                if (f.accepts(DType.F32)) {
                    E.zip(new Op.Zip(f), new View[] {x, x}, f.isTest() ? b : y);
                }
            }
        }
        figures("after every function");
    }

    private static void figures(String when) {
        View x = Samples.empty(DType.F32, Shape.of(N));
        E.random(new Op.Random(x.shape(), DType.F32, dev.gramian.core.Distribution.UNIFORM, 1, -4, 4), x);
        View y = Samples.empty(DType.F32, x.shape());
        View h = Samples.empty(DType.BF16, x.shape());
        View[] xy = {x, x};
        View[] one = {x};
        System.out.println(when);
        for (ZipFn f : new ZipFn[] {ZipFn.ADD, ZipFn.MAXIMUM}) {
            rate(f.label(), 8 * N, () -> E.zip(new Op.Zip(f), xy, y));
        }
        for (MapFn f : new MapFn[] {MapFn.EXP, MapFn.TANH, MapFn.SIGMOID, MapFn.GELU, MapFn.GELU_TANH, MapFn.SIN}) {
            rate(f.label(), 8 * N, () -> E.map(new Op.Map(f, 0, 0), one, y));
        }
        rate("copy", 8 * N, () -> E.copy(one, y));
        View t = new View(x.storage(), Layout.contiguous(Shape.of(2048, N / 2048)).transpose(0, 1), DType.F32);
        View matrix = new View(y.storage(), Layout.contiguous(t.shape()), DType.F32);
        rate("transpose copy", 8 * N, () -> E.copy(new View[] {t}, matrix));
        rate("to BF16", 6 * N, () -> E.copy(one, h));
        View a = Samples.empty(DType.F32, Shape.of(16));
        View c = Samples.empty(DType.F32, Shape.of(16));
        View[] aa = {a, a};
        Op.Zip add = new Op.Zip(ZipFn.ADD);
        double[] ns = new double[7];
        for (int r = 0; r < 7; r++) {
            long start = System.nanoTime();
            for (int i = 0; i < 1_000_000; i++) {
                E.zip(add, aa, c);
            }
            ns[r] = (System.nanoTime() - start) / 1e6;
        }
        Arrays.sort(ns);
        System.out.printf("  add of 16: %.1f ns%n", ns[3]);
        Samples.free(x, y, h, a, c);
    }

    private static void rate(String what, long bytes, Runnable body) {
        double[] s = new double[9];
        for (int i = -3; i < 9; i++) {
            long start = System.nanoTime();
            body.run();
            if (i >= 0) {
                s[i] = (System.nanoTime() - start) / 1e9;
            }
        }
        Arrays.sort(s);
        System.out.printf("  %-16s %6.1f GB/s%n", what, bytes / s[4] / 1e9);
    }
}
