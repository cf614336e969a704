package dev.gramian.benchmarks.gpu;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.Causal;

/**
 * Attention. Sizes: batch, query heads, key heads, queries, keys, head size. Multiplications are counted as is usual: both
 * products in full, half of them where causal.
 */
final class AttentionCases {
    private AttentionCases() {}

    static Case of(String type, boolean causal, long batch, long heads, long keyHeads, long queries, long keys,
            long size) {
        double flops = 4.0 * batch * heads * queries * keys * size * (causal ? 0.5 : 1);
        double elements = 2.0 * batch * size * (heads * queries + keyHeads * keys);
        return new Case("attention", "attention", type, new long[] {batch, heads, keyHeads, queries, keys, size},
                causal,
                elements * Suite.dtype(type).bytes(), flops, AttentionCases::run);
    }

    private static Measured run(Case c, Meter meter, Scope scope) {
        long[] n = c.shape();
        Tensor q = scope.normal(c.dtype(), 1, n[0], n[1], n[3], n[5]);
        Tensor k = scope.normal(c.dtype(), 2, n[0], n[2], n[4], n[5]);
        Tensor v = scope.normal(c.dtype(), 3, n[0], n[2], n[4], n[5]);
        Attention attention = c.causal() ? Attention.scaled().causal(Causal.BOTTOM_RIGHT) : Attention.scaled();
        Agreement agreement = Agreement.of(c.type());
        try (Scope s = c.open(meter.device)) {
            Tensor out = attention.apply(q, k, v).output();
            for (long b : Sampled.positions(n[0], 2)) {
                for (long h : Sampled.positions(n[1], 2)) {
                    long shared = h / (n[1] / n[2]);
                    compare(agreement, c, head(q, b, h), head(k, b, shared), head(v, b, shared), head(out, b, h));
                }
            }
        }
        return new Measured(meter.time(c.math(), () -> attention.apply(q, k, v)), agreement);
    }

    private static Tensor head(Tensor x, long batch, long head) {
        return x.select(0, batch).select(0, head);
    }

    private static void compare(Agreement agreement, Case c, Tensor q, Tensor k, Tensor v, Tensor out) {
        int keys = (int) k.dim(0);
        int size = (int) k.dim(1);
        double[] ks = k.toDoubleArray();
        double[] vs = v.toDoubleArray();
        for (long i : Sampled.positions(q.dim(0), 5)) {
            double[] row = Sampled.row(q, i);
            // the last query sees every key
            int seen = c.causal() ? (int) (i + 1 + keys - q.dim(0)) : keys;
            double[] scores = new double[seen];
            for (int j = 0; j < seen; j++) {
                for (int d = 0; d < size; d++) {
                    scores[j] += row[d] * ks[j * size + d];
                }
                scores[j] /= Math.sqrt(size);
            }
            double[] weights = RowCases.softmax(scores);
            double[] expected = new double[size];
            for (int j = 0; j < seen; j++) {
                for (int d = 0; d < size; d++) {
                    expected[d] += weights[j] * vs[j * size + d];
                }
            }
            agreement.add(Sampled.row(out, i), expected);
        }
    }
}
