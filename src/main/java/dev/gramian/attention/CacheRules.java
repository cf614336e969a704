package dev.gramian.attention;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/** What caches have in common: checks, rotation at the positions that follow from lengths, attention to what is stored. */
final class CacheRules {
    private CacheRules() {}

    static void floats(DType dtype, String sizes) {
        if (!dtype.isFloat()) {
            throw new DTypeException("cache: " + dtype + " holds no keys; " + sizes + "; use a float type");
        }
    }

    static void type(String name, Tensor x, DType dtype) {
        if (x.dtype() != dtype) {
            throw new DTypeException("cache: " + name + " is " + x.dtype() + "; " + name + " " + x.shape() + ", cache "
                    + dtype + "; cast with .to(DType." + dtype + ")");
        }
    }

    /** {@code k} and {@code v} (batch, ...), of which counts are taken. */
    static void counts(Tensor k, Tensor v, long[] counts, int batch) {
        if (k.dim(2) != v.dim(2)) {
            throw new ShapeException("cache: k and v differ in positions (axis -2); k " + k.shape() + ", v " + v.shape()
                    + "; each key needs one value");
        }
        if (counts.length != batch) {
            throw new ShapeException("cache: " + counts.length + " counts for batch " + batch + "; counts "
                    + Arrays.toString(counts) + ", k " + k.shape() + "; give one per sequence");
        }
        for (long n : counts) {
            if (n < 0 || n > k.dim(2)) {
                throw new ShapeException("cache: a count is out of range; counts " + Arrays.toString(counts) + ", k "
                        + k.shape() + "; give 0 to " + k.dim(2));
            }
        }
    }

    /** As many of each as x has positions. */
    static long[] all(int batch, Tensor x) {
        long[] counts = new long[batch];
        Arrays.fill(counts, x.rank() == 4 ? x.dim(2) : 0);
        return counts;
    }

    static void rotates(RopeTables rope, DType dtype, long headSize, boolean empty, Object cache) {
        if (!empty) {
            throw new GramianException("cache: keys are stored already; " + cache
                    + "; say how to rotate before anything is appended");
        }
        if (rope.rope().headSize() != headSize || rope.cos().dtype() != dtype.compute()) {
            throw new ShapeException("cache: rotation does not fit the keys; tables " + rope.cos().dtype()
                    + " for head size " + rope.rope().headSize() + ", cache " + dtype + " with head size " + headSize
                    + "; make them with rope.tables(scope, DType." + dtype + ", length)");
        }
    }

    /** Whether the tables have the positions after {@code lengths}. */
    static void covered(RopeTables rope, Tensor k, long[] lengths, long[] counts) {
        for (int b = 0; rope != null && b < counts.length; b++) {
            if (counts[b] > 0 && lengths[b] + counts[b] > rope.length()) {
                throw new ShapeException("cache: positions " + lengths[b] + " to " + (lengths[b] + counts[b] - 1)
                        + " of sequence " + b + " are beyond the rotation's tables; k " + k.shape() + ", tables cover "
                        + rope.length() + "; make tables of at least " + (lengths[b] + counts[b]));
            }
        }
    }

    /** Rows whose positions the tables do not have are padding and turn as the last they have. */
    private static Tensor turned(Scope s, RopeTables rope, Tensor x, long[] starts) {
        long rows = x.dim(2);
        if (Arrays.stream(starts).allMatch(p -> p + rows <= rope.length())) {
            return rope.apply(x, starts);
        }
        long[] positions = new long[Math.toIntExact(starts.length * rows)];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = Math.min(starts[(int) (i / rows)] + i % rows, rope.length() - 1);
        }
        return rope.apply(x, s.tensor(positions, starts.length, rows));
    }

    /** Where queries start that are the last positions of their sequences. */
    static long[] starts(Tensor q, long[] lengths) {
        long[] starts = lengths.clone();
        for (int b = 0; b < starts.length; b++) {
            starts[b] -= q.dim(2);
            if (starts[b] < 0) {
                throw new ShapeException("cache: more queries than positions; q " + q.shape() + ", sequence " + b
                        + " has length " + lengths[b] + "; append their keys and values first");
            }
        }
        return starts;
    }

    static void starts(Attention options, Tensor q, long[] starts, int batch) {
        if (options.isCausal) {
            throw new GramianException("cache: the options are causal already; " + options
                    + "; leave that out: queries see earlier positions only, by the cache's own lengths");
        }
        if (starts.length != batch) {
            throw new ShapeException("cache: " + starts.length + " starts for batch " + batch + "; q " + q.shape()
                    + "; give one per sequence");
        }
        for (long p : starts) {
            if (p < 0) {
                throw new ShapeException("cache: a start is negative; starts " + Arrays.toString(starts) + ", q "
                        + q.shape() + "; positions start at 0");
            }
        }
    }

    /** Of k (batch, Hkv, longest, d) and v (batch, Hkv, longest, dv), with anything behind a sequence's end. */
    static Attention.Result attend(
            Attention options, RopeTables rope, Tensor q, long[] starts, long[] lengths, Tensor k, Tensor v) {
        Attention a = same(starts) && same(lengths)
                ? options.offset(starts.length == 0 ? 0 : starts[0])
                : options.alignEach(starts).lengths(lengths).causal();
        if (rope == null) {
            return a.apply(q, k, v);
        }
        try (Scope s = Scope.inner("cache", q.device())) {
            Attention.Result r = a.apply(turned(s, rope, q, starts), k, v);
            keep(s, r);
            return r;
        }
    }

    static void keep(Scope s, Attention.Result r) {
        s.keep(r.output());
        s.keep(r.logSumExp());
        if (r.weights() != null) {
            s.keep(r.weights());
        }
    }

    private static boolean same(long[] all) {
        return Arrays.stream(all).allMatch(n -> n == all[0]);
    }
}
