package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.attention.CacheBatch;
import dev.gramian.attention.PagedKvCache;
import dev.gramian.core.GramianException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Keys and values of every block of a {@link Decoder} in pages, for sequences of different length that come, go and share
 * their beginnings; made by {@link Decoder#pagedCache}. Each block of the decoder has a {@link PagedKvCache}, all of one
 * size, in which a sequence takes the same number of pages. Memory belongs to the scope given there, and only that scope's
 * thread may use it.
 */
public final class PagedDecoderCache implements AutoCloseable {
    private final List<PagedKvCache> blocks;

    private PagedDecoderCache(List<PagedKvCache> blocks) {
        this.blocks = blocks;
    }

    static PagedDecoderCache of(Scope scope, Decoder decoder, int pageSize, int pages) {
        return new PagedDecoderCache(Parts.each(
                decoder.blocks(), b -> b.attention().pagedCache(scope, pageSize, pages), PagedKvCache::close));
    }

    /** A sequence in the caches of all blocks; closing it returns its pages. */
    public final class Sequence implements AutoCloseable {
        private final List<PagedKvCache.Sequence> parts;

        private Sequence(List<PagedKvCache.Sequence> parts) {
            this.parts = parts;
        }

        private PagedDecoderCache cache() {
            return PagedDecoderCache.this;
        }

        /** Positions so far, which is where the next one is. */
        public long length() {
            return parts.isEmpty() ? 0 : parts.getFirst().length();
        }

        /** A sequence of the same contents to go on with independently; it takes no memory until one of both goes on. */
        public Sequence fork() {
            return new Sequence(Parts.each(parts, PagedKvCache.Sequence::fork, PagedKvCache.Sequence::close));
        }

        /** Drops what it has beyond {@code length}, and returns the pages. */
        public void truncate(long length) {
            parts.forEach(p -> p.truncate(length));
        }

        /** Returns its pages. Closing twice is harmless. */
        @Override
        public void close() {
            parts.forEach(PagedKvCache.Sequence::close);
        }

        @Override
        public String toString() {
            return parts.isEmpty() ? "sequence of no blocks" : parts.getFirst().toString();
        }
    }

    /** A sequence without positions. */
    public Sequence add() {
        return new Sequence(Parts.each(blocks, PagedKvCache::add, PagedKvCache.Sequence::close));
    }

    /** Some open sequences to go on with together, each once. */
    public Batch batch(Sequence... sequences) {
        for (Sequence s : sequences) {
            if (s.cache() != this) {
                throw new GramianException(
                        "batch: a sequence is of another cache; " + s + "; add it here, and give its ids"
                                + " again");
            }
        }
        return new Batch(List.of(sequences), IntStream.range(0, blocks.size()).mapToObj(
                b -> blocks.get(b).batch(List.of(sequences).stream().map(s -> s.parts.get(b)).toList())).toList());
    }

    /** Sequences by their place in a list, as the decoder takes them. */
    public static final class Batch implements DecoderBatch {
        private final List<Sequence> sequences;
        private final List<PagedKvCache.Batch> blocks;

        private Batch(List<Sequence> sequences, List<PagedKvCache.Batch> blocks) {
            this.sequences = sequences;
            this.blocks = blocks;
        }

        @Override
        public int batch() {
            return sequences.size();
        }

        @Override
        public int size() {
            return blocks.size();
        }

        @Override
        public CacheBatch block(int block) {
            return blocks.get(block);
        }

        @Override
        public long[] lengths() {
            return sequences.stream().mapToLong(Sequence::length).toArray();
        }

        @Override
        public void truncate(int sequence, long length) {
            sequences.get(sequence).truncate(length);
        }
    }

    /** One block's cache: what its pages are and how many are free is the same for all. */
    public PagedKvCache block(int block) {
        return blocks.get(block);
    }

    /** Bytes of the pages of all blocks. */
    public long bytes() {
        return blocks.stream().mapToLong(PagedKvCache::bytes).sum();
    }

    /** Bytes of the pages that sequences have. */
    public long liveBytes() {
        return blocks.stream().mapToLong(PagedKvCache::liveBytes).sum();
    }

    /** Frees the pages before the scope does; sequences are gone with them. Closing twice is harmless. */
    @Override
    public void close() {
        blocks.forEach(PagedKvCache::close);
    }
}
