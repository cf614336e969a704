package dev.gramian.linalg;

/**
 * The leading part of a singular value decomposition of a matrix a (m, n), from {@link RandomizedSvd}: u (m, r), s (r),
 * vt (r, n). {@code error} is ‖a - u diag(s) vt‖ in the Frobenius norm, measured and not estimated, to the rounding of the
 * element type; {@code norm} is a's.
 */
public record TruncatedSvd(Svd svd, double error, double norm) {

    /** error / norm; 0 of a zero matrix. */
    public double relativeError() {
        return norm == 0 ? 0 : error / norm;
    }
}
