package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.SvdMode;
import java.util.function.ToIntFunction;

/**
 * A product of two thin factors: left (..., m, r), whose columns carry the singular values, and right (..., r, n).
 * {@code error} (...) is the distance from the original in the Frobenius norm, the root of the sum of the squares of
 * the singular values left out: no matrix of that rank is nearer (Eckart and Young 1936).
 */
public record LowRank(Tensor left, Tensor right, Tensor error) {

    /** The best approximation of rank r, 0 to min(m, n), of a (..., m, n), F32 or F64; factors of half types are F32. */
    public static LowRank ofRank(Tensor a, long r) {
        return Linalg.lowRank(a, r);
    }

    /** Of the smallest rank that keeps this share of the squares of the singular values, 0 to 1, in every matrix of a stack. */
    public static LowRank ofEnergy(Tensor a, double energy) {
        Spectrum.checkEnergy(energy);
        return of(a, s -> s.rankOfEnergy(energy));
    }

    /** Of the smallest rank whose error is at most {@code relative} times the norm, in every matrix of a stack. */
    public static LowRank ofTolerance(Tensor a, double relative) {
        Spectrum.checkTolerance(relative);
        return of(a, s -> s.rankOfTolerance(relative));
    }

    private static LowRank of(Tensor a, ToIntFunction<Spectrum> rank) {
        try (Scope s = Scope.inner("lowRank", a.device())) {
            Tensor[] parts = Linalg.decompose("lowRank", a, SvdMode.THIN);
            Tensor values = parts[1];
            long k = values.dim(-1);
            Tensor rows = values.reshape(k == 0 ? 0 : values.size() / k, k);
            int r = 0;
            for (long i = 0; i < rows.dim(0); i++) {
                r = Math.max(r, rank.applyAsInt(Spectrum.of(rows.select(0, i))));
            }
            LowRank low = new Svd(parts[0], values, parts[2]).truncate(r);
            return new LowRank(s.keep(low.left), s.keep(low.right), s.keep(low.error));
        }
    }

    public long rank() {
        return left.dim(-1);
    }

    /** left right, (..., m, n). */
    public Tensor product() {
        return left.matmul(right);
    }

    /** ‖a - left right‖ (...) of each matrix, computed from the product: {@code error}, but for rounding. */
    public Tensor distance(Tensor a) {
        try (Scope s = Scope.inner("distance", a.device())) {
            return s.keep(Linalg.norm(Halves.wide(a).sub(product()), MatrixNorm.FROBENIUS));
        }
    }

    /** Numbers of the matrix for each number of the factors, m n / (r (m + n)); infinite for rank 0. */
    public double compression() {
        double m = left.dim(-2);
        double n = right.dim(-1);
        return m * n / (rank() * (m + n));
    }
}
