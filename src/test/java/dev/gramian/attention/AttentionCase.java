package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Reference.Rules;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;

/** One drawn call of attention in plain Java values: every device computes the same, and the answer is known once. */
final class AttentionCase {
    private static final DType[] TYPES = {DType.F32, DType.F64, DType.F16, DType.BF16};

    /** How operands lie and what is called. */
    enum Form {
        /** q (B, H, L, d), or views of it. */
        HEADS,
        /** q (B, L, H * d). */
        LAST_AXIS,
        /** Sequences of different length one after another. */
        PACKED,
        /** Parts of the keys, merged by log-sum-exp. */
        MERGED
    }

    /** What comes out; weights null where not asked for. */
    record Outcome(double[] output, double[] logSumExp, double[] weights) {}

    /** What must come out, how near, and which of (B, Hkv, Lk) no query sees; {@code steps} are scores after masks. */
    record Answer(
            Outcome exact, double[] steps, double output, double logSumExp, double weights, double scores,
            boolean[] unseen) {}

    private final Random r;
    private final int number;
    final Form form;
    private final DType type;
    private final int b;
    private final int hk;
    private final int hq;
    private final int lq;
    private final int lk;
    private final int d;
    private final int dv;
    private final double[] q;
    private final double[] k;
    private final double[] v;
    /** Keys and values lie as (B, L, H, d). */
    private final boolean lengthFirst;
    private final Double scale;
    private final double softcap;
    private final long[] lengths;
    private final boolean causal;
    private final long left;
    private final long right;
    private final Align align;
    private final long offset;
    private final long[] offsets;
    private final long[] slopesShape;
    private final double[] slopes;
    private final long[] sinksShape;
    private final double[] sinks;
    private final long[] maskShape;
    private final double[] mask;
    private final long[] biasShape;
    private final double[] bias;
    private final Long workspace;
    final boolean weights;
    private final double dropout;
    private final long seed;
    /** Of packed sequences; of merged parts the keys' alone. */
    private final long[] queryOffsets;
    private final long[] keyOffsets;
    private final int longestQueries;
    private final int longestKeys;

    private enum Align {
        NONE,
        TOP_LEFT,
        BOTTOM_RIGHT,
        NUMBER,
        EACH
    }

    AttentionCase(long root, int number) {
        this.number = number;
        r = new Random(root + 1_000_003L * number);
        // the first numbers of neighbouring seeds are alike
        r.nextLong();
        form = r.nextInt(2) == 0 ? Form.HEADS : Form.values()[r.nextInt(4)];
        type = TYPES[number % TYPES.length];
        b = 1 + r.nextInt(3);
        hk = 1 + r.nextInt(2);
        hq = hk * (1 + r.nextInt(3));
        d = r.nextInt(20) == 0 ? 0 : 1 + r.nextInt(9);
        dv = 1 + r.nextInt(6);
        boolean packed = form == Form.PACKED;
        int rows = 1 + r.nextInt(9);
        int columns = 1 + r.nextInt(14);
        boolean[] again = new boolean[b];
        for (int i = 1; i < b; i++) {
            again[i] = some(2);
        }
        queryOffsets = packed ? parts(rows, again) : null;
        keyOffsets = packed ? parts(columns, again) : form == Form.MERGED ? cuts(columns) : null;
        lq = packed ? (int) queryOffsets[b] : rows;
        lk = packed ? (int) keyOffsets[b] : columns;
        longestQueries = packed ? longest(queryOffsets) : lq;
        longestKeys = packed ? longest(keyOffsets) : lk;
        int batch = packed ? 1 : b;
        q = normal(batch * hq * lq * d);
        k = normal(batch * hk * lk * d);
        v = normal(batch * hk * lk * dv);
        lengthFirst = r.nextBoolean();
        scale = some(3) ? Double.valueOf(r.nextInt(6) == 0 ? 0 : r.nextDouble()) : null;
        softcap = some(3) ? 0.5 + r.nextDouble() : 0;
        lengths = !some(2)
                ? null
                : IntStream.range(0, b).mapToLong(i -> r.nextInt((packed ? length(keyOffsets, i) : lk) + 1)).toArray();
        causal = r.nextBoolean();
        left = some(3) ? r.nextInt(8) : -1;
        right = some(3) ? r.nextInt(8) : -1;
        slopesShape = !some(3) ? null : r.nextBoolean() ? new long[] {hq} : new long[] {b, hq};
        slopes = slopesShape == null ? null : uniform(slopesShape, 0.5);
        Align[] ways = Align.values();
        Align way = ways[r.nextInt(5)];
        // no alignment says where queries stand only where there is nothing to choose
        align = way == Align.NONE && lengths == null && (packed || lq != lk) ? Align.BOTTOM_RIGHT : way;
        offset = align == Align.NUMBER ? r.nextInt(20) - 8 : 0;
        offsets = align == Align.EACH ? r.longs(b, -8, 12).toArray() : null;
        sinksShape = !some(3) ? null : r.nextBoolean() ? new long[] {hq} : new long[] {b, hq};
        sinks = sinksShape == null ? null : normal(size(sinksShape));
        Shape full = Shape.of(b, hq, longestQueries, longestKeys);
        maskShape = some(3) ? shorter(full) : null;
        mask = maskShape == null ? null : Arrays.stream(normal(size(maskShape))).map(x -> x > -0.7 ? 1 : 0).toArray();
        biasShape = some(3) ? shorter(full) : null;
        bias = biasShape == null ? null : normal(size(biasShape));
        workspace = r.nextBoolean() ? Long.valueOf(1L << r.nextInt(14)) : null;
        weights = form != Form.MERGED && some(3);
        dropout = form != Form.MERGED && some(4) ? r.nextDouble() : 0;
        seed = r.nextLong();
    }

    private boolean some(int one) {
        return r.nextInt(one) == 0;
    }

    private double[] normal(int n) {
        return r.doubles(n).map(u -> r.nextGaussian()).map(x -> Reference.rounded(x, type)).toArray();
    }

    private double[] uniform(long[] shape, double to) {
        return r.doubles(size(shape), 0, to).map(x -> Reference.rounded(x, type.compute())).toArray();
    }

    private static int size(long[] shape) {
        return (int) Shape.of(shape).size();
    }

    /** Ends of sequences, some empty, of up to {@code most} each, some as long as the one before. */
    private long[] parts(int most, boolean[] again) {
        long[] ends = new long[b + 1];
        for (int i = 0; i < b; i++) {
            ends[i + 1] = ends[i] + (again[i] ? length(ends, i - 1) : r.nextInt(most + 1));
        }
        return ends;
    }

    private static int length(long[] ends, int i) {
        return (int) (ends[i + 1] - ends[i]);
    }

    private static int longest(long[] ends) {
        return IntStream.range(0, ends.length - 1).map(i -> length(ends, i)).max().orElse(0);
    }

    private long[] cuts(int n) {
        long[] cuts = r.longs(r.nextInt(3), 0, n + 1).sorted().toArray();
        long[] all = new long[cuts.length + 2];
        System.arraycopy(cuts, 0, all, 1, cuts.length);
        all[all.length - 1] = n;
        return all;
    }

    /** A shape that broadcasts to the scores; its last axis may end early. */
    private long[] shorter(Shape to) {
        long[] s = to.slice(r.nextInt(to.rank()), to.rank()).toArray();
        for (int i = 0; i < s.length; i++) {
            s[i] = some(3) ? 1 : s[i];
        }
        int last = s.length - 1;
        if (form != Form.MERGED && s[last] > 2 && some(4)) {
            s[last] -= 1 + r.nextInt((int) s[last] - 2);
        }
        return s;
    }

    // ---- on a device -------------------------------------------------------------------------------------------------

    private static Tensor tensor(Scope s, double[] values, DType type, long... shape) {
        return s.tensor(values, shape).to(type);
    }

    private static double[] poisoned(double[] x, int size, boolean[] unseen, double poison) {
        if (unseen == null) {
            return x;
        }
        double[] y = x.clone();
        for (int i = 0; i < y.length; i++) {
            y[i] = unseen[i / size] ? poison : y[i];
        }
        return y;
    }

    /** (B, H, L, size). */
    private Tensor operand(Scope s, double[] x, long heads, long length, long size) {
        int batch = form == Form.PACKED ? 1 : b;
        Tensor t = tensor(s, x, type, batch, heads, length, size);
        return lengthFirst ? t.transpose(1, 2).copy().transpose(1, 2) : t;
    }

    private static Tensor flat(Tensor t) {
        return t.transpose(1, 2).copy().reshape(t.dim(0), t.dim(2), t.dim(1) * t.dim(3));
    }

    private static Tensor sequence(Tensor t) {
        return t.select(0, 0).transpose(0, 1);
    }

    /** Computes in {@code s}; with NaN or infinity where {@code unseen} (null for nowhere). */
    Outcome run(Scope s, boolean[] unseen) {
        double poison = new double[] {
            Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY
        }[number % 3];
        Tensor tq = operand(s, q, hq, lq, d);
        Tensor tk = operand(s, poisoned(k, d, unseen, poison), hk, lk, d);
        Tensor tv = operand(s, poisoned(v, dv, unseen, poison), hk, lk, dv);
        return switch (form) {
            case HEADS -> outcome(attention(s, 0, lk, true).apply(tq, tk, tv));
            case LAST_AXIS -> {
                Attention.Result y = attention(s, 0, lk, true).heads(hq, hk).apply(flat(tq), flat(tk), flat(tv));
                Tensor output = y.output().reshape(b, lq, hq, dv).transpose(1, 2);
                yield outcome(new Attention.Result(output, y.weights(), y.logSumExp()));
            }
            case PACKED -> {
                Attention a = attention(s, 0, lk, true);
                Tensor[] o = {sequence(tq), sequence(tk), sequence(tv)};
                if (number % 2 == 0) {
                    yield outcome(a.packed(o[0], o[1], o[2], queryOffsets, keyOffsets));
                }
                for (int i = 0; i < o.length; i++) {
                    o[i] = o[i].copy().reshape(o[i].dim(0), o[i].dim(1) * o[i].dim(2));
                }
                yield outcome(a.heads(hq, hk).packed(o[0], o[1], o[2], queryOffsets, keyOffsets));
            }
            case MERGED -> outcome(Attention.merge(IntStream.range(1, keyOffsets.length).mapToObj(i -> {
                long from = keyOffsets[i - 1];
                long to = keyOffsets[i];
                return attention(s, from, to, i == 1).apply(tq, tk.slice(2, from, to), tv.slice(2, from, to));
            }).toArray(Attention.Result[]::new)));
        };
    }

    /** By {@link Attention#scores}; null of other than {@link Form#HEADS} and {@link Form#PACKED}. */
    double[] steps(Scope s, Attention.Stage stage) {
        Tensor tq = operand(s, q, hq, lq, d);
        Tensor tk = operand(s, k, hk, lk, d);
        Attention a = attention(s, 0, lk, true);
        return switch (form) {
            case HEADS -> a.scores(stage, tq, tk).toDoubleArray();
            case PACKED -> a.packedScores(stage, sequence(tq), sequence(tk), queryOffsets, keyOffsets).toDoubleArray();
            case LAST_AXIS, MERGED -> null;
        };
    }

    /** Of {@link Form#PACKED}, the padded batch that it stands for, with NaN for padding, as packed. */
    Outcome padded(Scope s) {
        Attention a = attention(s, 0, lk, true)
                .alignEach(each(i -> place(i, length(queryOffsets, i), length(keyOffsets, i))))
                .lengths(lengths == null ? each(i -> length(keyOffsets, i)) : lengths);
        Attention.Result y = a.apply(pad(s, sequence(operand(s, q, hq, lq, d)), queryOffsets, longestQueries),
                pad(s, sequence(operand(s, k, hk, lk, d)), keyOffsets, longestKeys),
                pad(s, sequence(operand(s, v, hk, lk, dv)), keyOffsets, longestKeys));
        Tensor[] outputs = new Tensor[b];
        Tensor[] sums = new Tensor[b];
        Tensor[] all = new Tensor[b];
        for (int i = 0; i < b; i++) {
            int n = length(queryOffsets, i);
            outputs[i] = y.output().select(0, i).slice(1, 0, n).transpose(0, 1);
            sums[i] = y.logSumExp().select(0, i).slice(1, 0, n);
            if (weights) {
                Tensor w = y.weights().select(0, i).slice(1, 0, n);
                all[i] = Join.concat(1, w, s.zeros(w.dtype(), hq, longestQueries - n, longestKeys));
            }
        }
        return outcome(new Attention.Result(Join.concat(0, outputs), weights ? Join.stack(0, all) : null,
                Join.concat(1, sums)));
    }

    private long[] each(IntToLongFunction of) {
        return IntStream.range(0, b).mapToLong(of).toArray();
    }

    /** Packed sequences as (B, heads, longest, size). */
    private Tensor pad(Scope s, Tensor t, long[] offsets, int longest) {
        Tensor[] all = new Tensor[b];
        for (int i = 0; i < b; i++) {
            Tensor own = t.slice(0, offsets[i], offsets[i + 1]);
            all[i] = Join.concat(0, own, s.full(type, Double.NaN, longest - own.dim(0), t.dim(1), t.dim(2)));
        }
        return Join.stack(0, all).transpose(1, 2);
    }

    private static Outcome outcome(Attention.Result y) {
        return new Outcome(y.output().toDoubleArray(), y.logSumExp().toDoubleArray(),
                y.weights() == null ? null : y.weights().toDoubleArray());
    }

    /** The options for keys from {@code from} to {@code to}; sinks go with the first part. */
    private Attention attention(Scope s, long from, long to, boolean first) {
        boolean whole = form != Form.MERGED;
        DType c = type.compute();
        Attention a = Attention.scaled().softcap(softcap).window(left, right).weights(weights).dropout(dropout, seed);
        a = scale == null ? a : a.scale(scale);
        a = causal ? a.causal() : a;
        if (lengths != null) {
            a = a.lengths(Arrays.stream(lengths).map(n -> Math.clamp(n - from, 0, to - from)).toArray());
        }
        a = slopes == null ? a : a.alibi(tensor(s, slopes, c, slopesShape));
        a = sinks == null || !first ? a : a.sinks(tensor(s, sinks, c, sinksShape));
        if (mask != null) {
            a = a.mask(part(tensor(s, mask, DType.BOOL, maskShape), from, to));
        }
        if (bias != null) {
            a = a.bias(part(tensor(s, bias, c, biasShape), from, to));
        }
        a = workspace == null ? a : a.workspace(workspace);
        if (!whole) {
            return a.alignEach(IntStream.range(0, b).mapToLong(i -> place(i, lq, lk) - from).toArray());
        }
        return switch (align) {
            case NONE -> a;
            case TOP_LEFT -> a.align(Causal.TOP_LEFT);
            case BOTTOM_RIGHT -> a.align(Causal.BOTTOM_RIGHT);
            case NUMBER -> a.align(offset);
            case EACH -> a.alignEach(offsets);
        };
    }

    private Tensor part(Tensor t, long from, long to) {
        return form != Form.MERGED || t.dim(-1) == 1 ? t : t.slice(-1, from, to);
    }

    /** The key that query 0 of a sequence stands at. */
    private long place(int sequence, long queries, long keys) {
        return switch (align) {
            case TOP_LEFT -> 0;
            case NUMBER -> offset;
            case EACH -> offsets[sequence];
            case NONE, BOTTOM_RIGHT -> (lengths == null ? keys : lengths[sequence]) - queries;
        };
    }

    // ---- the answer --------------------------------------------------------------------------------------------------

    Answer answer() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor tq = tensor(s, q, type, form == Form.PACKED ? 1 : b, hq, lq, d);
            Tensor tk = tensor(s, k, type, form == Form.PACKED ? 1 : b, hk, lk, d);
            Tensor tv = tensor(s, v, type, form == Form.PACKED ? 1 : b, hk, lk, dv);
            return form == Form.PACKED ? packed(s, tq, tk, tv) : padded(s, tq, tk, tv);
        }
    }

    private Rules rules(Scope s, long[] places) {
        Rules rules = new Rules();
        rules.scale = scale != null ? scale : d == 0 ? 0 : 1 / Math.sqrt(d);
        rules.softcap = softcap;
        rules.lengths = lengths;
        rules.shifts = places;
        rules.limit = causal ? (Long) 0L : right >= 0 ? (Long) right : null;
        rules.first = left >= 0 ? (Long) (-left) : null;
        rules.slopes = slopes == null ? null : s.tensor(slopes, slopesShape);
        rules.sinks = sinks == null ? null : s.tensor(sinks, sinksShape);
        rules.mask = mask == null ? null : wide(s, s.tensor(mask, maskShape), 0);
        rules.bias = bias == null ? null : wide(s, s.tensor(bias, biasShape), Double.NEGATIVE_INFINITY);
        if (dropout > 0) {
            rules.kept = kept(s.uniform(DType.F32, seed, 0, 1, b, hq, longestQueries, longestKeys));
        }
        return rules;
    }

    private double[] kept(Tensor uniform) {
        return Arrays.stream(uniform.toDoubleArray()).map(u -> u >= (float) dropout ? 1 / (1 - dropout) : 0).toArray();
    }

    private Tensor wide(Scope s, Tensor t, double rest) {
        long n = t.dim(-1);
        return n == 1 || n == longestKeys
                ? t
                : Join.concat(-1, t, s.full(DType.F64, rest, t.shape().with(t.rank() - 1, longestKeys - n).toArray()));
    }

    /** What the rules of the padded batch say of one packed sequence. */
    private Rules rules(Scope s, int i) {
        int n = length(queryOffsets, i);
        int m = length(keyOffsets, i);
        Rules rules = rules(s, new long[] {place(i, n, m)});
        rules.lengths = lengths == null ? null : new long[] {lengths[i]};
        rules.slopes = rules.slopes == null ? null : rules.slopes.expand(b, hq).select(0, i);
        rules.sinks = rules.sinks == null ? null : rules.sinks.expand(b, hq).select(0, i);
        rules.mask = rules.mask == null ? null : part(rules.mask, i, n, m);
        rules.bias = rules.bias == null ? null : part(rules.bias, i, n, m);
        if (dropout > 0) {
            rules.kept = kept(part(s.uniform(DType.F32, seed, 0, 1, b, hq, longestQueries, longestKeys), i, n, m));
        }
        return rules;
    }

    private Tensor part(Tensor scores, int i, int n, int m) {
        return scores.expand(b, hq, longestQueries, longestKeys).slice(0, i, i + 1).slice(2, 0, n).slice(3, 0, m);
    }

    private Answer padded(Scope s, Tensor tq, Tensor tk, Tensor tv) {
        Rules rules = rules(s, IntStream.range(0, b).mapToLong(i -> place(i, lq, lk)).toArray());
        Reference exact = new Reference(false, tq, tk, tv, rules);
        Reference plain = new Reference(true, tq, tk, tv, rules);
        boolean[] unseen = new boolean[b * hk * lk];
        Arrays.fill(unseen, true);
        for (int i = 0; i < exact.seen.length; i++) {
            int head = i / lk / lq;
            unseen[head * hk / hq * lk + i % lk] &= !exact.seen[i];
        }
        // parts are rounded once each, and once merged
        double twice = form == Form.MERGED ? Reference.epsilon(type) * Reference.largest(exact.output) : 0;
        return new Answer(new Outcome(exact.output, exact.logSumExp, weights ? exact.weights : null), exact.masked,
                Reference.limit(exact.output, plain.output, type, Reference.LEAST) + twice,
                Reference.limit(exact.logSumExp, plain.logSumExp, type.compute(), 1),
                Reference.limit(exact.weights, plain.weights, type.compute(), Reference.LEAST),
                Reference.limit(exact.masked, plain.masked, type.compute(), 1), unseen);
    }

    private Answer packed(Scope s, Tensor tq, Tensor tk, Tensor tv) {
        double[][] output = new double[2][hq * lq * dv];
        double[][] sums = new double[2][hq * lq];
        double[][] all = new double[2][b * hq * longestQueries * longestKeys];
        double[][] masked = new double[2][all[0].length];
        Arrays.fill(masked[0], Double.NEGATIVE_INFINITY);
        Arrays.fill(masked[1], Double.NEGATIVE_INFINITY);
        boolean[] unseen = new boolean[hk * lk];
        Arrays.fill(unseen, true);
        for (int i = 0; i < b; i++) {
            int from = (int) queryOffsets[i];
            int n = (int) queryOffsets[i + 1] - from;
            int m = (int) (keyOffsets[i + 1] - keyOffsets[i]);
            Rules rules = rules(s, i);
            for (int plain = 0; plain < 2; plain++) {
                Reference one = new Reference(plain == 1, tq.slice(2, from, from + n),
                        tk.slice(2, keyOffsets[i], keyOffsets[i + 1]), tv.slice(2, keyOffsets[i], keyOffsets[i + 1]),
                        rules);
                for (int h = 0; h < hq; h++) {
                    for (int row = 0; row < n; row++) {
                        sums[plain][h * lq + from + row] = one.logSumExp[h * n + row];
                        System.arraycopy(one.output, (h * n + row) * dv, output[plain], ((from + row) * hq + h) * dv,
                                dv);
                        int at = ((i * hq + h) * longestQueries + row) * longestKeys;
                        System.arraycopy(one.weights, (h * n + row) * m, all[plain], at, m);
                        System.arraycopy(one.masked, (h * n + row) * m, masked[plain], at, m);
                        for (int j = 0; j < m; j++) {
                            unseen[h * hk / hq * lk + (int) keyOffsets[i] + j] &= !one.seen[(h * n + row) * m + j];
                        }
                    }
                }
            }
        }
        return new Answer(new Outcome(output[0], sums[0], weights ? all[0] : null), masked[0],
                Reference.limit(output[0], output[1], type, Reference.LEAST),
                Reference.limit(sums[0], sums[1], type.compute(), 1),
                Reference.limit(all[0], all[1], type.compute(), Reference.LEAST),
                Reference.limit(masked[0], masked[1], type.compute(), 1), unseen);
    }

    @Override
    public String toString() {
        return "case " + number + " " + form + " " + type + " batch " + b + ", heads " + hq + " and " + hk
                + ", lengths "
                + lq + " and " + lk + ", sizes " + d + " and " + dv
                + (queryOffsets != null ? ", query offsets " + Arrays.toString(queryOffsets) : "")
                + (keyOffsets != null ? ", key offsets " + Arrays.toString(keyOffsets) : "")
                + ", scale " + scale + ", softcap " + softcap + ", lengths " + Arrays.toString(lengths)
                + (causal ? ", causal" : "") + ", window " + left + "," + right + ", " + align + " " + offset
                + (offsets != null ? Arrays.toString(offsets) : "")
                + (slopes != null ? ", slopes " + Arrays.toString(slopesShape) : "")
                + (sinks != null ? ", sinks " + Arrays.toString(sinksShape) : "")
                + (mask != null ? ", mask " + Arrays.toString(maskShape) : "")
                + (bias != null ? ", bias " + Arrays.toString(biasShape) : "")
                + (weights ? ", weights" : "") + (dropout > 0 ? ", dropout " + dropout : "")
                + (workspace != null ? ", workspace " + workspace : "");
    }
}
