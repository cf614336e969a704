package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A model of {@link EncoderBlock}s as BERT: ids (batch, length) give states (batch, length, features). {@link Pretrained}
 * reads one from a checkpoint.
 *
 * @param tokens (vocabulary, features)
 * @param positions (length, features), added to the tokens'
 * @param types (types, features), added too, or null
 * @param norm of the sum
 * @param blocks one after the other
 * @param pooler (features, features) of {@link #pool}, or null
 */
public record Encoder(
        Embedding tokens, Embedding positions, Embedding types, Norm norm, List<EncoderBlock> blocks, Linear pooler) {
    public Encoder {
        Fit.given("encoder", "token embedding", tokens, "give (vocabulary, features)");
        Fit.given("encoder", "position embedding", positions, "give (length, features)");
        blocks = Parts.stack("encoder", blocks, EncoderBlock::features, tokens);
        Parts.same("encoder", "position embedding", positions.features(), tokens);
        Fit.alike("encoder", "position embedding", positions.weight(), "token embedding", tokens.weight());
        if (types != null) {
            Parts.same("encoder", "type embedding", types.features(), tokens);
            Fit.alike("encoder", "type embedding", types.weight(), "token embedding", tokens.weight());
        }
        Fit.norm("encoder", "norm", norm, "token embedding", tokens.weight(), tokens.features());
        if (pooler != null) {
            Parts.same("encoder", "pooler", pooler.in(), tokens);
            Fit.alike("encoder", "pooler", pooler.weight(), "token embedding", tokens.weight());
        }
    }

    /** States of whole sequences, ids (batch, length), I64 or I32, all of type 0. */
    public Tensor apply(Tensor ids) {
        return apply(ids, null, UnaryOperator.identity());
    }

    /**
     * States of ids (batch, length) of types (batch, length), null for all 0. {@code more} adds options for attention:
     * {@code a -> a.lengths(7, 5)} for sequences padded at their end; states of padding mean nothing.
     */
    public Tensor apply(Tensor ids, Tensor typeIds, UnaryOperator<Attention> more) {
        Parts.ids("encoder", ids);
        if (typeIds != null && (types == null || !typeIds.shape().equals(ids.shape()))) {
            throw new ShapeException("encoder: type ids do not fit; ids " + ids.shape() + ", type ids "
                    + typeIds.shape() + "; " + (types == null
                            ? "this encoder has no types: give null"
                            : "give one per id"));
        }
        try (Scope s = Scope.inner("encoder", tokens.weight().device())) {
            long[] counts = Positions.counts("encoder", new long[0], ids);
            Tensor h = tokens.apply(ids).add(Positions.embed(positions, ids.dim(1), new long[counts.length], counts));
            if (types != null) {
                h = h.add(typeIds == null ? types.apply(0) : types.apply(typeIds));
            }
            h = norm.apply(h);
            for (EncoderBlock b : blocks) {
                h = b.apply(h, more);
            }
            return s.keep(h);
        }
    }

    /** tanh of the pooler's product with the first position's state: (batch, length, features) to (batch, features). */
    public Tensor pool(Tensor states) {
        if (pooler == null) {
            throw new GramianException("encoder: no pooler; states " + states.shape()
                    + "; the checkpoint had none: use the states, or their mean");
        }
        try (Scope s = Scope.inner("encoder", states.device())) {
            return s.keep(pooler.apply(states.select(1, 0)).tanh());
        }
    }
}
