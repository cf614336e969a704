// Matrix products that cuBLAS does not have. T: the operands' type, R: the result's. Integers, whose sums wrap in T;
// and with ANNIHILATE 1 floats, where a zero of a annihilates NaN and infinities of b (for few rows: see
// annihilate.cu).
//
// c (batch, m, n) = alpha a b, a (batch, m, k) and b (batch, k, n) of any strides. A block computes ROWS x COLUMNS
// elements (ROWS 64 or 16), a thread 4 rows of 4 columns or of one, through shared memory, DEPTH columns of a at a time
// while the next are on their way. Where that gives too few blocks for the card, the columns of a are split: each split
// writes its sums, and combine adds them in order.

#define COLUMNS 64
#define DEPTH (ROWS == 16 ? 32 : 16)  // few rows: more of b on its way, which is what takes the time
#define THREADS 256
#define PAD 4

#define ACROSS (THREADS / (ROWS / 4))  // threads that share four rows
#define EACH (COLUMNS / ACROSS)        // columns of a thread
#define A_LOADS (ROWS * DEPTH / THREADS)
#define B_LOADS (COLUMNS * DEPTH / THREADS)

template <class X> struct Sums { typedef u32 type; typedef i64 scale; };
template <> struct Sums<i64> { typedef u64 type; typedef i64 scale; };
template <> struct Sums<f64> { typedef f64 type; typedef f64 scale; };
template <> struct Sums<f32> { typedef f32 type; typedef f64 scale; };
template <> struct Sums<f16> { typedef f32 type; typedef f64 scale; };
template <> struct Sums<bf16> { typedef f32 type; typedef f64 scale; };

typedef Sums<T>::type S;
typedef Sums<T>::scale Scale;
typedef Compute<T>::type C;

__device__ __forceinline__ void put(R* to, S sum, Scale alpha) { store(to, (C)(sum * (S)alpha)); }

// One split of one tile: first + blockIdx.x counts tiles of columns, then of rows, then matrices, then splits. sums:
// (splits, batch, m, n) of partial sums, or 0 to finish c.
extern "C" __global__ void __launch_bounds__(THREADS, 2 - (sizeof(S) == 8))
product(i64 first, i64 m, i64 n, i64 k, i64 batch, Axes<3> axes, const T* a, i64 a_row, i64 a_column, const T* b,
        i64 b_row, i64 b_column, R* c, i64 c_row, Scale alpha, i64 split, S* sums) {
    __shared__ __align__(16) S as[DEPTH][ROWS + PAD];
    __shared__ __align__(16) S bs[DEPTH][COLUMNS + PAD];
    i64 across = (n + COLUMNS - 1) / COLUMNS;
    i64 down = (m + ROWS - 1) / ROWS;
    i64 block = first + blockIdx.x;
    i64 matrix = block / (across * down);
    i64 tile = block - matrix * (across * down);
    i64 part = matrix / batch;
    matrix -= part * batch;
    i64 row0 = tile / across * ROWS;
    i64 column0 = (tile - tile / across * across) * COLUMNS;
    i64 at[3];
    locate(axes, matrix, at);
    i64 rows = m - row0;  // of this tile, and more
    i64 columns = n - column0;

    // the thread's elements of each operand's next tile: neighbours in memory for neighbouring threads
    bool a_along = a_column == 1 || a_row != 1;
    bool b_along = b_row == 1 && b_column != 1;
    int a_depth = a_along ? threadIdx.x % DEPTH : threadIdx.x / ROWS;
    int a_edge = a_along ? threadIdx.x / DEPTH : threadIdx.x % ROWS;
    int b_depth = b_along ? threadIdx.x % DEPTH : threadIdx.x / COLUMNS;
    int b_edge = b_along ? threadIdx.x / DEPTH : threadIdx.x % COLUMNS;
    int a_deeper = a_along ? 0 : THREADS / ROWS;  // from one of them to the next
    int a_further = a_along ? THREADS / DEPTH : 0;
    int b_deeper = b_along ? 0 : THREADS / COLUMNS;
    int b_further = b_along ? THREADS / DEPTH : 0;
    i64 a_jump = a_deeper * a_column + a_further * a_row;
    i64 b_jump = b_deeper * b_row + b_further * b_column;
    i64 p0 = part * split;
    i64 end = p0 + split < k ? p0 + split : k;
    a += at[0] + (row0 + a_edge) * a_row + (p0 + a_depth) * a_column;
    b += at[1] + (p0 + b_depth) * b_row + (column0 + b_edge) * b_column;

    int ty = threadIdx.x / ACROSS;  // rows 4 ty to 4 ty + 3 of the tile, columns tx, tx + ACROSS and so on
    int tx = threadIdx.x % ACROSS;
    S next_a[A_LOADS];
    S next_b[B_LOADS];
    S sum[4][EACH] = {};
    for (i64 p = p0 - DEPTH; p < end; p += DEPTH) {
        if (p >= p0) {
            #pragma unroll
            for (int q = 0; q < A_LOADS; q++) {
                as[a_depth + q * a_deeper][a_edge + q * a_further] = next_a[q];
            }
            #pragma unroll
            for (int q = 0; q < B_LOADS; q++) {
                bs[b_depth + q * b_deeper][b_edge + q * b_further] = next_b[q];
            }
            __syncthreads();
        }
        i64 left = end - p - DEPTH;  // columns of a from the next tile on
        #pragma unroll
        for (int q = 0; q < A_LOADS; q++) {
            bool there = a_depth + q * a_deeper < left && a_edge + q * a_further < rows;
            next_a[q] = there ? (S)load(a[q * a_jump]) : (S)0;
        }
        #pragma unroll
        for (int q = 0; q < B_LOADS; q++) {
            bool there = b_depth + q * b_deeper < left && b_edge + q * b_further < columns;
            next_b[q] = there ? (S)load(b[q * b_jump]) : (S)0;
        }
        a += DEPTH * a_column;
        b += DEPTH * b_row;
        if (p < p0) {
            continue;
        }
        #pragma unroll 4
        for (int d = 0; d < DEPTH; d++) {
            S y[EACH];
            #pragma unroll
            for (int j = 0; j < EACH; j++) {
                y[j] = bs[d][tx + ACROSS * j];
            }
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                S x = as[d][4 * ty + i];
                #pragma unroll
                for (int j = 0; j < EACH; j++) {
#if ANNIHILATE
                    sum[i][j] = x == 0 ? sum[i][j] : sum[i][j] + x * y[j];
#else
                    sum[i][j] += x * y[j];
#endif
                }
            }
        }
        __syncthreads();
    }

    #pragma unroll
    for (int i = 0; i < 4; i++) {
        #pragma unroll
        for (int j = 0; j < EACH; j++) {
            i64 r = 4 * ty + i;
            i64 q = tx + ACROSS * j;
            if (r < rows && q < columns) {
                r += row0;
                q += column0;
                if (sums) {
                    sums[((part * batch + matrix) * m + r) * n + q] = sum[i][j];
                } else {
                    put(c + at[2] + r * c_row + q, sum[i][j], alpha);
                }
            }
        }
    }
}

// c from the sums of its splits; count: elements of c; axes: (batch, m, n) over c.
extern "C" __global__ void combine(i64 count, Axes<1> axes, R* c, Scale alpha, i64 splits, const S* sums) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        S sum = 0;
        #pragma unroll 4
        for (i64 p = 0; p < splits; p++) {
            sum += sums[p * count + i];
        }
        i64 at[1];
        locate(axes, i, at);
        put(c + at[0], sum, alpha);
    }
}
