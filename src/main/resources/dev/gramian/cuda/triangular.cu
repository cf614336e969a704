// Triangular systems by substitution, a block a matrix and some of its right sides. Macro: REAL.
//
// Divides by the diagonal, where trsm multiplies by inverses: they overflow for subnormal elements, which come here
// whatever the matrix's size.
#include "matrices.cuh"

// x (count, n, r) with op(a) x = y for matrices a (n, n), y (n, r) of views; op(a) = a or, where transpose, its
// transpose; the lower or upper triangle of a alone is read, and not its diagonal where unit. width: right sides of a
// block. Where in_shared the triangle and the right sides are held in shared memory, else they are read and written
// where they are. infos[matrix]: 1 + the first zero on the diagonal, x is not written then, or 0.
extern "C" __global__ void triangular(i64 count, Axes<2> batch, const REAL* matrix, i64 row, i64 column, i32 n,
                                      const REAL* y, i64 y_row, i64 y_column, i64 r, REAL* x, i32 width, i32 lower,
                                      i32 transpose, i32 unit, i32 in_shared, i32* infos) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    int* zero = room.take<int>(1);
    int ld = n | 1;
    REAL* a = in_shared ? room.take<REAL>(ld * n) : nullptr;
    REAL* held = in_shared ? room.take<REAL>(n * width) : nullptr;
    i64 chunks = (r + width - 1) / width;
    bool forward = lower != transpose;
    for (i64 t = blockIdx.x; t < count * chunks; t += gridDim.x) {
        i64 b = t / chunks;
        i64 c0 = (t - b * chunks) * width;
        int w = r - c0 < width ? (int)(r - c0) : width;
        i64 at[2];
        locate(batch, b, at);
        const REAL* m = matrix + at[0];
        i64 down = transpose ? column : row;
        i64 across = transpose ? row : column;
        __syncthreads();
        if (threadIdx.x == 0) {
            *zero = n;
        }
        if (in_shared) {
            load_matrix(a, ld, m, down, across, n, n);
            m = a;
            down = 1;
            across = ld;
        }
        __syncthreads();
        if (WARP == 0 && !unit) {
            int first = n;
            for (int k = LANE; k < n; k += 32) {
                if (m[k * (down + across)] == 0) {
                    first = k;
                    break;
                }
            }
            for (int o = 16; o > 0; o >>= 1) {
                int other = __shfl_xor_sync(FULL_WARP, first, o);
                first = other < first ? other : first;
            }
            if (LANE == 0) {
                *zero = first;
            }
        }
        REAL* z = in_shared ? held : x + b * n * r + c0;
        i64 step = in_shared ? w : r;
        for (int e = threadIdx.x; e < n * w; e += blockDim.x) {
            int i = e / w;
            z[i * step + e - i * w] = y[at[1] + i * y_row + (c0 + e - i * w) * y_column];
        }
        __syncthreads();
        int singular = *zero;
        if (threadIdx.x == 0 && c0 == 0) {
            infos[b] = singular < n ? singular + 1 : 0;
        }
        if (singular < n) {
            continue;
        }
        for (int k0 = 0; k0 < n; k0++) {
            int k = forward ? k0 : n - 1 - k0;
            if (!unit) {
                for (int c = threadIdx.x; c < w; c += blockDim.x) {
                    z[k * step + c] /= m[k * (down + across)];
                }
                __syncthreads();
            }
            int first = forward ? k + 1 : 0;
            for (int e = threadIdx.x; e < (n - 1 - k0) * w; e += blockDim.x) {
                int i = e / w;
                int c = e - i * w;
                i += first;
                z[i * step + c] -= m[i * down + k * across] * z[k * step + c];
            }
            __syncthreads();
        }
        for (int e = threadIdx.x; in_shared && e < n * w; e += blockDim.x) {
            int i = e / w;
            x[(b * n + i) * r + c0 + e - i * w] = z[e];
        }
    }
}
