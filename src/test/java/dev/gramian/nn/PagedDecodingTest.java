package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.io.TempDir;

/** Decoders over a cache in pages: what the contiguous cache gives, for sequences that come, go and fork. */
class PagedDecodingTest {
    private static final long[][] PROMPTS = {{5, 17, 80, 2, 9, 33, 61}, {44}, {7, 7, 19}};

    @TempDir
    Path dir;

    private Decoder llama(Scope s, DType dtype) throws Exception {
        Tiny.llama("model.", true, "").write(dir, 1, DType.F32);
        return Pretrained.llama(s, dir, dtype);
    }

    /** Ids (batch, longest), padded by zeros. */
    private static Tensor ids(Scope s, long[]... rows) {
        int longest = Arrays.stream(rows).mapToInt(r -> r.length).max().orElse(0);
        long[] all = new long[rows.length * longest];
        for (int b = 0; b < rows.length; b++) {
            System.arraycopy(rows[b], 0, all, b * longest, rows[b].length);
        }
        return s.tensor(all, rows.length, longest);
    }

    private static long[] counts(long[]... rows) {
        return Arrays.stream(rows).mapToLong(r -> r.length).toArray();
    }

    /** Logits (batch, vocabulary) of the last valid position of each sequence. */
    private static Tensor last(Tensor logits, long... counts) {
        Tensor[] rows = new Tensor[counts.length];
        for (int b = 0; b < rows.length; b++) {
            rows[b] = logits.select(0, b).select(0, counts[b] - 1);
        }
        return Join.stack(0, rows);
    }

    /** The prompts, then {@code steps} greedy ids of each sequence; logits of every step go to {@code seen}. */
    private static List<long[]> greedy(
            Scope s, Decoder model, DecoderBatch cache, int steps, List<double[]> seen) {
        Tensor logits = last(model.apply(ids(s, PROMPTS), cache, counts(PROMPTS)), counts(PROMPTS));
        List<long[]> chosen = new ArrayList<>();
        for (int n = 0; n < steps; n++) {
            seen.add(logits.toDoubleArray());
            long[] next = logits.argMax(-1).toLongArray();
            chosen.add(next);
            logits = last(model.apply(s.tensor(next, next.length, 1), cache), 1, 1, 1);
        }
        return chosen;
    }

    /** Sequences of different length, through pages smaller than the prompts. */
    @DeviceSpec
    void pagesGenerateWhatTheContiguousCacheDoes(Device device) throws Exception {
        for (DType t : new DType[] {DType.F32, DType.BF16}) {
            try (Scope s = device.open()) {
                Decoder model = llama(s, t);
                List<double[]> logits = new ArrayList<>();
                List<double[]> paged = new ArrayList<>();
                List<long[]> expected;
                try (DecoderCache cache = model.cache(s, 3, 4)) {
                    expected = greedy(s, model, cache, 12, logits);
                    assertArrayEquals(new long[] {19, 13, 15}, cache.lengths());
                }
                try (PagedDecoderCache cache = model.pagedCache(s, 4, 13)) {
                    PagedDecoderCache.Batch batch = cache.batch(cache.add(), cache.add(), cache.add());
                    List<long[]> actual = greedy(s, model, batch, 12, paged);
                    assertArrayEquals(new long[] {19, 13, 15}, batch.lengths());
                    for (int n = 0; n < expected.size(); n++) {
                        assertArrayEquals(expected.get(n), actual.get(n), t + " token " + n);
                        assertArrayEquals(logits.get(n), paged.get(n), t + " logits " + n);
                    }
                    assertEquals(0, cache.block(0).freeBlocks());
                    assertEquals(cache.bytes(), cache.liveBytes());
                    assertEquals(2 * cache.block(1).bytes(), cache.bytes());
                }
            }
        }
    }

    /** A pool for three sequences serves five that come and go, one of them a fork; each as if alone. */
    @DeviceSpec
    void sequencesComeGoAndFork(Device device) throws Exception {
        try (Scope s = device.open()) {
            Decoder model = llama(s, DType.F32);
            PagedDecoderCache cache = model.pagedCache(s, 4, 9);
            PagedDecoderCache.Sequence a = cache.add();
            PagedDecoderCache.Sequence b = cache.add();
            model.apply(ids(s, PROMPTS[0], PROMPTS[1]), cache.batch(a, b), counts(PROMPTS[0], PROMPTS[1]));
            b.close();
            PagedDecoderCache.Sequence c = cache.add();
            PagedDecoderCache.Sequence fork = a.fork();
            assertEquals(7, fork.length());
            long[][] rows = {{3, 4}, {50, 51, 52, 53, 54}, {99}};
            Tensor y = model.apply(ids(s, rows), cache.batch(a, c, fork), counts(rows));
            long[][] whole = {join(PROMPTS[0], rows[0]), rows[1], join(PROMPTS[0], rows[2])};
            for (int i = 0; i < 3; i++) {
                Tensor alone = model.apply(ids(s, whole[i]));
                assertArrayEquals(last(alone, whole[i].length).toFloatArray(),
                        last(y.slice(0, i, i + 1), rows[i].length).toFloatArray(), 1e-5f, "sequence " + i);
            }
            fork.truncate(7);
            assertEquals(7, fork.length());
            fork.close();
            fork.close();
            a.close();
            c.close();
            assertEquals(9, cache.block(1).freeBlocks());
            assertEquals(0, cache.liveBytes());
            cache.close();
            cache.close();
        }
    }

    private static long[] join(long[] x, long[] y) {
        long[] all = Arrays.copyOf(x, x.length + y.length);
        System.arraycopy(y, 0, all, x.length, y.length);
        return all;
    }

    @DeviceSpec
    void aFullPoolLeavesEverySequenceAsItWas(Device device) throws Exception {
        try (Scope s = device.open()) {
            Decoder model = llama(s, DType.F32);
            PagedDecoderCache cache = model.pagedCache(s, 2, 3);
            PagedDecoderCache.Sequence a = cache.add();
            PagedDecoderCache.Sequence b = cache.add();
            PagedDecoderCache.Batch batch = cache.batch(a, b);
            model.apply(ids(s, new long[] {1, 2}, new long[] {3, 4}), batch);
            Tensor more = ids(s, new long[] {5}, new long[] {6});
            String text = assertThrows(DeviceException.class, () -> model.apply(more, batch)).getMessage();
            assertTrue(text.startsWith("append: pool is exhausted; 2 more blocks of 2 positions wanted, 1 of 3 free"),
                    text);
            assertArrayEquals(new long[] {2, 2}, batch.lengths());
            // an error between the blocks
            assertThrows(IllegalStateException.class, () -> model.states(s.tensor(new long[] {5}, 1, 1), failing(2),
                    cache.batch(a)));
            assertEquals(2, a.length());
            assertEquals(1, cache.block(0).freeBlocks());
            Tensor y = model.apply(s.tensor(new long[] {5}, 1, 1), cache.batch(a));
            assertArrayEquals(last(model.apply(ids(s, new long[] {1, 2, 5})), 3).toFloatArray(),
                    last(y, 1).toFloatArray(), 1e-5f);
        }
    }

    /** Options that fail the n-th time they are asked for. */
    private static UnaryOperator<dev.gramian.attention.Attention> failing(int n) {
        int[] calls = {0};
        return a -> {
            if (++calls[0] == n) {
                throw new IllegalStateException("call " + n);
            }
            return a;
        };
    }

    @DeviceSpec
    void whatDoesNotFit(Device device) throws Exception {
        try (Scope s = device.open()) {
            Decoder model = llama(s, DType.F32);
            PagedDecoderCache cache = model.pagedCache(s, 2, 3);
            PagedDecoderCache other = model.pagedCache(s, 2, 3);
            PagedDecoderCache.Sequence a = cache.add();
            assertEquals(
                    "batch: a sequence is of another cache; sequence 0 of length 0 in 0 blocks; add it here, and give its"
                            + " ids again",
                    assertThrows(GramianException.class, () -> other.batch(a)).getMessage());
            assertEquals(
                    "decoder: the cache does not fit; 2 blocks, ids [2, 1] (batch, length), cache of 2 blocks and 1 "
                            + "sequences; make it with cache(...) or pagedCache(...)",
                    assertThrows(ShapeException.class,
                            () -> model.apply(s.ones(DType.I64, 2, 1), cache.batch(a))).getMessage());
            MultiHeadAttention layer = model.blocks().getFirst().attention();
            assertEquals(
                    "attention: x and the cache differ in sequences (axis 0); x [2, 1, 64], batch of [sequence 0 of "
                            + "length 0 in 0 blocks] of " + cache.block(0) + "; give (1, n, 64)",
                    assertThrows(ShapeException.class,
                            () -> layer.apply(s.ones(2, 1, 64), cache.batch(a).block(0))).getMessage());
            assertEquals(
                    "append: a sequence is there twice; [sequence 0 of length 0 in 0 blocks, sequence 0 of length 0 in 0 "
                            + "blocks]; give each once",
                    assertThrows(ShapeException.class,
                            () -> model.apply(s.ones(DType.I64, 2, 1), cache.batch(a, a))).getMessage());
            PagedDecoderCache.Batch batch = cache.batch(a);
            a.close();
            assertEquals("append: sequence 0 is closed; it had 0 positions; add another",
                    assertThrows(ClosedException.class, () -> model.apply(s.ones(DType.I64, 1, 1), batch))
                            .getMessage());
            assertEquals("batch: sequence 0 is closed; it had 0 positions; add another",
                    assertThrows(ClosedException.class, () -> cache.batch(a)).getMessage());
        }
    }
}
