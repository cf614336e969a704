package dev.gramian.linalg;

import dev.gramian.Tensor;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;

/** Operands of a system a x = b: a (..., n, n), b a vector (n) or matrices (..., n, r) of right sides. */
final class Systems {
    private Systems() {}

    /** True if b is a vector; refuses what does not fit. */
    static boolean vector(String op, Tensor a, Tensor b) {
        boolean vector = b.rank() == 1;
        if (a.rank() < 2 || b.rank() == 0 || b.dim(vector ? -1 : -2) != a.dim(-1)) {
            throw new ShapeException(op + ": right side does not fit; a " + a.shape() + ", b " + b.shape()
                    + "; a is (..., n, n) and b (n) or (..., n, r)");
        }
        return vector;
    }

    static Shape batch(String op, Tensor a, Tensor b) {
        try {
            return Shape.broadcast(op, a.shape().slice(0, a.rank() - 2), b.shape().slice(0, b.rank() - 2));
        } catch (ShapeException e) {
            throw new ShapeException(op + ": batch axes do not broadcast; a " + a.shape() + ", b " + b.shape()
                    + "; all axes before the last two must be equal or 1", e);
        }
    }
}
