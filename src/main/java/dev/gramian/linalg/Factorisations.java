package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Decomposition;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;

/** Factorisations behind {@link Linalg}: operands checked for NaN and infinities, then one operation. */
final class Factorisations {
    private Factorisations() {}

    static Eigh eigh(Tensor a) {
        Tensor[] r = symmetric(new Decomposition.Eigh(true), a);
        return new Eigh(r[0], r[1]);
    }

    static Tensor eigvalsh(Tensor a) {
        return symmetric(new Decomposition.Eigh(false), a)[0];
    }

    static Eig eig(Tensor a) {
        Tensor[] r = general(new Decomposition.Eig(true), a);
        return new Eig(new Complex(r[0], r[1]), new Complex(r[2], r[3]));
    }

    static Complex eigvals(Tensor a) {
        Tensor[] r = general(new Decomposition.Eig(false), a);
        return new Complex(r[0], r[1]);
    }

    private static Tensor[] general(Decomposition how, Tensor a) {
        Finite.check(how.name(), a);
        return Halves.run(how.name(), how, a);
    }

    static Tensor cholesky(Tensor a) {
        return symmetric(new Decomposition.Cholesky(), a)[0];
    }

    private static Tensor[] symmetric(Decomposition how, Tensor a) {
        String op = how.name();
        Finite.checkLower(op, a);
        return Halves.run(op, how, a);
    }

    static Qr qr(Tensor a, boolean full) {
        Finite.check("qr", a);
        Tensor[] r = Halves.run("qr", new Decomposition.Qr(full), a);
        return new Qr(r[0], r[1]);
    }

    static Tensor orthonormalise(Tensor a) {
        if (a.rank() >= 2 && a.dim(-2) < a.dim(-1)) {
            throw new ShapeException("orthonormalise: more columns than rows; x " + a.shape() + "; at most " + a.dim(-2)
                    + " columns can be orthonormal, use svd(a).u()");
        }
        Finite.check("orthonormalise", a);
        try (Scope s = Scope.inner("orthonormalise", a.device())) {
            Tensor[] r = s.runAll(new Decomposition.Qr(false), Halves.wide(a));
            // a vector points to the side of the column it came from
            Tensor flip = r[1].diagonal(0, -2, -1).lt(0);
            Tensor sign = flip.where(s.scalar(r[0].dtype(), -1), s.scalar(r[0].dtype(), 1));
            return s.keep(r[0].mul(sign.unsqueeze(-2)));
        }
    }

    static Lu lu(Tensor a) {
        Finite.check("lu", a);
        Tensor[] r = Halves.run("lu", new Decomposition.Lu(), a);
        return new Lu(r[0], r[1], r[2]);
    }

    static Tensor solveTriangular(Tensor a, Tensor b, boolean lower, boolean transpose, boolean unit) {
        String op = "solveTriangular";
        boolean vector = Systems.vector(op, a, b);
        try (Scope s = Scope.inner(op, a.device())) {
            Tensor right = Halves.wide(vector ? b.unsqueeze(-1) : b, a);
            Shape batch = Systems.batch(op, a, right);
            Tensor x = s.run(
                    new Decomposition.TriangularSolve(lower, transpose, unit),
                    Halves.wide(a, b).expand(batch.plus(a.dim(-2), a.dim(-1)).toArray()),
                    right.expand(batch.plus(right.dim(-2), right.dim(-1)).toArray()));
            return s.keep(vector ? x.squeeze(-1) : x);
        }
    }
}
