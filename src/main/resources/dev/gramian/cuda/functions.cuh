// Functions that the expressions of MapFn and ZipFn name beside CUDA's own.

// ---- floats
// ----------------------------------------------------------------------------------------------------------

// 1 / (1 + exp(-x)); neither end overflows or loses digits.
template <class F> __device__ __forceinline__ F sigmoid(F x) {
    F e = exp(-fabs(x));
    return (x >= 0 ? F(1) : e) / (F(1) + e);
}

// x * sigmoid(u); -0 where u is so small that the product would be -inf times 0.
template <class F> __device__ __forceinline__ F times_sigmoid(F x, F u) {
    return u < F(-800) ? F(-0.0) : x * sigmoid(u);
}

template <class F> __device__ __forceinline__ F silu(F x) { return times_sigmoid(x, x); }

// 0.5 x (1 + tanh(u / 2)) = x sigmoid(u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3).
template <class F> __device__ __forceinline__ F gelu_tanh(F x) {
    return times_sigmoid(x, F(1.5957691216057308) * x * (F(1) + F(0.044715) * x * x));
}

template <class F> struct RootHalf;  // sqrt(1/2) in two parts
template <> struct RootHalf<f32> {
    static __device__ __forceinline__ f32 high() { return 0x1.6a09e6p-1f; }
    static __device__ __forceinline__ f32 low() { return 0x1.9fcef4p-27f; }
};
template <> struct RootHalf<f64> {
    static __device__ __forceinline__ f64 high() { return 0x1.6a09e667f3bcdp-1; }
    static __device__ __forceinline__ f64 low() { return -0x1.bdd3413b26456p-55; }
};

// x Phi(x) = x erfc(-x / sqrt(2)) / 2. What rounding takes from the argument a counts, times 2 a^2, in the tail: it
// goes in again by the slope, erfc'(a) = -erfc(a) (a + sqrt(a^2 + s)) with s from 4 / pi to 2.
template <class F> __device__ __forceinline__ F gelu(F x) {
    if (x > F(9)) {
        return x;
    }
    if (x < F(-40)) {
        return F(-0.0);
    }
    F a = -x * RootHalf<F>::high();
    F rest = fma(-x, RootHalf<F>::high(), -a) - x * RootHalf<F>::low();
    F tail = erfc(a);
    return F(0.5) * x * (tail - tail * (rest * (a + sqrt(a * a + F(1.5)))));
}

// Python's remainder: the sign of y, or zero with y's sign.
template <class F> __device__ __forceinline__ F floormod(F x, F y) {
    F r = fmod(x, y);
    if (r == 0) {
        return copysign(F(0), y);
    }
    return (r < 0) != (y < 0) ? r + y : r;
}

// ---- integers
// --------------------------------------------------------------------------------------------------------

// The remainder with y's sign; y is not 0. The longer division only where one of them is longer: it is slow.
__device__ __forceinline__ i64 floormod(i64 x, i64 y) {
    if (y == -1) {
        return 0;  // of -2^63 the quotient would overflow
    }
    i64 r = x == (i32)x && y == (i32)y ? (i64)((i32)x % (i32)y) : x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

// x^y by squaring, wrapping. A negative y, for which integers have no power, goes to *flag if it is the lowest.
__device__ __forceinline__ i64 ipow(i64 x, i64 y, i64* flag) {
    if (y < 0) {
        if (flag != 0) {
            atomicMin(flag, y);
        }
        return 0;
    }
    u64 r = 1;
    u64 b = (u64)x;
    for (u64 e = (u64)y; e != 0; e >>= 1) {
        if (e & 1) {
            r *= b;
        }
        b *= b;
    }
    return (i64)r;
}
