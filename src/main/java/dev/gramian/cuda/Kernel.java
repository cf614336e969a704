package dev.gramian.cuda;

import jcuda.driver.CUfunction;

/**
 * A compiled kernel: what to call it in errors, its handle in the device's context and how many threads a block of it may
 * have.
 */
record Kernel(String name, CUfunction handle, long function, int maxThreads) {}
