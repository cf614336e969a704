package dev.gramian.core;

import static dev.gramian.core.OpRules.matrix;
import static dev.gramian.core.OpRules.one;
import static dev.gramian.core.OpRules.realFloat;
import static dev.gramian.core.OpRules.rightSide;
import static dev.gramian.core.OpRules.square;

/**
 * Decompositions and solves of F32 and F64 matrices on the last two axes, any batch axes before them. Elements must be
 * finite: whoever asks has checked with {@link Op.FirstNonFinite}.
 */
public sealed interface Decomposition extends Op {

    /** In: a (..., m, n), finite. Out: U, S, Vt as {@link SvdMode} says; S alone for VALUES. S descends. */
    record Svd(SvdMode mode) implements Decomposition {
        @Override
        public String name() {
            return "svd";
        }

        @Override
        public Spec[] results(View... in) {
            Shape s = in[0].shape();
            DType t = matrix(name(), in[0]);
            realFloat(name(), in[0]);
            int r = s.rank();
            long m = s.at(r - 2);
            long n = s.at(r - 1);
            long k = Math.min(m, n);
            Shape batch = s.slice(0, r - 2);
            Spec values = new Spec(batch.plus(k), t);
            return switch (mode) {
                case VALUES -> new Spec[] {values};
                case THIN -> new Spec[] {new Spec(batch.plus(m, k), t), values, new Spec(batch.plus(k, n), t)};
                case FULL -> new Spec[] {new Spec(batch.plus(m, m), t), values, new Spec(batch.plus(n, n), t)};
            };
        }
    }

    /** In: a (..., n, n), b (..., n, r) with a's batch. Out: x with a x = b, by LU with partial pivoting. */
    record Solve() implements Decomposition {
        @Override
        public String name() {
            return "solve";
        }

        @Override
        public Spec[] results(View... in) {
            return rightSide(name(), in[0], in[1]);
        }
    }

    /** In: a (..., n, n). Out: its inverse, by LU with partial pivoting. */
    record Inverse() implements Decomposition {
        @Override
        public String name() {
            return "inv";
        }

        @Override
        public Spec[] results(View... in) {
            square(name(), in[0]);
            realFloat(name(), in[0]);
            return one(in[0].shape(), in[0].dtype());
        }
    }

    /** In: a (..., n, n). Out: the determinant; where {@code log}, its sign and the logarithm of its magnitude. */
    record Determinant(boolean log) implements Decomposition {
        @Override
        public String name() {
            return log ? "slogdet" : "det";
        }

        @Override
        public Spec[] results(View... in) {
            square(name(), in[0]);
            DType t = realFloat(name(), in[0]);
            Shape s = in[0].shape();
            Spec batch = new Spec(s.slice(0, s.rank() - 2), t);
            return log ? new Spec[] {batch, batch} : new Spec[] {batch};
        }
    }

    /**
     * In: a (..., n, n), symmetric, of which only the lower triangle is read. Out: eigenvalues w (..., n), ascending, and
     * where {@code vectors} orthonormal eigenvectors v (..., n, n) in columns: a v = v diag(w).
     */
    record Eigh(boolean vectors) implements Decomposition {
        @Override
        public String name() {
            return vectors ? "eigh" : "eigvalsh";
        }

        @Override
        public Spec[] results(View... in) {
            square(name(), in[0]);
            DType t = realFloat(name(), in[0]);
            Shape s = in[0].shape();
            Spec values = new Spec(s.without(s.rank() - 1), t);
            return vectors ? new Spec[] {values, new Spec(s, t)} : new Spec[] {values};
        }
    }

    /**
     * In: a (..., n, n). Out: real and imaginary parts of the eigenvalues, (..., n) each, and where {@code vectors} of
     * eigenvectors, (..., n, n) each, in columns of length 1.
     */
    record Eig(boolean vectors) implements Decomposition {
        @Override
        public String name() {
            return vectors ? "eig" : "eigvals";
        }

        @Override
        public Spec[] results(View... in) {
            square(name(), in[0]);
            DType t = realFloat(name(), in[0]);
            Shape s = in[0].shape();
            Spec values = new Spec(s.without(s.rank() - 1), t);
            Spec v = new Spec(s, t);
            return vectors ? new Spec[] {values, values, v, v} : new Spec[] {values, values};
        }
    }

    /**
     * In: a (..., m, n). Out: q with orthonormal columns, r upper triangular with a = q r. Thin: q (..., m, k), r (..., k,
     * n), k = min(m, n). Full: q (..., m, m), r (..., m, n). r's diagonal has any sign.
     */
    record Qr(boolean full) implements Decomposition {
        @Override
        public String name() {
            return "qr";
        }

        @Override
        public Spec[] results(View... in) {
            DType t = matrix(name(), in[0]);
            realFloat(name(), in[0]);
            Shape s = in[0].shape();
            int r = s.rank();
            long m = s.at(r - 2);
            long n = s.at(r - 1);
            long k = full ? m : Math.min(m, n);
            Shape batch = s.slice(0, r - 2);
            return new Spec[] {new Spec(batch.plus(m, k), t), new Spec(batch.plus(k, n), t)};
        }
    }

    /**
     * In: a (..., n, n), symmetric positive definite, of which only the lower triangle is read. Out: l (..., n, n), lower
     * triangular with positive diagonal, a = l lᵀ.
     */
    record Cholesky() implements Decomposition {
        @Override
        public String name() {
            return "cholesky";
        }

        @Override
        public Spec[] results(View... in) {
            square(name(), in[0]);
            return one(in[0].shape(), realFloat(name(), in[0]));
        }
    }

    /**
     * In: a (..., m, n). Out: p (..., m) I64, l (..., m, k), u (..., k, n), k = min(m, n), by partial pivoting: row i of l u
     * is row p[i] of a; l is unit lower triangular, u upper triangular. A singular a is fine.
     */
    record Lu() implements Decomposition {
        @Override
        public String name() {
            return "lu";
        }

        @Override
        public Spec[] results(View... in) {
            DType t = matrix(name(), in[0]);
            realFloat(name(), in[0]);
            Shape s = in[0].shape();
            int r = s.rank();
            long m = s.at(r - 2);
            long n = s.at(r - 1);
            long k = Math.min(m, n);
            Shape batch = s.slice(0, r - 2);
            return new Spec[] {
                new Spec(batch.plus(m), DType.I64), new Spec(batch.plus(m, k), t), new Spec(batch.plus(k, n), t),
            };
        }
    }

    /**
     * In: a (..., n, n), b (..., n, r) with a's batch. Out: x with a x = b, or aᵀ x = b where {@code transpose}; only a's
     * {@code lower} or upper triangle is read, and not its diagonal where {@code unit}, which then counts as ones.
     */
    record TriangularSolve(boolean lower, boolean transpose, boolean unit) implements Decomposition {
        @Override
        public String name() {
            return "solveTriangular";
        }

        @Override
        public Spec[] results(View... in) {
            return rightSide(name(), in[0], in[1]);
        }
    }
}
