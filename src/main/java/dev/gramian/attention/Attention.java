package dev.gramian.attention;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Bytes;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Scaled dot-product attention: softmax(scale · q kᵀ, masked) v, as one batched pipeline of two matrix products with
 * the softmax between them. Immutable: each option returns a changed copy.
 *
 * <p>Shapes: q (..., Hq, Lq, d), k (..., Hkv, Lk, d), v (..., Hkv, Lk, dv), giving (..., Hq, Lq, dv). Axes before the
 * heads broadcast; without a heads axis, q (Lq, d), there is one head. Hq is a multiple of Hkv: query head h uses key
 * head h / (Hq / Hkv), and no key or value is copied for it. A (..., L, H, d) tensor comes as
 * {@code x.transpose(-3, -2)}, which is read in place, as is every view whose heads have adjacent elements.
 *
 * <p>The order is scale, soft cap, bias, masks, softmax. Masked positions are selected away, never added: NaN or
 * infinity in masked keys or values reaches no result. A query with nothing to attend to gives zeros and log-sum-exp
 * -inf. F16 and BF16 compute in F32 throughout and round once, at the end; in a scope of MathMode.REDUCED the weights are
 * rounded to the half type too where that makes the second product much faster.
 */
public final class Attention {
    private static final Attention DEFAULT = new Attention();

    /** Of a window's side: no limit. */
    static final long UNBOUNDED = -1;

    // set by the option methods on a fresh copy, never after it was handed out

    boolean isCausal;
    /** Where queries stand among the keys: an alignment if one is named, an offset if it is given as a number. */
    Causal alignment;
    Long offset;
    /** An offset per sequence, or null. */
    long[] offsets;
    /** Neighbours seen to the left and right; {@link #UNBOUNDED} for all. */
    long left = UNBOUNDED;
    long right = UNBOUNDED;
    /** Valid keys of each sequence, or null. */
    long[] lengths;
    /** Null for 1 / sqrt(d). */
    Double scale;
    double softcap;
    Tensor mask;
    Tensor bias;
    Tensor slopes;
    Tensor sinks;
    double dropout;
    long seed;
    /** Heads of operands (B, L, heads * d); 0 where they have an axis for them. */
    long queryHeads;
    long keyHeads;
    boolean weights;
    /** Null for what suits the device. */
    Long workspace;

    private Attention() {}

    Attention with(Consumer<Attention> change) {
        Attention a = new Attention();
        a.isCausal = isCausal;
        a.alignment = alignment;
        a.offset = offset;
        a.offsets = offsets;
        a.left = left;
        a.right = right;
        a.lengths = lengths;
        a.scale = scale;
        a.softcap = softcap;
        a.mask = mask;
        a.bias = bias;
        a.slopes = slopes;
        a.sinks = sinks;
        a.dropout = dropout;
        a.seed = seed;
        a.queryHeads = queryHeads;
        a.keyHeads = keyHeads;
        a.weights = weights;
        a.workspace = workspace;
        change.accept(a);
        return a;
    }

    /**
     * What attention gives: {@code output} (..., Hq, Lq, dv) in the operands' type; {@code weights} (..., Hq, Lq, Lk),
     * null unless asked for, and {@code logSumExp} (..., Hq, Lq), the natural logarithm of each row's sum of
     * exponentials of the final scores (of the sink too, where there is one), both in the type computed in: F64 for F64,
     * else F32.
     */
    public record Result(Tensor output, Tensor weights, Tensor logSumExp) {}

    // ---- options: where queries stand and what they see -------------------------------------------------------------

    /** Scale 1 / sqrt(d), every query sees every key. */
    public static Attention scaled() {
        return DEFAULT;
    }

    /**
     * Query i sees keys j up to its own place. Needs as many queries as keys, or {@link #lengths}; name a {@link Causal}
     * alignment or {@link #offset} otherwise.
     */
    public Attention causal() {
        return with(a -> a.isCausal = true);
    }

    /** Causal, query i standing at key i or, counted from the end, at key i + Lk - Lq. */
    public Attention causal(Causal alignment) {
        return with(a -> {
            a.isCausal = true;
            a.alignment = alignment;
            a.offset = null;
            a.offsets = null;
        });
    }

    /** Causal with any offset: query i sees keys {@code j <= i + offset}; negative ones leave the first rows empty. */
    public Attention offset(long offset) {
        return align(offset).causal();
    }

    /** Query i stands at key i or, counted from the end, at key i + Lk - Lq; for windows and distances. */
    public Attention align(Causal alignment) {
        return with(a -> {
            a.alignment = alignment;
            a.offset = null;
            a.offsets = null;
        });
    }

    /** Query i stands at key i + offset; for windows and distances. */
    public Attention align(long offset) {
        return with(a -> {
            a.alignment = null;
            a.offset = offset;
            a.offsets = null;
        });
    }

    /** Query i of sequence b stands at key i + offsets[b]: one per sequence, in row-major order of the batch axes. */
    public Attention alignEach(long... offsets) {
        return with(a -> {
            a.alignment = null;
            a.offset = null;
            a.offsets = offsets.clone();
        });
    }

    /**
     * A sliding window: a query sees so many keys to the left and right of its own place, itself not counted; -1 for all.
     * Composes with {@link #causal()}, which is a right side of 0.
     */
    public Attention window(long left, long right) {
        if (left < UNBOUNDED || right < UNBOUNDED) {
            throw new GramianException("attend: window is negative; left " + left + ", right " + right
                    + "; give the neighbours seen on each side, -1 for all");
        }
        return with(a -> {
            a.left = left;
            a.right = right;
        });
    }

    /**
     * Sequence b has {@code lengths[b]} keys, what follows is padding: one per sequence, in row-major order of the batch
     * axes. Causal without an alignment, and BOTTOM_RIGHT, then count from the sequence's own end: the last query stands at
     * its last key. Null for none.
     */
    public Attention lengths(long... lengths) {
        if (lengths != null) {
            for (long n : lengths) {
                if (n < 0) {
                    throw new ShapeException("attend: a length is negative; lengths " + Arrays.toString(lengths)
                            + "; give the valid keys of each sequence");
                }
            }
        }
        return with(a -> a.lengths = lengths == null ? null : lengths.clone());
    }

    /**
     * BOOL, true = may attend, broadcast to (..., Hq, Lq, Lk) from the last axis; a shorter last axis blocks the keys
     * beyond it. Where causal too, both must allow. Null for none.
     */
    public Attention mask(Tensor allowed) {
        return with(a -> a.mask = allowed);
    }

    // ---- options: scores --------------------------------------------------------------------------------------------

    /** Factor of q kᵀ in place of 1 / sqrt(d); 0 means 0. */
    public Attention scale(double scale) {
        if (!Double.isFinite(scale)) {
            throw new GramianException("attend: scale is not finite; scale " + scale + "; 1 / sqrt(d) is the default");
        }
        return with(a -> a.scale = scale);
    }

    /** Scores become {@code cap * tanh(score / cap)} after scaling and before bias and masks; 0 for none. */
    public Attention softcap(double cap) {
        if (!(cap >= 0 && cap < Double.POSITIVE_INFINITY)) {
            throw new GramianException("attend: softcap is " + cap + "; it limits scores to (-cap, cap); "
                    + "use a positive number, or 0 for none");
        }
        return with(a -> a.softcap = cap);
    }

    /**
     * Added to the scaled and capped scores, broadcast to (..., Hq, Lq, Lk) from the last axis; a shorter last axis blocks
     * the keys beyond it. F64 for F64 operands, else F32 or a half type. Null for none.
     */
    public Attention bias(Tensor bias) {
        return with(a -> a.bias = bias);
    }

    /**
     * Attention with linear biases (Press et al. 2021): minus slope times the distance of key and query's place, with
     * slopes (..., Hq) in the type computed in or a half type. Null for none.
     */
    public Attention alibi(Tensor slopes) {
        return with(a -> a.slopes = slopes);
    }

    /** The usual slopes for a number of heads: 2^(-8 h / heads) for h from 1, by halves where it is no power of two. */
    public static double[] alibiSlopes(int heads) {
        int power = Integer.highestOneBit(Math.max(1, heads));
        double[] s = new double[heads];
        for (int h = 0; h < heads; h++) {
            s[h] = h < power
                    ? Math.pow(2, -8.0 * (h + 1) / power)
                    : Math.pow(2, -4.0 * (2 * (h - power) + 1) / power);
        }
        return s;
    }

    /**
     * One more score per head, (..., Hq), that takes part in the softmax and has no value: what it gets is lost. In the
     * type computed in or a half type. Null for none.
     */
    public Attention sinks(Tensor sinks) {
        return with(a -> a.sinks = sinks);
    }

    /**
     * Each weight becomes 0 with probability {@code p} and grows by 1 / (1 - p) otherwise; one seed drops the same weights
     * on every device: those where {@code uniform(F32, seed, 0, 1, ..., Hq, Lq, Lk)} is below {@code p}. Weights returned
     * are those before. 0 for none.
     */
    public Attention dropout(double p, long seed) {
        if (!(p >= 0 && p < 1)) {
            throw new GramianException("attend: dropout is " + p + "; it is the probability of losing a weight; "
                    + "give 0 up to, not including, 1");
        }
        return with(a -> {
            a.dropout = p;
            a.seed = seed;
        });
    }

    // ---- options: operands and results ------------------------------------------------------------------------------

    /**
     * Operands and output have their heads in the last axis: q (B, Lq, Hq * d), k (B, Lk, Hkv * d), v (B, Lk, Hkv * dv),
     * output (B, Lq, Hq * dv). Operands are read in place; the output is copied once.
     */
    public Attention heads(long queryHeads, long keyHeads) {
        if (queryHeads < 1 || keyHeads < 1) {
            throw new ShapeException("attend: no heads; query heads " + queryHeads + ", key heads " + keyHeads
                    + "; give 1 or more");
        }
        return with(a -> {
            a.queryHeads = queryHeads;
            a.keyHeads = keyHeads;
        });
    }

    /** Whether to return the weights, which takes their memory twice and rules out working in slices. */
    public Attention weights(boolean wanted) {
        return with(a -> a.weights = wanted);
    }

    /**
     * Bytes that scores and weights may take at a time, as far as single rows allow; without it, what suits the device
     * ({@link dev.gramian.core.Profile}). What needs more is computed in slices of batch, heads and at last queries.
     * Without meaning where a device computes in tiles and scores take no memory; {@link #explain} tells.
     */
    public Attention workspace(long bytes) {
        if (bytes < 0) {
            throw new GramianException("attend: workspace is negative; " + bytes + " bytes; give 0 or more");
        }
        return with(a -> a.workspace = bytes);
    }

    // ---- running ---------------------------------------------------------------------------------------------------

    /** {@code Attention.scaled().apply(q, k, v).output()}. */
    public static Tensor attend(Tensor q, Tensor k, Tensor v) {
        return DEFAULT.apply(q, k, v).output();
    }

    /** Runs in the innermost open scope of q's device, which owns the results. */
    public Result apply(Tensor q, Tensor k, Tensor v) {
        return apply(q, k, v, null);
    }

    /** With {@code numbers} (..., Hq, Lq, Lk) of dropout where they are not simply counted, else null. */
    Result apply(Tensor q, Tensor k, Tensor v, Layout numbers) {
        try (Scope s = Scope.inner("attend", q.device())) {
            Problem p = problem(s, q, k, v, numbers);
            Pipeline.Part part = new Pipeline(this, p).run(p.operands());
            Tensor output = p.join(part.output(), p.valueSize());
            if (queryHeads > 0) {
                output = output.transpose(-3, -2).reshape(together(p).toArray());
            }
            s.keep(part.logSumExp());
            return new Result(
                    s.keep(output),
                    weights ? p.join(s.keep(part.weights()), p.keys()) : null,
                    p.join(part.logSumExp()));
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    private Problem problem(Scope s, Tensor q, Tensor k, Tensor v, Layout numbers) {
        if (queryHeads == 0) {
            return Problem.of(s, this, q, k, v, numbers);
        }
        String all = Problem.shapes(q, k, v);
        return Problem.of(s, this, heads("q", q, queryHeads, all), heads("k", k, keyHeads, all),
                heads("v", v, keyHeads, all), numbers);
    }

    /** (B, L, heads * d) as (B, heads, L, d). */
    private static Tensor heads(String name, Tensor t, long heads, String all) {
        if (t.rank() != 3 || t.dim(-1) % heads != 0) {
            throw new ShapeException("attend: " + name + " does not divide into " + heads + " heads (axis -1); " + all
                    + "; with heads(...) operands are (batch, query or key, heads * channels)");
        }
        return t.reshape(t.dim(0), t.dim(1), heads, t.dim(2) / heads).transpose(1, 2);
    }

    /** (B, Lq, heads * dv). */
    private Shape together(Problem p) {
        return Shape.of(p.batch().at(0), p.queries(), queryHeads * p.valueSize());
    }

    /** How far scores have come: ONNX's numbering of what an attention may output. */
    public enum Stage {
        /** Scaled products of queries and keys. */
        RAW,
        /** After the soft cap. */
        SOFTCAP,
        /** After bias, distances and masks: -inf where a query may not attend. */
        MASKED,
        /** After the softmax. */
        WEIGHTS
    }

    /**
     * The scores (..., Hq, Lq, Lk) at a stage, in the type computed in. Not the way {@link #apply} takes: it is the plain
     * composition that defines it.
     */
    public Tensor scores(Stage stage, Tensor q, Tensor k) {
        try (Scope s = Scope.inner("attend", q.device())) {
            Problem p = problem(s, q, k, k, null);
            return s.keep(p.join(new Scores(this, p).at(s, stage), p.keys()));
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    /**
     * Attention over parts of the keys as one: results of the same queries, each over other keys, weighted by their
     * log-sum-exp. All of one shape and type; without weights.
     */
    public static Result merge(Result... parts) {
        if (parts.length == 0) {
            throw new ShapeException("merge: no parts are given; nothing to merge; give at least one result");
        }
        for (int i = 0; i < parts.length; i++) {
            mergeable(parts[0], i, parts[i]);
        }
        Tensor first = parts[0].output();
        try (Scope s = Scope.inner("merge", first.device())) {
            DType compute = parts[0].logSumExp().dtype();
            Tensor[] sums = Arrays.stream(parts).map(Result::logSumExp).toArray(Tensor[]::new);
            Tensor all = Join.stack(0, sums).logSumExp(0);
            // a query that sees no key of any part: all sums are -inf, and exp(-inf - 0) is 0
            Tensor shift = all.gt(Double.NEGATIVE_INFINITY).where(all, s.scalar(compute, 0));
            Tensor total = null;
            for (Result part : parts) {
                Tensor weight = part.logSumExp().sub(shift).exp().unsqueeze(-1);
                Tensor term = part.output().to(compute).mul(weight);
                total = total == null ? term : total.add(term);
            }
            return new Result(s.keep(total.to(first.dtype())), null, s.keep(all));
        } catch (GramianException e) {
            throw Frame.in("merge", e);
        }
    }

    private static void mergeable(Result first, int i, Result part) {
        Tensor y = part.output();
        Tensor sums = part.logSumExp();
        if (y == null || sums == null) {
            throw new GramianException("merge: part " + i + " has no " + (y == null ? "output" : "log-sum-exp") + "; "
                    + described(part) + "; parts are weighted by it, give results of apply(...)");
        }
        boolean weighs = y.rank() == sums.rank() + 1 && y.shape().without(sums.rank()).equals(sums.shape());
        if (!weighs) {
            throw new ShapeException("merge: output and log-sum-exp of part " + i + " do not fit; " + described(part)
                    + "; output is (..., head, query, channel), log-sum-exp (..., head, query)"
                    + "; results of packed(...) fit as output.transpose(0, 1), with heads(...) once these have their axis");
        }
        if (!y.shape().equals(first.output().shape())) {
            throw new ShapeException("merge: parts differ in shape; part 0 " + described(first) + ", part " + i + " "
                    + described(part) + "; give results of the same queries (..., head, query, channel)");
        }
        if (y.dtype() != first.output().dtype() || sums.dtype() != first.logSumExp().dtype()) {
            throw new DTypeException("merge: parts differ in element type; part 0 " + described(first) + ", part " + i
                    + " " + described(part) + "; cast one with .to(DType." + first.output().dtype() + ")");
        }
        Device device = first.output().device();
        if (y.device() != device || sums.device() != device) {
            throw new DeviceException("merge: parts are on different devices; part 0 " + described(first) + " on "
                    + device.name() + ", part " + i + " " + described(part) + " on " + y.device().name()
                    + "; move it with .to(Device.of(\"" + device.name() + "\"))");
        }
    }

    private static String described(Result part) {
        return "output " + described(part.output()) + ", log-sum-exp " + described(part.logSumExp());
    }

    private static String described(Tensor t) {
        return t == null ? "none" : t.dtype() + " " + t.shape();
    }

    /**
     * Most bytes that {@link #apply} takes for these operands at any time, its results among them and what is live
     * already left out.
     */
    public long peakBytes(Tensor q, Tensor k, Tensor v) {
        try (Scope s = Scope.inner("attend", q.device())) {
            return plan(s, q, k, v).bytes();
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    /**
     * What {@link #apply} would do with these operands on their device, in words and numbers: the products, the pieces it
     * is cut into, which part of the scores is computed, what is copied, and the memory it takes. Several lines, without
     * an end of line after the last. Computes nothing but what shapes depend on.
     */
    public String explain(Tensor q, Tensor k, Tensor v) {
        try (Scope s = Scope.inner("attend", q.device())) {
            return plan(s, q, k, v).explain(this, q, k, v);
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    /** {@code s} is empty, and holds what the call would hold all along. */
    Plan plan(Scope s, Tensor q, Tensor k, Tensor v) {
        Problem p = problem(s, q, k, v, null);
        long held = s.liveBytes();
        Pipeline.Tally tally = new Pipeline.Tally();
        Pipeline pipeline = new Pipeline(this, p);
        Pipeline.Peak peak = pipeline.peak(p.operands(), tally);
        // heads beside each other in the last axis: the output is copied once more
        long together = 0;
        if (queryHeads > 0) {
            Layout apart = Layout.contiguous(p.batch().plus(p.queryHeads(), p.queries(), p.valueSize()));
            Shape target = together(p);
            together = apart.transpose(-3, -2).reshape(target) == null ? target.size() * p.type().bytes() : 0;
        }
        long after = pipeline.copies(p.operands()) + peak.results() + together;
        return new Plan(p, pipeline, tally, held, together, peak.results(), held + Math.max(peak.most(), after));
    }

    // ---- packed sequences ------------------------------------------------------------------------------------------

    /**
     * Sequences of different length one after another without padding, each by itself: q (sum of Lq, Hq, d), k (sum of Lk,
     * Hkv, d), v (sum of Lk, Hkv, dv), or (sum of L, heads * channels) with {@link #heads}. Sequence b has the queries
     * {@code queryOffsets[b]} up to {@code queryOffsets[b + 1]}, and keys likewise. Output (sum of Lq, Hq, dv) or (sum of
     * Lq, Hq * dv), log-sum-exp (Hq, sum of Lq).
     *
     * <p>Results are those of the batch (B, H, longest Lq, longest Lk) padded at the end of each sequence, without what is
     * computed for padding. So masks and biases broadcast to (B, Hq, longest Lq, longest Lk), B the number of sequences,
     * slopes and sinks to (B, Hq), dropout loses the weights that it loses there, and weights are (B, Hq, longest Lq,
     * longest Lk), 0 where a sequence has no such query or key. Alignments are each sequence's own: BOTTOM_RIGHT puts its
     * last query at its last key, lengths, one per sequence, leave out the keys at its end, and offsets are one per
     * sequence. Neighbours of equal lengths are computed together.
     */
    public Result packed(Tensor q, Tensor k, Tensor v, long[] queryOffsets, long[] keyOffsets) {
        return new Packed(this, q, k, v, queryOffsets, keyOffsets).apply();
    }

    /**
     * As {@link #scores(Stage, Tensor, Tensor)} of packed sequences, (B, Hq, longest Lq, longest Lk): where a sequence has
     * no such query or key, MASKED is -inf and all else 0.
     */
    public Tensor packedScores(Stage stage, Tensor q, Tensor k, long[] queryOffsets, long[] keyOffsets) {
        return new Packed(this, q, k, k, queryOffsets, keyOffsets).scores(stage);
    }

    /** As {@link #peakBytes} of {@link #packed}. */
    public long packedPeakBytes(Tensor q, Tensor k, Tensor v, long[] queryOffsets, long[] keyOffsets) {
        return new Packed(this, q, k, v, queryOffsets, keyOffsets).peakBytes();
    }

    /** As {@link #explain} of {@link #packed}, with the largest of the calls that it is made of. */
    public String explainPacked(Tensor q, Tensor k, Tensor v, long[] queryOffsets, long[] keyOffsets) {
        return new Packed(this, q, k, v, queryOffsets, keyOffsets).explain();
    }

    @Override
    public String toString() {
        return "attention: scale " + (scale == null ? "1/sqrt(d)" : scale.toString())
                + (softcap > 0 ? ", softcap " + softcap : "")
                + (isCausal ? ", causal" : alignment != null || offset != null || offsets != null ? ", aligned" : "")
                + (alignment != null ? " " + alignment : offset != null ? " offset " + offset : "")
                + (offsets != null ? " offsets " + Arrays.toString(offsets) : "")
                + (left >= 0 || right >= 0 ? ", window " + left + "," + right : "")
                + (lengths != null ? ", lengths " + Arrays.toString(lengths) : "")
                + (mask != null ? ", mask " + mask.shape() : "")
                + (bias != null ? ", bias " + bias.shape() : "")
                + (slopes != null ? ", alibi " + slopes.shape() : "")
                + (sinks != null ? ", sinks " + sinks.shape() : "")
                + (dropout > 0 ? ", dropout " + dropout : "")
                + (queryHeads > 0 ? ", heads " + queryHeads + " and " + keyHeads : "")
                + (weights ? ", with weights" : "")
                + (workspace != null ? ", workspace " + Bytes.text(workspace) : "");
    }
}
