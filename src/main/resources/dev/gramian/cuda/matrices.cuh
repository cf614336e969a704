// For kernels that hold one matrix in a block, its elements REAL (f32 or f64): places in shared memory, matrices read
// from views, scaling by powers of two, sums over warps. Blocks are a power of two of threads, from 32 on.

#define WARP ((int)(threadIdx.x >> 5))
#define WARPS ((int)(blockDim.x >> 5))

#define EPSILON (sizeof(REAL) == 4 ? (REAL)1.1920928955078125e-7 : (REAL)2.220446049250313e-16)

__device__ __forceinline__ f32 magnitude(f32 x) { return fabsf(x); }
__device__ __forceinline__ f64 magnitude(f64 x) { return fabs(x); }
__device__ __forceinline__ f32 root(f32 x) { return sqrtf(x); }
__device__ __forceinline__ f64 root(f64 x) { return sqrt(x); }
__device__ __forceinline__ f32 with_sign(f32 x, f32 sign) { return copysignf(x, sign); }
__device__ __forceinline__ f64 with_sign(f64 x, f64 sign) { return copysign(x, sign); }

// ---- powers of two
// -----------------------------------------------------------------------------------------------------

// e of 2^e <= |x| < 2^(e+1); of subnormals and zero that of the smallest normal number, less 1; of inf and NaN the
// largest of all, 128 or 1024.
__device__ __forceinline__ int exponent(f32 x) { return (__float_as_int(x) >> 23 & 0xff) - 127; }
__device__ __forceinline__ int exponent(f64 x) { return (int)(__double_as_longlong(x) >> 52 & 0x7ff) - 1023; }

__device__ __forceinline__ void power_of_two(int e, f32& p) { p = __int_as_float((e + 127) << 23); }
__device__ __forceinline__ void power_of_two(int e, f64& p) { p = __longlong_as_double((i64)(e + 1023) << 52); }

// 2^e as a product of two, since it may leave the range on the way to results within.
struct Scale {
    REAL first, second;

    __device__ __forceinline__ Scale(int e) {
        power_of_two(e / 2, first);
        power_of_two(e - e / 2, second);
    }

    __device__ __forceinline__ REAL of(REAL x) const { return x * first * second; }
};

// ---- shared memory
// -----------------------------------------------------------------------------------------------------

// Hands out dynamic shared memory piece by piece, each aligned to 8 bytes.
struct Room {
    char* next;

    template <class V> __device__ __forceinline__ V* take(i64 count) {
        V* p = (V*)next;
        next += (count * sizeof(V) + 7) & ~(i64)7;
        return p;
    }
};

// ---- matrices
// ----------------------------------------------------------------------------------------------------------

// A matrix of a view to column-major memory, ld elements from column to column; threads next to each other read
// neighbours where the view has any.
__device__ __forceinline__ void load_matrix(REAL* to, int ld, const REAL* from, i64 row, i64 column, int rows,
                                            int columns) {
    bool down = (row < 0 ? -row : row) <= (column < 0 ? -column : column);
    int inner = down ? rows : columns;
    i64 inner_step = down ? row : column;
    i64 outer_step = down ? column : row;
    int to_inner = down ? 1 : ld;
    i64 to_outer = down ? ld : 1;
    int total = rows * columns;
    for (int e = threadIdx.x; e < total; e += blockDim.x) {
        int o = e / inner;
        int i = e - o * inner;
        to[(i64)i * to_inner + o * to_outer] = from[i * inner_step + o * outer_step];
    }
}

// Column-major memory to a place of any strides.
__device__ __forceinline__ void store_matrix(REAL* to, i64 row, i64 column, const REAL* from, int ld, int rows,
                                             int columns) {
    bool down = row <= column;
    int inner = down ? rows : columns;
    int total = rows * columns;
    for (int e = threadIdx.x; e < total; e += blockDim.x) {
        int o = e / inner;
        int n = e - o * inner;
        int i = down ? n : o;
        int j = down ? o : n;
        to[i * row + j * column] = from[i + (i64)j * ld];
    }
}

// Largest magnitude of a matrix in column-major memory, in every thread. Barriers before and after.
__device__ __forceinline__ REAL largest(const REAL* a, int ld, int rows, int columns, REAL* shared) {
    __syncthreads();
    REAL m = 0;
    for (int j = WARP; j < columns; j += WARPS) {
        for (int i = LANE; i < rows; i += 32) {
            m = maximum(m, magnitude(a[i + (i64)j * ld]));
        }
    }
    m = group_all<Largest>(m, (int)blockDim.x, shared);
    __syncthreads();
    return m;
}

__device__ __forceinline__ void scale_matrix(REAL* a, int ld, int rows, int columns, Scale by) {
    for (int j = WARP; j < columns; j += WARPS) {
        for (int i = LANE; i < rows; i += 32) {
            a[i + (i64)j * ld] = by.of(a[i + (i64)j * ld]);
        }
    }
}

// ---- by one warp
// -------------------------------------------------------------------------------------------------------

__device__ __forceinline__ REAL warp_sum(REAL x) {
    for (int o = 16; o > 0; o >>= 1) {
        x += __shfl_xor_sync(FULL_WARP, x, o);
    }
    return x;
}

// Largest magnitude.
__device__ __forceinline__ REAL warp_largest(const REAL* x, int n) {
    REAL m = 0;
    for (int i = LANE; i < n; i += 32) {
        m = maximum(m, magnitude(x[i]));
    }
    for (int o = 16; o > 0; o >>= 1) {
        m = maximum(m, __shfl_xor_sync(FULL_WARP, m, o));
    }
    return m;
}

// Euclidean length, whatever the size of the elements.
__device__ __forceinline__ REAL warp_length(const REAL* x, int n) {
    REAL m = warp_largest(x, n);
    REAL sum = 0;
    for (int i = LANE; m > 0 && i < n; i += 32) {
        REAL y = x[i] / m;
        sum += y * y;
    }
    return m * root(warp_sum(sum));
}

// Index of the largest value, the first of equals, NaN above all.
__device__ __forceinline__ int warp_index_of_largest(REAL best, int at) {
    for (int o = 16; o > 0; o >>= 1) {
        REAL other = __shfl_xor_sync(FULL_WARP, best, o);
        int where = __shfl_xor_sync(FULL_WARP, at, o);
        bool nan = best != best;
        bool better = other != other ? !nan || where < at : !nan && (other > best || (other == best && where < at));
        if (better) {
            best = other;
            at = where;
        }
    }
    return at;
}
