package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.CacheBatch;
import java.util.function.UnaryOperator;

/**
 * A block that normalises before each part, as Llama's and GPT-2's: {@code h = x + attention(attentionNorm(x))}, then
 * {@code h + feedForward(feedForwardNorm(h))}. x and the result are (batch, length, features).
 */
public record DecoderBlock(
        Norm attentionNorm, MultiHeadAttention attention, Norm feedForwardNorm, FeedForward feedForward) {
    public DecoderBlock {
        Parts.check("decoderBlock", attentionNorm, attention, feedForwardNorm, feedForward);
    }

    /** Features of x. */
    public long features() {
        return attention.output().out();
    }

    /** Of whole sequences, from position 0 on. */
    public Tensor apply(Tensor x) {
        return apply(x, UnaryOperator.identity());
    }

    /** Of whole sequences, with options as {@link MultiHeadAttention#apply(Tensor, UnaryOperator)} takes them. */
    public Tensor apply(Tensor x, UnaryOperator<Attention> more) {
        return parts(x, n -> attention.apply(n, more));
    }

    /** Of the next positions, as {@link MultiHeadAttention#apply(Tensor, CacheBatch, long...)}. */
    public Tensor apply(Tensor x, CacheBatch cache, long... counts) {
        return apply(x, UnaryOperator.identity(), cache, counts);
    }

    /** Of the next positions, as {@link MultiHeadAttention#apply(Tensor, UnaryOperator, CacheBatch, long...)}. */
    public Tensor apply(Tensor x, UnaryOperator<Attention> more, CacheBatch cache, long... counts) {
        return Rollback.onError(cache.lengths(), cache::truncate,
                () -> parts(x, n -> attention.apply(n, more, cache, counts)));
    }

    private Tensor parts(Tensor x, UnaryOperator<Tensor> attend) {
        try (Scope s = Scope.inner("decoderBlock", x.device())) {
            Tensor h = x.add(attend.apply(attentionNorm.apply(x)));
            return s.keep(h.add(feedForward.apply(feedForwardNorm.apply(h))));
        }
    }
}
