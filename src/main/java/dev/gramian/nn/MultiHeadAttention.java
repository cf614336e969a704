package dev.gramian.nn;

import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.CacheBatch;
import dev.gramian.attention.Causal;
import dev.gramian.attention.KvCache;
import dev.gramian.attention.PagedKvCache;
import dev.gramian.attention.RopeTables;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Self-attention with its projections: x (batch, length, in) gives (batch, length, out). Heads lie one after another in
 * the projections' features, as in Hugging Face's files; query head h uses key head h / (queryHeads / keyHeads).
 *
 * @param projections of x to queries, keys and values
 * @param output (out, queryHeads * value size)
 * @param queryHeads heads of the queries, a multiple of {@code keyHeads}
 * @param keyHeads heads of keys and values
 * @param rope rotates queries and keys, or null
 * @param options scale, soft cap, window and whatever else belongs to every call; not causal
 * @param isCausal whether a position sees none after it; needed for a cache
 */
public record MultiHeadAttention(
        Projections projections,
        Linear output,
        long queryHeads,
        long keyHeads,
        RopeTables rope,
        Attention options,
        boolean isCausal) {

    /** How queries, keys and values are made of x. */
    public sealed interface Projections {
        /** Features of x. */
        long in();

        /** Weight that speaks for all in errors. */
        Tensor weight();
    }

    /** query (queryHeads * head size, in), key (keyHeads * head size, in), value (keyHeads * value size, in). */
    public record Separate(Linear query, Linear key, Linear value) implements Projections {
        public Separate {
            Fit.given("attention", "query projection", query, "give (query heads * head size, in)");
            Fit.given("attention", "key projection", key, "give (key heads * head size, in)");
            Fit.given("attention", "value projection", value, "give (key heads * value size, in)");
            Fit.sameOperand("attention", "key projection", key, "query projection", query);
            Fit.sameOperand("attention", "value projection", value, "query projection", query);
        }

        @Override
        public long in() {
            return query.in();
        }

        @Override
        public Tensor weight() {
            return query.weight();
        }
    }

    /** One product for all three: ((queryHeads + 2 * keyHeads) * head size, in), queries first, then keys, then values. */
    public record Fused(Linear all) implements Projections {
        public Fused {
            Fit.given("attention", "projection", all, "give ((query heads + 2 * key heads) * head size, in)");
        }

        @Override
        public long in() {
            return all.in();
        }

        @Override
        public Tensor weight() {
            return all.weight();
        }
    }

    public MultiHeadAttention {
        Fit.given("attention", "projections", projections, "give Separate or Fused ones");
        Fit.given("attention", "output projection", output, "give (out, query heads * value size)");
        if (keyHeads < 1 || queryHeads < 1 || queryHeads % keyHeads != 0) {
            throw new ShapeException("attention: query heads are no multiple of key heads; query heads " + queryHeads
                    + ", key heads " + keyHeads + "; every key head serves equally many query heads");
        }
        if (options == null) {
            options = Attention.scaled();
        }
        long headSize;
        long valueSize;
        switch (projections) {
            case Separate p -> {
                headSize = size("query projection", p.query, queryHeads, "query heads");
                long keySize = size("key projection", p.key, keyHeads, "key heads");
                if (headSize != keySize) {
                    throw new ShapeException("attention: queries and keys differ in head size: " + headSize + " and "
                            + keySize + "; query projection " + p.query.weight().shape() + " for " + queryHeads
                            + " heads, key projection " + p.key.weight().shape() + " for " + keyHeads
                            + "; their dot products need equal sizes");
                }
                valueSize = size("value projection", p.value, keyHeads, "key heads");
            }
            case Fused p -> {
                headSize = size("projection", p.all, queryHeads + 2 * keyHeads, "query, key and value heads");
                valueSize = headSize;
            }
        }
        if (output.in() != queryHeads * valueSize) {
            throw new ShapeException("attention: output projection takes " + output.in() + " features, the heads give "
                    + queryHeads * valueSize + "; output projection " + output.weight().shape() + " (out, in), "
                    + queryHeads + " heads of value size " + valueSize + "; they must be equal");
        }
        Fit.alike("attention", "output projection", output.weight(), "projection", projections.weight());
        if (rope != null && rope.rope().headSize() != headSize) {
            throw new ShapeException("attention: rope is for another head size; rope " + rope.rope().headSize()
                    + ", projection " + projections.weight().shape() + " has heads of " + headSize
                    + "; they must be equal");
        }
    }

    private static long size(String name, Linear p, long heads, String what) {
        if (p.out() % heads != 0 || p.out() == 0) {
            throw new ShapeException("attention: " + name + " does not divide into heads; " + name + " "
                    + p.weight().shape() + " (out, in), " + heads + " " + what
                    + "; its first axis must be a multiple of them");
        }
        return p.out() / heads;
    }

    /** Projections of their own, no rope, every position sees every other. */
    public static MultiHeadAttention of(
            Linear query, Linear key, Linear value, Linear output, long queryHeads, long keyHeads) {
        return new MultiHeadAttention(new Separate(query, key, value), output, queryHeads, keyHeads, null, null, false);
    }

    /** One projection for all three, no rope, every position sees every other. */
    public static MultiHeadAttention fused(Linear all, Linear output, long queryHeads, long keyHeads) {
        return new MultiHeadAttention(new Fused(all), output, queryHeads, keyHeads, null, null, false);
    }

    /** With queries and keys rotated; the tables must outlive this. */
    public MultiHeadAttention rope(RopeTables tables) {
        return new MultiHeadAttention(projections, output, queryHeads, keyHeads, tables, options, isCausal);
    }

    /** With options for every call. */
    public MultiHeadAttention options(Attention options) {
        return new MultiHeadAttention(projections, output, queryHeads, keyHeads, rope, options, isCausal);
    }

    /** A position sees itself and those before it. */
    public MultiHeadAttention causal() {
        return new MultiHeadAttention(projections, output, queryHeads, keyHeads, rope, options, true);
    }

    /** Channels of a query or key head. */
    public long headSize() {
        return switch (projections) {
            case Separate p -> p.query.out() / queryHeads;
            case Fused p -> p.all.out() / (queryHeads + 2 * keyHeads);
        };
    }

    /** Channels of a value head. */
    public long valueSize() {
        return output.in() / queryHeads;
    }

    /**
     * An empty cache for this layer, in its weights' type and rotating as it does; memory for {@code capacity} positions per
     * sequence.
     */
    public KvCache cache(Scope scope, long batch, long capacity) {
        DType dtype = output.weight().dtype();
        KvCache cache = KvCache.of(scope, dtype, batch, keyHeads, headSize(), valueSize(), capacity);
        return rope == null ? cache : cache.rotating(rope);
    }

    /**
     * An empty cache in pages for this layer, in its weights' type and rotating as it does, with memory for {@code blocks}
     * blocks of {@code blockSize} positions.
     */
    public PagedKvCache pagedCache(Scope scope, int blockSize, int blocks) {
        PagedKvCache cache = PagedKvCache.of(
                scope, output.weight().dtype(), keyHeads, headSize(), valueSize(), blockSize, blocks);
        return rope == null ? cache : cache.rotating(rope);
    }

    /** Of whole sequences, x (batch, length, in). */
    public Tensor apply(Tensor x) {
        return apply(x, UnaryOperator.identity());
    }

    /**
     * Of whole sequences, x (batch, length, in), from position 0 on. {@code more} adds this call's options to the layer's:
     * {@code a -> a.lengths(7, 5)} for sequences padded at their end.
     */
    public Tensor apply(Tensor x, UnaryOperator<Attention> more) {
        check(x);
        try (Scope s = Scope.inner("attention", x.device())) {
            Tensor[] heads = heads(x);
            for (int i = 0; i < 2 && rope != null; i++) {
                heads[i] = rope.apply(heads[i], 0);
            }
            // not by lengths, which would count from each sequence's own end
            Attention a = isCausal ? options.causal(Causal.TOP_LEFT) : options;
            return s.keep(joined(more.apply(a).apply(heads[0], heads[1], heads[2]).output()));
        }
    }

    /** As {@link #apply(Tensor, UnaryOperator, CacheBatch, long...)} without options. */
    public Tensor apply(Tensor x, CacheBatch cache, long... counts) {
        return apply(x, UnaryOperator.identity(), cache, counts);
    }

    /**
     * Of x (batch, n, in), the next positions of the cache's sequences, whose keys and values are appended to it: of
     * sequence b the first {@code counts[b]}, the rest is padding whose results mean nothing; no counts means all. An error
     * leaves the cache's lengths as they were.
     */
    public Tensor apply(Tensor x, UnaryOperator<Attention> more, CacheBatch cache, long... counts) {
        check(x);
        if (!isCausal) {
            throw new GramianException("attention: a cache needs a causal layer; x " + x.shape() + ", " + cache
                    + "; use causal(): earlier positions cannot see later ones");
        }
        if (cache.rope() != rope) {
            throw new GramianException("attention: layer and cache do not rotate alike; x " + x.shape() + ", " + cache
                    + "; make the cache by cache(...) or pagedCache(...), or let it be rotating(layer.rope())");
        }
        if (x.dim(0) != cache.batch()) {
            throw new ShapeException("attention: x and the cache differ in sequences (axis 0); x " + x.shape() + ", "
                    + cache + "; give (" + cache.batch() + ", n, " + projections.in() + ")");
        }
        long[] starts = cache.lengths();
        long[] valid = Positions.counts("attention", counts, x);
        return Rollback.onError(starts, cache::truncate, () -> {
            try (Scope s = Scope.inner("attention", x.device())) {
                Tensor[] heads = heads(x);
                cache.append(heads[1], heads[2], valid);
                return s.keep(joined(cache.attend(more.apply(options), heads[0], starts).output()));
            }
        });
    }

    private void check(Tensor x) {
        if (x.rank() != 3 || x.dim(2) != projections.in()) {
            throw new ShapeException("attention: x does not fit; x " + x.shape() + ", projection "
                    + projections.weight().shape() + " (out, in); give (batch, length, " + projections.in() + ")");
        }
    }

    /** Queries, keys and values as (batch, heads, length, size). */
    private Tensor[] heads(Tensor x) {
        List<Tensor> all = switch (projections) {
            case Separate p -> List.of(p.query.apply(x), p.key.apply(x), p.value.apply(x));
            case Fused p -> {
                long d = headSize();
                yield Join.split(p.all.apply(x), -1, queryHeads * d, keyHeads * d, keyHeads * d);
            }
        };
        return new Tensor[] {
            split(all.get(0), queryHeads), split(all.get(1), keyHeads), split(all.get(2), keyHeads)};
    }

    private static Tensor split(Tensor x, long heads) {
        return x.reshape(x.dim(0), x.dim(1), heads, x.dim(2) / heads).transpose(1, 2);
    }

    private Tensor joined(Tensor y) {
        return output.apply(y.transpose(1, 2).reshape(y.dim(0), y.dim(2), output.in()));
    }
}
