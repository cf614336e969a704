package dev.gramian.core;

/**
 * What a device can do at most, for judging what was reached.
 *
 * @param flops multiplications and additions a second, fused ones counting as two, in the arithmetic of a type and without
 *     matrix units
 * @param bytes bytes a second that are read from memory, or where {@code copied} read and written together
 * @param measured whether {@code flops} was measured rather than calculated from what the device says of itself
 * @param copied whether {@code bytes} was measured on copies
 */
public record Roofline(double flops, double bytes, boolean measured, boolean copied) {}
