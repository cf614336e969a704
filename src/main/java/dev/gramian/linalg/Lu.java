package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;

/**
 * A factorisation by partial pivoting, from {@link Linalg#lu}: row i of l u is row order[i] of a. order (..., m) I64; l (...,
 * m, k) unit lower triangular with elements of magnitude up to 1; u (..., k, n) upper triangular; k = min(m, n).
 */
public record Lu(Tensor order, Tensor l, Tensor u) {

    /** The permutation as matrices (..., m, m) with a = p l u; formed anew by each call. */
    public Tensor p() {
        try (Scope s = Scope.inner("lu", l.device())) {
            Tensor rows = s.arange(DType.I64, order.dim(-1)).unsqueeze(-1);
            return s.keep(rows.eq(order.unsqueeze(-2)).to(l.dtype()));
        }
    }
}
