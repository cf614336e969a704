package dev.gramian.cpu;

/** Which kernels a CPU device uses; each falls back to none: what cannot load is reported, not replaced. */
public enum CpuPath {
    /** OpenBLAS and LAPACK for products and decompositions, Vector API kernels (scalar where absent) for the rest. */
    NATIVE,
    /** Everything in Java with the Vector API. */
    VECTOR,
    /** Everything in plain Java; also the reference the other two are tested against. */
    SCALAR
}
