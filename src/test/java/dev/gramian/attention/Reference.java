package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Shape;
import java.util.Arrays;

/**
 * Attention by loops over single elements, in F64, or with every step rounded to F32 where {@code plain}: what an
 * unremarkable F32 implementation would give.
 */
final class Reference {
    final double[] output;
    final double[] weights;
    final double[] logSumExp;
    /** Scores as the softmax takes them. */
    final double[] masked;
    /** Of (batch, head, query, key), whether the query may attend to the key. */
    final boolean[] seen;
    private final boolean plain;

    /** What a query may see and what its scores get, each by its definition. */
    static final class Rules {
        double scale = 1;
        double softcap;
        /** Causal offset, or null. */
        Long limit;
        /** Keys before {@code i + first} are not seen; null for none. */
        Long first;
        /** Added to a query's index before limits and distances, per sequence; null for none. */
        long[] shifts;
        long[] lengths;
        double center;
        Tensor mask;
        Tensor bias;
        Tensor slopes;
        Tensor sinks;
        /** Of (batch, head, query, key) in row-major order, what dropout leaves of a weight; null for all. */
        double[] kept;
    }

    private double r(double v) {
        return plain ? (float) v : v;
    }

    /** {@code limit}: causal offset, or null. */
    Reference(
            boolean plain, Tensor q, Tensor k, Tensor v, double scale, double softcap, Long limit, Tensor mask,
            Tensor bias) {
        this(plain, q, k, v, rules(scale, softcap, limit, mask, bias));
    }

    private static Rules rules(double scale, double softcap, Long limit, Tensor mask, Tensor bias) {
        Rules rules = new Rules();
        rules.scale = scale;
        rules.softcap = softcap;
        rules.limit = limit;
        rules.mask = mask;
        rules.bias = bias;
        return rules;
    }

    Reference(boolean plain, Tensor q, Tensor k, Tensor v, Rules rules) {
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
        double[] allowed = rules.mask == null ? null : values(rules.mask, scores);
        double[] added = rules.bias == null ? null : values(rules.bias, scores);
        double[] slopes = rules.slopes == null ? null : values(rules.slopes, batch.plus(hq));
        double[] sinks = rules.sinks == null ? null : values(rules.sinks, batch.plus(hq));
        int n = (int) batch.size();
        output = new double[n * hq * lq * dv];
        weights = new double[n * hq * lq * lk];
        logSumExp = new double[n * hq * lq];
        masked = new double[weights.length];
        seen = new boolean[weights.length];
        for (int b = 0; b < n; b++) {
            long length = rules.lengths == null ? lk : rules.lengths[b];
            for (int h = 0; h < hq; h++) {
                int g = b * hk + (int) ((long) h * hk / hq);
                for (int i = 0; i < lq; i++) {
                    int row = (b * hq + h) * lq + i;
                    double at = i + (rules.shifts == null ? 0.0 : rules.shifts[b]);
                    double[] s = new double[lk];
                    for (int j = 0; j < lk; j++) {
                        boolean in = (allowed == null || allowed[row * lk + j] != 0)
                                && (rules.limit == null || j <= at + rules.limit)
                                && (rules.first == null || j >= at + rules.first) && j < length;
                        s[j] = in
                                ? score(rules, row * d, (g * lk + j) * d, d, qs, ks,
                                        added == null ? 0 : added[row * lk + j],
                                        slopes == null ? 0 : slopes[b * hq + h] * Math.abs(at + rules.center - j))
                                : Double.NEGATIVE_INFINITY;
                        seen[row * lk + j] = s[j] != Double.NEGATIVE_INFINITY;
                    }
                    System.arraycopy(s, 0, masked, row * lk, lk);
                    row(row, s, sinks == null ? Double.NEGATIVE_INFINITY : sinks[b * hq + h], rules.kept, g * lk, dv,
                            vs);
                }
            }
        }
    }

    private double score(
            Rules rules, int q, int k, int d, double[] qs, double[] ks, double bias, double distance) {
        double dot = 0;
        for (int c = 0; c < d; c++) {
            dot = r(dot + r(qs[q + c] * ks[k + c]));
        }
        dot = r(dot * rules.scale);
        if (rules.softcap > 0) {
            dot = r(rules.softcap * r(Math.tanh(r(dot / rules.softcap))));
        }
        return r(r(dot + bias) - r(distance));
    }

    /** Softmax of scores s, -inf where masked, and the weighted sum of values. */
    private void row(int row, double[] s, double sink, double[] kept, int values, int dv, double[] vs) {
        double max = sink;
        for (double v : s) {
            max = Math.max(max, v);
        }
        double sum = sink == Double.NEGATIVE_INFINITY ? 0 : r(Math.exp(sink - max));
        for (double v : s) {
            if (v > Double.NEGATIVE_INFINITY) {
                sum = r(sum + r(Math.exp(v - max)));
            }
        }
        logSumExp[row] = sum == 0 ? Double.NEGATIVE_INFINITY : r(max + r(Math.log(sum)));
        for (int j = 0; j < s.length; j++) {
            if (s[j] == Double.NEGATIVE_INFINITY) {
                continue;
            }
            double w = r(r(Math.exp(s[j] - max)) / sum);
            weights[row * s.length + j] = w;
            if (kept != null) {
                w = r(w * kept[row * s.length + j]);
            }
            for (int c = 0; c < dv; c++) {
                output[row * dv + c] = r(output[row * dv + c] + r(w * vs[(values + j) * dv + c]));
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

    /** Below it values count as zero. */
    static final double LEAST = 1e-3;

    static double epsilon(DType t) {
        return switch (t) {
            case F64 -> 0x1p-52;
            case F16 -> 0x1p-10;
            case BF16 -> 0x1p-7;
            default -> 0x1p-23;
        };
    }

    static double rounded(double v, DType t) {
        return switch (t) {
            case F64 -> v;
            case F16, BF16 -> Half.toFloat(t, Half.fromFloat(t, (float) v));
            default -> (float) v;
        };
    }

    /**
     * How far a result may be from what is exact: twice as far as plain F32 arithmetic rounded once to the type, and a few
     * roundings of numbers of size {@code least} or as large as the result in the type computed in; for F64, which the
     * reference computes in, these alone.
     */
    static double limit(double[] exact, double[] plain, DType type, double least) {
        double few = (type == DType.F64 ? 60 : 6) * epsilon(type.compute()) * Math.max(least, largest(exact));
        return type == DType.F64
                ? few
                : few + 2 * error(exact, Arrays.stream(plain).map(v -> rounded(v, type)).toArray());
    }

    static void close(String what, double[] exact, double[] plain, double[] actual, DType type) {
        double limit = limit(exact, plain, type, LEAST);
        double error = error(exact, actual);
        assertTrue(error <= limit, () -> what + ": error " + error + " above " + limit);
    }

    static double largest(double[] x) {
        double m = 0;
        for (double v : x) {
            m = Double.isFinite(v) ? Math.max(m, Math.abs(v)) : m;
        }
        return m;
    }
}
