package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;

/** Products of vectors along an axis, and the angles between them. */
final class Angles {
    private Angles() {}

    static Tensor dot(String op, Tensor x, Tensor y, int axis) {
        int a = common(op, x, y, axis);
        Scope s = Scope.innermost(op, x.device());
        // the stack on the left: against one vector its rows become one product
        boolean swap = x.rank() < y.rank();
        Tensor row = last(swap ? y : x, a).unsqueeze(-2);
        Tensor column = last(swap ? x : y, a).unsqueeze(-1);
        return s.run(new Op.Gemm(s.mathMode(), 1, x.dtype(), false), row, column).squeeze(-1).squeeze(-1);
    }

    static Tensor cosineSimilarity(Tensor x, Tensor y, int axis) {
        int a = common("cosineSimilarity", x, y, axis);
        try (Scope s = Scope.inner("cosineSimilarity", x.device())) {
            // both to length 1 first: the product of two lengths may overflow where the cosine is ordinary
            Tensor c = dot("cosineSimilarity", unit(s, x, a), unit(s, y, a), a);
            return s.keep(c.clamp(-1, 1).to(x.dtype()));
        }
    }

    static Tensor normalise(Tensor x, int axis) {
        int a = x.shape().axis("normalise", axis) - x.rank();
        if (!x.dtype().isFloat()) {
            throw new DTypeException("normalise: needs a float type; x " + x.dtype() + " " + x.shape()
                    + "; cast with .to(DType.F32)");
        }
        try (Scope s = Scope.inner("normalise", x.device())) {
            return s.keep(unit(s, x, a).to(x.dtype()));
        }
    }

    /** Vectors of length 1, in the compute type; zero ones as they are. */
    private static Tensor unit(Scope s, Tensor x, int axis) {
        Tensor wide = x.to(x.dtype().compute());
        Tensor scaled = wide.div(orOne(s, Linalg.norm(wide, VectorNorm.INF, true, axis)));
        return scaled.div(orOne(s, Linalg.norm(scaled, VectorNorm.TWO, true, axis)));
    }

    private static Tensor orOne(Scope s, Tensor length) {
        return length.eq(0).where(s.scalar(length.dtype(), 1), length);
    }

    /** The axis counted from the end, where both operands have it with one size. */
    private static int common(String op, Tensor x, Tensor y, int axis) {
        int rank = Math.max(x.rank(), y.rank());
        int a = axis < 0 ? axis : axis - rank;
        if (a >= 0 || -a > Math.min(x.rank(), y.rank())) {
            throw new ShapeException(op + ": axis " + axis + " does not exist in both; x " + x.shape() + ", y "
                    + y.shape() + "; both need the axis, counted from the last");
        }
        if (x.dim(a) != y.dim(a)) {
            throw new ShapeException(op + ": vectors differ in length on axis " + axis + ": x " + x.shape() + " has "
                    + x.dim(a) + ", y " + y.shape() + " has " + y.dim(a) + "; products need pairs");
        }
        try {
            Shape.broadcast(op, x.shape(), y.shape());
        } catch (ShapeException e) {
            throw new ShapeException(op + ": x and y do not broadcast; x " + x.shape() + ", y " + y.shape()
                    + "; sizes must be equal or 1 from the last axis on", e);
        }
        return a;
    }

    /** The axis, counted from the end, after all others. */
    private static Tensor last(Tensor t, int axis) {
        int at = t.rank() + axis;
        int[] order = new int[t.rank()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i == order.length - 1 ? at : i < at ? i : i + 1;
        }
        return t.permute(order);
    }
}
