// Eigenvalues of symmetric matrices by two-sided Jacobi rotations, one block a matrix. Macros: REAL; PLACE: 0 matrix
// and vectors in shared memory, 1 vectors in global memory, 2 both.
//
// A round rotates disjoint pairs of rows and columns at once (round-robin): the matrix falls into blocks of 2 x 2, a
// pair of rows by a pair of columns, each rotated from both sides by one thread and mirrored, so that it stays
// symmetric to the bit. An off-diagonal element is left alone when it is small beside the geometric mean of its
// diagonal elements, which keeps small eigenvalues of definite matrices accurate; after some sweeps it is enough that
// it is small beside the whole matrix, or elements that are nothing but rounding could be rotated for ever.
//
// Considered: reduction to tridiagonal form, cuSOLVER's way, which pays off where a matrix fills the card.
#include "matrices.cuh"

#define SWEEPS 30
#define RELATIVE_SWEEPS 12

#define TOP (sizeof(REAL) == 4 ? 30 : 240)
#define LARGE (sizeof(REAL) == 4 ? (REAL)1073741824.0 : (REAL)1.152921504606847e18)

struct Rotation {
    REAL c, s, t;  // cosine, sine, tangent
    int i, j;      // i < j; j may be n where n is odd, c = 1 then
};

__device__ __forceinline__ Rotation rotation_of(const REAL* a, int ld, int n, int even, int round, int k, REAL tiny,
                                                bool relative) {
    int others = even - 1;
    int x = k == 0 ? others : (round + k) % others;
    int y = k == 0 ? round : (round - k + others) % others;
    Rotation r = {1, 0, 0, x < y ? x : y, x < y ? y : x};
    if (r.j >= n) {
        return r;
    }
    REAL off = a[r.i + r.j * ld];
    REAL di = a[r.i + r.i * ld];
    REAL dj = a[r.j + r.j * ld];
    if (magnitude(off) > tiny && (!relative || magnitude(off) > EPSILON * root(magnitude(di)) * root(magnitude(dj)))) {
        REAL theta = (dj - di) / (2 * off);
        REAL size = magnitude(theta);
        r.t = size > LARGE ? (REAL)0.5 / theta : with_sign(1 / (size + root(1 + size * size)), theta);
        r.c = 1 / root(1 + r.t * r.t);
        r.s = r.c * r.t;
    }
    return r;
}

// The 2 x 2 block of rows k and columns l, k < l.
__device__ __forceinline__ void rotate_block(REAL* a, int ld, int n, Rotation k, Rotation l) {
    bool row = k.j < n;
    bool column = l.j < n;
    REAL x = a[k.i + l.i * ld];
    REAL y = column ? a[k.i + l.j * ld] : 0;
    REAL z = row ? a[k.j + l.i * ld] : 0;
    REAL w = row && column ? a[k.j + l.j * ld] : 0;
    REAL x1 = k.c * x - k.s * z;
    REAL y1 = k.c * y - k.s * w;
    REAL z1 = k.s * x + k.c * z;
    REAL w1 = k.s * y + k.c * w;
    x = l.c * x1 - l.s * y1;
    y = l.s * x1 + l.c * y1;
    z = l.c * z1 - l.s * w1;
    w = l.s * z1 + l.c * w1;
    a[k.i + l.i * ld] = a[l.i + k.i * ld] = x;
    if (column) {
        a[k.i + l.j * ld] = a[l.j + k.i * ld] = y;
    }
    if (row) {
        a[k.j + l.i * ld] = a[l.i + k.j * ld] = z;
    }
    if (row && column) {
        a[k.j + l.j * ld] = a[l.j + k.j * ld] = w;
    }
}

// Rotates until the matrix is diagonal; false if SWEEPS do not do. top: largest magnitude.
__device__ bool diagonalise(REAL* a, int ld, REAL* v, int ldv, int n, REAL top, Rotation* rotations,
                            volatile int* rotated) {
    int even = (n + 1) & ~1;
    int pairs = even / 2;
    int blocks = pairs * (pairs + 1) / 2;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        bool relative = sweep < RELATIVE_SWEEPS;
        REAL tiny = top * EPSILON * (relative ? (REAL)0.015625 / n : (REAL)0.25);
        __syncthreads();
        if (threadIdx.x == 0) {
            *rotated = 0;
        }
        __syncthreads();
        for (int round = 0; round < even - 1; round++) {
            for (int k = threadIdx.x; k < pairs; k += blockDim.x) {
                rotations[k] = rotation_of(a, ld, n, even, round, k, tiny, relative);
                if (rotations[k].s != 0) {
                    *rotated = 1;
                }
            }
            __syncthreads();
            // blocks on and above the diagonal: row r and row pairs - 1 - r together have pairs + 1 of them
            for (int e = threadIdx.x; e < blocks; e += blockDim.x) {
                int r = e / (pairs + 1);
                int c = e - r * (pairs + 1);
                int k = c > r ? r : pairs - 1 - r;
                int l = c > r ? c - 1 : pairs - 1 - c;
                Rotation rk = rotations[k];
                if (k != l) {
                    rotate_block(a, ld, n, rk, rotations[l]);
                } else if (rk.s != 0) {
                    REAL change = rk.t * a[rk.i + rk.j * ld];
                    a[rk.i + rk.i * ld] -= change;
                    a[rk.j + rk.j * ld] += change;
                    a[rk.i + rk.j * ld] = a[rk.j + rk.i * ld] = 0;
                }
            }
            if (v != nullptr) {
                for (int k = WARP; k < pairs; k += WARPS) {
                    Rotation r = rotations[k];
                    for (int i = LANE; r.s != 0 && i < n; i += 32) {
                        REAL x = v[i + (i64)r.i * ldv];
                        REAL y = v[i + (i64)r.j * ldv];
                        v[i + (i64)r.i * ldv] = r.c * x - r.s * y;
                        v[i + (i64)r.j * ldv] = r.s * x + r.c * y;
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

// count matrices (n, n) of a view, lower triangles alone read. w (count, n), ascending; v_out (count, n, n) row-major,
// eigenvectors in columns, null for values alone. infos[matrix]: 0, or 1 where it does not converge.
extern "C" __global__ void symmetric(i64 count, Axes<1> batch, const REAL* x, i64 row, i64 column, i32 n, REAL* w,
                                     REAL* v_out, i32* infos, REAL* scratch, i64 scratch_block) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* shared = room.take<REAL>(32);
    int* flag = room.take<int>(1);
    Rotation* rotations = room.take<Rotation>((n + 1) / 2);
    int* order = room.take<int>(n);
    REAL* own = scratch + blockIdx.x * scratch_block;
    int ld = PLACE == 2 ? n : n | 1;
    int ldv = PLACE == 0 ? n | 1 : n;
    REAL* a = PLACE == 2 ? own : room.take<REAL>((i64)ld * n);
    REAL* v = v_out == nullptr ? nullptr
            : PLACE == 0 ? room.take<REAL>((i64)ldv * n) : PLACE == 1 ? own : own + (i64)n * n;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[1];
        locate(batch, b, at);
        const REAL* from = x + at[0];
        __syncthreads();
        for (int e = threadIdx.x; e < n * n; e += blockDim.x) {
            int j = e / n;
            int i = e - j * n;
            a[i + j * ld] = from[(i > j ? i : j) * row + (i > j ? j : i) * column];
            if (v != nullptr) {
                v[i + (i64)j * ldv] = i == j ? 1 : 0;
            }
        }
        REAL top = largest(a, ld, n, n, shared);
        int e = top == 0 ? 0 : TOP - exponent(top);
        scale_matrix(a, ld, n, n, Scale(e));
        bool converged = diagonalise(a, ld, v, ldv, n, Scale(e).of(top), rotations, flag);
        if (threadIdx.x == 0) {
            infos[b] = converged ? 0 : 1;
        }
        Scale back(-e);
        for (int j = threadIdx.x; j < n; j += blockDim.x) {
            REAL value = a[j + j * ld];
            int rank = 0;
            for (int k = 0; k < n; k++) {
                REAL other = a[k + k * ld];
                rank += other < value || (other == value && k < j);
            }
            order[rank] = j;
            w[b * n + rank] = back.of(value);
        }
        __syncthreads();
        for (int k = threadIdx.x; v != nullptr && k < n * n; k += blockDim.x) {
            int i = k / n;
            int r = k - i * n;
            v_out[b * n * n + k] = v[i + (i64)order[r] * ldv];
        }
    }
}
