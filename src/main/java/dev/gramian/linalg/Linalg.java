package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Decomposition;
import dev.gramian.core.GramianException;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;

/**
 * Decompositions, linear systems, norms and angles. Matrices lie on the last two axes, any axes before them being a
 * stack. Decompositions, systems and functions of matrices compute in F32 and F64. Half types are computed in F32 there, and
 * results are F32 too, not rounded back: their accuracy, and cut-offs by the type's epsilon, are F32's. Two operands have
 * one type. Results belong to the innermost open scope of the operands' device.
 */
public final class Linalg {
    private Linalg() {}

    // ---- singular values -------------------------------------------------------------------------------------------

    /** The thin decomposition: u (..., m, k), s (..., k), vt (..., k, n), k = min(m, n). Refuses NaN and infinity. */
    public static Svd svd(Tensor a) {
        return svd(a, SvdMode.THIN);
    }

    /** THIN as {@link #svd(Tensor)}; FULL with square u (..., m, m) and vt (..., n, n). */
    public static Svd svd(Tensor a, SvdMode mode) {
        if (mode == SvdMode.VALUES) {
            throw new GramianException("svd: mode VALUES gives no u and vt; a " + a.shape() + "; use svdValues(a)");
        }
        Tensor[] r = decompose("svd", a, mode);
        return new Svd(r[0], r[1], r[2]);
    }

    /** Singular values alone, (..., min(m, n)), descending. */
    public static Tensor svdValues(Tensor a) {
        return decompose("svdValues", a, SvdMode.VALUES)[0];
    }

    /** {@link Svd#truncate} of a's decomposition: its best approximation of rank r as two thin factors. */
    public static LowRank lowRank(Tensor a, long r) {
        try (Scope s = Scope.inner("lowRank", a.device())) {
            Tensor[] parts = decompose("lowRank", a, SvdMode.THIN);
            LowRank low = new Svd(parts[0], parts[1], parts[2]).truncate(r);
            return new LowRank(s.keep(low.left()), s.keep(low.right()), s.keep(low.error()));
        }
    }

    /**
     * The pseudo-inverse (..., n, m) of Moore and Penrose. Singular values up to max(m, n) times the type's epsilon
     * times the largest count as zero, as in PyTorch.
     */
    public static Tensor pinv(Tensor a) {
        return pinv(a, cutoff(a));
    }

    /** As {@link #pinv(Tensor)}; singular values up to {@code rtol} times the largest count as zero. */
    public static Tensor pinv(Tensor a, double rtol) {
        try (Scope scope = Scope.inner("pinv", a.device())) {
            Tensor[] parts = decompose("pinv", a, SvdMode.THIN);
            Tensor s = parts[1];
            Tensor inverse = above(s, rtol).where(s.rdiv(1), scope.scalar(s.dtype(), 0));
            Tensor v = parts[2].transpose(-2, -1).mul(inverse.unsqueeze(-2));
            return scope.keep(v.matmul(parts[0].transpose(-2, -1)));
        }
    }

    /** Rank (...), I64: the number of singular values that {@link #pinv(Tensor)} does not count as zero. */
    public static Tensor rank(Tensor a) {
        return rank(a, cutoff(a));
    }

    /** Number (...), I64, of singular values above {@code rtol} times the largest. */
    public static Tensor rank(Tensor a, double rtol) {
        try (Scope scope = Scope.inner("rank", a.device())) {
            return scope.keep(above(decompose("rank", a, SvdMode.VALUES)[0], rtol).sum(-1));
        }
    }

    static Tensor above(Tensor s, double rtol) {
        return s.gt(s.slice(-1, 0, 1).mul(rtol));
    }

    private static double cutoff(Tensor a) {
        long larger = a.rank() < 2 ? 1 : Math.max(a.dim(-2), a.dim(-1));
        return larger * (a.dtype() == DType.F64 ? 0x1p-52 : 0x1p-23);
    }

    static Tensor[] decompose(String op, Tensor a, SvdMode mode) {
        Finite.check(op, a);
        return Halves.run(op, new Decomposition.Svd(mode), a);
    }

    // ---- linear systems --------------------------------------------------------------------------------------------

    /** The inverses (..., n, n); an exactly singular matrix is refused, NaN and infinities travel. */
    public static Tensor inv(Tensor a) {
        return Halves.run("inv", new Decomposition.Inverse(), a)[0];
    }

    /**
     * x with a x = b for a (..., n, n), by LU with partial pivoting. A b of one axis (n) is a vector and gives
     * (..., n); any other is matrices (..., n, r) of right sides. Axes before them broadcast. An exactly singular a is
     * refused.
     */
    public static Tensor solve(Tensor a, Tensor b) {
        boolean vector = Systems.vector("solve", a, b);
        try (Scope s = Scope.inner("solve", a.device())) {
            Tensor left = Halves.wide(a, b);
            Tensor right = Halves.wide(vector ? b.unsqueeze(-1) : b, a);
            Tensor x;
            if (a.rank() == 2 && right.rank() > 2) {
                // one factorisation for the whole stack: its matrices become more columns
                Tensor rows = front(right);
                Tensor columns = rows.reshape(a.dim(-1), right.size() / Math.max(1, right.dim(-2)));
                x = back(s.run(new Decomposition.Solve(), left, columns).reshape(rows.shape().toArray()));
            } else {
                Shape batch = Systems.batch("solve", a, right);
                x = s.run(
                        new Decomposition.Solve(),
                        left.expand(batch.plus(a.dim(-2), a.dim(-1)).toArray()),
                        right.expand(batch.plus(right.dim(-2), right.dim(-1)).toArray()));
            }
            return s.keep(vector ? x.squeeze(-1) : x);
        }
    }

    /** (..., n, r) as (n, ..., r). */
    private static Tensor front(Tensor t) {
        int[] order = new int[t.rank()];
        order[0] = t.rank() - 2;
        for (int i = 1; i < order.length; i++) {
            order[i] = i < order.length - 1 ? i - 1 : i;
        }
        return t.permute(order);
    }

    /** (n, ..., r) as (..., n, r). */
    private static Tensor back(Tensor t) {
        int[] order = new int[t.rank()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i < order.length - 2 ? i + 1 : i == order.length - 2 ? 0 : i;
        }
        return t.permute(order);
    }

    /** Determinants (...) of (..., n, n); 1 for n = 0. */
    public static Tensor det(Tensor a) {
        return Halves.run("det", new Decomposition.Determinant(false), a)[0];
    }

    /** A determinant as {@code sign * exp(logAbs)}; a singular matrix has sign 0 and logAbs -inf. */
    public record LogDet(Tensor sign, Tensor logAbs) {}

    /** Sign and natural logarithm of the magnitude of determinants that F64 itself could not hold. */
    public static LogDet slogdet(Tensor a) {
        Tensor[] r = Halves.run("slogdet", new Decomposition.Determinant(true), a);
        return new LogDet(r[0], r[1]);
    }

    /** Least squares of any rank; singular values up to max(m, n) times the type's epsilon times the largest count as zero. */
    public static LeastSquares lstsq(Tensor a, Tensor b) {
        return LeastSquares.of(a, b, cutoff(a));
    }

    /** As {@link #lstsq(Tensor, Tensor)}; singular values up to {@code rcond} times the largest count as zero. */
    public static LeastSquares lstsq(Tensor a, Tensor b, double rcond) {
        return LeastSquares.of(a, b, rcond);
    }

    /**
     * x with a x = b, or aᵀ x = b where {@code transpose}, b as in {@link #solve}. Only a's {@code lower} or upper triangle
     * is read, its diagonal counting as ones where {@code unit}. A zero on the diagonal is refused.
     */
    public static Tensor solveTriangular(Tensor a, Tensor b, boolean lower, boolean transpose, boolean unit) {
        return Factorisations.solveTriangular(a, b, lower, transpose, unit);
    }

    // ---- factorisations: NaN and infinity are refused --------------------------------------------------------------

    /** Eigenvalues, ascending, and eigenvectors of symmetric (..., n, n), of which only the lower triangles are read. */
    public static Eigh eigh(Tensor a) {
        return Factorisations.eigh(a);
    }

    /** Eigenvalues (..., n) alone, as {@link #eigh}. */
    public static Tensor eigvalsh(Tensor a) {
        return Factorisations.eigvalsh(a);
    }

    /**
     * Eigenvalues and eigenvectors of any (..., n, n), as real and imaginary parts; use {@link #eigh} where a is symmetric.
     * Computed on the CPU alone: a tensor elsewhere is refused.
     */
    public static Eig eig(Tensor a) {
        return Factorisations.eig(a);
    }

    /** Eigenvalues (..., n) alone, as {@link #eig}. */
    public static Complex eigvals(Tensor a) {
        return Factorisations.eigvals(a);
    }

    /** a = q r, thin: q (..., m, k) with orthonormal columns, r (..., k, n) upper triangular, k = min(m, n). */
    public static Qr qr(Tensor a) {
        return Factorisations.qr(a, false);
    }

    /** As {@link #qr(Tensor)} with square q (..., m, m) and r (..., m, n) where {@code full}. */
    public static Qr qr(Tensor a, boolean full) {
        return Factorisations.qr(a, full);
    }

    /**
     * Lower triangular l (..., n, n) with a = l lᵀ, of symmetric positive definite matrices, of which only the lower
     * triangles are read. The error names the first leading minor that is not positive definite.
     */
    public static Tensor cholesky(Tensor a) {
        return Factorisations.cholesky(a);
    }

    /** a's rows in the order that partial pivoting finds = l u; a (..., m, n) may be singular. */
    public static Lu lu(Tensor a) {
        return Factorisations.lu(a);
    }

    /** a = u p, u the nearest matrix to a with orthonormal columns (or rows), p symmetric positive semidefinite. */
    public static Polar polar(Tensor a) {
        return Polar.of(a);
    }

    /**
     * Orthonormal columns (..., m, n), m &gt;= n, of which the first j span the first j columns of a, by Householder QR: what
     * Gram-Schmidt would give, to working precision. Columns that depend on those before are replaced by others.
     */
    public static Tensor orthonormalise(Tensor a) {
        return Factorisations.orthonormalise(a);
    }

    // ---- functions and products of matrices ------------------------------------------------------------------------

    /** a multiplied with itself p times; p &lt; 0 is the power of the inverse, p = 0 the identity. */
    public static Tensor matrixPower(Tensor a, long p) {
        return MatrixFunctions.power(a, p);
    }

    /** The matrix exponential of (..., n, n), computed in F64. NaN and infinity are refused. */
    public static Tensor expm(Tensor a) {
        return MatrixFunctions.exponential(a);
    }

    /** Sums (...) of the diagonals of (..., m, n). */
    public static Tensor trace(Tensor a) {
        if (a.rank() < 2) {
            throw new ShapeException("trace: needs a matrix; x " + a.shape() + "; give (..., rows, columns)");
        }
        return a.diagonal(0, -2, -1).sum(-1);
    }

    /** Condition number (...) in the 2-norm: the ratio of the largest to the smallest singular value, or inf. */
    public static Tensor cond(Tensor a) {
        if (a.rank() >= 2 && (a.dim(-1) == 0 || a.dim(-2) == 0)) {
            throw new ShapeException("cond: matrix is empty; x " + a.shape() + "; it has no singular values");
        }
        try (Scope scope = Scope.inner("cond", a.device())) {
            Tensor s = decompose("cond", a, SvdMode.VALUES)[0];
            Tensor smallest = s.select(-1, s.dim(-1) - 1);
            return scope.keep(smallest.eq(0).where(
                    scope.scalar(s.dtype(), Double.POSITIVE_INFINITY), s.select(-1, 0).div(smallest)));
        }
    }

    /** Every element of vector x times every element of vector y, (x's length, y's length). */
    public static Tensor outer(Tensor x, Tensor y) {
        return TensorProducts.outer(x, y);
    }

    /** The Kronecker product: b times each element of a. Of axes beyond two, and of unequal ranks, as NumPy's. */
    public static Tensor kron(Tensor a, Tensor b) {
        return TensorProducts.kron(a, b);
    }

    // ---- norms and angles ------------------------------------------------------------------------------------------

    /** The 2-norm of all elements: Euclidean of a vector, Frobenius of a matrix. Float types; a scalar. */
    public static Tensor norm(Tensor x) {
        return norm(x, VectorNorm.TWO);
    }

    /** A norm of the elements along the named axes, or of all of them where none is named. */
    public static Tensor norm(Tensor x, VectorNorm norm, int... axes) {
        return norm(x, norm, false, axes);
    }

    /** As {@link #norm(Tensor, VectorNorm, int...)}; the axes stay with size 1 where {@code keepDims}. */
    public static Tensor norm(Tensor x, VectorNorm norm, boolean keepDims, int... axes) {
        return Scope.innermost("norm", x.device())
                .run(new Op.Reduce(norm.fn, x.shape().axes("norm", axes), keepDims, 0), x);
    }

    /** A norm of each matrix on the last two axes; of half types those by singular values, SPECTRAL and NUCLEAR, in F32. */
    public static Tensor norm(Tensor x, MatrixNorm norm) {
        return norm(x, norm, false, -2, -1);
    }

    /** As {@link #norm(Tensor, MatrixNorm)} along any two axes, which stay with size 1 where {@code keepDims}. */
    public static Tensor norm(Tensor x, MatrixNorm norm, boolean keepDims, int rowAxis, int columnAxis) {
        return MatrixNorms.norm(x, norm, keepDims, rowAxis, columnAxis);
    }

    /** Sum of the products of two vectors of equal length; a scalar. Half types sum in F32. */
    public static Tensor dot(Tensor x, Tensor y) {
        if (x.rank() != 1 || y.rank() != 1 || x.dim(0) != y.dim(0)) {
            throw new ShapeException("dot: needs two vectors of equal length; x " + x.shape() + ", y " + y.shape()
                    + "; use dot(x, y, axis) for stacks of vectors, matmul for matrices");
        }
        return x.matmul(y);
    }

    /** Sums of products along an axis, other axes broadcast. A positive axis counts in the operand of more axes. */
    public static Tensor dot(Tensor x, Tensor y, int axis) {
        return Angles.dot("dot", x, y, axis);
    }

    /**
     * Cosine of the angle between vectors along an axis, other axes broadcast, in [-1, 1]. A zero vector is orthogonal
     * to everything: 0. Values of any size are fine; NaN and infinities give NaN. A positive axis counts in the operand
     * of more axes.
     */
    public static Tensor cosineSimilarity(Tensor x, Tensor y, int axis) {
        return Angles.cosineSimilarity(x, y, axis);
    }
    /**
     * Vectors along an axis scaled to length 1; a zero vector stays zero. Values of any size are fine; NaN and infinities
     * give NaN.
     */
    public static Tensor normalise(Tensor x, int axis) {
        return Angles.normalise(x, axis);
    }
}
