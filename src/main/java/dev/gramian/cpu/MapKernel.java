package dev.gramian.cpu;

/** One elementwise function of one contiguous operand; x and out are addresses, n counts elements. */
interface MapKernel {
    void run(long x, long out, long n, double p, double q);
}
