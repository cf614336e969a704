package dev.gramian.cpu;

/** One elementwise function of two contiguous operands; x, y and out are addresses, n counts elements. */
interface ZipKernel {
    void run(long x, long y, long out, long n);
}
