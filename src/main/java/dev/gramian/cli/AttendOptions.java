package dev.gramian.cli;

import dev.gramian.Join;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.Causal;
import dev.gramian.core.Bytes;
import dev.gramian.core.DType;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of {@code attend} that say what is computed, and what they make of the operands. */
final class AttendOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--heads", paramLabel = "N",
            description = "Operands have N query heads in the last axis: Q (B, Lq, N*d), K (B, Lk, Nkv*d), V (B, Lk, Nkv*dv);"
                    + " with --varlen without B.")
    private Long heads;

    @Option(names = "--kv-heads", paramLabel = "NKV", description = "Key heads in the last axis. Default: --heads.")
    private Long keyHeads;

    @Option(names = "--past-k", paramLabel = "PK",
            description = "Keys of earlier positions, (B, Hkv, P, d), put before K.")
    private String pastKeys;

    @Option(names = "--past-v", paramLabel = "PV",
            description = "Values of earlier positions, (B, Hkv, P, dv), put before V.")
    private String pastValues;

    @Option(names = "--varlen", paramLabel = "CU",
            description = "Sequences lie one after another, Q (sum of Lq, Hq, d), K, V (sum of Lk, Hkv, d): where each begins,"
                    + " and the end; numbers like 0,3,10, or a file. All else is as of the batch padded to the longest, B"
                    + " their number.")
    private String queryOffsets;

    @Option(names = "--varlen-k", paramLabel = "CUK",
            description = "Where each sequence of K and V begins, and the end. Default: as --varlen.")
    private String keyOffsets;

    @Option(names = "--mask", paramLabel = "M",
            description = "BOOL, true = may attend; broadcasts to (..., Hq, Lq, Lk).")
    private String mask;

    @Option(names = "--bias", paramLabel = "B",
            description = "Added to the scaled scores; broadcasts to (..., Hq, Lq, Lk).")
    private String bias;

    @Option(
            names = "--causal",
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "ALIGN",
            preprocessor = AfterEqualsSign.class,
            description = "Query i sees keys up to its own. Past keys and valid lengths say which that is; else, with other"
                    + " than Lq keys, name the alignment: top-left (keys 0 to i) or bottom-right (the last query sees all"
                    + " keys).")
    private String causal;

    @Option(names = "--causal-offset", paramLabel = "N",
            description = "Causal: query i sees keys up to i + N, which may be negative.")
    private Long causalOffset;

    @Option(names = "--align", paramLabel = "ALIGN",
            description = "Where queries stand for --window and --alibi: top-left, bottom-right, or N for query i at key i + N.")
    private String align;

    @Option(names = "--window", paramLabel = "L,R",
            description = "A query sees L keys before and R after its own; -1 for all on that side.")
    private String window;

    @Option(names = "--kv-lengths", paramLabel = "N",
            description = "Valid keys of each sequence, the rest is padding: numbers like 5,7, or a file.")
    private String lengths;

    @Option(names = "--scale", paramLabel = "X", description = "Factor of the scores. Default: 1/sqrt(d).")
    private Double scale;

    @Option(names = "--softcap", paramLabel = "X", description = "Scores become X tanh(score / X).")
    private double softcap;

    @Option(
            names = "--alibi",
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "SLOPES",
            preprocessor = AfterEqualsSign.class,
            description = "Minus slope times distance is added to the scores; slopes (..., Hq), by default those of the"
                    + " paper.")
    private String alibi;

    @Option(names = "--sinks", paramLabel = "S",
            description = "One more score per head, (..., Hq), that takes its share of the weights and has no value.")
    private String sinks;

    @Option(names = "--dropout", paramLabel = "P", description = "Each weight is lost with probability P.")
    private Double dropout;

    @Option(names = "--seed", paramLabel = "N", description = "Says which weights --dropout loses. Default: 0.")
    private Long seed;

    @Option(names = "--workspace", paramLabel = "BYTES",
            description = "Memory that scores and weights may take at a time, like 64M. Default: what suits the device.")
    private String workspace;

    /** Keys or values with past ones, null for none, before new ones, as the call takes them. */
    record Joined(Tensor past, Tensor own, Tensor all) {}

    /**
     * A call in all its parts.
     *
     * @param queryOffsets where packed sequences begin; null for a batch
     */
    record Call(
            Tensor q, Joined keys, Joined values, long heads, long keyHeads, Attention attention,
            AttentionReference.Rules rules, long[] queryOffsets, long[] keyOffsets) {

        Tensor k() {
            return keys.all;
        }

        Tensor v() {
            return values.all;
        }

        boolean isPacked() {
            return queryOffsets != null;
        }

        Attention.Result apply() {
            return isPacked() ? attention.packed(q, k(), v(), queryOffsets, keyOffsets) : attention.apply(q, k(), v());
        }

        Tensor scores(Attention.Stage stage) {
            return isPacked()
                    ? attention.packedScores(stage, q, k(), queryOffsets, keyOffsets)
                    : attention.scores(stage, q, k());
        }

        String explain() {
            return isPacked()
                    ? attention.explainPacked(q, k(), v(), queryOffsets, keyOffsets)
                    : attention.explain(q, k(), v());
        }

        /** Of weights or scores (B, H, longest Lq, longest Lk) of packed sequences, null for none, those of one. */
        Tensor own(Tensor scores, int sequence) {
            return scores == null
                    ? null
                    : scores.select(0, sequence)
                            .slice(1, 0, queryOffsets[sequence + 1] - queryOffsets[sequence])
                            .slice(2, 0, keyOffsets[sequence + 1] - keyOffsets[sequence]);
        }

        /** A tensor of queries with an axis for its heads. */
        Tensor ofQueries(String name, Tensor t) {
            return apart(name, t, heads, isPacked());
        }

        /** A tensor of keys or values with an axis for its heads. */
        Tensor ofKeys(String name, Tensor t) {
            return apart(name, t, keyHeads, isPacked());
        }

        /** Whether past and new keys and values lie one after another. */
        List<Check> presents() {
            List<Check> checks = new ArrayList<>();
            if (keys.past != null) {
                checks.add(present("present keys", keys));
                checks.add(present("present values", values));
            }
            return checks;
        }

        private Check present(String what, Joined x) {
            Check check = new Check(what, x.all.dtype(), "all");
            Tensor all = ofKeys("k", x.all);
            Tensor own = ofKeys("k", x.own);
            long past = x.past.dim(-2);
            same(x.past, all.slice(-2, 0, past), check);
            same(own, all.slice(-2, past, past + own.dim(-2)), check);
            return check;
        }

        private static void same(Tensor expected, Tensor actual, Check check) {
            double[] e = expected.toDoubleArray();
            double[] a = actual.toDoubleArray();
            for (int i = 0; i < e.length; i++) {
                check.add(a[i], e[i], 0, 0);
            }
        }
    }

    /** Refuses what cannot be meant; {@code present} is the option by which keys or values are to be written, or null. */
    void check(String present) {
        together("--kv-heads", keyHeads, "--heads", heads);
        together("--past-k", pastKeys, "--past-v", pastValues);
        together("--past-v", pastValues, "--past-k", pastKeys);
        together("--varlen-k", keyOffsets, "--varlen", queryOffsets);
        together("--seed", seed, "--dropout", dropout);
        if (pastKeys != null && lengths != null) {
            throw usage("--kv-lengths and --past-k do not go together: padding before the new keys cannot be told");
        }
        if (queryOffsets != null) {
            String other = pastKeys != null ? "--past-k" : present;
            if (other != null) {
                throw usage(
                        "--varlen and " + other + " do not go together: put each sequence's past keys before its own,"
                                + " --varlen-k counts both");
            }
        }
        alignment();
        sides();
        workspace();
    }

    private void together(String option, Object given, String needed, Object alsoGiven) {
        if (given != null && alsoGiven == null) {
            throw usage(option + " needs " + needed);
        }
    }

    /** What the options make of the operands, once they are {@link #check checked}. */
    Call of(Session s, Tensor q, Tensor k, Tensor v, boolean weights) {
        long queryHeads = heads == null ? 0 : heads;
        long ownHeads = keyHeads == null ? queryHeads : keyHeads;
        AttentionReference.Rules rules = new AttentionReference.Rules();
        Attention a = Attention.scaled().weights(weights);
        if (heads != null) {
            a = a.heads(queryHeads, ownHeads);
        }
        Joined allKeys = past(s.readIfGiven(pastKeys), "k", k, ownHeads);
        Joined allValues = past(s.readIfGiven(pastValues), "v", v, ownHeads);
        long[] qs = queryOffsets == null ? null : Numbers.whole(s, "--varlen", queryOffsets);
        long[] ks = keyOffsets == null ? qs : Numbers.whole(s, "--varlen-k", keyOffsets);
        a = scores(s, a, q, queryHeads, rules);
        a = places(s, a, q, allKeys.all, length(allKeys.all) - length(k), qs, ks, rules);
        if (workspace != null) {
            a = a.workspace(workspace());
        }
        return new Call(q, allKeys, allValues, queryHeads, ownHeads, a, rules, qs, ks);
    }

    // ---- scores -----------------------------------------------------------------------------------------------------

    private Attention scores(
            Session s, Attention plain, Tensor q, long queryHeads, AttentionReference.Rules rules) {
        rules.mask = s.readIfGiven(mask);
        rules.bias = s.readIfGiven(bias);
        rules.sinks = s.readIfGiven(sinks);
        rules.slopes = slopes(s, q, queryHeads);
        rules.scale = scale;
        rules.softcap = softcap;
        rules.dropout = dropout == null ? 0 : dropout;
        Attention a = plain.mask(rules.mask).bias(rules.bias).softcap(softcap).sinks(rules.sinks).alibi(rules.slopes);
        a = scale == null ? a : a.scale(scale);
        return dropout == null ? a : a.dropout(dropout, seed());
    }

    long seed() {
        return seed == null ? 0 : seed;
    }

    private Tensor slopes(Session s, Tensor q, long queryHeads) {
        if (alibi == null || !alibi.isEmpty()) {
            return s.readIfGiven(alibi);
        }
        int axis = queryOffsets == null ? q.rank() - 3 : 1;
        long own = axis >= 0 && axis < q.rank() ? q.dim(axis) : 1;
        long n = queryHeads > 0 ? queryHeads : own;
        DType type = q.dtype().isFloat() ? q.dtype().compute() : DType.F32;
        return s.scope().tensor(Attention.alibiSlopes(Math.toIntExact(n))).to(type);
    }

    private long workspace() {
        try {
            return workspace == null ? 0 : Bytes.parse(workspace);
        } catch (NumberFormatException e) {
            throw usage("Invalid value for option '--workspace': expected bytes like 4096 or 64M but was '" + workspace
                    + "'");
        }
    }

    // ---- places -----------------------------------------------------------------------------------------------------

    private Attention places(
            Session s, Attention plain, Tensor q, Tensor k, long past, long[] qs, long[] ks,
            AttentionReference.Rules rules) {
        Attention a = plain;
        if (lengths != null) {
            rules.lengths = Numbers.whole(s, "--kv-lengths", lengths);
            a = a.lengths(rules.lengths);
        }
        long[] sides = sides();
        rules.left = sides[0];
        rules.right = sides[1];
        a = a.window(rules.left, rules.right);
        rules.causal = causal != null || causalOffset != null;
        a = rules.causal ? a.causal() : a;
        Object alignment = alignment();
        boolean matters = rules.causal || rules.left >= 0 || rules.right >= 0 || rules.slopes != null;
        long queries = length(q);
        long keys = length(k);
        if (alignment instanceof Long n) {
            rules.offsets = new long[] {n};
            return a.align(n);
        }
        if (alignment == Causal.TOP_LEFT) {
            return a.align(Causal.TOP_LEFT);
        }
        if (pastKeys != null && alignment == null) {
            rules.offsets = new long[] {past};
            return a.align(past);
        }
        if (qs != null) {
            // each sequence is aligned by itself
            boolean open = alignment == null && matters && rules.lengths == null;
            for (int b = 0; open && b < Math.min(qs.length, ks.length) - 1; b++) {
                ambiguous(qs[b + 1] - qs[b], ks[b + 1] - ks[b], "packed sequence " + b, q, k);
            }
            rules.offsets = ends(qs, ks, rules.lengths);
            return a.align(Causal.BOTTOM_RIGHT);
        }
        if (rules.lengths != null) {
            rules.offsets = Arrays.stream(rules.lengths).map(n -> n - queries).toArray();
            return a;
        }
        if (alignment == null && matters) {
            ambiguous(queries, keys, null, q, k);
        }
        rules.offsets = new long[] {keys - queries};
        return a.align(Causal.BOTTOM_RIGHT);
    }

    /** Offsets by which last queries stand at last valid keys; {@code lengths} null where all are valid. */
    private static long[] ends(long[] qs, long[] ks, long[] lengths) {
        int n = Math.min(qs.length, lengths == null ? ks.length : lengths.length + 1) - 1;
        long[] offsets = new long[Math.max(1, n)];
        for (int b = 0; b < n; b++) {
            offsets[b] = (lengths == null ? ks[b + 1] - ks[b] : lengths[b]) - (qs[b + 1] - qs[b]);
        }
        return offsets;
    }

    private void ambiguous(long queries, long keys, String where, Tensor q, Tensor k) {
        if (queries == keys) {
            return;
        }
        boolean isCausal = causal != null;
        throw new ShapeException("attend: " + (isCausal ? "causal" : window != null ? "a window" : "distances matter")
                + ", but " + queries + " queries and " + keys + " keys"
                + (where == null ? "" : " of " + where) + " can be aligned two ways; q " + q.shape() + ", k "
                + k.shape()
                + "; use " + (isCausal
                        ? "--causal=top-left, --causal=bottom-right or --causal-offset N"
                        : "--align top-left, --align bottom-right or --align N"));
    }

    /** Neighbours seen to the left and right, -1 for all. */
    private long[] sides() {
        if (window == null) {
            return new long[] {-1, -1};
        }
        String[] parts = window.split(",", -1);
        try {
            if (parts.length == 2) {
                return new long[] {Long.parseLong(parts[0].strip()), Long.parseLong(parts[1].strip())};
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw usage(
                "Invalid value for option '--window': expected two numbers like 3,0 or -1,5 but was '" + window + "'");
    }

    /** A {@link Causal}, a Long, or null where none is named. */
    private Object alignment() {
        boolean named = causal != null && !causal.isEmpty();
        if ((named ? 1 : 0) + (causalOffset != null ? 1 : 0) + (align != null ? 1 : 0) > 1) {
            throw usage("--causal=ALIGN, --causal-offset and --align say the same: leave one");
        }
        if (causalOffset != null) {
            return causalOffset;
        }
        String text = named ? causal : align;
        return switch (text) {
            case null -> null;
            case "top-left" -> Causal.TOP_LEFT;
            case "bottom-right" -> Causal.BOTTOM_RIGHT;
            default -> {
                if (!named && text.matches("-?\\d{1,18}")) {
                    yield Long.valueOf(text);
                }
                throw usage("Invalid value for option '" + (named ? "--causal" : "--align")
                        + "': expected top-left" + (named ? " or bottom-right" : ", bottom-right or a number")
                        + " but was '" + text + "'");
            }
        };
    }

    // ---- operands ---------------------------------------------------------------------------------------------------

    private static long length(Tensor t) {
        return t.rank() > 1 ? t.dim(-2) : 1;
    }

    /** {@code x} with what came before it, heads where x has them. */
    private static Joined past(Tensor past, String name, Tensor x, long heads) {
        if (past == null) {
            return new Joined(null, x, x);
        }
        Tensor own = apart(name, x, heads, false);
        int rank = own.rank();
        boolean fits = rank > 1 && past.rank() == rank
                && past.shape().with(rank - 2, 0).equals(own.shape().with(rank - 2, 0));
        if (!fits || past.dtype() != own.dtype()) {
            throw new ShapeException(
                    "attend: --past-" + name + " does not fit; past " + Text.of(past) + ", " + name + " "
                            + Text.of(own) + (heads > 0 ? " with its heads apart" : "")
                            + "; give (batch, head, past key, channel) of the same type, batch, heads and channels");
        }
        Tensor all = Join.concat(-2, past, own);
        return new Joined(past, x, heads == 0 ? all : all.transpose(1, 2).reshape(x.dim(0), all.dim(-2), x.dim(2)));
    }

    /** (B, L, heads * d) as (B, heads, L, d), packed (L, heads * d) as (L, heads, d); {@code t} itself for 0 heads. */
    private static Tensor apart(String name, Tensor t, long heads, boolean packed) {
        if (heads == 0) {
            return t;
        }
        if (packed) {
            return t.reshape(t.dim(0), heads, t.dim(1) / heads);
        }
        if (t.rank() != 3 || t.dim(-1) % heads != 0) {
            throw new ShapeException("attend: " + name + " does not divide into " + heads + " heads (axis -1); " + name
                    + " " + t.shape() + "; with --heads operands are (batch, query or key, heads * channels)");
        }
        return t.reshape(t.dim(0), t.dim(1), heads, t.dim(2) / heads).transpose(1, 2);
    }

    private ParameterException usage(String text) {
        return new ParameterException(spec.commandLine(), text);
    }
}
