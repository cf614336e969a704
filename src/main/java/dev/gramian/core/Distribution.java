package dev.gramian.core;

/** What {@link Op.Random} draws; see {@link Philox} for the generator. */
public enum Distribution {
    /** Evenly from [a, b). */
    UNIFORM,
    /** Gaussian with mean a and standard deviation b. */
    NORMAL,
    /** Whole numbers evenly from [a, b). */
    INTEGERS
}
