package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;

/**
 * One call's operands, checked against each other and brought to a common form without copying: query heads split into
 * (key head, group), q (..., Hkv, G, Lq, d), k and v (..., Hkv, 1, Lk, d), masks (..., Hkv, G, Lq, Lk).
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
        boolean causal,
        Operands operands) {

    /** Views in the common form; {@code offset} counts for causal calls only. */
    record Operands(Tensor q, Tensor k, Tensor v, Tensor mask, Tensor bias, long offset) {}

    static Problem of(Attention a, Tensor q, Tensor k, Tensor v) {
        operand("q", "query", q);
        operand("k", "key", k);
        operand("v", "value", v);
        sameDevice(q, "k", k);
        sameDevice(q, "v", v);
        if (q.dtype() != k.dtype() || q.dtype() != v.dtype()) {
            throw new DTypeException("attend: element types differ: q " + q.dtype() + ", k " + k.dtype() + ", v "
                    + v.dtype() + "; " + shapes(q, k, v) + "; cast with .to(DType." + q.dtype() + ")");
        }
        if (q.dim(-1) != k.dim(-1)) {
            throw new ShapeException("attend: q and k differ in head size (axis -1): q " + q.shape() + ", k "
                    + k.shape() + "; their dot products need equal sizes");
        }
        if (k.dim(-2) != v.dim(-2)) {
            throw new ShapeException("attend: k and v differ in key count (axis -2): k " + k.shape() + ", v "
                    + v.shape() + "; each key needs one value");
        }
        long hq = heads(q);
        long hk = heads(k);
        if (hk != heads(v)) {
            throw new ShapeException("attend: k and v differ in heads (axis -3): k " + k.shape() + ", v " + v.shape()
                    + "; each key head needs one value head");
        }
        if (hk == 0 ? hq != 0 : hq % hk != 0) {
            throw new ShapeException("attend: query heads are no multiple of key heads (axis -3): q " + q.shape()
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

        long groups = hk == 0 ? 1 : hq / hk;
        Tensor grouped = split(q, hk, groups);
        if (!Shape.broadcast("attend", before(q), before(k)).equals(batch)) {
            // v alone has more batches: the same weights are computed again for each
            grouped = grouped.expand(batch.plus(hk, groups, lq, q.dim(-1)).toArray());
        }
        long d = q.dim(-1);
        Operands operands = new Operands(
                grouped, shared(k), shared(v), split(a.mask, hk, groups), split(a.bias, hk, groups), offset(a, q, k));
        // d = 0: all scores are 0, whatever 1 / sqrt(0) is
        double scale = a.scale != null ? a.scale : d == 0 ? 0 : 1 / Math.sqrt(d);
        return new Problem(
                batch, rank > 2, hq, lq, lk, v.dim(-1), q.dtype(), compute, scale, a.isCausal, operands);
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

    private static void operand(String name, String what, Tensor t) {
        if (!t.dtype().isFloat()) {
            throw new DTypeException("attend: " + name + " is " + t.dtype() + "; " + name + " " + t.shape()
                    + "; cast with .to(DType.F32)");
        }
        if (t.rank() < 2) {
            throw new ShapeException("attend: " + name + " has too few axes; " + name + " " + t.shape()
                    + "; give (..., " + what + ", head size)");
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

    private static String shapes(Tensor q, Tensor k, Tensor v) {
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
            throw new ShapeException("attend: batch axes (before -3) do not broadcast: " + shapes(q, k, v)
                    + "; sizes must be equal or 1", e);
        }
    }

    private static void mask(Tensor q, Tensor mask, Shape scores) {
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

    private static void bias(Tensor q, Tensor bias, Shape scores, DType compute) {
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
        if (!t.shape().broadcastsTo(scores)) {
            throw new ShapeException("attend: " + name + " does not broadcast to the scores; " + name + " " + t.shape()
                    + ", scores " + scores + " (..., head, query, key); "
                    + "sizes must be equal or 1 from the last axis on");
        }
    }

    private static long offset(Attention a, Tensor q, Tensor k) {
        long lq = q.dim(-2);
        long lk = k.dim(-2);
        if (!a.isCausal || a.alignment == Causal.TOP_LEFT) {
            return 0;
        }
        if (a.offset != null) {
            return a.offset;
        }
        if (a.alignment == null && lq != lk) {
            throw new ShapeException("attend: causal, but " + lq + " queries and " + lk
                    + " keys can be aligned two ways; q " + q.shape() + ", k " + k.shape()
                    + "; causal(Causal.TOP_LEFT) lets query i see keys j <= i, "
                    + "causal(Causal.BOTTOM_RIGHT) keys j <= i " + (lk < lq ? "- " + (lq - lk) : "+ " + (lk - lq))
                    + ", offset(n) keys j <= i + n");
        }
        return lk - lq;
    }

    // ---- the common form -------------------------------------------------------------------------------------------

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
