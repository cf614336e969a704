package dev.gramian;

/** Sums of products by index notation. */
public final class Einsum {
    private Einsum() {}
}
