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

    private static final long FAR = 1L << 52;

    /** What is computed: with nothing set, every query sees every key. */
    static final class Rules {
        /** Null for 1 / sqrt(d). */
        Double scale;
        double softcap;
        boolean causal;
        /** Neighbours seen on each side of a query's place; -1 for all. */
        long left = -1;
        long right = -1;
        /** Query i of sequence b stands at key i + offsets[b]; one for all, or one each. */
        long[] offsets = {0};
        /** Valid keys of each sequence; null for all. */
        long[] lengths;
        Tensor mask;
        Tensor bias;
        Tensor slopes;
        Tensor sinks;
        /** Weights are lost where {@code uniform}, of the scores' shape, is below {@code dropout}. */
        double dropout;
        Tensor uniform;

        /** The same for one packed sequence. */
        Rules of(int sequence) {
            Rules r = new Rules();
            r.scale = scale;
            r.softcap = softcap;
            r.causal = causal;
            r.left = left;
            r.right = right;
            r.offsets = new long[] {offset(sequence)};
            r.lengths = lengths == null ? null : new long[] {lengths[sequence]};
            r.slopes = of(slopes, 2, sequence);
            r.sinks = of(sinks, 2, sequence);
            r.mask = of(mask, 4, sequence);
            r.bias = of(bias, 4, sequence);
            r.dropout = dropout;
            r.uniform = of(uniform, 4, sequence);
            return r;
        }

        /** One sequence's part of a tensor that has an axis for them where it has {@code rank} axes. */
        private static Tensor of(Tensor t, int rank, int sequence) {
            return t == null || t.rank() < rank ? t : t.select(0, t.dim(0) == 1 ? 0 : sequence);
        }

        long offset(int sequence) {
            // beyond any key, and short of where sums overflow
            return Math.clamp(offsets.length == 1 ? offsets[0] : offsets[sequence], -FAR, FAR);
        }
    }

    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final Rules rules;
    private final double scale;
    private final double u;
    private final double largest;
    /** The axes before the heads. */
    private final Shape batch;

    private double[] keys;
    private double[] values;
    private String held = "";

    // of the row looked at
    private final double[] raw;
    private final double[] capped;
    private final double[] masked;
    private final double[] errors;
    /** Sums of the absolute values of a dot product's terms. */
    private final double[] magnitudes;
    /** Weights before they are divided by their sum. */
    private final double[] weights;
    private double rowMax;
    private double rowSum;
    private double scoreError;

    /** Operands (..., heads, length, channels). */
    AttentionReference(Tensor q, Tensor k, Tensor v, Rules rules) {
        this.q = q;
        this.k = k;
        this.v = v;
        this.rules = rules;
        scale = rules.scale != null ? rules.scale : q.dim(-1) == 0 ? 0 : 1 / Math.sqrt(q.dim(-1));
        u = Check.roundoff(q.dtype());
        largest = Check.largest(q.dtype().compute());
        Shape leading = Shape.of();
        for (Tensor t : new Tensor[] {q, k, v}) {
            leading = Shape.broadcast("check", leading, t.shape().slice(0, Math.max(0, t.rank() - 3)));
        }
        batch = leading;
        int n = Math.toIntExact(k.dim(-2));
        raw = new double[n];
        capped = new double[n];
        masked = new double[n];
        errors = new double[n];
        magnitudes = new double[n];
        weights = new double[n];
    }

    /** Checks the output, and weights and log-sum-exp where they are wanted. */
    List<Check> check(Attention.Result r, boolean withSums) {
        Shape rows = r.output().shape().without(r.output().rank() - 1);
        Checks checks = new Checks(q.dtype(), coverage(rows.size(), rowsWithin(1)));
        check(r.output(), r.weights(), withSums ? r.logSumExp() : null, null, null, 1, checks);
        return checks.used();
    }

    /** What several calls may add to. */
    static final class Checks {
        final Check output;
        final Check weights;
        final Check sums;
        final Check scores;

        Checks(DType type, String coverage) {
            output = new Check("output", type, coverage);
            weights = new Check("weights", type.compute(), coverage);
            sums = new Check("log-sum-exp", type.compute(), coverage);
            scores = new Check("scores", type.compute(), coverage);
        }

        /** Those that something was added to, and the output's. */
        List<Check> used() {
            List<Check> all = new ArrayList<>(List.of(output));
            for (Check c : List.of(weights, sums, scores)) {
                if (c.isUsed()) {
                    all.add(c);
                }
            }
            return all;
        }
    }

    /** Query rows that can be checked where {@code share} calls share the time of one. */
    long rowsWithin(int share) {
        double cost = (double) raw.length * (q.dim(-1) + v.dim(-1)) + 1;
        return Math.max(1, (long) (BUDGET / share / cost));
    }

    static String coverage(long rows, long within) {
        return rows <= within ? "all" : Text.count(within) + " of " + Text.count(rows) + " rows";
    }

    /**
     * Checks what is not null of output (..., heads, queries, channels), weights and scores (..., heads, queries, keys) and
     * log-sum-exp (..., heads, queries).
     */
    void check(
            Tensor output, Tensor weights, Tensor sums, Tensor scores, Attention.Stage stage, int share,
            Checks checks) {
        Shape rows = output.shape().without(output.rank() - 1);
        long total = rows.size();
        long checked = Math.min(total, rowsWithin(share));
        for (Check c : new Check[] {checks.output, weights == null ? null : checks.weights,
            sums == null ? null : checks.sums, scores == null ? null : checks.scores}) {
            if (c != null) {
                c.use();
            }
        }
        for (long n = 0; n < checked; n++) {
            long row = checked == 1 ? 0 : Math.round((double) n * (total - 1) / (checked - 1));
            long[] at = coordinates(rows, row);
            boolean finite = scores(at);
            if (scores != null && (finite || stage != Attention.Stage.WEIGHTS)) {
                scores(values(scores, at, 1), stage, checks.scores);
            }
            if (!finite) {
                continue; // a score may have overflowed: anything can come of it
            }
            output(values(output, at, 1), at, checks.output);
            if (weights != null) {
                weights(values(weights, at, 1), checks.weights);
            }
            if (sums != null) {
                double lse = rowSum == 0 ? Double.NEGATIVE_INFINITY : rowMax + Math.log(rowSum);
                checks.sums.add(values(sums, at, 0)[0], lse, Math.abs(lse),
                        scoreError + (raw.length + 16) * u * (1 + Math.abs(lse)));
            }
        }
    }

    /** Scores of one row and its unnormalised weights; false if a score may have overflowed. */
    private boolean scores(long[] at) {
        long i = at[at.length - 1];
        int sequence = sequence(at);
        long place = i + rules.offset(sequence);
        long length = rules.lengths == null ? raw.length : rules.lengths[sequence];
        hold(at);
        double[] query = values(q, at, 1);
        double[] may = rules.mask == null ? null : values(rules.mask, at, 1);
        double[] add = rules.bias == null ? null : values(rules.bias, at, 1);
        double slope = rules.slopes == null ? 0 : perHead(rules.slopes, at);
        double sink = rules.sinks == null ? Double.NEGATIVE_INFINITY : perHead(rules.sinks, at);
        int d = query.length;
        rowMax = sink;
        scoreError = 0;
        boolean finite = true;
        for (int j = 0; j < raw.length; j++) {
            double dot = 0;
            double sum = 0;
            for (int c = 0; c < d; c++) {
                double p = query[c] * keys[j * d + c];
                dot += p;
                sum += Math.abs(p);
            }
            double s = scale * dot;
            double error = Math.abs(scale) * sum * (d + 4) * u;
            raw[j] = s;
            magnitudes[j] = sum;
            if (rules.softcap > 0) {
                s = rules.softcap * Math.tanh(s / rules.softcap);
                error += 4 * u * rules.softcap;
            }
            capped[j] = s;
            boolean allowed = j < length
                    && (may == null || element(may, j, 0) != 0)
                    && (!rules.causal || j <= place)
                    && (rules.left < 0 || place - j <= rules.left)
                    && (rules.right < 0 || j - place <= rules.right);
            if (allowed) {
                finite &= !(sum >= largest) || Double.isInfinite(sum);
            }
            if (add != null) {
                double b = element(add, j, Double.NEGATIVE_INFINITY);
                s = b == Double.NEGATIVE_INFINITY ? b : s + b;
                error += Double.isInfinite(b) ? 0 : 2 * u * Math.abs(b);
            }
            if (slope != 0) {
                double distance = slope * Math.abs((double) place - j);
                s -= distance;
                error += 4 * u * Math.abs(distance);
            }
            masked[j] = allowed ? s : Double.NEGATIVE_INFINITY;
            errors[j] = error + 4 * u * Math.abs(s);
            if (allowed) {
                // Math.max keeps a NaN
                rowMax = Math.max(rowMax, s);
                scoreError = s == Double.NEGATIVE_INFINITY ? scoreError : Math.max(scoreError, errors[j]);
            }
        }
        rowSum = rowMax == Double.NEGATIVE_INFINITY ? 0 : Math.exp(sink - rowMax);
        for (int j = 0; j < raw.length; j++) {
            weights[j] = masked[j] == Double.NEGATIVE_INFINITY ? 0 : Math.exp(masked[j] - rowMax);
            rowSum += weights[j];
        }
        return finite;
    }

    /** Of a row of a mask or bias, which may be one value for all or end early. */
    private static double element(double[] row, int j, double beyond) {
        return row.length == 1 ? row[0] : j < row.length ? row[j] : beyond;
    }

    private void scores(double[] actual, Attention.Stage stage, Check check) {
        if (stage == Attention.Stage.WEIGHTS) {
            weights(actual, check);
            return;
        }
        double[] expected = switch (stage) {
            case RAW -> raw;
            case SOFTCAP -> capped;
            case MASKED, WEIGHTS -> masked;
        };
        for (int j = 0; j < raw.length; j++) {
            check.add(actual[j], expected[j], magnitudes[j], errors[j]);
        }
    }

    private void output(double[] actual, long[] at, Check check) {
        double factor = Math.expm1(2 * scoreError) + (2 * raw.length + 16) * u;
        double[] uniform = rules.uniform == null ? null : values(rules.uniform, at, 1);
        double grown = 1 / (1 - rules.dropout);
        double[] out = new double[actual.length];
        double[] magnitude = new double[actual.length];
        for (int j = 0; j < raw.length; j++) {
            // the random numbers are F32, and compared as such
            if (weights[j] == 0 || uniform != null && uniform[j] < (float) rules.dropout) {
                continue;
            }
            double w = weights[j] / rowSum * (uniform == null ? 1 : grown);
            for (int c = 0; c < out.length; c++) {
                double p = w * values[j * out.length + c];
                out[c] += p;
                magnitude[c] += Math.abs(p);
            }
        }
        for (int c = 0; c < out.length; c++) {
            check.add(actual[c], out[c], magnitude[c], factor * magnitude[c]);
        }
    }

    private void weights(double[] actual, Check check) {
        double factor = Math.expm1(2 * scoreError) + (raw.length + 16) * u;
        for (int j = 0; j < raw.length; j++) {
            double w = weights[j] == 0 ? 0 : weights[j] / rowSum;
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

    /** Number of the row's sequence, in row-major order of the axes before the heads. */
    private int sequence(long[] at) {
        long n = 0;
        for (int axis = 0; axis < batch.rank(); axis++) {
            n = n * batch.at(axis) + at[axis];
        }
        return Math.toIntExact(n);
    }

    private static long[] coordinates(Shape shape, long index) {
        long[] at = new long[shape.rank()];
        for (int axis = at.length - 1; axis >= 0; axis--) {
            at[axis] = index % shape.at(axis);
            index /= shape.at(axis);
        }
        return at;
    }

    /** Of (..., heads): the element of a row's head. */
    private static double perHead(Tensor t, long[] at) {
        Tensor part = t;
        for (int axis = t.rank() - 1; axis >= 0; axis--) {
            int c = at.length - 2 - (t.rank() - 1 - axis);
            part = part.select(axis, t.dim(axis) == 1 ? 0 : at[c]);
        }
        return part.toDoubleArray()[0];
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
