package dev.gramian.attention;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Bytes;
import dev.gramian.core.GramianException;

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
    private static final Attention DEFAULT = new Attention(false, null, null, null, 0, null, null, false, null);

    /** Causal at all, the alignment if one is named, the offset if it is given as a number. */
    final boolean isCausal;
    final Causal alignment;
    final Long offset;
    /** Null for 1 / sqrt(d). */
    final Double scale;
    final double softcap;
    final Tensor mask;
    final Tensor bias;
    final boolean weights;
    /** Null for what suits the device. */
    final Long workspace;

    private Attention(
            boolean isCausal,
            Causal alignment,
            Long offset,
            Double scale,
            double softcap,
            Tensor mask,
            Tensor bias,
            boolean weights,
            Long workspace) {
        this.isCausal = isCausal;
        this.alignment = alignment;
        this.offset = offset;
        this.scale = scale;
        this.softcap = softcap;
        this.mask = mask;
        this.bias = bias;
        this.weights = weights;
        this.workspace = workspace;
    }

    /**
     * What attention gives: {@code output} (..., Hq, Lq, dv) in the operands' type; {@code weights} (..., Hq, Lq, Lk),
     * null unless asked for, and {@code logSumExp} (..., Hq, Lq), the natural logarithm of each row's sum of
     * exponentials of the final scores, both in the type computed in: F64 for F64, else F32.
     */
    public record Result(Tensor output, Tensor weights, Tensor logSumExp) {}

    // ---- options ---------------------------------------------------------------------------------------------------

    /** Scale 1 / sqrt(d), every query sees every key. */
    public static Attention scaled() {
        return DEFAULT;
    }

    /** Query i sees keys j up to i. Needs as many queries as keys; name a {@link Causal} alignment otherwise. */
    public Attention causal() {
        return new Attention(true, null, null, scale, softcap, mask, bias, weights, workspace);
    }

    /** Query i sees keys j up to i, counted from the first or from the last query. */
    public Attention causal(Causal alignment) {
        return new Attention(true, alignment, null, scale, softcap, mask, bias, weights, workspace);
    }

    /** Causal with any offset: query i sees keys {@code j <= i + offset}; negative ones leave the first rows empty. */
    public Attention offset(long offset) {
        return new Attention(true, null, offset, scale, softcap, mask, bias, weights, workspace);
    }

    /** Factor of q kᵀ in place of 1 / sqrt(d); 0 means 0. */
    public Attention scale(double scale) {
        if (!Double.isFinite(scale)) {
            throw new GramianException("attend: scale is not finite; scale " + scale + "; 1 / sqrt(d) is the default");
        }
        return new Attention(isCausal, alignment, offset, scale, softcap, mask, bias, weights, workspace);
    }

    /** Scores become {@code cap * tanh(score / cap)} after scaling and before bias and masks; 0 for none. */
    public Attention softcap(double cap) {
        if (!(cap >= 0 && cap < Double.POSITIVE_INFINITY)) {
            throw new GramianException("attend: softcap is " + cap + "; it limits scores to (-cap, cap); "
                    + "use a positive number, or 0 for none");
        }
        return new Attention(isCausal, alignment, offset, scale, cap, mask, bias, weights, workspace);
    }

    /**
     * BOOL, true = may attend, broadcast to (..., Hq, Lq, Lk) from the last axis. Where causal too, both must allow.
     * Null for none.
     */
    public Attention mask(Tensor allowed) {
        return new Attention(isCausal, alignment, offset, scale, softcap, allowed, bias, weights, workspace);
    }

    /**
     * Added to the scaled and capped scores, broadcast to (..., Hq, Lq, Lk) from the last axis. F64 for F64 operands,
     * else F32 or a half type. Null for none.
     */
    public Attention bias(Tensor bias) {
        return new Attention(isCausal, alignment, offset, scale, softcap, mask, bias, weights, workspace);
    }

    /** Whether to return the weights, which takes their memory twice and rules out working in slices. */
    public Attention weights(boolean wanted) {
        return new Attention(isCausal, alignment, offset, scale, softcap, mask, bias, wanted, workspace);
    }

    /**
     * Bytes that scores and weights may take at a time, as far as single rows allow; without it, what suits the device
     * ({@link dev.gramian.core.Profile}). What needs more is computed in slices of batch, heads and at last queries.
     */
    public Attention workspace(long bytes) {
        if (bytes < 0) {
            throw new GramianException("attend: workspace is negative; " + bytes + " bytes; give 0 or more");
        }
        return new Attention(isCausal, alignment, offset, scale, softcap, mask, bias, weights, bytes);
    }

    // ---- running ---------------------------------------------------------------------------------------------------

    /** {@code Attention.scaled().apply(q, k, v).output()}. */
    public static Tensor attend(Tensor q, Tensor k, Tensor v) {
        return DEFAULT.apply(q, k, v).output();
    }

    /** Runs in the innermost open scope of q's device, which owns the results. */
    public Result apply(Tensor q, Tensor k, Tensor v) {
        Problem p = Problem.of(this, q, k, v);
        try (Scope s = Scope.inner("attend", q.device())) {
            Pipeline.Part part = new Pipeline(this, p).run(p.operands());
            s.keep(part.output());
            s.keep(part.logSumExp());
            return new Result(
                    p.join(part.output(), p.valueSize()),
                    weights ? p.join(s.keep(part.weights()), p.keys()) : null,
                    p.join(part.logSumExp()));
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    /**
     * Most bytes that {@link #apply} takes for these operands at any time, its results among them and what is live
     * already left out.
     */
    public long peakBytes(Tensor q, Tensor k, Tensor v) {
        Problem p = Problem.of(this, q, k, v);
        return new Pipeline(this, p).peak(p.operands()).most();
    }

    @Override
    public String toString() {
        return "attention: scale " + (scale == null ? "1/sqrt(d)" : scale.toString())
                + (softcap > 0 ? ", softcap " + softcap : "")
                + (isCausal ? ", causal" : "")
                + (alignment != null ? " " + alignment : offset != null ? " offset " + offset : "")
                + (mask != null ? ", mask " + mask.shape() : "")
                + (bias != null ? ", bias " + bias.shape() : "")
                + (weights ? ", with weights" : "")
                + (workspace != null ? ", workspace " + Bytes.text(workspace) : "");
    }
}
