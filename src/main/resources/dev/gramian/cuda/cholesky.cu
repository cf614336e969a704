// Cholesky factors, one block a matrix in shared memory. Macro: REAL.
//
// Right-looking, a column at a time, two barriers a step.
#include "matrices.cuh"

// l (count, n, n) of count matrices of a view, lower triangles alone read. infos[matrix]: the order of the first
// leading minor that is not positive definite, l is not written then, or 0.
extern "C" __global__ void cholesky(i64 count, Axes<1> batch, const REAL* x, i64 row, i64 column, i32 n, REAL* l,
                                    i32* infos) {
    extern __shared__ f64 dynamic[];
    int ld = n | 1;
    REAL* a = (REAL*)dynamic;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[1];
        locate(batch, b, at);
        __syncthreads();
        load_matrix(a, ld, x + at[0], row, column, n, n);
        int failed = 0;
        for (int k = 0; k < n; k++) {
            __syncthreads();
            REAL d = a[k + k * ld];
            if (!(d > 0)) {  // NaN, too
                failed = k + 1;
                break;
            }
            d = root(d);
            for (int i = k + 1 + threadIdx.x; i < n; i += blockDim.x) {
                a[i + k * ld] /= d;
            }
            __syncthreads();
            if (threadIdx.x == 0) {
                a[k + k * ld] = d;
            }
            int rest = n - k - 1;
            for (int e = threadIdx.x; e < rest * rest; e += blockDim.x) {
                int j = e / rest;
                int i = e - j * rest;
                if (i >= j) {
                    a[k + 1 + i + (k + 1 + j) * ld] -= a[k + 1 + i + k * ld] * a[k + 1 + j + k * ld];
                }
            }
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            infos[b] = failed;
        }
        for (int e = threadIdx.x; failed == 0 && e < n * n; e += blockDim.x) {
            int i = e / n;
            int j = e - i * n;
            l[b * n * n + e] = j <= i ? a[i + j * ld] : 0;
        }
    }
}
