package dev.gramian.analysis;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Finite;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.Svd;

/**
 * Directions in the activations of a network, found from examples with and without a trait, and what adding or removing
 * them does. Activations are (..., tokens, channels); axes before them, the layers, have a direction each. Half types are
 * computed in F32 and rounded once.
 */
public final class Steering {
    private Steering() {}

    /** Mean of the rows with the trait less the mean of those without, (..., channels), not of length 1. */
    public static Tensor meanDifference(Tensor with, Tensor without) {
        check("meanDifference", with, without);
        if (with.dim(-2) == 0 || without.dim(-2) == 0) {
            throw new ShapeException("meanDifference: no examples; with " + with.shape() + ", without "
                    + without.shape() + "; give at least one row of each");
        }
        try (Scope s = Scope.inner("meanDifference", with.device())) {
            return s.keep(wide(with).mean(-2).sub(wide(without).mean(-2)));
        }
    }

    /**
     * The direction of length 1 (..., channels) along which the differences of pairs of rows are largest: their first right
     * singular vector, pointing where most of them point. The differences are not centred: what they have in common is what
     * is sought, and centring would take it out.
     */
    public static Tensor principalDifference(Tensor with, Tensor without) {
        check("principalDifference", with, without);
        if (with.dim(-2) != without.dim(-2) || with.dim(-2) == 0 || with.dim(-1) == 0) {
            throw new ShapeException("principalDifference: rows do not pair; with " + with.shape() + ", without "
                    + without.shape() + "; give as many of one as of the other, at least one");
        }
        try (Scope s = Scope.inner("principalDifference", with.device())) {
            Tensor differences = wide(with).sub(wide(without));
            Svd svd = Linalg.svd(differences);
            Tensor first = svd.vt().select(-2, 0);
            Tensor towards = first.mul(differences.mean(-2)).sum(true, -1);
            return s.keep(towards.lt(0).where(first.neg(), first));
        }
    }

    private static void check(String op, Tensor with, Tensor without) {
        Pca.checkSamples(op, with);
        Pca.checkSamples(op, without);
        long[] a = with.shape().toArray();
        long[] b = without.shape().toArray();
        boolean fits = a.length == b.length;
        for (int i = 0; fits && i < a.length; i++) {
            fits = a[i] == b[i] || i == a.length - 2;
        }
        if (!fits) {
            throw new ShapeException(op + ": examples differ off the rows; with " + with.shape() + ", without "
                    + without.shape() + "; all other axes must be equal");
        }
        if (with.dtype() != without.dtype()) {
            throw new DTypeException(op + ": element types differ; with " + with.dtype() + " " + with.shape()
                    + ", without " + without.dtype() + " " + without.shape() + "; cast one with .to(DType."
                    + with.dtype() + ")");
        }
        Finite.check(op, with);
        Finite.check(op, without);
    }

    /** x (..., tokens, channels) with {@code strength} times the direction (..., channels) added to every row. */
    public static Tensor add(Tensor x, Tensor direction, double strength) {
        Tensor d = check("steer", x, direction, strength);
        try (Scope s = Scope.inner("steer", x.device())) {
            return s.keep(wide(x).add(wide(d).mul(strength)).to(x.dtype()));
        }
    }

    /**
     * x (..., tokens, channels) less {@code strength} times each row's part along the direction (..., channels): 1 leaves
     * nothing of it, 2 mirrors. The direction's length does not matter; one of zeros removes nothing.
     */
    public static Tensor projectOut(Tensor x, Tensor direction, double strength) {
        Tensor d = check("projectOut", x, direction, strength);
        try (Scope s = Scope.inner("projectOut", x.device())) {
            Tensor unit = Linalg.normalise(wide(d), -1);
            Tensor rows = wide(x);
            Tensor part = rows.matmul(unit.transpose(-2, -1));
            return s.keep(rows.sub(part.mul(strength).mul(unit)).to(x.dtype()));
        }
    }

    /** The direction as (..., 1, channels). */
    private static Tensor check(String op, Tensor x, Tensor direction, double strength) {
        Pca.checkSamples(op, x);
        if (direction.rank() < 1 || direction.dim(-1) != x.dim(-1)
                || !direction.unsqueeze(-2).shape().broadcastsTo(x.shape())) {
            throw new ShapeException(op + ": direction does not fit; x " + x.shape() + ", direction "
                    + direction.shape() + "; give (..., channels) for x (..., tokens, channels)");
        }
        if (!direction.dtype().isFloat() || direction.dtype().compute() != x.dtype().compute()) {
            throw new DTypeException(op + ": element types differ; x " + x.dtype() + " " + x.shape() + ", direction "
                    + direction.dtype() + " " + direction.shape() + "; cast with .to(DType." + x.dtype() + ")");
        }
        if (!Double.isFinite(strength)) {
            throw new GramianException(op + ": strength is " + strength + "; x " + x.shape() + "; use a finite number");
        }
        return direction.unsqueeze(-2);
    }

    private static Tensor wide(Tensor x) {
        return x.to(x.dtype().compute());
    }
}
