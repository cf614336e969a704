// Around a product by cuBLAS in which a zero of a annihilates NaN and infinities of b. T: the operands' type, R: the
// result's; N: elements of b read at once.
//
// clean_rows, clean_columns: b (batch, k, n) once more with 1 or -1, by the sign, in place of each NaN and infinity, so
// that cuBLAS multiplies finite numbers: what is annihilated changes no bit of the result. With zeros in their place an
// infinity of a would give NaN. Each row of b gets a mark, whether there was one.
//
// settle: adds what was not annihilated, alpha times the product of each such element with each element of a that is
// not zero. Blocks leave where no row of their matrix is marked, and where a is zero at all that are.
//
// native-notes/decisions/008-zeros-that-annihilate.md tells why, and of the other ways.

#define THREADS 256
#define WARPS (THREADS / 32)
#define ROWS 64  // of a that a block of settle looks at

typedef Compute<T>::type C;
typedef Pack<T, N> Word;

__device__ __forceinline__ bool strange(C x) { return x - x != 0; }

__device__ __forceinline__ C sign_of(C x) { return x < 0 ? (C)-1 : (C)1; }

// T(x) by way of the store of common.cuh, for values that every type has.
__device__ __forceinline__ T cleaned(T x, bool& any) {
    C v = load(x);
    if (strange(v)) {
        any = true;
        store(&x, sign_of(v));
    }
    return x;
}

// Rows of `words` words side by side: a warp takes one at a time. axes: (batch, k) over b; out and marks: row after
// row.
extern "C" __global__ void __launch_bounds__(THREADS)
clean_rows(i64 rows, i64 words, Axes<1> axes, const Word* b, Word* out, u8* marks) {
    for (i64 row = (i64)blockIdx.x * WARPS + (threadIdx.x >> 5); row < rows; row += (i64)gridDim.x * WARPS) {
        i64 at[1];
        locate(axes, row, at);
        bool any = false;
        #pragma unroll 4
        for (i64 i = LANE; i < words; i += 32) {
            Word w = b[at[0] + i];
            #pragma unroll
            for (int e = 0; e < N; e++) {
                w.v[e] = cleaned(w.v[e], any);
            }
            out[row * words + i] = w;
        }
        u32 votes = __ballot_sync(FULL_WARP, any);
        if (LANE == 0) {
            marks[row] = votes != 0;
        }
    }
}

// The same of matrices whose columns are side by side in memory, N 1: a block takes 32 rows at a time. axes: batch over
// b; out: column after column, each of k elements.
extern "C" __global__ void __launch_bounds__(THREADS)
clean_columns(i64 batch, i64 k, i64 n, i64 b_column, Axes<1> axes, const T* b, T* out, u8* marks) {
    __shared__ u8 found[WARPS][32];
    i64 down = (k + 31) / 32;
    int warp = threadIdx.x >> 5;
    for (i64 piece = blockIdx.x; piece < batch * down; piece += gridDim.x) {
        i64 matrix = piece / down;
        i64 p = (piece - matrix * down) * 32 + LANE;
        i64 at[1];
        locate(axes, matrix, at);
        bool any = false;
        if (p < k) {
            #pragma unroll 4
            for (i64 j = warp; j < n; j += WARPS) {
                out[(matrix * n + j) * k + p] = cleaned(b[at[0] + j * b_column + p], any);
            }
        }
        found[warp][LANE] = any;
        __syncthreads();
        if (warp == 0 && p < k) {
            u8 all = 0;
            for (int w = 0; w < WARPS; w++) {
                all |= found[w][LANE];
            }
            marks[matrix * k + p] = all;
        }
        __syncthreads();
    }
}

struct Settled {
    const T* a;
    i64 a_column;
    const T* b;
    i64 b_row;
    const u8* marks;
    i64 k;

    // The whole sum, where it cannot be told from the one with 1 and -1 in places: both are infinite, by overflow
    // maybe.
    __device__ __forceinline__ C again() const {
        C sum = 0;
        for (i64 p = 0; p < k; p++) {
            C x = load(a[p * a_column]);
            sum = x == 0 ? sum : sum + x * load(b[p * b_row]);
        }
        return sum;
    }

    __device__ __forceinline__ void of(R* c, C alpha) const {
        C added = 0;
        for (i64 p = 0; p < k && added == added; p++) {
            if (marks[p]) {
                C x = load(a[p * a_column]);
                C y = load(b[p * b_row]);
                added += x != 0 && strange(y) ? alpha * (x * y) : (C)0;
            }
        }
        if (added != 0) {
            C before = (C)load(*c);
            bool opposite = added == added && before == before && before + added != before + added;
            store(c, opposite ? alpha * again() : before + added);
        }
    }
};

// One block for ROWS rows of a matrix. axes: batch over a, b, c and marks.
extern "C" __global__ void __launch_bounds__(THREADS, 2)
settle(i64 blocks, i64 m, i64 n, i64 k, Axes<4> axes, const T* a, i64 a_row, i64 a_column, const T* b, i64 b_row,
       i64 b_column, R* c, i64 c_row, f64 alpha, const u8* marks) {
    __shared__ bool met[ROWS];
    i64 down = (m + ROWS - 1) / ROWS;
    for (i64 block = blockIdx.x; block < blocks; block += gridDim.x) {
        i64 matrix = block / down;
        i64 row0 = (block - matrix * down) * ROWS;
        i64 rows = m - row0 < ROWS ? m - row0 : ROWS;
        i64 at[4];
        locate(axes, matrix, at);
        Settled s = {a + at[0], a_column, b + at[1], b_row, marks + at[3], k};
        bool marked = false;
        for (i64 p = threadIdx.x; p < k; p += THREADS) {
            marked |= s.marks[p] != 0;
        }
        if (!__syncthreads_or(marked)) {
            continue;
        }
        if (threadIdx.x < ROWS) {
            met[threadIdx.x] = false;
        }
        __syncthreads();
        // along whichever axis of a is denser
        bool along = a_column == 1 || a_row != 1;
        for (i64 i = threadIdx.x >> 5; i < (along ? rows : k); i += WARPS) {
            for (i64 j = LANE; j < (along ? k : rows); j += 32) {
                i64 r = along ? i : j;
                i64 p = along ? j : i;
                if (s.marks[p] && load(s.a[(row0 + r) * a_row + p * a_column]) != 0) {
                    met[r] = true;
                }
            }
        }
        __syncthreads();
        for (int r = 0; r < rows; r++) {
            if (met[r]) {
                Settled t = s;
                t.a += (row0 + r) * a_row;
                for (i64 j = threadIdx.x; j < n; j += THREADS) {
                    t.b = s.b + j * b_column;
                    t.of(c + at[2] + (row0 + r) * c_row + j, (C)alpha);
                }
            }
        }
        __syncthreads();
    }
}
