package dev.gramian.attention;

import dev.gramian.Buffer;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Bytes;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Keys and values of earlier positions, so that each step of a decoder computes only its own: (batch, Hkv, capacity, d)
 * for keys and (batch, Hkv, capacity, dv) for values, appended in place, each sequence with a length of its own.
 *
 * <p>Keys are stored as given, already rotated, at positions {@link #lengths()}; with {@link #rotating} the cache rotates
 * them, and queries, itself. Memory belongs to the scope given, is {@link #bytes(DType, long, long, long, long, long)} and
 * doubles where it does not suffice; while it grows, old and new exist together. Nothing behind a sequence's end reaches any
 * result. For sequences that come and go, or share their beginnings, see {@link PagedKvCache}.
 */
public final class KvCache implements CacheBatch, AutoCloseable {
    private static final String KIND = "contiguous";

    private final Buffer keys;
    private final Buffer values;
    private RopeTables rope;

    private KvCache(Buffer keys, Buffer values, RopeTables rope) {
        this.keys = keys;
        this.values = values;
        this.rope = rope;
    }

    /** Empty, with memory for {@code capacity} positions per sequence; keys and values of one head size. */
    public static KvCache of(Scope scope, DType dtype, long batch, long kvHeads, long headSize, long capacity) {
        return of(scope, dtype, batch, kvHeads, headSize, headSize, capacity);
    }

    /** Empty, with memory for {@code capacity} positions per sequence. */
    public static KvCache of(
            Scope scope, DType dtype, long batch, long kvHeads, long headSize, long valueSize, long capacity) {
        CacheRules.floats(dtype, "batch " + batch + ", " + kvHeads + " heads");
        Buffer keys = Buffer.of(scope, dtype, batch, kvHeads, capacity, headSize);
        boolean done = false;
        try {
            KvCache c = new KvCache(keys, Buffer.of(scope, dtype, batch, kvHeads, capacity, valueSize), null);
            done = true;
            return c;
        } finally {
            if (!done) {
                keys.close();
            }
        }
    }

    /** Bytes that a cache of these sizes takes. */
    public static long bytes(DType dtype, long batch, long kvHeads, long headSize, long valueSize, long capacity) {
        return Math.multiplyExact(
                Math.multiplyExact(Math.multiplyExact(batch, kvHeads), capacity),
                Math.multiplyExact(Math.addExact(headSize, valueSize), (long) dtype.bytes()));
    }

    /**
     * This cache, from now on with keys rotated where they are appended, at the positions that follow from lengths, and
     * queries where they attend. It must be empty, and the tables must live as long as it does.
     */
    public KvCache rotating(RopeTables tables) {
        CacheRules.rotates(tables, keys.dtype(), keys.shape().at(3), keys.longest() == 0, this);
        rope = tables;
        return this;
    }

    /** What rotates keys and queries; null where they come as they are to be. */
    @Override
    public RopeTables rope() {
        return rope;
    }

    /** Bytes of the memory in use, whole capacity; forks that share it count it each. */
    public long bytes() {
        return keys.bytes() + values.bytes();
    }

    /** Bytes of the positions that sequences have, the least that holds them. */
    public long liveBytes() {
        Shape s = keys.shape();
        return bytes(keys.dtype(), 1, s.at(1), s.at(3), values.shape().at(3), Arrays.stream(lengths()).sum());
    }

    @Override
    public int batch() {
        return keys.lengths().length;
    }

    /** Positions per sequence for which there is memory. */
    public long capacity() {
        return keys.capacity();
    }

    /** Positions of one sequence so far. */
    public long length(int sequence) {
        return keys.length(sequence);
    }

    /** Positions of each sequence so far, which is where its next ones are. */
    @Override
    public long[] lengths() {
        return keys.lengths();
    }

    // ---- writing -----------------------------------------------------------------------------------------------------

    /** Appends k (batch, Hkv, n, d) and v (batch, Hkv, n, dv) to every sequence. */
    public void append(Tensor k, Tensor v) {
        append(k, v, CacheRules.all(batch(), k));
    }

    /**
     * Appends to sequence b the first {@code counts[b]} positions of k (batch, Hkv, n, d) and v (batch, Hkv, n, dv); what
     * follows them is padding. All or nothing: an error leaves the cache as it was.
     */
    @Override
    public void append(Tensor k, Tensor v, long... counts) {
        check("k", k, keys);
        check("v", v, values);
        CacheRules.counts(k, v, counts, batch());
        long[] before = lengths();
        CacheRules.covered(rope, k, before, counts);
        boolean done = false;
        try {
            keys.reserve(counts);
            values.reserve(counts);
            if (rope == null || rope.rope().rotary() == 0) {
                keys.append(k, counts);
            } else {
                keys.appendRotated(k, rope.cos(), rope.sin(), rope.rope().layout() == RopeLayout.INTERLEAVED, counts);
            }
            values.append(v, counts);
            done = true;
        } finally {
            for (int b = 0; b < before.length && !done; b++) {
                keys.truncate(b, before[b]);
            }
        }
    }

    private static void check(String name, Tensor x, Buffer to) {
        CacheRules.type(name, x, to.dtype());
        if (x.rank() != 4 || !x.shape().with(2, to.capacity()).equals(to.shape())) {
            throw new ShapeException("cache: " + name + " does not fit; " + name + " " + x.shape() + ", cache "
                    + to.shape() + " (batch, key heads, capacity, channels); give (" + to.shape().at(0) + ", "
                    + to.shape().at(1) + ", n, " + to.shape().at(3) + ")");
        }
    }

    /** Drops what a sequence has beyond {@code length}, as where guessed tokens were wrong; memory stays. */
    @Override
    public void truncate(int sequence, long length) {
        keys.truncate(sequence, length);
        values.truncate(sequence, length);
    }

    /** Empties every sequence; memory stays. */
    public void reset() {
        for (int b = 0; b < batch(); b++) {
            truncate(b, 0);
        }
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    /** One sequence's keys so far, (Hkv, length, d): a view that stays as it is until the scope closes. */
    public Tensor keys(int sequence) {
        return keys.row(sequence);
    }

    /** One sequence's values so far, (Hkv, length, dv): a view that stays as it is until the scope closes. */
    public Tensor values(int sequence) {
        return values.row(sequence);
    }

    /** Causal attention of q (batch, Hq, n, d), the last n positions of each sequence: append theirs first. */
    public Tensor attend(Tensor q) {
        return attend(Attention.scaled(), q).output();
    }

    /** As {@link #attend(Tensor)} with options, whose masks and biases count keys up to the longest sequence's length. */
    public Attention.Result attend(Attention options, Tensor q) {
        query(q);
        return attend(options, q, CacheRules.starts(q, lengths()));
    }

    /**
     * Causal attention of q (batch, Hq, n, d), the first query of sequence b at position {@code starts[b]}: query i sees
     * the sequence's keys up to position {@code starts[b] + i}. Queries beyond a sequence's end see all of it.
     */
    @Override
    public Attention.Result attend(Attention options, Tensor q, long... starts) {
        query(q);
        CacheRules.starts(options, q, starts, batch());
        return CacheRules.attend(options, rope, q, starts, lengths(), keys.padded(), values.padded());
    }

    private void query(Tensor q) {
        if (q.rank() != 4 || q.dim(0) != batch()) {
            throw new ShapeException("cache: q does not fit; q " + q.shape() + ", cache " + keys.shape()
                    + " (batch, key heads, capacity, channels); give (" + batch() + ", query heads, n, "
                    + keys.shape().at(3) + ")");
        }
    }

    // ---- copies ------------------------------------------------------------------------------------------------------

    /** The same contents to go on with independently, in the same scope; memory is copied when either first appends. */
    public KvCache fork() {
        return new KvCache(keys.fork(), values.fork(), rope);
    }

    /** The sequences named, in that order and with repetitions, in memory of their own: the next step of a beam search. */
    public KvCache select(int... sequences) {
        Buffer k = keys.select(sequences);
        boolean done = false;
        try {
            KvCache c = new KvCache(k, values.select(sequences), rope);
            done = true;
            return c;
        } finally {
            if (!done) {
                k.close();
            }
        }
    }

    /**
     * Everything to go on from later, in the innermost open scope of {@code to}: keys and values of each sequence up to its
     * length, {@link #liveBytes()} in all.
     */
    public CacheSnapshot snapshot(Device to) {
        Map<String, Tensor> tensors = new HashMap<>();
        for (int b = 0; b < batch(); b++) {
            tensors.put("keys." + b, CacheSnapshot.copy(keys.padded().select(0, b).slice(1, 0, length(b)), to));
            tensors.put("values." + b, CacheSnapshot.copy(values.padded().select(0, b).slice(1, 0, length(b)), to));
        }
        Shape s = keys.shape();
        return new CacheSnapshot(tensors, Map.of(
                CacheSnapshot.KIND, KIND, CacheSnapshot.ROPE, CacheSnapshot.describe(rope),
                "dtype", keys.dtype().name(),
                "batch", "" + batch(), "heads", "" + s.at(1), "head size", "" + s.at(3),
                "value size", "" + values.shape().at(3), "capacity", "" + capacity()));
    }

    /** As it was when the snapshot was made, in memory of {@code scope}; {@code rope} as given to {@link #rotating}, or null. */
    public static KvCache restore(Scope scope, CacheSnapshot snapshot, RopeTables rope) {
        snapshot.check(KIND, rope);
        DType dtype = snapshot.dtype();
        int batch = Math.toIntExact(snapshot.number("batch"));
        long heads = snapshot.number("heads");
        long d = snapshot.number("head size");
        long dv = snapshot.number("value size");
        KvCache c = of(scope, dtype, batch, heads, d, dv, snapshot.number("capacity"));
        boolean done = false;
        try (Scope s = Scope.inner("restore", scope.device())) {
            for (int b = 0; b < batch; b++) {
                long n = snapshot.length("keys." + b);
                long[] counts = new long[batch];
                counts[b] = n;
                Tensor k = snapshot.tensor(s, "keys." + b, dtype, Shape.of(heads, n, d));
                Tensor v = snapshot.tensor(s, "values." + b, dtype, Shape.of(heads, n, dv));
                c.append(k.unsqueeze(0).expand(batch, heads, n, d), v.unsqueeze(0).expand(batch, heads, n, dv), counts);
            }
            c.rope = rope;
            done = true;
        } finally {
            if (!done) {
                c.close();
            }
        }
        return c;
    }

    /** Frees memory that no fork uses and no handed-out view shows, before the scope does. Closing twice is harmless. */
    @Override
    public void close() {
        keys.close();
        values.close();
    }

    @Override
    public String toString() {
        return "cache " + keys.shape() + " (batch, key heads, capacity, channels), values of " + values.shape().at(3)
                + ", " + keys.dtype() + ", lengths " + Arrays.toString(lengths()) + ", " + Bytes.text(liveBytes())
                + " of " + Bytes.text(bytes());
    }
}
