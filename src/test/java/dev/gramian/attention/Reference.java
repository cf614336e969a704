package dev.gramian.attention;

import dev.gramian.Tensor;
import dev.gramian.core.Shape;

/**
 * Attention by loops over single elements, in F64, or with every step rounded to F32 where {@code plain}: what an
 * unremarkable F32 implementation would give.
 */
final class Reference {
    final double[] output;
    final double[] weights;
    final double[] logSumExp;
    private final boolean plain;

    private double r(double v) {
        return plain ? (float) v : v;
    }

    /** {@code limit}: causal offset, or null. */
    Reference(
            boolean plain, Tensor q, Tensor k, Tensor v, double scale, double softcap, Long limit, Tensor mask,
            Tensor bias) {
        this.plain = plain;
        Shape batch = Shape.broadcast("", Shape.broadcast("", before(q), before(k)), before(v));
        int hq = (int) heads(q);
        int hk = (int) heads(k);
        int lq = (int) q.dim(-2);
        int lk = (int) k.dim(-2);
        int d = (int) q.dim(-1);
        int dv = (int) v.dim(-1);
        double[] qs = values(q, batch.plus(hq, lq, d));
        double[] ks = values(k, batch.plus(hk, lk, d));
        double[] vs = values(v, batch.plus(hk, lk, dv));
        Shape scores = batch.plus(hq, lq, lk);
        double[] allowed = mask == null ? null : values(mask, scores);
        double[] added = bias == null ? null : values(bias, scores);
        int n = (int) batch.size();
        output = new double[n * hq * lq * dv];
        weights = new double[n * hq * lq * lk];
        logSumExp = new double[n * hq * lq];
        for (int b = 0; b < n; b++) {
            for (int h = 0; h < hq; h++) {
                int g = b * hk + (int) ((long) h * hk / hq);
                for (int i = 0; i < lq; i++) {
                    int row = (b * hq + h) * lq + i;
                    row(row, i, lk, d, dv, qs, ks, vs, g, scale, softcap, limit, allowed, added);
                }
            }
        }
    }

    private void row(
            int row, int i, int lk, int d, int dv, double[] qs, double[] ks, double[] vs, int g, double scale,
            double softcap, Long limit, double[] allowed, double[] added) {
        double[] s = new double[lk];
        boolean[] in = new boolean[lk];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < lk; j++) {
            in[j] = (allowed == null || allowed[row * lk + j] != 0) && (limit == null || j <= i + limit);
            if (!in[j]) {
                continue;
            }
            double dot = 0;
            for (int c = 0; c < d; c++) {
                dot = r(dot + r(qs[row * d + c] * ks[(g * lk + j) * d + c]));
            }
            dot = r(dot * scale);
            if (softcap > 0) {
                dot = r(softcap * r(Math.tanh(r(dot / softcap))));
            }
            if (added != null) {
                dot = r(dot + added[row * lk + j]);
            }
            s[j] = dot;
            max = Math.max(max, dot);
        }
        double sum = 0;
        for (int j = 0; j < lk; j++) {
            if (in[j] && s[j] > Double.NEGATIVE_INFINITY) {
                sum = r(sum + r(Math.exp(s[j] - max)));
            }
        }
        logSumExp[row] = sum == 0 ? Double.NEGATIVE_INFINITY : r(max + r(Math.log(sum)));
        for (int j = 0; j < lk; j++) {
            if (!in[j] || s[j] == Double.NEGATIVE_INFINITY) {
                continue;
            }
            double w = r(r(Math.exp(s[j] - max)) / sum);
            weights[row * lk + j] = w;
            for (int c = 0; c < dv; c++) {
                output[row * dv + c] = r(output[row * dv + c] + r(w * vs[(g * lk + j) * dv + c]));
            }
        }
    }

    private static double[] values(Tensor t, Shape shape) {
        return t.expand(shape.toArray()).toDoubleArray();
    }

    private static long heads(Tensor t) {
        return t.rank() > 2 ? t.dim(-3) : 1;
    }

    private static Shape before(Tensor t) {
        return t.shape().slice(0, Math.max(0, t.rank() - 3));
    }

    /** Largest difference; infinite where only one of two values is a number. */
    static double error(double[] expected, double[] actual) {
        if (expected.length != actual.length) {
            throw new AssertionError("expected " + expected.length + " values, got " + actual.length);
        }
        double e = 0;
        for (int i = 0; i < expected.length; i++) {
            if (Double.compare(expected[i], actual[i]) != 0) {
                double diff = Math.abs(expected[i] - actual[i]);
                e = Math.max(e, Double.isNaN(diff) ? Double.POSITIVE_INFINITY : diff);
            }
        }
        return e;
    }

    static double largest(double[] x) {
        double m = 0;
        for (double v : x) {
            m = Double.isFinite(v) ? Math.max(m, Math.abs(v)) : m;
        }
        return m;
    }
}
