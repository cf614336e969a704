package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;

/** Products that multiply every element with every other. */
final class TensorProducts {
    private TensorProducts() {}

    static Tensor outer(Tensor x, Tensor y) {
        if (x.rank() != 1 || y.rank() != 1) {
            throw new ShapeException("outer: needs two vectors; x " + x.shape() + ", y " + y.shape()
                    + "; flatten them, or use x.unsqueeze(-1).mul(y.unsqueeze(-2)) for stacks");
        }
        return x.unsqueeze(1).mul(y.unsqueeze(0));
    }

    static Tensor kron(Tensor a, Tensor b) {
        int rank = Math.max(a.rank(), b.rank());
        long[] left = new long[2 * rank];
        long[] right = new long[2 * rank];
        long[] joined = new long[rank];
        for (int i = 0; i < rank; i++) {
            long m = i < rank - a.rank() ? 1 : a.dim(i - rank);
            long n = i < rank - b.rank() ? 1 : b.dim(i - rank);
            left[2 * i] = m;
            left[2 * i + 1] = 1;
            right[2 * i] = 1;
            right[2 * i + 1] = n;
            joined[i] = Math.multiplyExact(m, n);
        }
        try (Scope s = Scope.inner("kron", a.device())) {
            return s.keep(a.reshape(left).mul(b.reshape(right)).reshape(joined));
        }
    }
}
