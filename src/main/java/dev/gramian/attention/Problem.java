package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.Arrays;
import java.util.LongSummaryStatistics;

/**
 * One call's operands, checked against each other and brought to a common form without copying: query heads split into
 * (key head, group), q (..., Hkv, G, Lq, d), k and v (..., Hkv, 1, Lk, d), masks (..., Hkv, G, Lq, Lk), values per head
 * (..., Hkv, G), values per sequence (..., 1, 1).
 *
 * <p>{@code batch} is the shape before the heads, {@code heads} whether any operand names a heads axis; {@code type} is
 * that of the operands and {@code compute} that of scores and weights.
 */
record Problem(
        Shape batch,
        boolean heads,
        long queryHeads,
        long queries,
        long keys,
        long valueSize,
        DType type,
        DType compute,
        double scale,
        Operands operands) {

    /**
     * Views in the common form. Query i of sequence b stands at place {@code i + shifts[b] + center} among the keys and
     * sees what {@code band} says of {@code i + shifts[b]}. Indices of {@code numbers}, of the scores' shape, are those of
     * the random numbers by which dropout loses weights.
     */
    record Operands(
            Tensor q, Tensor k, Tensor v, Tensor mask, Tensor bias, Tensor slopes, Tensor sinks, PerSequence shifts,
            PerSequence lengths, Band band, long center, Layout numbers) {}

    /** Whole numbers, one per sequence, with their least and largest. */
    record PerSequence(Tensor values, long least, long most) {
        static PerSequence of(Scope s, Shape batch, long[] values) {
            LongSummaryStatistics range = Arrays.stream(values).summaryStatistics();
            return new PerSequence(s.tensor(values, batch.plus(1, 1).toArray()), range.getMin(), range.getMax());
        }
    }

    /**
     * {@code s} owns what little is copied; {@code numbers} (..., Hq, Lq, Lk) are those of dropout where they are not simply
     * counted, else null.
     */
    static Problem of(Scope s, Attention a, Tensor q, Tensor k, Tensor v, Layout numbers) {
        String all = shapes(q, k, v);
        operand("q", "query", q, all);
        operand("k", "key", k, all);
        operand("v", "key", v, all);
        sameDevice(q, "k", k);
        sameDevice(q, "v", v);
        if (q.dtype() != k.dtype() || q.dtype() != v.dtype()) {
            throw new DTypeException("attend: element types differ: q " + q.dtype() + ", k " + k.dtype() + ", v "
                    + v.dtype() + "; " + all + "; cast with .to(DType." + q.dtype() + ")");
        }
        if (q.dim(-1) != k.dim(-1)) {
            throw new ShapeException("attend: q and k differ in head size (channel axis -1): q " + q.shape() + ", k "
                    + k.shape() + "; their dot products need equal sizes");
        }
        if (k.dim(-2) != v.dim(-2)) {
            throw new ShapeException("attend: k and v differ in key count (key axis -2): k " + k.shape() + ", v "
                    + v.shape() + "; each key needs one value");
        }
        long hq = heads(q);
        long hk = heads(k);
        if (hk != heads(v)) {
            throw new ShapeException(
                    "attend: k and v differ in heads (head axis -3): k " + k.shape() + ", v " + v.shape()
                            + "; each key head needs one value head");
        }
        if (hk == 0 ? hq != 0 : hq % hk != 0) {
            throw new ShapeException("attend: query heads are no multiple of key heads (head axis -3): q " + q.shape()
                    + " has " + hq + ", k " + k.shape() + " has " + hk
                    + "; every key head serves equally many query heads");
        }
        Shape batch = batch(q, k, v);
        long lq = q.dim(-2);
        long lk = k.dim(-2);
        int rank = Math.max(q.rank(), Math.max(k.rank(), v.rank()));
        Shape scores = rank > 2 ? batch.plus(hq, lq, lk) : Shape.of(lq, lk);
        DType compute = q.dtype().compute();
        mask(q, a.mask, scores);
        bias(q, a.bias, scores, compute);
        Tensor mask = wide(s, a.mask, lk);
        Tensor bias = wide(s, a.bias, lk);

        long groups = hk == 0 ? 1 : hq / hk;
        Tensor grouped = split(q, hk, groups);
        if (!Shape.broadcast("attend", before(q), before(k)).equals(batch)) {
            // v alone has more batches: the same weights are computed again for each
            grouped = grouped.expand(batch.plus(hk, groups, lq, q.dim(-1)).toArray());
        }
        long d = q.dim(-1);
        lengths(a.lengths, batch, k);
        perSequence("offsets", a.offsets, batch, k);
        boolean placed = a.isCausal || a.left >= 0 || a.right >= 0 || a.slopes != null;
        long[] own = !placed ? null : a.offsets != null ? a.offsets : ends(a, lq);
        long offset = !placed || own != null ? 0 : offset(a, q, k);
        Operands operands = new Operands(
                grouped, shared(k), shared(v), split(mask, hk, groups), split(bias, hk, groups),
                perHead("slopes", a.slopes, q, batch, hq, hk, groups, compute),
                perHead("sinks", a.sinks, q, batch, hq, hk, groups, compute),
                own == null ? null : PerSequence.of(s, batch, own),
                a.lengths == null ? null : PerSequence.of(s, batch, a.lengths),
                band(a, offset), Math.max(-FAR, Math.min(FAR, offset)),
                (numbers == null ? Layout.contiguous(scores) : numbers).reshape(batch.plus(hk, groups, lq, lk)));
        // d = 0: all scores are 0, whatever 1 / sqrt(0) is
        double scale = a.scale != null ? a.scale : d == 0 ? 0 : 1 / Math.sqrt(d);
        return new Problem(
                batch, rank > 2, hq, lq, lk, v.dim(-1), q.dtype(), compute, scale, operands);
    }

    /** (..., Hkv, G, Lq, n) as the caller sees it: (..., Hq, Lq, n), or (Lq, n) where no operand has heads. */
    Tensor join(Tensor x, long n) {
        return heads ? x.reshape(batch.plus(queryHeads, queries, n).toArray()) : x.reshape(queries, n);
    }

    /** (..., Hkv, G, Lq) as the caller sees it. */
    Tensor join(Tensor x) {
        return heads ? x.reshape(batch.plus(queryHeads, queries).toArray()) : x.reshape(queries);
    }

    // ---- checks ----------------------------------------------------------------------------------------------------

    private static void operand(String name, String what, Tensor t, String all) {
        if (!t.dtype().isFloat()) {
            throw new DTypeException(
                    "attend: " + name + " is " + t.dtype() + "; " + all + "; cast with .to(DType.F32)");
        }
        if (t.rank() < 2) {
            throw new ShapeException("attend: " + name + " has too few axes; " + all + "; give (batch, head, " + what
                    + ", channel) or, for one head, (" + what + ", channel)");
        }
    }

    private static void sameDevice(Tensor q, String name, Tensor t) {
        Device d = q.device();
        if (t.device() != d) {
            throw new DeviceException("attend: q and " + name + " are on different devices; q " + q.shape() + " on "
                    + d.name() + ", " + name + " " + t.shape() + " on " + t.device().name()
                    + "; move it with .to(Device.of(\"" + d.name() + "\"))");
        }
    }

    static String shapes(Tensor q, Tensor k, Tensor v) {
        return "q " + q.shape() + ", k " + k.shape() + ", v " + v.shape();
    }

    private static long heads(Tensor t) {
        return t.rank() > 2 ? t.dim(-3) : 1;
    }

    private static Shape before(Tensor t) {
        return t.shape().slice(0, Math.max(0, t.rank() - 3));
    }

    private static Shape batch(Tensor q, Tensor k, Tensor v) {
        try {
            return Shape.broadcast("attend", Shape.broadcast("attend", before(q), before(k)), before(v));
        } catch (ShapeException e) {
            throw new ShapeException("attend: batch axes (before the head axis -3) do not broadcast: " + shapes(q, k, v)
                    + "; sizes must be equal or 1", e);
        }
    }

    static void mask(Tensor q, Tensor mask, Shape scores) {
        if (mask == null) {
            return;
        }
        sameDevice(q, "mask", mask);
        if (mask.dtype() != DType.BOOL) {
            throw new DTypeException("attend: mask is " + mask.dtype() + "; mask " + mask.shape()
                    + "; a mask is BOOL with true = may attend"
                    + (mask.dtype().isFloat() ? ", values to add go to bias(...)" : ", compare first, e.g. x.ne(0)"));
        }
        broadcasts("mask", mask, scores);
    }

    static void bias(Tensor q, Tensor bias, Shape scores, DType compute) {
        if (bias == null) {
            return;
        }
        sameDevice(q, "bias", bias);
        if (bias.dtype() != compute && !(bias.dtype().isHalf() && compute == DType.F32)) {
            throw new DTypeException("attend: bias is " + bias.dtype() + ", scores are " + compute + "; bias "
                    + bias.shape() + ", q " + q.dtype() + " " + q.shape() + "; "
                    + (bias.dtype() == DType.BOOL
                            ? "true = may attend goes to mask(...)"
                            : "cast with .to(DType." + compute + ")"));
        }
        broadcasts("bias", bias, scores);
    }

    private static void broadcasts(String name, Tensor t, Shape scores) {
        boolean early = t.rank() > 0 && t.dim(-1) < scores.at(scores.rank() - 1);
        Shape seen = early ? t.shape().with(t.rank() - 1, 1) : t.shape();
        if (!seen.broadcastsTo(scores)) {
            throw new ShapeException("attend: " + name + " does not broadcast to the scores; " + name + " " + t.shape()
                    + ", scores " + scores + " (" + axes(scores) + "); "
                    + "sizes must be equal or 1 from the last axis on");
        }
    }

    private static String axes(Shape scores) {
        return switch (scores.rank()) {
            case 2 -> "query, key";
            case 3 -> "head, query, key";
            case 4 -> "batch, head, query, key";
            default -> "batch axes, head, query, key";
        };
    }

    /** Of the values per head of a call: (..., Hq) as (..., Hkv, G), one for all heads as (..., 1, 1). */
    private static Tensor perHead(
            String name, Tensor t, Tensor q, Shape batch, long hq, long hk, long groups, DType compute) {
        if (t == null) {
            return null;
        }
        perHead(name, t, q, batch.plus(hq), compute);
        Tensor c = t.to(compute);
        Shape s = t.shape();
        return t.dim(-1) == 1
                ? c.unsqueeze(-1)
                : c.reshape(s.slice(0, s.rank() - 1).plus(hk, groups).toArray());
    }

    /** {@code heads}: batch and query heads. */
    static void perHead(String name, Tensor t, Tensor q, Shape heads, DType compute) {
        sameDevice(q, name, t);
        if (t.dtype() != compute && !(t.dtype().isHalf() && compute == DType.F32)) {
            throw new DTypeException("attend: " + name + " are " + t.dtype() + ", scores are " + compute + "; " + name
                    + " " + t.shape() + ", q " + q.dtype() + " " + q.shape() + "; cast with .to(DType." + compute
                    + ")");
        }
        if (t.rank() == 0 || !t.shape().broadcastsTo(heads)) {
            throw new ShapeException("attend: " + name + " do not fit the query heads; " + name + " " + t.shape()
                    + ", q " + q.shape() + " has batch and query heads " + heads + "; give one per query head");
        }
    }

    static void perSequence(String name, long[] values, Shape batch, Tensor k) {
        if (values != null && values.length != batch.size()) {
            throw new ShapeException("attend: " + values.length + " " + name + " for batch " + batch + "; " + name + " "
                    + Arrays.toString(values) + ", k " + k.shape() + "; give one per sequence of the batch");
        }
    }

    private static void lengths(long[] values, Shape batch, Tensor k) {
        perSequence("lengths", values, batch, k);
        for (int b = 0; values != null && b < values.length; b++) {
            if (values[b] > k.dim(-2)) {
                throw new ShapeException("attend: a length is more than there are keys; lengths "
                        + Arrays.toString(values) + ", k " + k.shape() + " has " + k.dim(-2)
                        + " (key axis -2); give the valid keys of each sequence");
            }
        }
    }

    /** Offsets by which the last query of each sequence stands at its last valid key; null where that is not asked for. */
    private static long[] ends(Attention a, long queries) {
        return a.lengths == null || a.offset != null || a.alignment == Causal.TOP_LEFT
                ? null
                : Arrays.stream(a.lengths).map(n -> n - queries).toArray();
    }

    /** Beyond any key: distances from there are as good as from further away. */
    private static final long FAR = 1L << 52;

    private static Band band(Attention a, long offset) {
        long first = a.left < 0 ? Long.MIN_VALUE : Math.max(Long.MIN_VALUE + 1, less(offset, a.left));
        long last = a.isCausal ? offset : a.right < 0 ? Long.MAX_VALUE : -less(-offset, a.right);
        return new Band(first, last);
    }

    /** offset - n for n of 0 or more, for any offset. */
    private static long less(long offset, long n) {
        return offset < Long.MIN_VALUE + n ? Long.MIN_VALUE + 1 : offset - n;
    }

    private static long offset(Attention a, Tensor q, Tensor k) {
        long lq = q.dim(-2);
        long lk = k.dim(-2);
        if (a.alignment == Causal.TOP_LEFT) {
            return 0;
        }
        if (a.offset != null) {
            return a.offset;
        }
        if (a.alignment == null && lq != lk) {
            String what = a.isCausal ? "causal" : a.slopes != null ? "distances matter" : "a window";
            String way = a.isCausal ? "causal" : "align";
            throw new ShapeException("attend: " + what + ", but " + lq + " queries and " + lk
                    + " keys can be aligned two ways; q " + q.shape() + ", k " + k.shape()
                    + "; " + way + "(Causal.TOP_LEFT) lets query i "
                    + (a.isCausal ? "see keys j <= i" : "stand at key i")
                    + ", " + way + "(Causal.BOTTOM_RIGHT) " + (a.isCausal ? "keys j <= i " : "at key i ")
                    + (lk < lq ? "- " + (lq - lk) : "+ " + (lk - lq))
                    + ", " + (a.isCausal ? "offset(n) keys j <= i + n" : "align(n) at key i + n"));
        }
        return lk - lq;
    }

    // ---- the common form -------------------------------------------------------------------------------------------

    /** A mask or bias whose last axis ends early, with the rest blocked. */
    private static Tensor wide(Scope s, Tensor t, long keys) {
        if (t == null || t.rank() == 0 || t.dim(-1) == 1 || t.dim(-1) >= keys) {
            return t;
        }
        long[] rest = t.shape().with(t.rank() - 1, keys - t.dim(-1)).toArray();
        return Join.concat(-1, t, s.full(t.dtype(), t.dtype().isFloat() ? Double.NEGATIVE_INFINITY : 0, rest));
    }

    /** (..., H, x, y) as (..., Hkv, G, x, y), one head as (..., 1, 1, x, y). */
    private static Tensor split(Tensor t, long keyHeads, long groups) {
        if (t == null || t.rank() < 2) {
            return t;
        }
        if (t.rank() == 2) {
            return t.unsqueeze(0).unsqueeze(0);
        }
        if (t.dim(-3) == 1) {
            return t.unsqueeze(-3);
        }
        Shape s = t.shape();
        int r = s.rank();
        return t.reshape(s.slice(0, r - 3).plus(keyHeads, groups, s.at(r - 2), s.at(r - 1)).toArray());
    }

    /** (..., Hkv, x, y) as (..., Hkv, 1, x, y). */
    private static Tensor shared(Tensor t) {
        return t.rank() < 3 ? t.unsqueeze(0).unsqueeze(0) : t.unsqueeze(-3);
    }
}
