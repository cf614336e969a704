package dev.gramian.attention;

import dev.gramian.Buffer;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/**
 * Keys and values of earlier positions, so that each step of a decoder computes only its own: (batch, Hkv, capacity, d)
 * for keys and (batch, Hkv, capacity, dv) for values, appended in place, each sequence with a length of its own.
 *
 * <p>Keys are stored as given, so rotate them first, at positions {@link #lengths()}. Memory belongs to the scope given,
 * is {@link #bytes(DType, long, long, long, long, long)} and doubles where it does not suffice; while it grows, old and new
 * exist together. Nothing behind a sequence's end reaches any result.
 */
public final class KvCache implements AutoCloseable {
    private final Buffer keys;
    private final Buffer values;

    private KvCache(Buffer keys, Buffer values) {
        this.keys = keys;
        this.values = values;
    }

    /** Empty, with memory for {@code capacity} positions per sequence; keys and values of one head size. */
    public static KvCache of(Scope scope, DType dtype, long batch, long kvHeads, long headSize, long capacity) {
        return of(scope, dtype, batch, kvHeads, headSize, headSize, capacity);
    }

    /** Empty, with memory for {@code capacity} positions per sequence. */
    public static KvCache of(
            Scope scope, DType dtype, long batch, long kvHeads, long headSize, long valueSize, long capacity) {
        if (!dtype.isFloat()) {
            throw new DTypeException("cache: " + dtype + " holds no keys; batch " + batch + ", " + kvHeads
                    + " heads; use a float type");
        }
        Buffer keys = Buffer.of(scope, dtype, batch, kvHeads, capacity, headSize);
        boolean done = false;
        try {
            KvCache c = new KvCache(keys, Buffer.of(scope, dtype, batch, kvHeads, capacity, valueSize));
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

    /** Bytes of the memory in use, whole capacity; forks that share it count it each. */
    public long bytes() {
        return keys.bytes() + values.bytes();
    }

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
    public long[] lengths() {
        return keys.lengths();
    }

    // ---- writing -----------------------------------------------------------------------------------------------------

    /** Appends k (batch, Hkv, n, d) and v (batch, Hkv, n, dv) to every sequence. */
    public void append(Tensor k, Tensor v) {
        long[] counts = new long[batch()];
        Arrays.fill(counts, k.rank() == 4 ? k.dim(2) : 0);
        append(k, v, counts);
    }

    /**
     * Appends to sequence b the first {@code counts[b]} positions of k (batch, Hkv, n, d) and v (batch, Hkv, n, dv); what
     * follows them is padding. All or nothing: an error leaves the cache as it was.
     */
    public void append(Tensor k, Tensor v, long... counts) {
        check("k", k, keys);
        check("v", v, values);
        if (k.dim(2) != v.dim(2)) {
            throw new ShapeException("cache: k and v differ in positions (axis -2); k " + k.shape() + ", v " + v.shape()
                    + "; each key needs one value");
        }
        if (counts.length != batch()) {
            throw new ShapeException("cache: " + counts.length + " counts for batch " + batch() + "; counts "
                    + Arrays.toString(counts) + ", k " + k.shape() + "; give one per sequence");
        }
        for (long n : counts) {
            if (n < 0 || n > k.dim(2)) {
                throw new ShapeException("cache: a count is out of range; counts " + Arrays.toString(counts) + ", k "
                        + k.shape() + "; give 0 to " + k.dim(2));
            }
        }
        keys.reserve(counts);
        values.reserve(counts);
        long[] before = lengths();
        boolean done = false;
        try {
            keys.append(k, counts);
            values.append(v, counts);
            done = true;
        } finally {
            for (int b = 0; b < before.length && !done; b++) {
                keys.truncate(b, before[b]);
            }
        }
    }

    private static void check(String name, Tensor x, Buffer to) {
        if (x.dtype() != to.dtype()) {
            throw new DTypeException("cache: " + name + " is " + x.dtype() + "; " + name + " " + x.shape() + ", cache "
                    + to.dtype() + "; cast with .to(DType." + to.dtype() + ")");
        }
        if (x.rank() != 4 || !x.shape().with(2, to.capacity()).equals(to.shape())) {
            throw new ShapeException("cache: " + name + " does not fit; " + name + " " + x.shape() + ", cache "
                    + to.shape() + " (batch, key heads, capacity, channels); give (" + to.shape().at(0) + ", "
                    + to.shape().at(1) + ", n, " + to.shape().at(3) + ")");
        }
    }

    /** Drops what a sequence has beyond {@code length}, as where guessed tokens were wrong; memory stays. */
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
        long[] starts = lengths();
        for (int b = 0; b < starts.length; b++) {
            starts[b] -= q.dim(2);
            if (starts[b] < 0) {
                throw new ShapeException("cache: more queries than positions; q " + q.shape() + ", sequence " + b
                        + " has length " + length(b) + "; append their keys and values first");
            }
        }
        return attend(options, q, starts);
    }

    /**
     * Causal attention of q (batch, Hq, n, d), the first query of sequence b at position {@code starts[b]}: query i sees
     * the sequence's keys up to position {@code starts[b] + i}. Queries beyond a sequence's end see all of it.
     */
    public Attention.Result attend(Attention options, Tensor q, long... starts) {
        query(q);
        if (options.isCausal) {
            throw new GramianException("cache: the options are causal already; " + options
                    + "; leave that out: queries see earlier positions only, by the cache's own lengths");
        }
        if (starts.length != batch()) {
            throw new ShapeException("cache: " + starts.length + " starts for batch " + batch() + "; q " + q.shape()
                    + "; give one per sequence");
        }
        for (long p : starts) {
            if (p < 0) {
                throw new ShapeException("cache: a start is negative; starts " + Arrays.toString(starts) + ", q "
                        + q.shape() + "; positions start at 0");
            }
        }
        if (same(starts) && same(lengths())) {
            return options.offset(starts.length == 0 ? 0 : starts[0]).apply(q, keys.padded(), values.padded());
        }
        return options.alignEach(starts).lengths(lengths()).causal().apply(q, keys.padded(), values.padded());
    }

    private void query(Tensor q) {
        if (q.rank() != 4 || q.dim(0) != batch()) {
            throw new ShapeException("cache: q does not fit; q " + q.shape() + ", cache " + keys.shape()
                    + " (batch, key heads, capacity, channels); give (" + batch() + ", query heads, n, "
                    + keys.shape().at(3) + ")");
        }
    }

    private static boolean same(long[] all) {
        return Arrays.stream(all).allMatch(n -> n == all[0]);
    }

    // ---- copies ------------------------------------------------------------------------------------------------------

    /** The same contents to go on with independently, in the same scope; memory is copied when either first appends. */
    public KvCache fork() {
        return new KvCache(keys.fork(), values.fork());
    }

    /** The sequences named, in that order and with repetitions, in memory of their own: the next step of a beam search. */
    public KvCache select(int... sequences) {
        Buffer k = keys.select(sequences);
        boolean done = false;
        try {
            KvCache c = new KvCache(k, values.select(sequences));
            done = true;
            return c;
        } finally {
            if (!done) {
                k.close();
            }
        }
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
                + ", " + keys.dtype() + ", lengths " + Arrays.toString(lengths());
    }
}
