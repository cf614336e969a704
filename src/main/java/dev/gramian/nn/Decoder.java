package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A language model of {@link DecoderBlock}s: ids (batch, length) give logits (batch, length, vocabulary), those of each
 * position for the id after it. {@link Pretrained} reads one from a checkpoint.
 *
 * <p>States of every block stay until a call ends, blocks * batch * length * features elements: give a long prompt in
 * pieces, with a cache.
 *
 * @param tokens (vocabulary, features)
 * @param positions (length, features), added to the tokens'; null where the blocks rotate
 * @param blocks one after the other, all causal
 * @param norm of the last block's result
 * @param head (vocabulary, features): {@code tokens.head()} where it is tied to them
 */
public record Decoder(Embedding tokens, Embedding positions, List<DecoderBlock> blocks, Norm norm, Linear head) {
    public Decoder {
        Fit.given("decoder", "token embedding", tokens, "give (vocabulary, features)");
        blocks = Parts.stack("decoder", blocks, DecoderBlock::features, tokens);
        for (int i = 0; i < blocks.size(); i++) {
            if (!blocks.get(i).attention().isCausal()) {
                throw new GramianException("decoder: block " + i + " is not causal; its positions would see the ids "
                        + "they are to predict; make its attention causal()");
            }
        }
        if (positions != null) {
            Parts.same("decoder", "position embedding", positions.features(), tokens);
            Fit.alike("decoder", "position embedding", positions.weight(), "token embedding", tokens.weight());
        }
        Fit.norm("decoder", "norm", norm, "token embedding", tokens.weight(), tokens.features());
        Fit.given("decoder", "head", head, "give (vocabulary, features), tokens.head() where they are tied");
        Parts.same("decoder", "head", head.in(), tokens);
        Fit.alike("decoder", "head", head.weight(), "token embedding", tokens.weight());
    }

    /** An empty cache in {@code scope}, with memory for {@code capacity} positions of each sequence. */
    public DecoderCache cache(Scope scope, int batch, long capacity) {
        return DecoderCache.of(scope, this, batch, capacity);
    }

    /** An empty cache in {@code scope} with memory for {@code pages} pages of {@code pageSize} positions in each block. */
    public PagedDecoderCache pagedCache(Scope scope, int pageSize, int pages) {
        return PagedDecoderCache.of(scope, this, pageSize, pages);
    }

    /** Logits of whole sequences, ids (batch, length), I64 or I32. */
    public Tensor apply(Tensor ids) {
        return apply(ids, UnaryOperator.identity());
    }

    /** As {@link #apply(Tensor)}, with options as {@link MultiHeadAttention#apply(Tensor, UnaryOperator)} takes them. */
    public Tensor apply(Tensor ids, UnaryOperator<Attention> more) {
        try (Scope s = Scope.inner("decoder", tokens.weight().device())) {
            return s.keep(head.apply(states(ids, more)));
        }
    }

    /** Logits of the next positions, as {@link #states(Tensor, UnaryOperator, DecoderBatch, long...)} without options. */
    public Tensor apply(Tensor ids, DecoderBatch cache, long... counts) {
        try (Scope s = Scope.inner("decoder", tokens.weight().device())) {
            return s.keep(head.apply(states(ids, UnaryOperator.identity(), cache, counts)));
        }
    }

    /** What the head is applied to, (batch, length, features), of whole sequences. */
    public Tensor states(Tensor ids, UnaryOperator<Attention> more) {
        Parts.ids("decoder", ids);
        try (Scope s = Scope.inner("decoder", tokens.weight().device())) {
            long[] counts = Positions.counts("decoder", new long[0], ids);
            Tensor h = embed(ids, new long[counts.length], counts);
            for (DecoderBlock b : blocks) {
                h = b.apply(h, more);
            }
            return s.keep(norm.apply(h));
        }
    }

    /**
     * What the head is applied to, (batch, n, features), of ids (batch, n), the next positions of the cache's sequences: of
     * sequence b the first {@code counts[b]}, the rest is padding of any valid ids, whose results mean nothing; no counts
     * means all. An error leaves the cache's lengths as they were.
     */
    public Tensor states(Tensor ids, UnaryOperator<Attention> more, DecoderBatch cache, long... counts) {
        Parts.ids("decoder", ids);
        if (cache.size() != blocks.size() || ids.dim(0) != cache.batch()) {
            throw new ShapeException("decoder: the cache does not fit; " + blocks.size() + " blocks, ids " + ids.shape()
                    + " (batch, length), cache of " + cache.size() + " blocks and " + cache.batch()
                    + " sequences; make it with cache(...) or pagedCache(...)");
        }
        long[] starts = cache.lengths();
        long[] valid = Positions.counts("decoder", counts, ids);
        return Rollback.onError(starts, cache::truncate, () -> {
            try (Scope s = Scope.inner("decoder", tokens.weight().device())) {
                Tensor h = embed(ids, starts, valid);
                for (int i = 0; i < blocks.size(); i++) {
                    h = blocks.get(i).apply(h, more, cache.block(i), valid);
                }
                return s.keep(norm.apply(h));
            }
        });
    }

    private Tensor embed(Tensor ids, long[] starts, long[] counts) {
        Tensor h = tokens.apply(ids);
        return positions == null ? h : h.add(Positions.embed(positions, ids.dim(1), starts, counts));
    }

    @Override
    public String toString() {
        return "decoder of " + blocks.size() + " blocks, tokens " + tokens.weight().shape()
                + " (vocabulary, features), " + tokens.weight().dtype();
    }
}
