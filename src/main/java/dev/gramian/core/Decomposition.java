package dev.gramian.core;

import static dev.gramian.core.OpRules.matrix;
import static dev.gramian.core.OpRules.one;
import static dev.gramian.core.OpRules.realFloat;
import static dev.gramian.core.OpRules.same;
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
            square(name(), in[0]);
            realFloat(name(), in[0]);
            matrix(name(), in[1]);
            same(name(), in[0], in[1]);
            Shape a = in[0].shape();
            Shape b = in[1].shape();
            int r = a.rank();
            if (b.rank() != r || !b.with(r - 1, a.at(r - 1)).equals(a)) {
                throw new ShapeException("solve: right side does not fit; a " + a + ", b " + b
                        + "; b needs a's batch axes and as many rows as a");
            }
            return one(b, in[1].dtype());
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
}
