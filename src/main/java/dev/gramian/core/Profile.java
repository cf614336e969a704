package dev.gramian.core;

/**
 * How a device likes work to be cut, for code composed of operations.
 *
 * @param pieceBytes bytes that intermediate results of one step should stay under
 * @param productRows rows from which a product runs at full speed
 * @param halfProducts whether products of half types are much faster than those of F32
 * @param tiledAttention whether it computes {@link Op.Attention}
 */
public record Profile(long pieceBytes, long productRows, boolean halfProducts, boolean tiledAttention) {}
