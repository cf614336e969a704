// Layer and RMS norm: statistics in F64, as the CPU's, which F32 values neither overflow nor cancel in; the values
// themselves in the compute type. Macros: ELEMENT; CENTER, 1 for layer norm, 0 for RMS norm.

typedef Compute<ELEMENT>::type C;

// A row's mean in two parts, so that x - mean is good to the last digit of F32, and 1 / sqrt(variance + eps) as a
// product: of rows of subnormal F32 values it would overflow.
struct Norm {
    C high, low, scale, more;

    __device__ __forceinline__ void mean(f64 mean) {
        high = (C)mean;
        low = (C)(mean - (f64)high);
    }
    __device__ __forceinline__ void variance(f64 variance, f64 eps) {
        f64 s = 1 / sqrt(variance + eps);
        more = s > 1e38 ? (C)0x1p64 : 1;
        scale = (C)(s / more);
    }
    __device__ __forceinline__ C distance(C x) const { return CENTER ? x - high - low : x; }
    __device__ __forceinline__ C of(C x) const { return distance(x) * more * scale; }
};
