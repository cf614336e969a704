package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;
import java.util.Random;

/** Times reductions and row operations; the figures in native-notes/cpu/rows.md come from its main method. */
final class RowsTiming {
    private RowsTiming() {}

    public static void main(String[] args) {
        CpuPath path = CpuPath.valueOf(args.length > 0 ? args[0] : "VECTOR");
        Random r = new Random(1);
        View x = Sample.of(DType.F32, Sample.Kind.CONTIGUOUS, r::nextGaussian, 49152, 512);
        View y = Sample.fresh(DType.F32, x.shape());
        View n = Sample.of(DType.F32, Sample.Kind.CONTIGUOUS, r::nextGaussian, 4096, 768);
        View m = Sample.fresh(DType.F32, n.shape());
        View w = Sample.of(DType.F32, Sample.Kind.CONTIGUOUS, r::nextGaussian, 768);
        View lse = Sample.fresh(DType.F32, Shape.of(96, 512));
        View s = new View(x.storage(), x.layout().reshape(Shape.of(96, 512, 512)), DType.F32);
        View p = new View(y.storage(), s.layout(), DType.F32);
        View mask = Sample.of(DType.BOOL, Sample.Kind.CONTIGUOUS, () -> r.nextInt(2), 512, 512);
        View cell = Sample.fresh(DType.I64, Shape.SCALAR);
        double bytes = 4.0 * x.shape().size();
        for (int threads = 1; threads <= 2; threads++) {
            Workers workers = new Workers(threads);
            Reductions reductions = new Reductions(path, workers);
            Rows rows = new Rows(path, workers);
            AttentionRows attention = new AttentionRows(path, workers);
            System.out.println(path + ", threads " + threads);
            for (ReduceFn fn : new ReduceFn[] {ReduceFn.SUM, ReduceFn.MAX, ReduceFn.VAR, ReduceFn.ARGMAX,
                ReduceFn.LOGSUMEXP}) {
                for (int[] axes : new int[][] {{1}, {0}, {0, 1}}) {
                    Op.Reduce op = new Op.Reduce(fn, axes, false, 0);
                    View out = Sample.fresh(op.results(x)[0]);
                    time(fn.label() + " of 49152x512 over " + Arrays.toString(axes), bytes,
                            () -> reductions.reduce(op, x, out));
                }
            }
            Op.Softmax softmax = new Op.Softmax(1, false);
            time("softmax 49152x512", 2 * bytes, () -> rows.softmax(softmax, x, y));
            View[] plain = {s};
            View[] masked = {s, mask};
            View[] out = {p, lse};
            Op.AttentionWeights full = new Op.AttentionWeights(0.125, 0, false, 0, false, false);
            Op.AttentionWeights causal = new Op.AttentionWeights(0.125, 0, true, 0, false, false);
            Op.AttentionWeights all = new Op.AttentionWeights(0.125, 30, false, 0, true, false);
            time("attentionWeights 96x512x512", 2 * bytes, () -> attention.run(full, plain, out));
            time("attentionWeights causal", 1.5 * bytes, () -> attention.run(causal, plain, out));
            time("attentionWeights mask, softcap", 2 * bytes, () -> attention.run(all, masked, out));
            Op.Normalize norm = new Op.Normalize(true, 1, 1e-5, true, true);
            View[] in = {n, w, w};
            time("layerNorm 4096x768", 8.0 * n.shape().size(), () -> rows.normalize(norm, in, m));
            Triangle triangle = new Triangle(path, workers);
            time("firstNonFinite 49152x512", bytes, () -> triangle.firstNonFinite(x, cell));
        }
    }

    private static void time(String what, double bytes, Runnable body) {
        double[] ms = new double[15];
        for (int i = 0; i < 5; i++) {
            body.run();
        }
        for (int i = 0; i < ms.length; i++) {
            long t = System.nanoTime();
            body.run();
            ms[i] = (System.nanoTime() - t) / 1e6;
        }
        Arrays.sort(ms);
        System.out.printf("%-42s %8.2f ms %7.1f GB/s  (fastest %.2f)%n", what, ms[7], bytes / ms[7] / 1e6, ms[0]);
    }
}
