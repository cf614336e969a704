// Strided walks: what Axes.java writes. N operands of one shape, sizes and strides in elements, last axis fastest.

#define MAX_AXES 16

template <int N> struct Axes {
    i64 rank;
    i64 size[MAX_AXES];
    i64 stride[N][MAX_AXES];
};

// Element offset of each operand for the element of row-major index i.
template <int N> __device__ __forceinline__ void locate(const Axes<N>& axes, i64 i, i64 (&at)[N]) {
    for (int k = 0; k < N; k++) {
        at[k] = 0;
    }
    for (int d = (int)axes.rank - 1; d > 0; d--) {
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

// First item of this thread and the step to its next, for loops over more items than threads.
#define GRID_START ((i64)blockIdx.x * blockDim.x + threadIdx.x)
#define GRID_STEP ((i64)gridDim.x * blockDim.x)
