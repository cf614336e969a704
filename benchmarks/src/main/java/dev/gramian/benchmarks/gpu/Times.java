package dev.gramian.benchmarks.gpu;

/** Seconds of one call: median, least and most of {@code repetitions} turns of {@code calls} calls each. */
record Times(double median, double least, double most, int repetitions, int calls) {}
