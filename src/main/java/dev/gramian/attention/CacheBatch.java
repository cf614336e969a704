package dev.gramian.attention;

import dev.gramian.Tensor;

/**
 * The sequences that a decoder's step goes on with: row b of what is appended and of the queries belongs to sequence b. A
 * {@link KvCache} is one of all its sequences, {@link PagedKvCache#batch} makes one of some.
 */
public sealed interface CacheBatch permits KvCache, PagedKvCache.Batch {
    /** Number of sequences. */
    int batch();

    /** Positions of each sequence so far, which is where its next ones are. */
    long[] lengths();

    /** What rotates keys and queries; null where they come as they are to be. */
    RopeTables rope();

    /**
     * Appends to sequence b the first {@code counts[b]} positions of k (batch, Hkv, n, d) and v (batch, Hkv, n, dv); what
     * follows them is padding. All or nothing: an error leaves the cache as it was.
     */
    void append(Tensor k, Tensor v, long... counts);

    /**
     * Causal attention of q (batch, Hq, n, d), the first query of sequence b at position {@code starts[b]}: query i sees
     * the sequence's keys up to position {@code starts[b] + i}. Queries beyond a sequence's end see all of it.
     */
    Attention.Result attend(Attention options, Tensor q, long... starts);

    /** Drops what a sequence has beyond {@code length}, as where guessed tokens were wrong. */
    void truncate(int sequence, long length);
}
