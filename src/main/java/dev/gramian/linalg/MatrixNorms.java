package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;

/** {@link MatrixNorm}s along any two axes. */
final class MatrixNorms {
    private MatrixNorms() {}

    static Tensor norm(Tensor x, MatrixNorm norm, boolean keepDims, int rowAxis, int columnAxis) {
        if (x.rank() < 2) {
            throw new ShapeException("norm: needs a matrix; x " + x.shape()
                    + "; give (..., rows, columns), or a VectorNorm");
        }
        int[] axes = x.shape().axes("norm", rowAxis, columnAxis);
        int row = x.shape().axis("norm", rowAxis);
        int column = x.shape().axis("norm", columnAxis);
        try (Scope s = Scope.inner("norm", x.device())) {
            Tensor r = switch (norm) {
                case FROBENIUS -> Linalg.norm(x, VectorNorm.TWO, true, axes);
                case ONE -> Linalg.norm(Linalg.norm(x, VectorNorm.ONE, true, row), VectorNorm.INF, true, column);
                case INF -> Linalg.norm(Linalg.norm(x, VectorNorm.ONE, true, column), VectorNorm.INF, true, row);
                case SPECTRAL -> ofValues(x, VectorNorm.INF, axes);
                case NUCLEAR -> ofValues(x, VectorNorm.ONE, axes);
            };
            s.keep(r);
            return keepDims ? r : r.squeeze(axes[1]).squeeze(axes[0]);
        }
    }

    private static Tensor ofValues(Tensor x, VectorNorm norm, int[] axes) {
        int[] order = new int[x.rank()];
        int n = 0;
        for (int i = 0; i < order.length; i++) {
            if (i != axes[0] && i != axes[1]) {
                order[n++] = i;
            }
        }
        order[n++] = axes[0];
        order[n] = axes[1];
        Tensor values = Linalg.decompose("norm", x.permute(order), SvdMode.VALUES)[0];
        return Linalg.norm(values, norm, -1).unsqueeze(axes[0]).unsqueeze(axes[1]);
    }
}
