package dev.gramian.nn;

import dev.gramian.attention.CacheBatch;

/**
 * The sequences that a {@link Decoder}'s step goes on with, which all its blocks have seen equally far: row b of the ids
 * belongs to sequence b. A {@link DecoderCache} is one of all its sequences, {@link PagedDecoderCache#batch} makes one of
 * some.
 */
public sealed interface DecoderBatch permits DecoderCache, PagedDecoderCache.Batch {
    /** Number of sequences. */
    int batch();

    /** Blocks of the decoder. */
    int size();

    /** The sequences in one block's cache. Appending to it alone takes the blocks out of step. */
    CacheBatch block(int block);

    /** Positions of each sequence so far, which is where its next ones are. */
    long[] lengths();

    /** Drops what a sequence has beyond {@code length}. */
    void truncate(int sequence, long length);
}
