package dev.gramian.linalg;

import dev.gramian.Tensor;

/**
 * A factorisation a = q r into orthonormal columns q (..., m, k) and upper triangular r (..., k, n), k = min(m, n), or m
 * where full; from {@link Linalg#qr(Tensor)}. Elements of r's diagonal have any sign.
 */
public record Qr(Tensor q, Tensor r) {}
