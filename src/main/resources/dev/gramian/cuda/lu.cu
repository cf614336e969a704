// LU by partial pivoting of rows, one block a matrix in shared memory, and what follows from it: factors, solutions,
// inverses, determinants. Macro: REAL.
//
// Right-looking, a column at a time: three barriers a step, the trailing matrix updated by all threads. A column of
// zeros is passed over as in LAPACK, so the factors of a singular matrix are exact; NaN wins the search for a pivot, so
// that it travels instead of looking like a zero. Divisions rather than products by inverses: pivots may be subnormal.
//
// Considered: cublasGetrfBatched, which takes square matrices alone and pointer arrays, and says nothing of what
// follows a zero pivot; register files for n <= 32, a second kernel for what a single warp without real barriers does
// already.
#include "matrices.cuh"

struct Factors {
    int* order;  // row i of the factors is row order[i] of the matrix
    int zero;    // the first pivot that is zero, or -1
    int flips;   // interchanges
};

// In place, a (m, n) column-major in shared memory. step: 4 places for REAL and int each.
__device__ Factors factorise(REAL* a, int ld, int m, int n, int* order, REAL* step, int* where) {
    Factors f = {order, -1, 0};
    for (int i = threadIdx.x; i < m; i += blockDim.x) {
        order[i] = i;
    }
    int steps = m < n ? m : n;
    for (int k = 0; k < steps; k++) {
        __syncthreads();
        if (WARP == 0) {
            REAL best = -1;
            int at = m;
            for (int i = k + LANE; i < m; i += 32) {
                REAL x = magnitude(a[i + k * ld]);
                if (best == best && (x != x || x > best)) {
                    best = x;
                    at = i;
                }
            }
            at = warp_index_of_largest(best, at);
            if (LANE == 0) {
                *where = at;
                step[0] = a[at + k * ld];
                step[1] = a[k + k * ld];
                int o = order[at];
                order[at] = order[k];
                order[k] = o;
            }
        }
        __syncthreads();
        int p = *where;
        REAL pivot = step[0];
        if (pivot == 0) {
            f.zero = f.zero < 0 ? k : f.zero;
            continue;
        }
        f.flips += p != k;
        // the pivot's column is scaled while the others' rows change places
        for (int i = k + 1 + threadIdx.x; i < m; i += blockDim.x) {
            a[i + k * ld] = (i == p ? step[1] : a[i + k * ld]) / pivot;
        }
        if (threadIdx.x == 0) {
            a[k + k * ld] = pivot;
        }
        for (int j = threadIdx.x; p != k && j < n; j += blockDim.x) {
            if (j != k) {
                REAL x = a[k + j * ld];
                a[k + j * ld] = a[p + j * ld];
                a[p + j * ld] = x;
            }
        }
        __syncthreads();
        int rows = m - k - 1;
        int total = rows * (n - k - 1);
        for (int e = threadIdx.x; e < total; e += blockDim.x) {
            int j = e / rows;
            int i = k + 1 + e - j * rows;
            j += k + 1;
            a[i + j * ld] -= a[i + k * ld] * a[k + j * ld];
        }
    }
    __syncthreads();
    return f;
}

// p (count, m), l (count, m, k), u (count, k, n) of count matrices (m, n) of a view, k = min(m, n).
extern "C" __global__ void lu_factors(i64 count, Axes<1> batch, const REAL* x, i64 row, i64 column, i32 m, i32 n,
                                      i64* p, REAL* l, REAL* u) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* step = room.take<REAL>(2);
    int* where = room.take<int>(1);
    int* order = room.take<int>(m);
    int ld = m | 1;
    REAL* a = room.take<REAL>(ld * n);
    int k = m < n ? m : n;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[1];
        locate(batch, b, at);
        __syncthreads();
        load_matrix(a, ld, x + at[0], row, column, m, n);
        factorise(a, ld, m, n, order, step, where);
        for (int i = threadIdx.x; i < m; i += blockDim.x) {
            p[b * m + i] = order[i];
        }
        for (int e = threadIdx.x; e < m * k; e += blockDim.x) {
            int i = e / k;
            int j = e - i * k;
            l[b * m * k + e] = i > j ? a[i + j * ld] : i == j ? 1 : 0;
        }
        for (int e = threadIdx.x; e < k * n; e += blockDim.x) {
            int i = e / n;
            int j = e - i * n;
            u[b * k * n + e] = i <= j ? a[i + j * ld] : 0;
        }
    }
}

// x (count, n, r) with a x = y for matrices a (n, n), y (n, r) of views; y null: the identity. width: columns of y at a
// time. infos[matrix]: 1 + the first zero pivot, x is not written then, or 0.
extern "C" __global__ void lu_solve(i64 count, Axes<2> batch, const REAL* matrix, i64 row, i64 column, i32 n,
                                    const REAL* y, i64 y_row, i64 y_column, i64 r, REAL* x, i32 width, i32* infos) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* step = room.take<REAL>(2);
    int* where = room.take<int>(1);
    int* order = room.take<int>(n);
    int ld = n | 1;
    REAL* a = room.take<REAL>(ld * n);
    REAL* z = room.take<REAL>(n * width);  // row-major: threads next to each other have neighbouring columns
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[2];
        locate(batch, b, at);
        __syncthreads();
        load_matrix(a, ld, matrix + at[0], row, column, n, n);
        Factors f = factorise(a, ld, n, n, order, step, where);
        if (threadIdx.x == 0) {
            infos[b] = f.zero + 1;
        }
        for (i64 c0 = 0; f.zero < 0 && c0 < r; c0 += width) {
            int w = r - c0 < width ? (int)(r - c0) : width;
            for (int e = threadIdx.x; e < n * w; e += blockDim.x) {
                int i = e / w;
                i64 c = c0 + e - i * w;
                z[e] = y == nullptr ? (c == order[i] ? 1 : 0) : y[at[1] + order[i] * y_row + c * y_column];
            }
            for (int k = 0; k < n; k++) {
                __syncthreads();
                for (int e = threadIdx.x; e < (n - k - 1) * w; e += blockDim.x) {
                    int i = e / w;
                    int c = e - i * w;
                    i += k + 1;
                    z[i * w + c] -= a[i + k * ld] * z[k * w + c];
                }
            }
            for (int k = n - 1; k >= 0; k--) {
                __syncthreads();
                for (int c = threadIdx.x; c < w; c += blockDim.x) {
                    z[k * w + c] /= a[k + k * ld];
                }
                __syncthreads();
                for (int e = threadIdx.x; e < k * w; e += blockDim.x) {
                    int i = e / w;
                    int c = e - i * w;
                    z[i * w + c] -= a[i + k * ld] * z[k * w + c];
                }
            }
            __syncthreads();
            for (int e = threadIdx.x; e < n * w; e += blockDim.x) {
                int i = e / w;
                x[(b * n + i) * r + c0 + e - i * w] = z[e];
            }
            __syncthreads();
        }
    }
}

// p (count, m): the rows in the order into which k interchanges, counted from 1, bring them. A block a matrix; shared
// memory for m i32 where in_shared, else the result itself is worked on.
extern "C" __global__ void permutation(i64 m, i64 k, const i64* pivots, i64* p, i32 in_shared) {
    extern __shared__ f64 dynamic[];
    i32* order = (i32*)dynamic;
    const i64* pivot = pivots + blockIdx.x * k;
    i64* result = p + blockIdx.x * m;
    for (i64 i = threadIdx.x; i < m; i += blockDim.x) {
        if (in_shared) {
            order[i] = (i32)i;
        } else {
            result[i] = i;
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (i64 i = 0; i < k; i++) {
            i64 j = pivot[i] - 1;
            if (in_shared) {
                i32 v = order[i];
                order[i] = order[j];
                order[j] = v;
            } else {
                i64 v = result[i];
                result[i] = result[j];
                result[j] = v;
            }
        }
    }
    __syncthreads();
    if (in_shared) {
        for (i64 i = threadIdx.x; i < m; i += blockDim.x) {
            result[i] = order[i];
        }
    }
}

// ---- determinants
// ------------------------------------------------------------------------------------------------------

// mantissa * 2^exponent, mantissa in +-[1, 2), 0, inf or NaN: products may leave the range on the way to one inside it.
struct Product {
    f64 mantissa;
    i64 exponent;

    __device__ __forceinline__ void times(f64 x) {
        f64 power;
        int e = ::exponent(x);
        if (e == -1023) {  // zero, or f64's subnormals
            x *= 1152921504606846976.0;
            e = x == 0 ? 0 : ::exponent(x);
            exponent -= x == 0 ? 0 : 60;
        }
        if (e < 1024) {
            power_of_two(-e / 2, power);
            x *= power;
            power_of_two(-e - -e / 2, power);
            x *= power;
            exponent += e;
        }
        mantissa *= x;
        if (magnitude(mantissa) >= 2) {
            mantissa *= 0.5;
            exponent++;
        }
    }

    __device__ __forceinline__ void merge(Product o) {
        mantissa *= o.mantissa;
        exponent += o.exponent;
        if (magnitude(mantissa) >= 2) {
            mantissa *= 0.5;
            exponent++;
        }
    }

    __device__ __forceinline__ Product down(int lanes) const {
        Product r;
        r.mantissa = __shfl_down_sync(FULL_WARP, mantissa, lanes);
        r.exponent = __shfl_down_sync(FULL_WARP, exponent, lanes);
        return r;
    }
};

// By one whole warp: the product of n elements, step apart, to the determinant or, where second is not null, its sign
// and the logarithm of its magnitude.
__device__ void determinant_of(const REAL* a, i64 step, i64 n, bool negative, i64 exponent, REAL* first, REAL* second) {
    Product p = {1, 0};
    for (i64 i = LANE; i < n; i += 32) {
        p.times((f64)a[i * step]);
    }
    for (int o = 16; o > 0; o >>= 1) {
        p.merge(p.down(o));
    }
    if (LANE == 0) {
        p.exponent += exponent;
        f64 m = negative ? -p.mantissa : p.mantissa;
        if (second != nullptr) {
            *first = (REAL)(m > 0 ? 1 : m < 0 ? -1 : m == 0 ? 0 : m);
            *second = (REAL)(m == 0 ? -INFINITE_F64 : log(magnitude(m)) + p.exponent * 0.6931471805599453);
        } else {
            i64 e = p.exponent < -2200 ? -2200 : p.exponent > 2200 ? 2200 : p.exponent;
            while (e != 0 && m != 0) {  // to the last step exact, and rounded once
                i64 part = e > 1000 ? 1000 : e < -1000 ? -1000 : e;
                f64 power;
                power_of_two((int)part, power);
                m *= power;
                e -= part;
            }
            *first = (REAL)m;
        }
    }
}

// first, second (count): as determinant_of has them, of matrices (n, n) of a view.
extern "C" __global__ void lu_determinant(i64 count, Axes<1> batch, const REAL* x, i64 row, i64 column, i32 n,
                                          REAL* first, REAL* second) {
    extern __shared__ f64 dynamic[];
    Room room = {(char*)dynamic};
    REAL* step = room.take<REAL>(2);
    int* where = room.take<int>(1);
    int* order = room.take<int>(n);
    int ld = n | 1;
    REAL* a = room.take<REAL>(ld * n);
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        i64 at[1];
        locate(batch, b, at);
        __syncthreads();
        load_matrix(a, ld, x + at[0], row, column, n, n);
        Factors f = factorise(a, ld, n, n, order, step, where);
        if (WARP == 0) {
            determinant_of(a, ld + 1, n, f.flips & 1, 0, first + b, second == nullptr ? nullptr : second + b);
        }
    }
}

// The same from factors with their pivots of one matrix (n, n), column-major, that was scaled by 2^*exponent. One warp.
extern "C" __global__ void determinant(i64 n, const REAL* factors, const i64* pivots, const i32* exponent, REAL* first,
                                       REAL* second) {
    int flips = 0;
    for (i64 i = LANE; i < n; i += 32) {
        flips += pivots[i] != i + 1;
    }
    for (int o = 16; o > 0; o >>= 1) {
        flips += __shfl_xor_sync(FULL_WARP, flips, o);
    }
    determinant_of(factors, n + 1, n, flips & 1, -(i64)*exponent * n, first, second);
}
