package dev.gramian;

import dev.gramian.core.DType;
import dev.gramian.core.Op;

/** Selects and orders elements by index or value. Index tensors are I64 or I32; negative indices count from the end. */
public final class Indexing {
    private Indexing() {}

    /** Slices of x along an axis in the order of a one-axis index: NumPy's take, an embedding lookup. */
    public static Tensor gather(Tensor x, int axis, Tensor index) {
        return Scope.innermost("gather", x.device()).run(new Op.Gather(x.shape().axis("gather", axis)), x, index);
    }

    /** As {@link #gather(Tensor, int, Tensor)} with the index as numbers. */
    public static Tensor gather(Tensor x, int axis, long... index) {
        Scope s = Scope.innermost("gather", x.device());
        return gather(x, axis, s.tensor(index));
    }

    /** An element per position of {@code index}, which has x's shape off the axis. */
    public static Tensor takeAlongAxis(Tensor x, int axis, Tensor index) {
        return Scope.innermost("takeAlongAxis", x.device())
                .run(new Op.TakeAlongAxis(x.shape().axis("takeAlongAxis", axis)), x, index);
    }

    /** Values with the index (I64) each had along the axis. */
    public record Ranked(Tensor values, Tensor indices) {}

    /** In order along an axis, smallest first; stable; NaN last. */
    public static Ranked sort(Tensor x, int axis) {
        return sort(x, axis, false);
    }

    /** In order along an axis; equal values keep their order; NaN counts as the largest. */
    public static Ranked sort(Tensor x, int axis, boolean descending) {
        Tensor[] r = Scope.innermost("sort", x.device())
                .runAll(new Op.Sort(x.shape().axis("sort", axis), descending), x);
        return new Ranked(r[0], r[1]);
    }

    /** The k largest along an axis, largest first; ties by lower index; NaN counts as the largest. */
    public static Ranked topK(Tensor x, long k, int axis) {
        return topK(x, k, axis, true);
    }

    /** The k largest, or smallest, along an axis in order; ties by lower index; NaN counts as the largest. */
    public static Ranked topK(Tensor x, long k, int axis, boolean largest) {
        Tensor[] r = Scope.innermost("topK", x.device())
                .runAll(new Op.TopK(k, x.shape().axis("topK", axis), largest), x);
        return new Ranked(r[0], r[1]);
    }

    /** The lower triangle of the last two axes: zero above diagonal k. */
    public static Tensor tril(Tensor x, long k) {
        return Scope.innermost("tril", x.device()).run(new Op.Triangle(true, k), x);
    }

    /** The upper triangle of the last two axes: zero below diagonal k. */
    public static Tensor triu(Tensor x, long k) {
        return Scope.innermost("triu", x.device()).run(new Op.Triangle(false, k), x);
    }

    /** The mask of positions j &lt;= i + k, BOOL (rows, columns). */
    public static Tensor lowerMask(Scope scope, long rows, long columns, long k) {
        return tril(scope.ones(DType.BOOL, rows, columns), k);
    }
}
