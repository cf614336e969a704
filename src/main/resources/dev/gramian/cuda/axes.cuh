// Strided walks: what Axes.java writes. N operands of one shape, sizes and strides in elements, last axis fastest.

#define MAX_AXES 16

template <int N> struct Axes {
    i64 rank;
    i64 size[MAX_AXES];
    u64 divisor[MAX_AXES];  // size as divide takes it
    i64 stride[N][MAX_AXES];
};

// n / d for n < 2^31 by a product and a shift: a divisor is ceil(2^(31 + s) / d) below and s - 1 above, s =
// ceil(log2(d)), d from 2 on; 0 for d >= 2^31. A division takes 20 instructions in 32 bits and 100 in 64.
__device__ __forceinline__ u32 divide(u32 n, u64 divisor) {
    return (u32)((u64)n * (u32)divisor >> 32) >> (u32)(divisor >> 32);
}

// n / d, the divisor as in Axes; any n and d >= 1.
__device__ __forceinline__ i64 quotient(i64 n, i64 d, u64 divisor) {
    return d == 1 ? n : n >> 31 == 0 ? divide((u32)n, divisor) : n / d;
}

// Element offset of each operand for the element of row-major index i < 2^31 of the first `rank` axes, one at least.
template <int N> __device__ __forceinline__ void locate(const Axes<N>& axes, int rank, u32 i, i64 (&at)[N]) {
    for (int k = 0; k < N; k++) {
        at[k] = 0;
    }
    for (int d = rank - 1; d > 0; d--) {
        u32 q = divide(i, axes.divisor[d]);
        i64 r = i - q * (u32)axes.size[d];
        for (int k = 0; k < N; k++) {
            at[k] += r * axes.stride[k][d];
        }
        i = q;
    }
    for (int k = 0; k < N; k++) {
        at[k] += i * axes.stride[k][0];
    }
}

// The same for any i.
template <int N> __device__ __forceinline__ void locate(const Axes<N>& axes, int rank, i64 i, i64 (&at)[N]) {
    if (i >> 31 == 0) {
        locate(axes, rank, (u32)i, at);
        return;
    }
    for (int k = 0; k < N; k++) {
        at[k] = 0;
    }
    for (int d = rank - 1; d > 0; d--) {
        i64 q = i / axes.size[d];
        i64 r = i - q * axes.size[d];
        for (int k = 0; k < N; k++) {
            at[k] += r * axes.stride[k][d];
        }
        i = q;
    }
    for (int k = 0; k < N; k++) {
        at[k] += i * axes.stride[k][0];
    }
}

// The same over all axes.
template <int N> __device__ __forceinline__ void locate(const Axes<N>& axes, u32 i, i64 (&at)[N]) {
    locate(axes, (int)axes.rank, i, at);
}

template <int N> __device__ __forceinline__ void locate(const Axes<N>& axes, i64 i, i64 (&at)[N]) {
    locate(axes, (int)axes.rank, i, at);
}

// First item of this thread and the step to its next, for loops over more items than threads.
#define GRID_START ((i64)blockIdx.x * blockDim.x + threadIdx.x)
#define GRID_STEP ((i64)gridDim.x * blockDim.x)
