package dev.gramian.attention;

import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention.Stage;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Attention of sequences that lie one after another, each by itself: no padding is computed. Runs of neighbours that have
 * equally many queries and equally many keys are batches, read in place.
 */
final class Packed {
    private final Attention options;
    /** (tokens, heads, channels). */
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final long[] queryOffsets;
    private final long[] keyOffsets;
    private final int count;
    private final long longestQueries;
    private final long longestKeys;
    private final String shapes;
    private final List<Run> runs = new ArrayList<>();

    /** Sequences {@code from} up to {@code to}, of so many queries and keys each. */
    private record Run(int from, int to, long queries, long keys) {
        int count() {
            return to - from;
        }

        @Override
        public String toString() {
            return count() == 1 ? "packed sequence " + from : "packed sequences " + from + " to " + (to - 1);
        }
    }

    Packed(Attention a, Tensor q, Tensor k, Tensor v, long[] queryOffsets, long[] keyOffsets) {
        shapes = "q " + q.shape() + ", k " + k.shape() + ", v " + v.shape();
        this.q = operand("q", "query", q, a.queryHeads);
        this.k = operand("k", "key", k, a.keyHeads);
        this.v = operand("v", "key", v, a.keyHeads);
        if (k.dim(0) != v.dim(0)) {
            throw new ShapeException("attend: packed k and v differ in key count (key axis 0); k " + k.shape() + ", v "
                    + v.shape() + "; each key needs one value");
        }
        offsets("query", queryOffsets, "q", q);
        offsets("key", keyOffsets, "k", k);
        if (queryOffsets.length != keyOffsets.length) {
            throw new ShapeException("attend: " + (queryOffsets.length - 1) + " sequences of queries, "
                    + (keyOffsets.length - 1) + " of keys; query offsets " + Arrays.toString(queryOffsets)
                    + ", key offsets " + Arrays.toString(keyOffsets) + "; give as many of each");
        }
        options = a;
        this.queryOffsets = queryOffsets.clone();
        this.keyOffsets = keyOffsets.clone();
        count = queryOffsets.length - 1;
        long mostQueries = 0;
        long mostKeys = 0;
        for (int from = 0; from < count;) {
            long queries = length(queryOffsets, from);
            long keys = length(keyOffsets, from);
            int to = from + 1;
            while (to < count && length(queryOffsets, to) == queries && length(keyOffsets, to) == keys) {
                to++;
            }
            runs.add(new Run(from, to, queries, keys));
            mostQueries = Math.max(mostQueries, queries);
            mostKeys = Math.max(mostKeys, keys);
            from = to;
        }
        longestQueries = mostQueries;
        longestKeys = mostKeys;
        check();
    }

    private static long length(long[] offsets, int sequence) {
        return offsets[sequence + 1] - offsets[sequence];
    }

    // ---- checks ----------------------------------------------------------------------------------------------------

    /** (tokens, heads, channels) of that or of (tokens, heads * channels). */
    private static Tensor operand(String name, String what, Tensor t, long heads) {
        int axes = heads == 0 ? 3 : 2;
        if (t.rank() != axes) {
            throw new ShapeException("attend: packed " + name + " has " + t.rank() + " axes; " + name + " " + t.shape()
                    + "; give (" + what + " of all sequences, "
                    + (heads == 0 ? "head, channel)" : "heads * channels)"));
        }
        if (heads == 0) {
            return t;
        }
        if (t.dim(1) % heads != 0) {
            throw new ShapeException("attend: packed " + name + " does not divide into " + heads + " heads (axis -1); "
                    + name + " " + t.shape() + "; give (" + what + " of all sequences, heads * channels)");
        }
        return t.reshape(t.dim(0), heads, t.dim(1) / heads);
    }

    private static void offsets(String what, long[] offsets, String name, Tensor t) {
        boolean fits = offsets.length >= 2 && offsets[0] == 0 && offsets[offsets.length - 1] == t.dim(0);
        for (int i = 1; i < offsets.length; i++) {
            fits &= offsets[i] >= offsets[i - 1];
        }
        if (!fits) {
            throw new ShapeException("attend: " + what + " offsets do not divide the " + what + " axis 0; offsets "
                    + Arrays.toString(offsets) + ", " + name + " " + t.shape() + "; they rise from 0 to " + t.dim(0)
                    + ", one more than there are sequences");
        }
    }

    /** What the padded batch would refuse, and no part of it could tell. */
    private void check() {
        Shape batch = Shape.of(count);
        try {
            DType compute = q.dtype().isFloat() ? q.dtype().compute() : DType.F32;
            if (options.mask != null) {
                Problem.mask(q, options.mask, scores());
            }
            if (options.bias != null) {
                Problem.bias(q, options.bias, scores(), compute);
            }
            if (options.slopes != null) {
                Problem.perHead("slopes", options.slopes, q, batch.plus(q.dim(1)), compute);
            }
            if (options.sinks != null) {
                Problem.perHead("sinks", options.sinks, q, batch.plus(q.dim(1)), compute);
            }
            Problem.perSequence("lengths", options.lengths, batch, k);
            Problem.perSequence("offsets", options.offsets, batch, k);
        } catch (GramianException e) {
            throw Frame.more(e, "; " + count + " packed sequences of up to " + longestQueries + " queries and "
                    + longestKeys + " keys are the batch");
        }
    }

    // ---- running ---------------------------------------------------------------------------------------------------

    Attention.Result apply() {
        try (Scope s = Scope.inner("attend", q.device())) {
            Tensor[] outputs = new Tensor[runs.size()];
            Tensor[] sums = new Tensor[runs.size()];
            Tensor[] weights = new Tensor[runs.size()];
            for (int i = 0; i < outputs.length; i++) {
                Run run = runs.get(i);
                try (Scope inner = Scope.inner("attend", q.device())) {
                    Attention.Result r = each(run, (o, a) -> a.apply(o[0], o[1], o[2], numbers(run)));
                    outputs[i] = inner.keep(tokens(run, r.output()));
                    sums[i] = inner.keep(flat(run, r.logSumExp()));
                    weights[i] = options.weights ? inner.keep(padded(inner, run, r.weights(), 0)) : null;
                }
            }
            return new Attention.Result(s.keep(joined(0, outputs)), options.weights ? s.keep(joined(0, weights)) : null,
                    s.keep(joined(1, sums)));
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    Tensor scores(Stage stage) {
        double rest = stage == Stage.MASKED ? Double.NEGATIVE_INFINITY : 0;
        try (Scope s = Scope.inner("attend", q.device())) {
            Tensor[] parts = new Tensor[runs.size()];
            for (int i = 0; i < parts.length; i++) {
                Run run = runs.get(i);
                try (Scope inner = Scope.inner("attend", q.device())) {
                    parts[i] = inner.keep(
                            padded(inner, run, each(run, (o, a) -> a.scores(stage, o[0], o[1])), rest));
                }
            }
            return s.keep(joined(0, parts));
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    /** Of a run's operands and options. */
    private <T> T each(Run run, BiFunction<Tensor[], Attention, T> call) {
        try {
            return call.apply(operands(run), options(run));
        } catch (GramianException e) {
            throw Frame.more(e, "; in " + run + " as (sequence, head, query or key, channel)");
        }
    }

    private Tensor[] operands(Run run) {
        return new Tensor[] {
            part(q, queryOffsets, run, run.queries), part(k, keyOffsets, run, run.keys),
            part(v, keyOffsets, run, run.keys)};
    }

    /** (sequence, heads, length, channels). */
    private static Tensor part(Tensor t, long[] offsets, Run run, long length) {
        return t.slice(0, offsets[run.from], offsets[run.to])
                .reshape(run.count(), length, t.dim(1), t.dim(2)).transpose(1, 2);
    }

    private Attention options(Run run) {
        return options.with(a -> {
            a.mask = part(options.mask, run);
            a.bias = part(options.bias, run);
            a.slopes = rows(options.slopes, -2, run);
            a.sinks = rows(options.sinks, -2, run);
            a.lengths = part(options.lengths, run);
            a.offsets = part(options.offsets, run);
            a.queryHeads = 0;
            a.keyHeads = 0;
        });
    }

    private static long[] part(long[] values, Run run) {
        return values == null ? null : Arrays.copyOfRange(values, run.from, run.to);
    }

    /** What a mask or bias of the padded batch says of a run; axes of size 1 are for all. */
    private static Tensor part(Tensor t, Run run) {
        Tensor x = rows(t, -4, run);
        if (x == null || x.rank() == 0) {
            return x;
        }
        if (x.rank() > 1 && x.dim(-2) > 1) {
            x = x.slice(-2, 0, run.queries);
        }
        return x.dim(-1) > 1 ? x.slice(-1, 0, run.keys) : x;
    }

    /** The sequences of an axis, unless one is for all. */
    private static Tensor rows(Tensor t, int axis, Run run) {
        return t == null || t.rank() < -axis || t.dim(axis) == 1 ? t : t.slice(axis, run.from, run.to);
    }

    /** Which of the padded batch's random numbers a run's are; null where none are drawn. */
    private Layout numbers(Run run) {
        return options.dropout == 0
                ? null
                : Layout.contiguous(scores()).slice(0, run.from, run.to, 1).slice(2, 0, run.queries, 1)
                        .slice(3, 0, run.keys, 1);
    }

    private Shape scores() {
        return Shape.of(count, q.dim(1), longestQueries, longestKeys);
    }

    // ---- results ---------------------------------------------------------------------------------------------------

    /** (sequence, heads, queries, channels) as (tokens, heads, channels) or with heads beside each other. */
    private Tensor tokens(Run run, Tensor output) {
        return output.transpose(1, 2).reshape(tokens(run, output.shape()).toArray());
    }

    private Shape tokens(Run run, Shape output) {
        long tokens = run.count() * run.queries;
        return options.queryHeads == 0
                ? Shape.of(tokens, output.at(1), output.at(3))
                : Shape.of(tokens, output.at(1) * output.at(3));
    }

    /** (sequence, heads, queries) as (heads, tokens). */
    private static Tensor flat(Run run, Tensor sums) {
        return sums.transpose(0, 1).reshape(flat(run, sums.shape()).toArray());
    }

    private static Shape flat(Run run, Shape sums) {
        return Shape.of(sums.at(1), run.count() * run.queries);
    }

    /** (sequence, heads, queries, keys) up to the longest sequence's. */
    private Tensor padded(Scope s, Run run, Tensor scores, double rest) {
        Tensor fill = s.scalar(scores.dtype(), rest);
        Shape wide = scores.shape().with(3, longestKeys - run.keys);
        Tensor rows = run.keys == longestKeys ? scores : Join.concat(3, scores, fill.expand(wide.toArray()));
        Shape below = rows.shape().with(2, longestQueries - run.queries);
        return run.queries == longestQueries ? rows : Join.concat(2, rows, fill.expand(below.toArray()));
    }

    private static Tensor joined(int axis, Tensor[] parts) {
        return parts.length == 1 ? parts[0] : Join.concat(axis, parts);
    }

    // ---- memory ----------------------------------------------------------------------------------------------------

    long peakBytes() {
        return peak().most();
    }

    private Pipeline.Peak peak() {
        long held = 0;
        long most = 0;
        long width = q.dtype().compute().bytes();
        for (Run run : runs) {
            Plan plan = plan(run);
            Shape output = Shape.of(run.count(), q.dim(1), run.queries, v.dim(2));
            Shape sums = output.without(3);
            long own = plan.results();
            // results in the order of tokens, where that takes a copy, and weights as large as the longest sequence's
            long copies = copied(output, 1, 2, tokens(run, output)) * output.size() * q.dtype().bytes()
                    + copied(sums, 0, 1, flat(run, sums)) * sums.size() * width;
            if (options.weights) {
                long wide = sums.size() * longestKeys * width;
                long all = run.count() * q.dim(1) * longestQueries * longestKeys * width;
                copies += width + (run.keys == longestKeys ? 0 : wide) + (run.queries == longestQueries ? 0 : all);
                own += all - sums.size() * run.keys * width;
            }
            most = Math.max(most, held + Math.max(plan.bytes(), plan.results() + copies));
            held += own;
        }
        return new Pipeline.Peak(held, runs.size() == 1 ? most : Math.max(most, 2 * held));
    }

    /** 1 where a contiguous tensor with two axes exchanged takes a copy to have that shape, else 0. */
    private static long copied(Shape from, int a, int b, Shape to) {
        return Layout.contiguous(from).transpose(a, b).reshape(to) == null ? 1 : 0;
    }

    private Plan plan(Run run) {
        return each(run, (o, a) -> {
            try (Scope s = Scope.inner("attend", q.device())) {
                return a.plan(s, o[0], o[1], o[2]);
            }
        });
    }

    private String explain(Run run) {
        return each(run, (o, a) -> a.explain(o[0], o[1], o[2])).replace("\n", "\n  ");
    }

    String explain() {
        Run largest = runs.getFirst();
        long computed = 0;
        for (Run run : runs) {
            computed += scores(run);
            largest = scores(run) > scores(largest) ? run : largest;
        }
        long padded = count * q.dim(1) * longestQueries * longestKeys;
        Pipeline.Peak peak = peak();
        return String.join("\n  ",
                "attend on " + q.device().name() + ": packed " + q.dtype() + " " + shapes,
                "options  " + options.toString().substring("attention: ".length()),
                "packed   " + Plan.count(count) + " sequences of up to " + Plan.count(longestQueries) + " queries and "
                        + Plan.count(longestKeys) + " keys, in "
                        + (runs.size() == 1 ? "1 call" : Plan.count(runs.size()) + " calls")
                        + ": neighbours of equal lengths go together",
                "scores   " + Plan.count(computed) + ", of " + Plan.count(padded) + " in a padded batch",
                "memory   " + Plan.bytes(peak.most() - peak.results())
                        + " at most beyond operands and results; results "
                        + Plan.bytes(peak.results()),
                largest + ", the largest call: " + explain(largest));
    }

    private long scores(Run run) {
        return run.count() * q.dim(1) * run.queries * run.keys;
    }
}
