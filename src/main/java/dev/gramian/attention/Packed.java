package dev.gramian.attention;

import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/** Attention of sequences that lie one after another, each by itself: no padding is computed. */
final class Packed {
    private Packed() {}

    static Attention.Result apply(
            Attention a, Tensor q, Tensor k, Tensor v, long[] queryOffsets, long[] keyOffsets) {
        refuse(a);
        operand("q", q);
        operand("k", k);
        operand("v", v);
        offsets("query", queryOffsets, "q", q);
        offsets("key", keyOffsets, "k", k);
        if (queryOffsets.length != keyOffsets.length) {
            throw new ShapeException("attend: " + (queryOffsets.length - 1) + " sequences of queries, "
                    + (keyOffsets.length - 1) + " of keys; query offsets " + Arrays.toString(queryOffsets)
                    + ", key offsets " + Arrays.toString(keyOffsets) + "; give as many of each");
        }
        int n = queryOffsets.length - 1;
        try (Scope s = Scope.inner("attend", q.device())) {
            Tensor[] outputs = new Tensor[n];
            Tensor[] sums = new Tensor[n];
            for (int b = 0; b < n; b++) {
                Attention.Result r = a.apply(
                        part(q, queryOffsets, b), part(k, keyOffsets, b), part(v, keyOffsets, b));
                outputs[b] = r.output().transpose(0, 1);
                sums[b] = r.logSumExp();
            }
            return new Attention.Result(s.keep(Join.concat(0, outputs)), null, s.keep(Join.concat(1, sums)));
        }
    }

    private static void refuse(Attention a) {
        String what = a.mask != null
                ? "mask"
                : a.bias != null
                        ? "bias"
                        : a.lengths != null
                                ? "lengths"
                                : a.weights
                                        ? "weights"
                                        : a.dropout > 0
                                                ? "dropout"
                                                : a.queryHeads > 0 ? "heads" : null;
        if (what != null) {
            throw new GramianException("attend: packed sequences take no " + what + "; " + a
                    + "; leave it out, or pad the sequences to one length");
        }
    }

    private static void operand(String name, Tensor t) {
        if (t.rank() != 3) {
            throw new ShapeException("attend: packed " + name + " has " + t.rank() + " axes; " + name + " " + t.shape()
                    + "; give (sum of lengths, heads, size)");
        }
    }

    private static void offsets(String what, long[] offsets, String name, Tensor t) {
        boolean fits = offsets.length >= 2 && offsets[0] == 0 && offsets[offsets.length - 1] == t.dim(0);
        for (int i = 1; i < offsets.length; i++) {
            fits &= offsets[i] >= offsets[i - 1];
        }
        if (!fits) {
            throw new ShapeException("attend: " + what + " offsets do not divide the operand; offsets "
                    + Arrays.toString(offsets) + ", " + name + " " + t.shape() + "; they rise from 0 to " + t.dim(0)
                    + ", one more than there are sequences");
        }
    }

    /** Sequence b as (heads, length, size). */
    private static Tensor part(Tensor t, long[] offsets, int b) {
        return t.slice(0, offsets[b], offsets[b + 1]).transpose(0, 1);
    }
}
