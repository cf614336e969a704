package dev.gramian.cli;

/** How a check came out: one line for people, and whether the result is right. */
record Verdict(String line, boolean passed) {}
