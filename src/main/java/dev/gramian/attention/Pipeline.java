package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Problem.Operands;
import dev.gramian.attention.Problem.PerSequence;
import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.MathMode;
import dev.gramian.core.Op;
import dev.gramian.core.Op.AttentionWeights.Extra;
import dev.gramian.core.Profile;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs attention on operands in {@link Problem}'s form: whole, or cut along an axis into pieces that are computed one
 * after another. Axes are counted from the end of the scores (..., Hkv, G, Lq, Lk).
 */
final class Pipeline {
    private static final int KEYS = -1;
    private static final int QUERIES = -2;
    /** Query rows of a key head below which tiles stand mostly empty. */
    private static final int LEAST_ROWS = 8;

    private final Problem p;
    private final boolean weights;
    private final double softcap;
    private final double dropout;
    private final long seed;
    private final long workspace;
    /** Queries of a causal block: fewer look at fewer keys in vain but make poor products. */
    private final long block;
    /** Type of the weights and values in the second product. */
    private final DType second;
    /** Whether some weight may be zero because its key is masked. */
    private final boolean masked;
    /** Whether one operation does all, without scores in memory. */
    private final boolean tiled;

    Pipeline(Attention a, Problem p) {
        this.p = p;
        weights = a.weights;
        softcap = a.softcap;
        Device device = p.operands().q().device();
        Profile profile = device.profile();
        workspace = a.workspace != null ? a.workspace : profile.pieceBytes();
        block = profile.productRows();
        boolean half = profile.halfProducts() && p.type().isHalf()
                && Scope.innermost("attend", device).mathMode() == MathMode.REDUCED;
        second = half ? p.type() : p.compute();
        dropout = a.dropout;
        seed = a.seed;
        Operands o = p.operands();
        tiled = profile.tiledAttention() && p.compute() == DType.F32 && !weights && dropout == 0
                && p.queries() * Math.max(1, o.q().dim(-3)) >= LEAST_ROWS;
        masked = o.mask() != null || o.bias() != null || o.lengths() != null
                || o.shifts() != null || !o.band().covers(p.queries(), p.keys());
    }

    /** Results in the common form; no weights unless asked for. */
    record Part(Tensor output, Tensor weights, Tensor logSumExp) {}

    /** Bytes of a part's results, and the most it takes at any time, results included. */
    record Peak(long results, long most) {}

    /** How to go on: {@code piece} of {@code size} along {@code axis} at a time; 0 for all at once. */
    private record Cut(int axis, long size, long piece) {}

    // ---- running ---------------------------------------------------------------------------------------------------

    Part run(Operands o) {
        if (tiled) {
            try (Scope s = Scope.inner("attend", o.q().device())) {
                return tiles(s, o);
            }
        }
        // once for all pieces: values in the second product's type, operands that no product can read in place
        Tensor k = readable(o.k());
        Tensor v = readable(o.v().to(second));
        return pieces(new Operands(o.q(), k, v, o.mask(), o.bias(), o.slopes(), o.sinks(), o.shifts(), o.lengths(),
                o.band(), o.center(), o.numbers()));
    }

    private static Tensor readable(Tensor t) {
        return GemmPlan.fits(t.layout()) ? t : t.copy();
    }

    private Part pieces(Operands all) {
        try (Scope s = Scope.inner("attend", all.q().device())) {
            Operands o = seen(all);
            Cut cut = cut(o);
            if (cut.piece == 0) {
                return whole(s, o);
            }
            List<Tensor> outputs = new ArrayList<>();
            List<Tensor> sums = new ArrayList<>();
            for (long at = 0; at < cut.size; at += cut.piece) {
                Part part = pieces(piece(o, cut, at));
                outputs.add(part.output);
                sums.add(part.logSumExp);
            }
            Tensor output = Join.concat(cut.axis, outputs.toArray(new Tensor[0]));
            Tensor sum = Join.concat(cut.axis + 1, sums.toArray(new Tensor[0]));
            return new Part(s.keep(output), null, s.keep(sum));
        }
    }

    private Part tiles(Scope s, Operands o) {
        List<Tensor> in = new ArrayList<>(List.of(o.q(), o.k(), o.v()));
        Set<Extra> extras = extras(o, in);
        Tensor[] r = s.runAll(new Op.Attention(p.scale(), softcap, band(o), o.center(), extras),
                in.toArray(new Tensor[0]));
        return new Part(s.keep(r[0]), null, s.keep(r[1]));
    }

    private Part whole(Scope s, Operands o) {
        Tensor[] w = weights(s, o);
        // as the operands' type at once where the product can give it
        Tensor kept = dropout == 0 ? w[0] : s.run(new Op.Dropout(dropout, seed, o.numbers()), w[0]);
        Tensor output = s.run(new Op.Gemm(s.mathMode(), 1, second, masked), kept.to(second), o.v())
                .to(p.type());
        return new Part(s.keep(output), weights ? s.keep(w[0]) : null, s.keep(w[1]));
    }

    /** Weights and log-sum-exp; the scores are gone when they return. */
    private Tensor[] weights(Scope outer, Operands o) {
        try (Scope s = Scope.inner("attend", outer.device())) {
            Tensor scores = s.run(
                    new Op.Gemm(s.mathMode(), 1, p.compute(), false), o.q(), o.k().transpose(-2, -1));
            List<Tensor> in = new ArrayList<>(List.of(scores));
            Set<Extra> extras = extras(o, in);
            Tensor[] w = s.runAll(new Op.AttentionWeights(p.scale(), softcap, band(o), o.center(), extras),
                    in.toArray(new Tensor[0]));
            s.keep(w[0]);
            s.keep(w[1]);
            return w;
        }
    }

    private Set<Extra> extras(Operands o, List<Tensor> in) {
        Set<Extra> extras = EnumSet.noneOf(Extra.class);
        add(Extra.MASK, o.mask(), extras, in);
        add(Extra.BIAS, o.bias() == null ? null : o.bias().to(p.compute()), extras, in);
        add(Extra.SLOPES, o.slopes(), extras, in);
        add(Extra.SINKS, o.sinks(), extras, in);
        add(Extra.SHIFTS, o.shifts() == null ? null : o.shifts().values(), extras, in);
        add(Extra.LENGTHS, o.lengths() == null ? null : o.lengths().values(), extras, in);
        return extras;
    }

    /** Where every query sees every key there is nothing to select. */
    private static Band band(Operands o) {
        return o.shifts() == null && o.band().covers(o.q().dim(-2), o.k().dim(-2)) ? Band.OPEN : o.band();
    }

    private static void add(Extra which, Tensor t, Set<Extra> extras, List<Tensor> in) {
        if (t != null) {
            extras.add(which);
            in.add(t);
        }
    }

    // ---- cutting ---------------------------------------------------------------------------------------------------

    /** First key that some query from {@code from} to {@code to} of these may see, and one past the last. */
    private static long[] range(Operands o, long from, long to) {
        long keys = o.k().dim(-2);
        long end = o.lengths() == null ? keys : Math.max(0, Math.min(keys, o.lengths().most()));
        if (from == to) {
            return new long[] {0, 0};
        }
        long low = o.shifts() == null ? 0 : o.shifts().least();
        long high = o.shifts() == null ? 0 : o.shifts().most();
        long last = Math.min(end, o.band().to(to - 1 + high, keys));
        return new long[] {Math.min(last, o.band().from(from + low, keys)), last};
    }

    /** Without the keys that no query of these can see. */
    private Operands seen(Operands o) {
        long keys = o.k().dim(-2);
        long[] seen = range(o, 0, o.q().dim(-2));
        long from = seen[0];
        long to = seen[1];
        if (to - from == keys || weights) {
            return o;
        }
        PerSequence lengths = o.lengths();
        if (lengths != null && from > 0) {
            lengths = new PerSequence(lengths.values().sub(from), lengths.least() - from, lengths.most() - from);
        }
        return new Operands(
                o.q(), o.k().slice(-2, from, to), o.v().slice(-2, from, to),
                cut(o.mask(), KEYS, keys, from, to), cut(o.bias(), KEYS, keys, from, to),
                o.slopes(), o.sinks(), o.shifts(), lengths, o.band().moved(0, from), o.center() - from,
                o.numbers().slice(KEYS, from, to, 1));
    }

    private Cut cut(Operands o) {
        long rows = o.q().dim(-2);
        long keys = o.k().dim(-2);
        long[] sizes = scores(o).toArray();
        long size = Shape.of(sizes).size();
        if (weights || size == 0) {
            return new Cut(QUERIES, rows, 0);
        }
        // blocks of queries that need not look at all keys
        if (rows > block && (width(range(o, 0, block)) < keys || width(range(o, rows - block, rows)) < keys)) {
            return new Cut(QUERIES, rows, block);
        }
        double bytes = 2.0 * size * p.compute().bytes();
        if (bytes <= workspace) {
            return new Cut(QUERIES, rows, 0);
        }
        for (int axis = 0; axis < sizes.length - 1; axis++) {
            if (sizes[axis] > 1) {
                long fit = (long) (sizes[axis] * (workspace / bytes));
                return new Cut(axis - sizes.length, sizes[axis], Math.max(1, fit));
            }
        }
        return new Cut(QUERIES, rows, 0);
    }

    private static long width(long[] range) {
        return range[1] - range[0];
    }

    private static Shape scores(Operands o) {
        Shape q = o.q().shape();
        Shape k = o.k().shape();
        Shape batch = Shape.broadcast("attend", q.slice(0, q.rank() - 2), k.slice(0, k.rank() - 2));
        return batch.plus(q.dim(-2), k.dim(-2));
    }

    private Operands piece(Operands o, Cut c, long from) {
        long to = Math.min(c.size, from + c.piece);
        boolean rows = c.axis == QUERIES;
        return new Operands(
                cut(o.q(), c.axis, c.size, from, to),
                rows ? o.k() : cut(o.k(), c.axis, c.size, from, to),
                rows ? o.v() : cut(o.v(), c.axis, c.size, from, to),
                cut(o.mask(), c.axis, c.size, from, to),
                cut(o.bias(), c.axis, c.size, from, to),
                lead(o.slopes(), c, from, to),
                lead(o.sinks(), c, from, to),
                lead(o.shifts(), c, from, to),
                lead(o.lengths(), c, from, to),
                rows ? o.band().moved(from, 0) : o.band(),
                rows ? o.center() + from : o.center(),
                o.numbers().slice(c.axis, from, to, 1));
    }

    /** Of an operand without query and key axes. */
    private static Tensor lead(Tensor t, Cut c, long from, long to) {
        return c.axis == QUERIES ? t : cut(t, c.axis - QUERIES, c.size, from, to);
    }

    private static PerSequence lead(PerSequence n, Cut c, long from, long to) {
        return n == null ? null : new PerSequence(lead(n.values(), c, from, to), n.least(), n.most());
    }

    /** Part of an axis of {@code size}, unless {@code t} is broadcast along it. */
    private static Tensor cut(Tensor t, int axis, long size, long from, long to) {
        if (t == null || t.rank() < -axis || t.dim(axis) == 1 && size != 1) {
            return t;
        }
        return t.slice(axis, from, to);
    }

    // ---- memory ----------------------------------------------------------------------------------------------------

    /** As {@link #run}, in bytes; {@code tally} counts the pieces. */
    Peak peak(Operands o, Tally tally) {
        if (tiled) {
            long lines = p.batch().size() * p.queryHeads() * p.queries();
            long bias = o.bias() == null || o.bias().dtype() == p.compute() ? 0 : bytes(o.bias(), p.compute());
            long results = lines * (p.valueSize() * p.type().bytes() + p.compute().bytes());
            return new Peak(results, bias + results);
        }
        Peak pieces = peakOfPieces(o, tally);
        return new Peak(pieces.results, copies(o) + pieces.most);
    }

    /** Bytes of keys and values that are copied for all pieces. */
    long copies(Operands o) {
        return (copiesKeys(o) ? bytes(o.k(), p.type()) : 0) + (copiesValues(o) ? bytes(o.v(), second) : 0);
    }

    boolean copiesKeys(Operands o) {
        return !tiled && !GemmPlan.fits(o.k().layout());
    }

    boolean copiesValues(Operands o) {
        return !tiled && (p.type() != second || !GemmPlan.fits(o.v().layout()));
    }

    /** Type of the weights and values in the second product. */
    DType second() {
        return second;
    }

    /** Whether there are no pieces, for one operation does all. */
    boolean tiled() {
        return tiled;
    }

    /** Bytes that scores and weights of a piece stay under. */
    long workspace() {
        return workspace;
    }

    private Peak peakOfPieces(Operands all, Tally tally) {
        Operands o = seen(all);
        // lengths counted from another first key
        long own = o.lengths() == all.lengths() ? 0 : o.lengths().values().size() * Long.BYTES;
        Cut cut = cut(o);
        if (cut.piece == 0) {
            tally.add(scores(o));
            Peak whole = peakOfWhole(o);
            return new Peak(whole.results, own + whole.most);
        }
        tally.cut(cut.axis, cut.piece);
        long results = 0;
        long most = 0;
        for (long at = 0; at < cut.size; at += cut.piece) {
            Peak part = peakOfPieces(piece(o, cut, at), tally);
            most = Math.max(most, results + part.most);
            results += part.results;
        }
        return new Peak(results, own + Math.max(most, 2 * results));
    }

    /** What a call is cut into. */
    static final class Tally {
        /** Size of the pieces by axis, outermost first; axes are counted from the end of the scores. */
        final Map<Integer, Long> cuts = new LinkedHashMap<>();
        long pieces;
        long scores;
        Shape largest = Shape.of(0);

        private void cut(int axis, long piece) {
            cuts.merge(axis, piece, Math::max);
        }

        private void add(Shape of) {
            pieces++;
            scores += of.size();
            largest = of.size() > largest.size() ? of : largest;
        }
    }

    private Peak peakOfWhole(Operands o) {
        Shape scores = scores(o);
        long[] lines = Arrays.copyOf(scores.toArray(), scores.rank() - 1);
        long width = p.compute().bytes();
        long sums = Shape.of(lines).size() * width;
        long values = Shape.of(lines).size() * o.v().dim(-1);
        long matrix = scores.size() * width;
        long dropped = dropout == 0 ? 0 : matrix;
        long queries = GemmPlan.fits(o.q().layout()) ? 0 : bytes(o.q(), p.type());
        long bias = o.bias() == null || o.bias().dtype() == p.compute() ? 0 : bytes(o.bias(), p.compute());
        long rounded = p.type() == second ? 0 : values * p.type().bytes();
        long halves = second == p.compute() ? 0 : scores.size() * second.bytes();
        long most = Math.max(matrix + queries, matrix + bias + matrix + sums);
        most = Math.max(most, matrix + sums + dropped + halves + values * second.bytes() + rounded);
        return new Peak(values * p.type().bytes() + sums + (weights ? matrix : 0), most);
    }

    private static long bytes(Tensor t, DType as) {
        return t.size() * as.bytes();
    }
}
