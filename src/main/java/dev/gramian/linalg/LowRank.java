package dev.gramian.linalg;

import dev.gramian.Tensor;

/**
 * A product of two thin factors: left (..., m, r), whose columns carry the singular values, and right (..., r, n).
 * {@code error} (...) is the distance from the original in the Frobenius norm, the root of the sum of the squares of
 * the singular values left out: no matrix of that rank is nearer (Eckart and Young 1936).
 */
public record LowRank(Tensor left, Tensor right, Tensor error) {

    /** left right, (..., m, n). */
    public Tensor product() {
        return left.matmul(right);
    }
}
