package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import java.util.function.UnaryOperator;

/**
 * A block that normalises after each part, as BERT's: {@code h = attentionNorm(x + attention(x))}, then
 * {@code feedForwardNorm(h + feedForward(h))}. x and the result are (batch, length, features).
 */
public record EncoderBlock(
        MultiHeadAttention attention, Norm attentionNorm, FeedForward feedForward, Norm feedForwardNorm) {
    public EncoderBlock {
        Parts.check("encoderBlock", attentionNorm, attention, feedForwardNorm, feedForward);
    }

    /** Features of x. */
    public long features() {
        return attention.output().out();
    }

    public Tensor apply(Tensor x) {
        return apply(x, UnaryOperator.identity());
    }

    /** With options as {@link MultiHeadAttention#apply(Tensor, UnaryOperator)} takes them. */
    public Tensor apply(Tensor x, UnaryOperator<Attention> more) {
        try (Scope s = Scope.inner("encoderBlock", x.device())) {
            Tensor h = attentionNorm.apply(x.add(attention.apply(x, more)));
            return s.keep(feedForwardNorm.apply(h.add(feedForward.apply(h))));
        }
    }
}
