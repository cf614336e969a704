package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.attention.KvCache;
import java.util.List;

/**
 * Keys and values of every block of a {@link Decoder} for sequences that all blocks have seen equally far; made by
 * {@link Decoder#cache}. Memory belongs to the scope given there, and only that scope's thread may use it.
 */
public final class DecoderCache implements DecoderBatch, AutoCloseable {
    private final int batch;
    private final List<KvCache> blocks;

    private DecoderCache(int batch, List<KvCache> blocks) {
        this.batch = batch;
        this.blocks = blocks;
    }

    static DecoderCache of(Scope scope, Decoder decoder, int batch, long capacity) {
        return new DecoderCache(
                batch, Parts.each(decoder.blocks(), b -> b.attention().cache(scope, batch, capacity), KvCache::close));
    }

    /** One block's cache. Appending to it alone takes the blocks out of step. */
    @Override
    public KvCache block(int block) {
        return blocks.get(block);
    }

    @Override
    public int size() {
        return blocks.size();
    }

    @Override
    public int batch() {
        return batch;
    }

    /** Positions of each sequence so far, which is where its next ones are. */
    @Override
    public long[] lengths() {
        return blocks.isEmpty() ? new long[batch] : blocks.getFirst().lengths();
    }

    /** Bytes of the memory in use, whole capacity. */
    public long bytes() {
        return blocks.stream().mapToLong(KvCache::bytes).sum();
    }

    /** Drops what a sequence has beyond {@code length}; memory stays. */
    @Override
    public void truncate(int sequence, long length) {
        blocks.forEach(c -> c.truncate(sequence, length));
    }

    /** Empties every sequence; memory stays. */
    public void reset() {
        blocks.forEach(KvCache::reset);
    }

    /** The same contents to go on with independently, in the same scope; memory is copied when either first appends. */
    public DecoderCache fork() {
        return new DecoderCache(batch, Parts.each(blocks, KvCache::fork, KvCache::close));
    }

    /** The sequences named, in that order and with repetitions, in memory of their own. */
    public DecoderCache select(int... sequences) {
        return new DecoderCache(sequences.length, Parts.each(blocks, c -> c.select(sequences), KvCache::close));
    }

    /** Frees the memory before the scope does. Closing twice is harmless. */
    @Override
    public void close() {
        blocks.forEach(KvCache::close);
    }
}
