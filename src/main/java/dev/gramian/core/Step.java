package dev.gramian.core;

/** One operation with its operands and the memory of its results, as it was run once and can be run again. */
public record Step(Op op, View[] in, View[] out) {}
