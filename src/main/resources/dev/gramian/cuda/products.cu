// Matrix products that cuBLAS does not have. T: the operands' type, R: the result's. REPAIR 0: integers, whose sums wrap
// in T. REPAIR 1: after a product by cuBLAS, those elements of it again in which a zero of a met a NaN or an infinity of
// b, which it has to annihilate.
//
// c (batch, m, n) = alpha a b, a (batch, m, k) and b (batch, k, n) of any strides. A block computes EDGE x EDGE elements,
// each thread 4 x 4, through shared memory DEPTH columns of a at a time while the next are on their way. Where that gives
// too few blocks for the card, the columns are split: each split writes its sums, and combine adds them in order.
//
// REPAIR rests on this: a NaN or an infinity in column j of b makes every element of column j of c NaN or infinite, for
// 0 * NaN, 0 * inf, x * inf are none of them finite. So an element of c that is finite met none and stays, and a tile
// of finite elements costs its block one look at it: b is not searched and not copied.

#define EDGE 64
#define DEPTH 16
#define THREADS 256
#define PAD 4

template <class X> struct Sums { typedef u32 type; typedef i64 scale; };
template <> struct Sums<i64> { typedef u64 type; typedef i64 scale; };
template <> struct Sums<f64> { typedef f64 type; typedef f64 scale; };
template <> struct Sums<f32> { typedef f32 type; typedef f64 scale; };
template <> struct Sums<f16> { typedef f32 type; typedef f64 scale; };
template <> struct Sums<bf16> { typedef f32 type; typedef f64 scale; };

typedef Sums<T>::type S;
typedef Sums<T>::scale Scale;
typedef Compute<T>::type C;

__device__ __forceinline__ bool stays(R x) {
#if REPAIR
    auto v = load(x);
    return v - v == 0;
#else
    return false;  // every element is computed
#endif
}

__device__ __forceinline__ void put(R* to, S sum, Scale alpha) { store(to, (C)(sum * (S)alpha)); }

// One split of one tile: first + blockIdx.x counts tiles of columns, then of rows, then matrices, then splits. sums:
// (splits, batch, m, n) of partial sums, or 0 to finish c.
extern "C" __global__ void __launch_bounds__(THREADS, REPAIR ? 1 : 2)
product(i64 first, i64 m, i64 n, i64 k, i64 batch, Axes<3> axes, const T* a, i64 a_row, i64 a_column, const T* b, i64 b_row,
        i64 b_column, R* c, i64 c_row, Scale alpha, i64 split, S* sums) {
    __shared__ alignas(16) S as[DEPTH][EDGE + PAD];
    __shared__ alignas(16) S bs[DEPTH][EDGE + PAD];
    i64 across = (n + EDGE - 1) / EDGE;
    i64 down = (m + EDGE - 1) / EDGE;
    i64 block = first + blockIdx.x;
    i64 matrix = block / (across * down);
    i64 tile = block - matrix * (across * down);
    i64 part = matrix / batch;
    matrix -= part * batch;
    i64 row0 = tile / across * EDGE;
    i64 column0 = (tile - tile / across * across) * EDGE;
    i64 at[3];
    locate(axes, matrix, at);
    a += at[0];
    b += at[1];
    c += at[2];
    i64 rows = m - row0;        // of this tile, and more
    i64 columns = n - column0;
    int ty = threadIdx.x >> 4;  // rows 4 ty to 4 ty + 3 of the tile, columns tx, tx + 16, tx + 32, tx + 48
    int tx = threadIdx.x & 15;

    bool wanted = false;
    #pragma unroll
    for (int i = 0; i < 4; i++) {
        #pragma unroll
        for (int j = 0; j < 4; j++) {
            int r = 4 * ty + i;
            int q = tx + 16 * j;
            wanted |= r < rows && q < columns && !stays(c[(row0 + r) * c_row + column0 + q]);
        }
    }
    if (!__syncthreads_or(wanted)) {
        return;
    }

    // the thread's four elements of each operand's next tile: neighbours in memory for neighbouring threads
    bool a_along = a_column == 1 || a_row != 1 && k > 1;
    bool b_along = b_row == 1 && b_column != 1;
    int a_depth = a_along ? threadIdx.x & 15 : threadIdx.x >> 6;
    int a_edge = a_along ? threadIdx.x >> 4 : threadIdx.x & 63;
    int b_depth = b_along ? threadIdx.x & 15 : threadIdx.x >> 6;
    int b_edge = b_along ? threadIdx.x >> 4 : threadIdx.x & 63;
    i64 p0 = part * split;
    i64 end = p0 + split < k ? p0 + split : k;
    a += (row0 + a_edge) * a_row + (p0 + a_depth) * a_column;
    b += (p0 + b_depth) * b_row + (column0 + b_edge) * b_column;
    i64 a_jump = a_along ? 16 * a_row : 4 * a_column;
    i64 b_jump = b_along ? 16 * b_column : 4 * b_row;
    S next_a[4];
    S next_b[4];
    S sum[4][4] = {};
    for (i64 p = p0 - DEPTH; p < end; p += DEPTH) {
        if (p >= p0) {
            #pragma unroll
            for (int q = 0; q < 4; q++) {
                as[a_depth + (a_along ? 0 : 4 * q)][a_edge + (a_along ? 16 * q : 0)] = next_a[q];
                bs[b_depth + (b_along ? 0 : 4 * q)][b_edge + (b_along ? 16 * q : 0)] = next_b[q];
            }
            __syncthreads();
        }
        i64 left = end - p - DEPTH;  // columns of a from the next tile on
        #pragma unroll
        for (int q = 0; q < 4; q++) {
            int ad = a_along ? 0 : 4 * q;
            int ae = a_along ? 16 * q : 0;
            int bd = b_along ? 0 : 4 * q;
            int be = b_along ? 16 * q : 0;
            next_a[q] = a_depth + ad < left && a_edge + ae < rows ? (S)load(a[q * a_jump]) : (S)0;
            next_b[q] = b_depth + bd < left && b_edge + be < columns ? (S)load(b[q * b_jump]) : (S)0;
        }
        a += DEPTH * a_column;
        b += DEPTH * b_row;
        if (p < p0) {
            continue;
        }
        #pragma unroll 4
        for (int d = 0; d < DEPTH; d++) {
            S y[4];
            #pragma unroll
            for (int j = 0; j < 4; j++) {
                y[j] = bs[d][tx + 16 * j];
            }
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                S x = as[d][4 * ty + i];
                #pragma unroll
                for (int j = 0; j < 4; j++) {
#if REPAIR
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
        for (int j = 0; j < 4; j++) {
            i64 r = 4 * ty + i;
            i64 q = tx + 16 * j;
            if (r < rows && q < columns) {
                r += row0;
                q += column0;
                if (sums) {
                    sums[((part * batch + matrix) * m + r) * n + q] = sum[i][j];
                } else if (!stays(c[r * c_row + q])) {
                    put(c + r * c_row + q, sum[i][j], alpha);
                }
            }
        }
    }
}

// c from the sums of its splits; count: elements of c; axes: (batch, m, n) over c.
extern "C" __global__ void combine(i64 count, Axes<1> axes, R* c, Scale alpha, i64 splits, const S* sums) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 at[1];
        locate(axes, i, at);
        if (!stays(c[at[0]])) {
            S sum = 0;
            for (i64 p = 0; p < splits; p++) {
                sum += sums[p * count + i];
            }
            put(c + at[0], sum, alpha);
        }
    }
}
