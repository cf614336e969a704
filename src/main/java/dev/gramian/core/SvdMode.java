package dev.gramian.core;

/** How much of a singular value decomposition to compute. */
public enum SvdMode {
    /** U (m, k), S (k), Vt (k, n) with k = min(m, n). */
    THIN,
    /** U (m, m), S (k), Vt (n, n). */
    FULL,
    /** S (k) alone. */
    VALUES
}
