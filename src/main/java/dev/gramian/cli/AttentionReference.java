package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The oracle of {@code attend --check}: attention in float64, one query row at a time, straight from the definition.
 * Shares no code with the library's own attention but reading elements.
 *
 * <p>Each row's rounding bound follows from its scores: an error of e in them changes a weight by a factor of at most
 * exp(2e).
 */
final class AttentionReference {
    /** Multiply-adds of one check, about a second; beyond, evenly spread query rows stand for all. */
    private static final double BUDGET = 500e6;

    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final Tensor mask;
    private final Tensor bias;
    private final double scale;
    private final double softcap;
    private final boolean causal;
    private final long offset;
    private final double u;
    private final double largest;

    private double[] keys;
    private double[] values;
    private String held = "";

    // of the row looked at
    private final double[] scores;
    private final boolean[] allowed;
    private double rowMax;
    private double rowSum;
    private double scoreError;

    /** {@code scale} null for 1 / sqrt(d); query i sees key j up to i + offset where causal; mask, bias may be null. */
    AttentionReference(
            Tensor q,
            Tensor k,
            Tensor v,
            Double scale,
            double softcap,
            boolean causal,
            long offset,
            Tensor mask,
            Tensor bias) {
        this.q = q;
        this.k = k;
        this.v = v;
        this.mask = mask;
        this.bias = bias;
        this.scale = scale != null ? scale : q.dim(-1) == 0 ? 0 : 1 / Math.sqrt(q.dim(-1));
        this.softcap = softcap;
        this.causal = causal;
        this.offset = offset;
        u = Check.roundoff(q.dtype());
        largest = Check.largest(q.dtype().compute());
        scores = new double[Math.toIntExact(k.dim(-2))];
        allowed = new boolean[scores.length];
    }

    /** Checks the output, and weights and log-sum-exp where they are wanted. */
    List<Check> check(Attention.Result r, boolean withSums) {
        Shape rows = r.output().shape().without(r.output().rank() - 1);
        long total = rows.size();
        double cost = (double) scores.length * (q.dim(-1) + v.dim(-1)) + 1;
        long checked = total == 0 ? 0 : Math.max(1, (long) Math.min(total, BUDGET / cost));
        String coverage = checked == total ? "all" : Text.count(checked) + " of " + Text.count(total) + " rows";
        DType wide = q.dtype().compute();
        Check output = new Check("output", r.output().dtype(), coverage);
        Check weights = new Check("weights", wide, coverage);
        Check sums = new Check("log-sum-exp", wide, coverage);
        for (long n = 0; n < checked; n++) {
            long row = checked == 1 ? 0 : Math.round((double) n * (total - 1) / (checked - 1));
            long[] at = coordinates(rows, row);
            if (!scores(at)) {
                continue; // a score may have overflowed: anything can come of it
            }
            output(values(r.output(), at, 1), output);
            if (r.weights() != null) {
                weights(values(r.weights(), at, 1), weights);
            }
            if (withSums) {
                double lse = rowSum == 0 ? Double.NEGATIVE_INFINITY : rowMax + Math.log(rowSum);
                sums.add(values(r.logSumExp(), at, 0)[0], lse, Math.abs(lse),
                        scoreError + (scores.length + 16) * u * (1 + Math.abs(lse)));
            }
        }
        List<Check> all = new ArrayList<>(List.of(output));
        if (r.weights() != null) {
            all.add(weights);
        }
        if (withSums) {
            all.add(sums);
        }
        return all;
    }

    /** Unnormalised weights of one row into {@code scores}; false if a score may have overflowed. */
    private boolean scores(long[] at) {
        long i = at[at.length - 1];
        hold(at);
        double[] query = values(q, at, 1);
        double[] may = mask == null ? null : values(mask, at, 1);
        double[] add = bias == null ? null : values(bias, at, 1);
        int d = query.length;
        rowMax = Double.NEGATIVE_INFINITY;
        scoreError = 0;
        boolean finite = true;
        for (int j = 0; j < scores.length; j++) {
            allowed[j] = (may == null || may[may.length == 1 ? 0 : j] != 0) && (!causal || j - offset <= i);
            if (!allowed[j]) {
                continue;
            }
            double dot = 0;
            double sum = 0;
            for (int c = 0; c < d; c++) {
                double p = query[c] * keys[j * d + c];
                dot += p;
                sum += Math.abs(p);
            }
            double s = scale * dot;
            double error = Math.abs(scale) * sum * (d + 4) * u;
            finite &= !(sum >= largest) || Double.isInfinite(sum);
            if (softcap > 0) {
                s = softcap * Math.tanh(s / softcap);
                error += 4 * u * softcap;
            }
            if (add != null) {
                double b = add[add.length == 1 ? 0 : j];
                s += b;
                error += Double.isInfinite(b) ? 0 : 2 * u * Math.abs(b);
            }
            scores[j] = s;
            // Math.max keeps a NaN
            rowMax = Math.max(rowMax, s);
            scoreError = s == Double.NEGATIVE_INFINITY ? scoreError : Math.max(scoreError, error + 4 * u * Math.abs(s));
        }
        rowSum = 0;
        for (int j = 0; j < scores.length; j++) {
            scores[j] = !allowed[j] || rowMax == Double.NEGATIVE_INFINITY ? 0 : Math.exp(scores[j] - rowMax);
            rowSum += scores[j];
        }
        return finite;
    }

    private void output(double[] actual, Check check) {
        double factor = Math.expm1(2 * scoreError) + (2 * scores.length + 16) * u;
        double[] out = new double[actual.length];
        double[] magnitude = new double[actual.length];
        for (int j = 0; j < scores.length; j++) {
            if (scores[j] != 0) {
                double w = scores[j] / rowSum;
                for (int c = 0; c < out.length; c++) {
                    double p = w * values[j * out.length + c];
                    out[c] += p;
                    magnitude[c] += Math.abs(p);
                }
            }
        }
        for (int c = 0; c < out.length; c++) {
            check.add(actual[c], out[c], magnitude[c], factor * magnitude[c]);
        }
    }

    private void weights(double[] actual, Check check) {
        double factor = Math.expm1(2 * scoreError) + (scores.length + 16) * u;
        for (int j = 0; j < scores.length; j++) {
            double w = scores[j] == 0 ? 0 : scores[j] / rowSum;
            check.add(actual[j], w, 1, factor * w);
        }
    }

    /** Keys and values of the row's head; query head h uses key head h / (Hq / Hkv). */
    private void hold(long[] at) {
        long[] head = Arrays.copyOf(at, at.length);
        head[at.length - 1] = 0;
        if (at.length > 1 && k.rank() > 2) {
            long queryHeads = q.rank() > 2 ? q.dim(-3) : 1;
            head[at.length - 2] = at[at.length - 2] / Math.max(1, queryHeads / k.dim(-3));
        }
        if (!Arrays.toString(head).equals(held)) {
            held = Arrays.toString(head);
            keys = values(k, head, 2);
            values = values(v, head, 2);
        }
    }

    private static long[] coordinates(Shape shape, long index) {
        long[] at = new long[shape.rank()];
        for (int axis = at.length - 1; axis >= 0; axis--) {
            at[axis] = index % shape.at(axis);
            index /= shape.at(axis);
        }
        return at;
    }

    /**
     * The elements of the last {@code keep} axes at a row's position (..., head, query), aligned from the end; axes of
     * size 1 broadcast. With {@code keep} 2 the query's place in {@code at} stands for no axis.
     */
    private static double[] values(Tensor t, long[] at, int keep) {
        Tensor part = t;
        int last = keep == 2 ? at.length - 2 : at.length - 1;
        for (int axis = t.rank() - 1 - keep; axis >= 0; axis--) {
            int c = last - (t.rank() - 1 - keep - axis);
            part = part.select(axis, t.dim(axis) == 1 ? 0 : at[c]);
        }
        return part.toDoubleArray();
    }
}
