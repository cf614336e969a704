package dev.gramian.vectors;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;

/**
 * Matrices of the likeness of every vector with every other. Vectors are rows of float tensors (..., m, d); axes before
 * them broadcast. Half types are computed in F32 and rounded once; NaN and infinities travel.
 */
public final class Similarity {
    private Similarity() {}

    /**
     * (..., m, n) for the rows of x (..., m, d) and y (..., n, d).
     *
     * <p>Distances come from |x|² + |y|² - 2 x·y about the mean of y, in F64, and never from a negative square: their error
     * is about 1e-8 of the vectors' distance from that mean, which is less than F32 resolves.
     */
    public static Tensor of(Metric metric, Tensor x, Tensor y) {
        check("similarity", "y", x, y);
        try (Scope s = Scope.inner("similarity", x.device())) {
            Tensor a = x.to(x.dtype().compute());
            Tensor b = y.to(a.dtype());
            Tensor r = switch (metric) {
                case DOT -> a.matmul(b.transpose(-2, -1));
                case COSINE -> Linalg.normalise(a, -1).matmul(Linalg.normalise(b, -1).transpose(-2, -1)).clamp(-1, 1);
                case EUCLIDEAN -> distances(a, b);
            };
            return s.keep(r.to(x.dtype()));
        }
    }

    /** As {@link #of(Metric, Tensor, Tensor)} of the rows of x among each other; a row's distance to itself is 0. */
    public static Tensor of(Metric metric, Tensor x) {
        try (Scope s = Scope.inner("similarity", x.device())) {
            Tensor r = of(metric, x, x);
            return s.keep(metric == Metric.EUCLIDEAN
                    ? s.eye(DType.BOOL, x.dim(-2)).where(s.scalar(r.dtype(), 0), r)
                    : r);
        }
    }

    private static Tensor distances(Tensor x, Tensor y) {
        if (y.dim(-2) == 0 || x.dim(-1) == 0) {
            return x.matmul(y.transpose(-2, -1));
        }
        Tensor wideY = y.to(DType.F64);
        Tensor center = wideY.mean(true, -2);
        Tensor a = x.to(DType.F64).sub(center);
        Tensor b = wideY.sub(center);
        Tensor squares = a.square().sum(true, -1).add(b.square().sum(-1).unsqueeze(-2))
                .sub(a.matmul(b.transpose(-2, -1)).mul(2));
        return squares.maximum(0).sqrt();
    }

    /** Float matrices of one type and equal rows; {@code name} is what errors call y. */
    static void check(String op, String name, Tensor x, Tensor y) {
        if (!x.dtype().isFloat() || x.dtype().compute() != y.dtype().compute()) {
            throw new DTypeException(op + ": needs one float type; x " + x.dtype() + " " + x.shape() + ", " + name + " "
                    + y.dtype() + " " + y.shape() + "; cast with .to(DType.F32)");
        }
        if (x.rank() < 2 || y.rank() < 2 || x.dim(-1) != y.dim(-1)) {
            throw new ShapeException(op + ": vectors differ in length, or are no rows; x " + x.shape() + ", " + name
                    + " " + y.shape() + "; give (..., vectors, length) twice with one length");
        }
    }
}
