package dev.gramian.vectors;

/** How alike two vectors are. */
public enum Metric {
    /** Cosine of the angle between them, in [-1, 1]; 0 where either is zero. More is nearer. */
    COSINE,
    /** Sum of products. More is nearer. */
    DOT,
    /** Length of the difference. Less is nearer. */
    EUCLIDEAN;

    boolean moreIsNearer() {
        return this != EUCLIDEAN;
    }
}
