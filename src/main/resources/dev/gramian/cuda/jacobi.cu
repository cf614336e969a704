// Singular values by one-sided Jacobi rotations, one block a matrix: W (p, q), p >= q, is A or its transpose; its columns
// are rotated in pairs until they are orthogonal, W V = U diag(S). Macros: REAL; ROWS: elements of a column that a thread
// keeps in registers, 0: columns of any length are read twice; PLACE: 0 W and V in shared memory, 1 V in global memory,
// 2 both.
//
// A sweep visits every pair of columns once, in rounds of disjoint pairs (round-robin), a pair to a group of threads.
// Rotated columns change places so that the longer comes first (de Rijk): values come out nearly sorted and sweeps are
// fewer. W is scaled by a power of two so that squares stay in range for columns that are 2^95 (2^960) times shorter than
// the longest; shorter ones count as zero, their U is completed to an orthonormal basis.
//
// Considered: the Gramian's eigenvalues, which lose half of the digits; blocks of columns by products, which pay off
// beyond the sizes that fit here; norms updated rather than computed anew, which saves a third of the arithmetic and
// drifts.
#include "matrices.cuh"

// Sweeps after which a matrix counts as not converged; 6 to 12 are usual.
#define SWEEPS 30

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
__device__ bool orthogonalise(REAL* w, int ldw, REAL* v, int ldv, int p, int q, int group, volatile int* rotated) {
    int even = (q + 1) & ~1;
    int pairs = even / 2;
    int groups = blockDim.x / group;
    int mine = threadIdx.x / group;
    int lane = threadIdx.x & (group - 1);
    REAL tolerance = EPSILON * root((REAL)p);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        __syncthreads();
        if (threadIdx.x == 0) {
            *rotated = 0;
        }
        __syncthreads();
        for (int round = 0; round < even - 1; round++) {
            for (int k0 = 0; k0 < pairs; k0 += groups) {
                int i = 0;
                int j = q;
                if (k0 + mine < pairs) {
                    pair_of(k0 + mine, round, even, i, j);
                }
                bool valid = j < q;
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
                    bool inside = valid && at < p;
                    x[r] = inside ? wi[at] : 0;
                    y[r] = inside ? wj[at] : 0;
                    alpha += x[r] * x[r];
                    beta += y[r] * y[r];
                    gamma += x[r] * y[r];
                }
#else
                for (int at = lane; valid && at < p; at += group) {
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
                    bool change = alpha < beta;
                    REAL* to_i = change ? wj : wi;
                    REAL* to_j = change ? wi : wj;
#if ROWS > 0
#pragma unroll
                    for (int r = 0; r < ROWS; r++) {
                        int at = lane + r * group;
                        if (at < p) {
                            to_i[at] = c * x[r] - s * y[r];
                            to_j[at] = s * x[r] + c * y[r];
                        }
                    }
#else
                    for (int at = lane; at < p; at += group) {
                        REAL x = wi[at];
                        REAL y = wj[at];
                        to_i[at] = c * x - s * y;
                        to_j[at] = s * x + c * y;
                    }
#endif
                    if (v != nullptr) {
                        REAL* vi = v + (i64)i * ldv;
                        REAL* vj = v + (i64)j * ldv;
                        REAL* to_vi = change ? vj : vi;
                        REAL* to_vj = change ? vi : vj;
                        for (int at = lane; at < q; at += group) {
                            REAL a = vi[at];
                            REAL b = vj[at];
                            to_vi[at] = c * a - s * b;
                            to_vj[at] = s * a + c * b;
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

// Columns from to columns - 1 of u (p, columns), orthonormal to each other and to those before: each starts from the unit
// vector that the columns before reach least. space: p + p + columns elements.
__device__ void complete(REAL* u, i64 row, i64 column, int p, int from, int columns, REAL* space, REAL* shared,
                         int* chosen) {
    REAL* reached = space;
    REAL* candidate = space + p;
    REAL* products = space + 2 * p;
    __syncthreads();
    for (int i = threadIdx.x; i < p; i += blockDim.x) {
        REAL sum = 0;
        for (int k = 0; k < from; k++) {
            REAL e = u[i * row + k * column];
            sum += e * e;
        }
        reached[i] = sum;
    }
    for (int r = from; r < columns; r++) {
        __syncthreads();
        if (WARP == 0) {
            REAL best = -INFINITY;
            int at = p;
            for (int i = LANE; i < p; i += 32) {
                if (-reached[i] > best) {
                    best = -reached[i];
                    at = i;
                }
            }
            at = warp_largest(best, at);
            if (LANE == 0) {
                *chosen = at;
            }
        }
        __syncthreads();
        for (int i = threadIdx.x; i < p; i += blockDim.x) {
            candidate[i] = i == *chosen ? 1 : 0;
        }
        for (int pass = 0; pass < 2; pass++) {
            __syncthreads();
            for (int k = WARP; k < r; k += WARPS) {
                REAL sum = 0;
                for (int i = LANE; i < p; i += 32) {
                    sum += u[i * row + k * column] * candidate[i];
                }
                sum = warp_sum(sum);
                if (LANE == 0) {
                    products[k] = sum;
                }
            }
            __syncthreads();
            REAL square = 0;
            for (int i = threadIdx.x; i < p; i += blockDim.x) {
                REAL e = candidate[i];
                for (int k = 0; k < r; k++) {
                    e -= products[k] * u[i * row + k * column];
                }
                candidate[i] = e;
                square += e * e;
            }
            REAL length = root(group_all<Sum>(square, (int)blockDim.x, shared));
            __syncthreads();
            for (int i = threadIdx.x; i < p; i += blockDim.x) {
                candidate[i] /= length;
            }
        }
        for (int i = threadIdx.x; i < p; i += blockDim.x) {
            REAL e = candidate[i];
            u[i * row + r * column] = e;
            reached[i] += e * e;
        }
    }
}

// count matrices (p, q) of a view. s (count, q), descending; u (p, u_columns >= q) and v (q, q) by strides, u null for values
// alone. infos[matrix]: 0, or 1 where it does not converge. group: threads to a pair of columns, 8, 16 or 32, with
// group * ROWS >= p. exponents: of the powers of two by which the matrices were multiplied before, or null. scratch: of
// each block scratch_block elements for what PLACE puts in global memory.
extern "C" __global__ void jacobi(i64 count, Axes<1> batch, const REAL* a, i64 row, i64 column, i32 p, i32 q, REAL* u,
                                  i64 u_batch, i64 u_row, i64 u_column, i32 u_columns, REAL* s, REAL* v_out, i64 v_batch,
                                  i64 v_row, i64 v_column, const i32* exponents, i32* infos, REAL* scratch,
                                  i64 scratch_block, i32 group) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* shared = room.take<REAL>(32);
    int* flags = room.take<int>(2);
    REAL* lengths = room.take<REAL>(q);
    int* order = room.take<int>(q);
    int ldw = PLACE == 2 ? p : p | 1;
    int ldv = PLACE == 0 ? q | 1 : q;
    i64 w_size = (i64)ldw * q + (u == nullptr ? 0 : 2 * p + u_columns);
    REAL* own = scratch + blockIdx.x * scratch_block;
    REAL* w = PLACE == 2 ? own : room.take<REAL>(w_size);
    REAL* v = u == nullptr ? nullptr : PLACE == 0 ? room.take<REAL>((i64)ldv * q) : PLACE == 1 ? own : own + w_size;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[1];
        locate(batch, b, at);
        __syncthreads();
        load_matrix(w, ldw, a + at[0], row, column, p, q);
        REAL top = largest(w, ldw, p, q, shared);
        int e = top == 0 ? 0 : TOP - exponent(top);
        scale_matrix(w, ldw, p, q, Scale(e));
        for (int k = threadIdx.x; v != nullptr && k < q * q; k += blockDim.x) {
            int j = k / q;
            v[k - j * q + (i64)j * ldv] = k == j * (q + 1) ? 1 : 0;
        }
        bool converged = orthogonalise(w, ldw, v, ldv, p, q, group, flags);
        if (threadIdx.x == 0) {
            infos[b] = converged ? 0 : 1;
        }
        // lengths, and their order: longest first
        for (int j = WARP; j < q; j += WARPS) {
            REAL length = warp_length(w + (i64)j * ldw, p);
            if (LANE == 0) {
                lengths[j] = length;
            }
        }
        __syncthreads();
        int any = 0;  // columns of this thread that count as zero
        Scale back(-e - (exponents == nullptr ? 0 : exponents[b]));
        for (int j = threadIdx.x; j < q; j += blockDim.x) {
            REAL length = lengths[j];
            int rank = 0;
            for (int k = 0; k < q; k++) {
                rank += lengths[k] > length || (lengths[k] == length && k < j);
            }
            order[rank] = j;
            s[b * q + rank] = back.of(length);
            any += !(length * length > 4 * NOTHING);  // unlike the test before a rotation, whose rounding differs
        }
        if (u == nullptr) {
            continue;
        }
        int zeros = (int)group_all<Sum>((REAL)any, (int)blockDim.x, shared);
        __syncthreads();
        REAL* to = u + b * u_batch;
        bool down = u_row <= u_column;
        int filled = q - zeros;
        for (int k = threadIdx.x; k < p * filled; k += blockDim.x) {
            int r = down ? k / p : k % filled;
            int i = down ? k - r * p : k / filled;
            int j = order[r];
            to[i * u_row + r * u_column] = w[i + (i64)j * ldw] / lengths[j];
        }
        REAL* v_to = v_out + b * v_batch;
        down = v_row <= v_column;
        for (int k = threadIdx.x; k < q * q; k += blockDim.x) {
            int r = down ? k / q : k % q;
            int i = down ? k - r * q : k / q;
            v_to[i * v_row + r * v_column] = v[i + (i64)order[r] * ldv];
        }
        if (filled < u_columns) {
            complete(to, u_row, u_column, p, filled, u_columns, w + (i64)ldw * q, shared, flags + 1);
        }
    }
}
