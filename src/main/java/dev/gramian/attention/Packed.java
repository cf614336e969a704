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
        operand("q", "query", q);
        operand("k", "key", k);
        operand("v", "key", v);
        if (k.dim(0) != v.dim(0)) {
            throw new ShapeException("attend: packed k and v differ in key count (key axis 0); k " + k.shape() + ", v "
                    + v.shape() + "; each key needs one value");
        }
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
                Attention.Result r = sequence(a, b,
                        part(q, queryOffsets, b), part(k, keyOffsets, b), part(v, keyOffsets, b));
                outputs[b] = r.output().transpose(0, 1);
                sums[b] = r.logSumExp();
            }
            return new Attention.Result(s.keep(Join.concat(0, outputs)), null, s.keep(Join.concat(1, sums)));
        } catch (GramianException e) {
            throw Frame.in("attend", e);
        }
    }

    private static Attention.Result sequence(Attention a, int b, Tensor q, Tensor k, Tensor v) {
        try {
            return a.apply(q, k, v);
        } catch (GramianException e) {
            throw Frame.more(e, "; in packed sequence " + b + " as (head, query or key, channel)");
        }
    }

    private static void refuse(Attention a) {
        refuse("mask", a.mask != null, a);
        refuse("bias", a.bias != null, a);
        refuse("lengths", a.lengths != null, a);
        refuse("offsets of each sequence", a.offsets != null, a);
        refuse("weights", a.weights, a);
        refuse("dropout", a.dropout > 0, a);
        refuse("heads", a.queryHeads > 0, a);
    }

    private static void refuse(String what, boolean given, Attention a) {
        if (given) {
            throw new GramianException("attend: packed sequences take no " + what + "; " + a
                    + "; leave it out, or pad the sequences to one length");
        }
    }

    private static void operand(String name, String what, Tensor t) {
        if (t.rank() != 3) {
            throw new ShapeException("attend: packed " + name + " has " + t.rank() + " axes; " + name + " " + t.shape()
                    + "; give (" + what + " of all sequences, head, channel)");
        }
    }

    private static void offsets(String what, long[] offsets, String name, Tensor t) {
        boolean fits = offsets.length >= 2 && offsets[0] == 0 && offsets[offsets.length - 1] == t.dim(0);
        for (int i = 1; i < offsets.length; i++) {
            fits &= offsets[i] >= offsets[i - 1];
        }
        if (!fits) {
            throw new ShapeException("attend: " + what + " offsets do not divide the " + what + " axis 0; offsets "
                    + Arrays.toString(offsets) + ", " + name + " " + t.shape() + "; they rise from 0 to " + t.dim(0)
                    + ", one more than there are sequences");
        }
    }

    /** Sequence b as (heads, length, size). */
    private static Tensor part(Tensor t, long[] offsets, int b) {
        return t.slice(0, offsets[b], offsets[b + 1]).transpose(0, 1);
    }
}
