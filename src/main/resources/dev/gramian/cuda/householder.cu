// QR by Householder reflections, one block a matrix. Macros: REAL; PLACE: 0 the matrix in shared memory while it is
// factored, 2 in global memory.
//
// A = H_0 H_1 ... R with H_j = 1 - tau_j v_j v_j', v_j zero above j and one at j. One warp makes a reflection, then
// each warp takes whole columns of the trailing matrix: two barriers a step. The reflections are then applied to
// columns that are independent of each other, a warp a column, for Q or for Q times a small matrix.
//
// Considered: blocked reflections, which turn the work into products beyond the sizes that fit here;
// cublasGeqrfBatched, which makes no Q; Gram-Schmidt, which loses orthogonality.
#include "matrices.cuh"

// Makes the reflection that takes column x of n elements to a multiple of its first; returns tau. By one warp. In
// powers of two of the largest element: what is left of a singular matrix sinks into the subnormal numbers, of which no
// unit vector is made.
__device__ REAL reflection(REAL* x, int n) {
    REAL alpha = x[0];
    REAL rest = warp_largest(x + 1, n - 1);
    if (rest == 0) {
        return 0;
    }
    int e = exponent(maximum(magnitude(alpha), rest));
    Scale scale(-e);
    alpha = scale.of(alpha);
    REAL square = 0;
    for (int i = 1 + LANE; i < n; i += 32) {
        REAL y = scale.of(x[i]);
        square += y * y;
    }
    REAL beta = -with_sign(root(alpha * alpha + warp_sum(square)), alpha);
    REAL divisor = alpha - beta;
    for (int i = 1 + LANE; i < n; i += 32) {
        x[i] = scale.of(x[i]) / divisor;
    }
    __syncwarp();  // all lanes have read the first element
    if (LANE == 0) {
        x[0] = Scale(e).of(beta);
    }
    return (beta - alpha) / beta;
}

// y -= tau v (v'y) on elements from to m - 1, step apart; v is one at from, which is not stored. By one warp, each
// element by the same lane whatever from is.
__device__ __forceinline__ void reflect_column(REAL* y, i64 step, const REAL* v, int from, int m, REAL tau) {
    int start = (from & ~31) + LANE;
    REAL sum = 0;
    for (int i = start; i < m; i += 32) {
        sum += i < from ? 0 : i == from ? y[i * step] : v[i] * y[i * step];
    }
    sum = tau * warp_sum(sum);
    for (int i = start; i < m; i += 32) {
        if (i >= from) {
            y[i * step] -= i == from ? sum : sum * v[i];
        }
    }
}

// count matrices (m, n) of a view. reflections (count, m x n column-major): v below the diagonal; tau (count, k =
// min(m, n)); r (r_rows, n), zeros below its diagonal, by strides. orders, where not null: columns are taken longest
// first, column j of R being the matrix's column orders[j], as are the columns of reflections; r is left multiplied by
// a power of two whose exponent goes to exponents, and is surely in range. Null: columns are taken as they come.
extern "C" __global__ void factorise(i64 count, Axes<1> batch, const REAL* x, i64 row, i64 column, i32 m, i32 n,
                                     REAL* reflections, REAL* tau, REAL* r, i64 r_batch, i64 r_row, i64 r_column,
                                     i32 r_rows, i32* orders, i32* exponents) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* shared = room.take<REAL>(32);
    REAL* now = room.take<REAL>(1);
    REAL* lengths = room.take<REAL>(n);
    int* order = room.take<int>(n);
    int k = m < n ? m : n;
    int ld = PLACE == 0 ? m | 1 : m;
#if PLACE == 0
    REAL* a = room.take<REAL>((i64)ld * n);
#endif
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[1];
        locate(batch, b, at);
        REAL* to = reflections + b * m * n;
#if PLACE != 0
        REAL* a = to;
#endif
        __syncthreads();
        load_matrix(a, ld, x + at[0], row, column, m, n);
        REAL top = largest(a, ld, m, n, shared);
        int e = top == 0 ? 0 : -exponent(top);
        scale_matrix(a, ld, m, n, Scale(e));
        __syncthreads();
        if (orders != nullptr) {
            for (int j = WARP; j < n; j += WARPS) {
                REAL length = warp_length(a + (i64)j * ld, m);
                if (LANE == 0) {
                    lengths[j] = length;
                }
            }
            __syncthreads();
        }
        for (int j = threadIdx.x; j < n; j += blockDim.x) {
            int rank = orders == nullptr ? j : 0;
            for (int i = 0; orders != nullptr && i < n; i++) {
                rank += lengths[i] > lengths[j] || (lengths[i] == lengths[j] && i < j);
            }
            order[rank] = j;
        }
        for (int j = 0; j < k; j++) {
            __syncthreads();
            REAL* v = a + (i64)order[j] * ld;
            if (WARP == 0) {
                REAL t = reflection(v + j, m - j);
                if (LANE == 0) {
                    *now = tau[b * k + j] = t;
                }
            }
            __syncthreads();
            REAL t = *now;
            for (int c = j + 1 + WARP; t != 0 && c < n; c += WARPS) {
                reflect_column(a + (i64)order[c] * ld, 1, v, j, m, t);
            }
        }
        __syncthreads();
        if (orders != nullptr) {
            for (int j = threadIdx.x; j < n; j += blockDim.x) {
                orders[b * n + j] = order[j];
            }
            if (threadIdx.x == 0) {
                exponents[b] = e;
            }
        }
        Scale back(orders == nullptr ? -e : 0);
        REAL* r_to = r + b * r_batch;
        bool down = r_row < r_column;
        for (int f = threadIdx.x; f < r_rows * n; f += blockDim.x) {
            int i = down ? f % r_rows : f / n;
            int j = down ? f / r_rows : f % n;
            r_to[i * r_row + j * r_column] = i <= j ? back.of(a[i + (i64)order[j] * ld]) : 0;
        }
#if PLACE == 0
        store_matrix(to, 1, m, a, ld, m, n);
#endif
    }
}

// H_0 ... H_{k-1} applied to columns columns: those of x (small, small), column-major, with zeros below, then those of
// the identity; x null: of the identity alone. To out (m, columns) by strides. orders: where reflections are, or null.
// A block takes 4 columns a warp of one matrix; a column is in shared memory where in_shared, else in out.
extern "C" __global__ void reflect(i64 count, i32 m, i32 n, const REAL* reflections, const REAL* tau, const i32* orders,
                                   const REAL* x, i32 small, REAL* out, i64 out_batch, i64 out_row, i64 out_column,
                                   i32 columns, i32 in_shared) {
    extern __shared__ f64 dynamic[];
    int k = m < n ? m : n;
    int together = 4 * WARPS;
    i64 blocks = (columns + together - 1) / together;
    for (i64 t = blockIdx.x; t < count * blocks; t += gridDim.x) {
        i64 b = t / blocks;
        int first = (int)(t - b * blocks) * together;
        const REAL* v = reflections + b * m * n;
        for (int c = first + WARP; c < columns && c < first + together; c += WARPS) {
            REAL* to = out + b * out_batch + c * out_column;
            REAL* y = in_shared ? (REAL*)dynamic + (i64)WARP * m : to;
            i64 step = in_shared ? 1 : out_row;
            bool dense = x != nullptr && c < small;
            for (int i = LANE; i < m; i += 32) {
                y[i * step] = dense ? (i < small ? x[b * small * small + i + c * small] : 0) : i == c ? 1 : 0;
            }
            // a reflection leaves alone what is zero from its own row on
            for (int j = dense || c >= k ? k - 1 : c; j >= 0; j--) {
                REAL now = tau[b * k + j];
                if (now != 0) {
                    int where = orders == nullptr ? j : orders[b * n + j];
                    reflect_column(y, step, v + (i64)where * m, j, m, now);
                }
            }
            for (int i = LANE; in_shared && i < m; i += 32) {
                to[i * out_row] = y[i];
            }
        }
    }
}
