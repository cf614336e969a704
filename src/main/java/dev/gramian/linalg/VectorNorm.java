package dev.gramian.linalg;

import dev.gramian.core.ReduceFn;

/** Norms of the elements along one or more axes, taken as one vector. */
public enum VectorNorm {
    /** Sum of magnitudes. */
    ONE(ReduceFn.NORM1),
    /** Root of the sum of squares: Euclidean, and Frobenius of a matrix; squares cannot over- or underflow. */
    TWO(ReduceFn.NORM2),
    /** Largest magnitude. */
    INF(ReduceFn.NORM_INF);

    final ReduceFn fn;

    VectorNorm(ReduceFn fn) {
        this.fn = fn;
    }
}
