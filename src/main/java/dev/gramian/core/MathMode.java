package dev.gramian.core;

/** How exact products must be; per scope or per call, never global. Only GPUs have faster inexact modes. */
public enum MathMode {
    /** Every product and sum in the operands' compute type. */
    IEEE,
    /** F32 operands may be rounded to TF32 (10 mantissa bits), sums stay F32. */
    TF32,
    /** Half-type products may also accumulate partial sums in the half type. */
    REDUCED
}
