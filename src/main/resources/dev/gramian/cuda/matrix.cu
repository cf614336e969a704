// Stacks of matrices moved between views and the column-major work memory of cuSOLVER, and what surrounds its calls:
// magnitudes and scaling, results of pivots, failures. Macro: REAL, f32 or f64.
#include "matrices.cuh"

// Which part of a matrix is moved; the rest becomes zeros. SYMMETRIC: the lower triangle on both sides.
#define ALL 0
#define LOWER 1
#define UNIT_LOWER 2
#define UPPER 3
#define SYMMETRIC 4

#define TILE 32

// count matrices (rows, columns) from a view to memory of any strides, times 2^exponents[matrix] or its inverse where
// that is not null. Tiles pass through shared memory, so that both sides are touched along their faster axis. 256
// threads. from null: the identity.
extern "C" __global__ void move(i64 rows, i64 columns, i64 count, Axes<1> batch, const REAL* from, i64 from_row,
                                i64 from_column, REAL* to, i64 to_batch, i64 to_row, i64 to_column, i32 part,
                                const i32* exponents, i32 inverse) {
    __shared__ REAL tile[TILE][TILE + 1];
    i64 across = (columns + TILE - 1) / TILE;
    i64 down = (rows + TILE - 1) / TILE;
    int x = threadIdx.x % TILE;
    int y = threadIdx.x / TILE;
    bool write_down = to_row < to_column;
    for (i64 t = blockIdx.x; t < across * down * count; t += gridDim.x) {
        i64 b = t / (across * down);
        i64 rest = t - b * across * down;
        i64 ti = rest / across;
        i64 i0 = ti * TILE;
        i64 j0 = (rest - ti * across) * TILE;
        i64 at[1] = {0};
        locate(batch, b, at);
        // a tile above the diagonal of a symmetric matrix is read below it
        bool mirrored = part == SYMMETRIC && j0 > i0;
        i64 row = mirrored ? from_column : from_row;
        i64 column = mirrored ? from_row : from_column;
        bool read_down = (row < 0 ? -row : row) < (column < 0 ? -column : column);
        Scale scale(exponents == nullptr ? 0 : inverse ? -exponents[b] : exponents[b]);
        for (int k = y; k < TILE; k += 8) {
            int di = read_down ? x : k;
            int dj = read_down ? k : x;
            i64 i = i0 + di;
            i64 j = j0 + dj;
            if (i < rows && j < columns) {
                bool zero = part == UPPER ? i > j : part != ALL && part != SYMMETRIC
                    && (i < j || (part == UNIT_LOWER && i == j));
                bool swap = part == SYMMETRIC && !mirrored && i < j;
                REAL v = 0;
                if (from == nullptr) {
                    v = i == j ? 1 : 0;
                } else if (!zero) {
                    v = from[at[0] + (swap ? j : i) * row + (swap ? i : j) * column];
                    v = exponents == nullptr ? v : scale.of(v);
                } else if (part == UNIT_LOWER && i == j) {
                    v = 1;
                }
                tile[di][dj] = v;
            }
        }
        __syncthreads();
        for (int k = y; k < TILE; k += 8) {
            int di = write_down ? x : k;
            int dj = write_down ? k : x;
            i64 i = i0 + di;
            i64 j = j0 + dj;
            if (i < rows && j < columns) {
                to[b * to_batch + i * to_row + j * to_column] = tile[di][dj];
            }
        }
        __syncthreads();
    }
}

// ---- scaling
// -----------------------------------------------------------------------------------------------------------

// Largest magnitudes of count runs of size elements, each by pieces blocks, to partial (count, pieces). 256 threads.
extern "C" __global__ void magnitudes(i64 size, i64 count, i64 pieces, const REAL* x, REAL* partial) {
    __shared__ REAL shared[32];
    for (i64 t = blockIdx.x; t < count * pieces; t += gridDim.x) {
        i64 b = t / pieces;
        REAL m = 0;
        for (i64 i = (t - b * pieces) * blockDim.x + threadIdx.x; i < size; i += pieces * blockDim.x) {
            m = maximum(m, magnitude(x[b * size + i]));
        }
        m = group_all<Largest>(m, (int)blockDim.x, shared);
        if (threadIdx.x == 0) {
            partial[t] = m;
        }
        __syncthreads();
    }
}

// exponents[b]: of the power of two that brings the largest magnitude of run b to [1, 2); 0 where it is zero, not
// finite, or has an exponent of low to high already. One thread a run.
extern "C" __global__ void exponents(i64 count, i64 pieces, const REAL* partial, i32 low, i32 high, i32* exponents) {
    for (i64 b = GRID_START; b < count; b += GRID_STEP) {
        REAL m = 0;
        for (i64 k = 0; k < pieces; k++) {
            m = maximum(m, partial[b * pieces + k]);
        }
        int e = exponent(m);
        bool finite = e < (sizeof(REAL) == 4 ? 128 : 1024);
        exponents[b] = m == 0 || !finite || (e >= low && e <= high) ? 0 : -e;
    }
}

// Run b of size elements times 2^exponents[b], or its inverse; nothing is touched where that is 1.
extern "C" __global__ void rescale(i64 size, i64 count, i64 pieces, REAL* x, const i32* exponents, i32 inverse) {
    for (i64 t = blockIdx.x; t < count * pieces; t += gridDim.x) {
        i64 b = t / pieces;
        int e = inverse ? -exponents[b] : exponents[b];
        if (e != 0) {
            Scale scale(e);
            for (i64 i = (t - b * pieces) * blockDim.x + threadIdx.x; i < size; i += pieces * blockDim.x) {
                x[b * size + i] = scale.of(x[b * size + i]);
            }
        }
    }
}

// ---- triangular systems
// ------------------------------------------------------------------------------------------------

// infos[b]: 1 + the index of the first zero on the diagonal of matrix b, else -1 where an element is subnormal, else 0.
// A block a matrix.
extern "C" __global__ void diagonal(i64 n, Axes<1> batch, const REAL* a, i64 step, i32* infos) {
    __shared__ i64 shared[32];
    i64 at[1] = {0};
    locate(batch, (i64)blockIdx.x, at);
    i64 first = n;
    i64 subnormal = 0;
    for (i64 i = threadIdx.x; i < n; i += blockDim.x) {
        REAL d = a[at[0] + i * step];
        if (d == 0) {
            first = i < first ? i : first;
        } else if (exponent(d) < (sizeof(REAL) == 4 ? -126 : -1022)) {
            subnormal = 1;
        }
    }
    i64 both = group_all<Largest>((n - first) * 2 + subnormal, (int)blockDim.x, shared);
    if (threadIdx.x == 0) {
        infos[blockIdx.x] = both >= 2 ? (i32)(n - both / 2 + 1) : both ? -1 : 0;
    }
}

// ---- failures
// ----------------------------------------------------------------------------------------------------------

// failure: of the first info that is not zero (of those below zero alone where negative_only) its index and, 32 bits
// up, itself; -1 where there is none. One block.
extern "C" __global__ void first_failure(i64 count, const i32* infos, i32 negative_only, i64* failure) {
    __shared__ i64 shared[32];
    i64 first = count;
    for (i64 i = threadIdx.x; i < count; i += blockDim.x) {
        if (infos[i] < 0 || (infos[i] > 0 && !negative_only)) {
            first = i;
            break;
        }
    }
    first = count - group_all<Largest>(count - first, (int)blockDim.x, shared);
    if (threadIdx.x == 0) {
        *failure = first == count ? -1 : (i64)infos[first] << 32 | first;
    }
}
