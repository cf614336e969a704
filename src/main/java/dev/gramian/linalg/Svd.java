package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.ShapeException;

/**
 * A singular value decomposition a = u diag(s) vt: orthonormal columns of u (..., m, k), singular values s (..., k) in
 * descending order, orthonormal rows of vt (..., k, n), k = min(m, n); from {@link Linalg#svd(Tensor)} and the like.
 *
 * <p>vt is V transposed, as NumPy's. Signs of the vectors, and rotations among those of equal values, are arbitrary and
 * differ between devices.
 */
public record Svd(Tensor u, Tensor s, Tensor vt) {

    /**
     * The same with signs such that of each column of u the element of largest magnitude is positive, the first of equal
     * ones. Rotations among vectors of equal values remain arbitrary.
     */
    public Svd withSigns() {
        return Signs.of(this);
    }

    /**
     * The best approximation of rank r, 0 to k. Its parts are copies: nothing of this decomposition needs to be kept.
     */
    public LowRank truncate(long r) {
        long k = s.dim(-1);
        if (r < 0 || r > k) {
            throw new ShapeException("lowRank: rank is " + r + "; u " + u.shape() + ", vt " + vt.shape() + " have " + k
                    + " singular values; use 0 to " + k);
        }
        try (Scope scope = Scope.inner("lowRank", s.device())) {
            Tensor left = u.slice(-1, 0, r).mul(s.slice(-1, 0, r).unsqueeze(-2));
            Tensor right = vt.slice(-2, 0, r).copy();
            Tensor error = scope.run(
                    new Op.Reduce(ReduceFn.NORM2, new int[] {s.rank() - 1}, false, 0), s.slice(-1, r, k));
            return new LowRank(scope.keep(left), scope.keep(right), scope.keep(error));
        }
    }
}
