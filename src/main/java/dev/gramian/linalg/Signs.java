package dev.gramian.linalg;

import dev.gramian.Indexing;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;

/** A rule for the signs that decompositions leave open: of each vector the element of largest magnitude is positive. */
final class Signs {
    private Signs() {}

    static Svd of(Svd svd) {
        Tensor u = svd.u();
        Tensor vt = svd.vt();
        try (Scope s = Scope.inner("withSigns", u.device())) {
            Tensor left = signs(s, u, -2);
            long paired = Math.min(u.dim(-1), vt.dim(-2));
            Tensor right = left.slice(-1, 0, paired).transpose(-2, -1);
            if (vt.dim(-2) > paired) { // full, wide: rows without a partner
                right = Join.concat(-2, right, signs(s, vt.slice(-2, paired, vt.dim(-2)), -1));
            }
            return new Svd(s.keep(u.mul(left)), svd.s(), s.keep(vt.mul(right)));
        }
    }

    static Eigh of(Eigh eigh) {
        try (Scope s = Scope.inner("withSigns", eigh.v().device())) {
            return new Eigh(eigh.w(), s.keep(eigh.v().mul(signs(s, eigh.v(), -2))));
        }
    }

    /** 1 or -1 for each vector along an axis of x, which stays with size 1. */
    private static Tensor signs(Scope s, Tensor x, int axis) {
        if (x.size() == 0) {
            long[] shape = x.shape().toArray();
            shape[shape.length + axis] = 1;
            return s.ones(x.dtype(), shape);
        }
        Tensor largest = Indexing.takeAlongAxis(x, axis, x.abs().argMax(true, axis));
        return largest.lt(0).where(s.scalar(x.dtype(), -1), s.scalar(x.dtype(), 1));
    }
}
