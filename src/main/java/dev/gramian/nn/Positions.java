package dev.gramian.nn;

import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/** Where the rows of padded sequences stand. Padding stands anywhere: nothing of it is used. */
final class Positions {
    private Positions() {}

    /** Valid rows of each sequence of x (batch, n, ...): all of them where none are given. */
    static long[] counts(String op, long[] counts, Tensor x) {
        long n = x.dim(1);
        if (x.dim(0) > Integer.MAX_VALUE) {
            throw new ShapeException(
                    op + ": too many sequences; x " + x.shape() + " (batch, length, ...); give at most "
                            + Integer.MAX_VALUE);
        }
        if (counts.length == 0) {
            long[] all = new long[(int) x.dim(0)];
            Arrays.fill(all, n);
            return all;
        }
        if (counts.length != x.dim(0)) {
            throw new ShapeException(op + ": " + counts.length + " counts for batch " + x.dim(0) + "; counts "
                    + Arrays.toString(counts) + ", x " + x.shape() + "; give one per sequence, or none for all");
        }
        for (long c : counts) {
            if (c < 0 || c > n) {
                throw new ShapeException(op + ": a count is out of range; counts " + Arrays.toString(counts) + ", x "
                        + x.shape() + "; give 0 to " + n);
            }
        }
        return counts.clone();
    }

    /** Learned positions (batch, n, features), or (n, features) where all sequences stand alike. */
    static Tensor embed(Embedding table, long n, long[] starts, long[] counts) {
        long limit = table.count();
        boolean alike = true;
        long[] rows = new long[Math.toIntExact(starts.length * n)];
        for (int b = 0, at = 0; b < starts.length; b++) {
            if (starts[b] + counts[b] > limit) {
                throw new ShapeException("positions: a sequence is too long; starts " + Arrays.toString(starts)
                        + ", counts " + Arrays.toString(counts) + ", position embedding " + table.weight().shape()
                        + " (count, features); there are " + limit + " positions");
            }
            alike &= starts[b] == starts[0] && starts[b] + n <= limit;
            for (long i = 0; i < n; i++) {
                rows[at++] = Math.min(starts[b] + i, limit - 1);
            }
        }
        if (alike && rows.length > 0) {
            return table.weight().slice(0, starts[0], starts[0] + n);
        }
        return table.apply(rows).reshape(starts.length, n, table.features());
    }
}
