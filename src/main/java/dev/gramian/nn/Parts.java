package dev.gramian.nn;

import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** What blocks, and stacks of them, ask of their parts. */
final class Parts {
    private Parts() {}

    /** What is made for each; what is made already is closed where one fails. */
    static <T, R> List<R> each(List<T> from, Function<T, R> make, Consumer<R> close) {
        List<R> made = new ArrayList<>();
        boolean done = false;
        try {
            from.forEach(t -> made.add(make.apply(t)));
            done = true;
            return made;
        } finally {
            if (!done) {
                made.forEach(close);
            }
        }
    }

    static void check(
            String op, Norm attentionNorm, MultiHeadAttention attention, Norm feedForwardNorm,
            FeedForward feedForward) {
        Fit.given(op, "attention", attention, "give a MultiHeadAttention");
        Fit.given(op, "feed-forward part", feedForward, "give a FeedForward");
        Tensor projection = attention.projections().weight();
        long features = attention.projections().in();
        Fit.residual(op, "attention", features, attention.output().out());
        Fit.norm(op, "attention norm", attentionNorm, "attention", projection, features);
        Fit.residual(op, "feed-forward part", feedForward.up().in(), feedForward.down().out());
        Fit.norm(op, "feed-forward norm", feedForwardNorm, "feed-forward part", feedForward.up().weight(),
                feedForward.up().in());
        if (feedForward.up().in() != features) {
            throw new ShapeException(op + ": attention and feed-forward part differ in features: " + features + " and "
                    + feedForward.up().in() + "; attention " + projection.shape() + ", feed-forward part "
                    + feedForward.up().weight().shape() + " (out, in); they must be equal");
        }
        Fit.alike(op, "attention", projection, "feed-forward part", feedForward.up().weight());
    }

    /** A stack of blocks after embeddings of so many features. */
    static <B> List<B> stack(String op, List<B> blocks, ToLongFunction<B> features, Embedding tokens) {
        Fit.given(op, "blocks", blocks, "give a list, which may be empty");
        for (int i = 0; i < blocks.size(); i++) {
            Fit.given(op, "block " + i, blocks.get(i), "give one");
            same(op, "block " + i, features.applyAsLong(blocks.get(i)), tokens);
        }
        return List.copyOf(blocks);
    }

    static void same(String op, String part, long features, Embedding tokens) {
        if (features != tokens.features()) {
            throw new ShapeException(op + ": " + part + " is for " + features + " features, token embeddings have "
                    + tokens.features() + "; token embedding " + tokens.weight().shape()
                    + " (count, features); they must be equal");
        }
    }

    static void ids(String op, Tensor ids) {
        if (ids.rank() != 2) {
            throw new ShapeException(op + ": ids have " + ids.rank() + (ids.rank() == 1 ? " axis" : " axes") + "; ids "
                    + ids.shape() + "; give (batch, length)");
        }
    }
}
