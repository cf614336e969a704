package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DTypeException;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;

/**
 * A solution of min ‖b - a x‖, and of all such x the shortest, for a (..., m, n) of any rank; from {@link Linalg#lstsq}. x is
 * (n) or (..., n, r) as b is a vector (m) or matrices (..., m, r); residual () or (..., r) is ‖b - a x‖ of each right side;
 * rank (...), I64, counts a's singular values s (..., min(m, n)) above the cut-off.
 */
public record LeastSquares(Tensor x, Tensor residual, Tensor rank, Tensor s) {

    static LeastSquares of(Tensor a, Tensor b, double rcond) {
        boolean vector = b.rank() == 1;
        if (a.rank() < 2 || b.rank() == 0 || b.dim(vector ? -1 : -2) != a.dim(-2)) {
            throw new ShapeException("lstsq: right side does not fit; a " + a.shape() + ", b " + b.shape()
                    + "; a is (..., m, n) and b (m) or (..., m, r)");
        }
        if (a.dtype() != b.dtype()) {
            throw new DTypeException("lstsq: element types differ: " + a.dtype() + " and " + b.dtype() + "; a "
                    + a.shape() + ", b " + b.shape() + "; cast one with .to(DType."
                    + (a.dtype().compareTo(b.dtype()) < 0 ? a : b).dtype() + ")");
        }
        Systems.batch("lstsq", a, vector ? b.unsqueeze(-1) : b);
        Finite.check("lstsq", b);
        try (Scope scope = Scope.inner("lstsq", a.device())) {
            Tensor left = Halves.wide(a);
            Tensor right = Halves.wide(vector ? b.unsqueeze(-1) : b);
            Tensor[] parts = Linalg.decompose("lstsq", left, SvdMode.THIN);
            Tensor s = parts[1];
            Tensor kept = Linalg.above(s, rcond);
            // divided, not multiplied by 1 / s, which a tiny value would send out of range
            Tensor inside = parts[0].transpose(-2, -1).matmul(right).div(s.unsqueeze(-1));
            Tensor x = parts[2].transpose(-2, -1)
                    .matmul(kept.unsqueeze(-1).where(inside, scope.scalar(s.dtype(), 0)));
            Tensor residual = Linalg.norm(right.sub(left.matmul(x)), VectorNorm.TWO, -2);
            return new LeastSquares(
                    scope.keep(vector ? x.squeeze(-1) : x), scope.keep(vector ? residual.squeeze(-1) : residual),
                    scope.keep(kept.sum(-1)), scope.keep(s));
        }
    }
}
