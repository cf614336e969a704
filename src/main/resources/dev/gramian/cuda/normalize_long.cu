// Layer and RMS norm from what a reduction gave for each row before: mean and squared distances, or the sum of squares.
// For rows too long for registers. Macros: as normalize.cuh; STATE, what the reduction carried along.
//
// count rows (x_rows: x; results follow one another) of n elements (axes: x, weight, bias), cut into splits pieces of
// chunk. weight and bias may be null.
#include "states.cuh"
#include "normalize.cuh"

typedef STATE<ELEMENT> State;

__device__ __forceinline__ f64 mean(const Variance<ELEMENT>& s) { return s.mean; }
__device__ __forceinline__ f64 mean(const Norm2<ELEMENT>&) { return 0; }
__device__ __forceinline__ f64 variance(const Variance<ELEMENT>& s, i64 n) { return s.result(n, 0); }
__device__ __forceinline__ f64 variance(const Norm2<ELEMENT>& s, i64 n) {
    f64 root = s.result(n, 0) / sqrt((f64)n);
    return root * root;
}

extern "C" __global__ void __launch_bounds__(256)
    pieces(const ELEMENT* x, const ELEMENT* weight, const ELEMENT* bias, i64 count, Axes<1> x_rows, i64 n, Axes<3> axes,
           f64 eps, i64 splits, i64 chunk, const State* states, ELEMENT* out) {
    for (i64 task = blockIdx.x; task < count * splits; task += gridDim.x) {
        i64 r = task / splits;
        i64 first = (task - r * splits) * chunk;
        i64 end = first + chunk < n ? first + chunk : n;
        i64 row[1];
        locate(x_rows, r, row);
        State s = states[r];
        Norm norm;
        norm.mean(mean(s));
        norm.variance(variance(s, n), eps);
#pragma unroll 4
        for (i64 j = first + threadIdx.x; j < end; j += blockDim.x) {
            i64 at[3];
            locate(axes, j, at);
            C t = norm.of(load(x[row[0] + at[0]]));
            t = weight ? t * load(weight[at[1]]) : t;
            t = bias ? t + load(bias[at[2]]) : t;
            store(out + r * n + j, t);
        }
    }
}
