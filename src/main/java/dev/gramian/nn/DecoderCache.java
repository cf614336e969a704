package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.attention.KvCache;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Keys and values of every block of a {@link Decoder} for sequences that all blocks have seen equally far; made by
 * {@link Decoder#cache}. Memory belongs to the scope given there, and only that scope's thread may use it.
 */
public final class DecoderCache implements AutoCloseable {
    private final int batch;
    private final List<KvCache> blocks;

    private DecoderCache(int batch, List<KvCache> blocks) {
        this.batch = batch;
        this.blocks = blocks;
    }

    static DecoderCache of(Scope scope, Decoder decoder, int batch, long capacity) {
        return new DecoderCache(batch, each(decoder.blocks(), b -> b.attention().cache(scope, batch, capacity)));
    }

    /** A cache for each; those made already are closed where one fails. */
    private static <T> List<KvCache> each(List<T> from, Function<T, KvCache> make) {
        List<KvCache> made = new ArrayList<>();
        boolean done = false;
        try {
            from.forEach(t -> made.add(make.apply(t)));
            done = true;
            return made;
        } finally {
            if (!done) {
                made.forEach(KvCache::close);
            }
        }
    }

    /** One block's cache. Appending to it alone takes the blocks out of step. */
    public KvCache block(int block) {
        return blocks.get(block);
    }

    int size() {
        return blocks.size();
    }

    public int batch() {
        return batch;
    }

    /** Positions of each sequence so far, which is where its next ones are. */
    public long[] lengths() {
        return blocks.isEmpty() ? new long[batch] : blocks.getFirst().lengths();
    }

    /** Bytes of the memory in use, whole capacity. */
    public long bytes() {
        return blocks.stream().mapToLong(KvCache::bytes).sum();
    }

    /** Drops what a sequence has beyond {@code length}; memory stays. */
    public void truncate(int sequence, long length) {
        blocks.forEach(c -> c.truncate(sequence, length));
    }

    /** Empties every sequence; memory stays. */
    public void reset() {
        blocks.forEach(KvCache::reset);
    }

    /** The same contents to go on with independently, in the same scope; memory is copied when either first appends. */
    public DecoderCache fork() {
        return new DecoderCache(batch, each(blocks, KvCache::fork));
    }

    /** The sequences named, in that order and with repetitions, in memory of their own. */
    public DecoderCache select(int... sequences) {
        return new DecoderCache(sequences.length, each(blocks, c -> c.select(sequences)));
    }

    /** Frees the memory before the scope does. Closing twice is harmless. */
    @Override
    public void close() {
        blocks.forEach(KvCache::close);
    }
}
