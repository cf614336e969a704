// Singular values of square matrices by one-sided Jacobi rotations, one block a matrix: the columns of L are rotated in
// pairs until they are orthogonal, L V = U diag(S). Macros: REAL; ROWS: elements of a column that a thread keeps in
// registers, 0: columns of any length are read twice; PLACE: 0 L and V in shared memory, 1 V in global memory, 2 both.
//
// L is the transpose of R, from a QR decomposition of a matrix with its columns sorted by length (householder.cu): its
// columns are nearly orthogonal already and nearly sorted, so 7 to 10 sweeps do where the matrix itself takes 9 to 30,
// and a graded or singular one more. A sweep visits every pair of columns once, in rounds of disjoint pairs
// (round-robin), a pair to a group of threads. L is scaled by a power of two so that squares stay in range for columns
// that are 2^95 (2^960) times shorter than the longest; shorter ones count as zero, their U is completed to an
// orthonormal basis.
//
// Considered: the Gramian's eigenvalues, which lose half of the digits; exchanging columns so that the longer comes
// first (de Rijk), which costs sweeps in this order of pairs: 9 against 8 at n = 64, 13 against 10 at n = 128; a second
// QR, which saves half a sweep; blocks of columns by products, which pay off beyond the sizes that fit here; lengths
// updated rather than computed anew, which saves a third of the arithmetic and drifts.
#include "matrices.cuh"

// Sweeps after which a matrix counts as not converged. Elements over 500 decades have been seen to take 22.
#define SWEEPS 60

// Scaled to this power of two; lengths whose squares are below the limit count as zero.
#define TOP (sizeof(REAL) == 4 ? 45 : 480)
#define NOTHING (sizeof(REAL) == 4 ? (REAL)7.888609052210118e-31 /* 2^-100 */ : (REAL)1.026e-289 /* 2^-960 */)
// Beyond it a square is beside one as good as infinite.
#define LARGE (sizeof(REAL) == 4 ? (REAL)1073741824.0 : (REAL)1.152921504606847e18)

// Column pair k of a round: first and second, of which the second may be q where q is odd.
__device__ __forceinline__ void pair_of(int k, int round, int even, int& first, int& second) {
    int others = even - 1;
    int a = k == 0 ? others : (round + k) % others;
    int b = k == 0 ? round : (round - k + others) % others;
    first = a < b ? a : b;
    second = a < b ? b : a;
}

// The rotation that makes columns of squared lengths alpha, beta and product gamma orthogonal.
__device__ __forceinline__ void rotation(REAL alpha, REAL beta, REAL gamma, REAL& c, REAL& s) {
    REAL zeta = (beta - alpha) / (2 * gamma);
    REAL size = magnitude(zeta);
    REAL t = size > LARGE ? (REAL)0.5 / zeta : with_sign(1 / (size + root(1 + size * size)), zeta);
    c = 1 / root(1 + t * t);
    s = c * t;
}

// Rotates pairs of columns for as many sweeps as it takes; false if SWEEPS do not do.
__device__ bool orthogonalise(REAL* w, int ldw, REAL* v, int ldv, int n, int group, volatile int* rotated) {
    int even = (n + 1) & ~1;
    int pairs = even / 2;
    int groups = blockDim.x / group;
    int mine = threadIdx.x / group;
    int lane = threadIdx.x & (group - 1);
    REAL tolerance = EPSILON * root((REAL)n);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        __syncthreads();
        if (threadIdx.x == 0) {
            *rotated = 0;
        }
        __syncthreads();
        for (int round = 0; round < even - 1; round++) {
            for (int k0 = 0; k0 < pairs; k0 += groups) {
                int i = 0;
                int j = n;
                if (k0 + mine < pairs) {
                    pair_of(k0 + mine, round, even, i, j);
                }
                bool valid = j < n;
                REAL* wi = w + (i64)i * ldw;
                REAL* wj = w + (i64)j * ldw;
                REAL alpha = 0;
                REAL beta = 0;
                REAL gamma = 0;
#if ROWS > 0
                REAL x[ROWS];
                REAL y[ROWS];
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    int at = lane + r * group;
                    bool inside = valid && at < n;
                    x[r] = inside ? wi[at] : 0;
                    y[r] = inside ? wj[at] : 0;
                    alpha += x[r] * x[r];
                    beta += y[r] * y[r];
                    gamma += x[r] * y[r];
                }
#else
                for (int at = lane; valid && at < n; at += group) {
                    REAL x = wi[at];
                    REAL y = wj[at];
                    alpha += x * x;
                    beta += y * y;
                    gamma += x * y;
                }
#endif
                for (int o = group >> 1; o > 0; o >>= 1) {
                    alpha += __shfl_xor_sync(FULL_WARP, alpha, o);
                    beta += __shfl_xor_sync(FULL_WARP, beta, o);
                    gamma += __shfl_xor_sync(FULL_WARP, gamma, o);
                }
                bool needed = alpha > NOTHING && beta > NOTHING
                        && magnitude(gamma) > tolerance * root(alpha) * root(beta);
                if (needed) {
                    REAL c, s;
                    rotation(alpha, beta, gamma, c, s);
#if ROWS > 0
#pragma unroll
                    for (int r = 0; r < ROWS; r++) {
                        int at = lane + r * group;
                        if (at < n) {
                            wi[at] = c * x[r] - s * y[r];
                            wj[at] = s * x[r] + c * y[r];
                        }
                    }
#else
                    for (int at = lane; at < n; at += group) {
                        REAL x = wi[at];
                        REAL y = wj[at];
                        wi[at] = c * x - s * y;
                        wj[at] = s * x + c * y;
                    }
#endif
                    if (v != nullptr) {
                        REAL* vi = v + (i64)i * ldv;
                        REAL* vj = v + (i64)j * ldv;
                        for (int at = lane; at < n; at += group) {
                            REAL a = vi[at];
                            REAL b = vj[at];
                            vi[at] = c * a - s * b;
                            vj[at] = s * a + c * b;
                        }
                    }
                    if (lane == 0) {
                        *rotated = 1;
                    }
                }
            }
            __syncthreads();
        }
        if (*rotated == 0) {
            return true;
        }
    }
    return false;
}

// Columns from to n - 1 of u (n, n), orthonormal to each other and to those before: each starts from the unit vector
// that the columns before reach least. space: 3 n elements.
__device__ void complete(REAL* u, i64 row, i64 column, int n, int from, REAL* space, REAL* shared, int* chosen) {
    REAL* reached = space;
    REAL* candidate = space + n;
    REAL* products = space + 2 * n;
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        REAL sum = 0;
        for (int k = 0; k < from; k++) {
            REAL e = u[i * row + k * column];
            sum += e * e;
        }
        reached[i] = sum;
    }
    for (int r = from; r < n; r++) {
        __syncthreads();
        if (WARP == 0) {
            REAL best = -INFINITY;
            int at = n;
            for (int i = LANE; i < n; i += 32) {
                if (-reached[i] > best) {
                    best = -reached[i];
                    at = i;
                }
            }
            at = warp_index_of_largest(best, at);
            if (LANE == 0) {
                *chosen = at;
            }
        }
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += blockDim.x) {
            candidate[i] = i == *chosen ? 1 : 0;
        }
        for (int pass = 0; pass < 2; pass++) {
            __syncthreads();
            for (int k = WARP; k < r; k += WARPS) {
                REAL sum = 0;
                for (int i = LANE; i < n; i += 32) {
                    sum += u[i * row + k * column] * candidate[i];
                }
                sum = warp_sum(sum);
                if (LANE == 0) {
                    products[k] = sum;
                }
            }
            __syncthreads();
            REAL square = 0;
            for (int i = threadIdx.x; i < n; i += blockDim.x) {
                REAL e = candidate[i];
                for (int k = 0; k < r; k++) {
                    e -= products[k] * u[i * row + k * column];
                }
                candidate[i] = e;
                square += e * e;
            }
            REAL length = root(group_all<Sum>(square, (int)blockDim.x, shared));
            __syncthreads();
            for (int i = threadIdx.x; i < n; i += blockDim.x) {
                candidate[i] /= length;
            }
        }
        for (int i = threadIdx.x; i < n; i += blockDim.x) {
            REAL e = candidate[i];
            u[i * row + r * column] = e;
            reached[i] += e * e;
        }
    }
}

// count matrices l (n, n), column-major. s (count, n), descending. u (n, n) by strides, its row i being row rows[i]
// (count, n) of the result; null for values alone. v_out (count, n, n), column-major. infos[matrix]: 0, or 1 where it
// does not converge. group: threads to a pair of columns, 8, 16 or 32, with group * ROWS >= n. exponents: of the powers
// of two by which the matrices were multiplied before. scratch: of each block scratch_block elements for what PLACE
// puts in global memory.
extern "C" __global__ void jacobi(i64 count, const REAL* l, i32 n, REAL* s, REAL* u, i64 u_batch, i64 u_row,
                                  i64 u_column,
                                  const i32* rows, REAL* v_out, const i32* exponents, i32* infos, REAL* scratch,
                                  i64 scratch_block, i32 group) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* shared = room.take<REAL>(32);
    int* flags = room.take<int>(2);
    REAL* lengths = room.take<REAL>(n);
    int* order = room.take<int>(n);
    REAL* space = room.take<REAL>(3 * n);
    int ldw = PLACE == 2 ? n : n | 1;
    int ldv = PLACE == 0 ? n | 1 : n;
    REAL* own = scratch + blockIdx.x * scratch_block;
    REAL* w = PLACE == 2 ? own : room.take<REAL>((i64)ldw * n);
    REAL* v = u == nullptr ? nullptr
            : PLACE == 0 ? room.take<REAL>((i64)ldv * n) : PLACE == 1 ? own : own + (i64)n * n;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        __syncthreads();
        load_matrix(w, ldw, l + b * n * n, 1, n, n, n);
        REAL top = largest(w, ldw, n, n, shared);
        int e = top == 0 ? 0 : TOP - exponent(top);
        scale_matrix(w, ldw, n, n, Scale(e));
        for (int k = threadIdx.x; v != nullptr && k < n * n; k += blockDim.x) {
            int j = k / n;
            v[k - j * n + (i64)j * ldv] = k == j * (n + 1) ? 1 : 0;
        }
        bool converged = orthogonalise(w, ldw, v, ldv, n, group, flags);
        if (threadIdx.x == 0) {
            infos[b] = converged ? 0 : 1;
        }
        // lengths, and their order: longest first
        for (int j = WARP; j < n; j += WARPS) {
            REAL length = warp_length(w + (i64)j * ldw, n);
            if (LANE == 0) {
                lengths[j] = length;
            }
        }
        __syncthreads();
        int any = 0;  // columns of this thread that count as zero
        Scale back(-e - exponents[b]);
        for (int j = threadIdx.x; j < n; j += blockDim.x) {
            REAL length = lengths[j];
            int rank = 0;
            for (int k = 0; k < n; k++) {
                rank += lengths[k] > length || (lengths[k] == length && k < j);
            }
            order[rank] = j;
            s[b * n + rank] = back.of(length);
            any += !(length * length > 4 * NOTHING);  // unlike the test before a rotation, whose rounding differs
        }
        if (u == nullptr) {
            continue;
        }
        int filled = n - (int)group_all<Sum>((REAL)any, (int)blockDim.x, shared);
        __syncthreads();
        // U in the place of L, and the vectors that are missing from there on
        for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
            int j = k / n;
            w[k - j * n + (i64)j * ldw] /= lengths[j];
        }
        if (filled < n) {
            // with gaps closed: the columns of rank 0 and up, through the result's memory
            REAL* to = u + b * u_batch;
            __syncthreads();
            for (int k = threadIdx.x; k < n * filled; k += blockDim.x) {
                int r = k / n;
                int i = k - r * n;
                to[i * u_row + r * u_column] = w[i + (i64)order[r] * ldw];
            }
            complete(to, u_row, u_column, n, filled, space, shared, flags + 1);
            __syncthreads();
            for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
                int r = k / n;
                int i = k - r * n;
                w[i + (i64)order[r] * ldw] = to[i * u_row + r * u_column];
            }
        }
        __syncthreads();
        REAL* to = u + b * u_batch;
        bool down = u_row <= u_column;
        for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
            int r = down ? k / n : k % n;
            int i = down ? k - r * n : k / n;
            to[rows[b * n + i] * u_row + r * u_column] = w[i + (i64)order[r] * ldw];
        }
        for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
            int r = k / n;
            v_out[b * n * n + k] = v[k - r * n + (i64)order[r] * ldv];
        }
    }
}
