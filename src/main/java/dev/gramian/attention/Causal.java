package dev.gramian.attention;

/**
 * Which keys query i may see where queries and keys differ in number; both agree where they do not. Query i sees key j
 * where {@code j <= i + offset}.
 */
public enum Causal {
    /** Offset 0: the first query sees the first key alone. */
    TOP_LEFT,
    /** Offset {@code Lk - Lq}: the last query sees all keys, as with keys of earlier steps in a cache. */
    BOTTOM_RIGHT
}
