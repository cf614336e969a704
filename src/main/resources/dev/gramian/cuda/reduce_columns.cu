// Slices that lie side by side in memory: neighbouring threads take neighbouring columns, each walks down its own.
// Macros: ELEMENT, RESULT, STATE; INDEX: u32 where n < 2^31, else i64.
//
// x has lines (axes kept: x, result) of width columns, column_x and column_out elements apart; a column's slice has n
// elements (axes reduced). A block is z lines' tiles, each across * down threads: across threads side by side take
// WIDTH columns each, down of them share the columns, their states merged through shared memory. Piece s of a slice,
// chunk elements of it, is that of blocks (., s); its state goes to states[s * count + r], r the place of the result,
// or, where states is null and there is one piece, the result to out.
#include "states.cuh"

#define BLOCK 256
#define VECTOR (16 / (int)sizeof(ELEMENT) < 4 ? 16 / (int)sizeof(ELEMENT) : 4)

typedef Compute<ELEMENT>::type C;
typedef STATE<ELEMENT> State;

template <int WIDTH, int COUNT> __device__ __forceinline__ void add(State (&s)[WIDTH], const ELEMENT* x,
                                                                    const Axes<1>& reduced, i64 first, int step) {
    Pack<ELEMENT, WIDTH> p[COUNT];
#pragma unroll
    for (int u = 0; u < COUNT; u++) {
        i64 at[1];
        locate(reduced, (INDEX)(first + u * step), at);
        p[u] = *(const Pack<ELEMENT, WIDTH>*)(x + at[0]);
    }
#pragma unroll
    for (int k = 0; k < WIDTH; k++) {
        C v[COUNT];
#pragma unroll
        for (int u = 0; u < COUNT; u++) {
            v[u] = load(p[u].v[k]);
        }
        s[k].template add<COUNT, 1>(v, first, step);
    }
}

template <int WIDTH> __device__ __forceinline__ void columns(const ELEMENT* x, i64 lines, const Axes<2>& kept,
                                                             i64 width,
                                                             i64 column_x, i64 column_out, i64 tiles, u64 by_tiles,
                                                             i64 n,
                                                             const Axes<1>& reduced, int across, int down, i64 chunk,
                                                             i64 count, State* states, RESULT* out, f64 ddof) {
    __shared__ State shared[BLOCK * WIDTH];
    int column = threadIdx.x & (across - 1);
    int y = threadIdx.x / across & (down - 1);
    int each = BLOCK / (across * down);
    i64 first = blockIdx.y * chunk;
    int m = (int)(n - first < chunk ? n - first : chunk);
    for (i64 base = (i64)blockIdx.x * each; base < lines * tiles; base += (i64)gridDim.x * each) {
        i64 task = base + threadIdx.x / (across * down);
        i64 line = quotient(task, tiles, by_tiles);
        i64 j = ((task - line * tiles) * across + column) * WIDTH;
        bool mine = task < lines * tiles && j < width;
        i64 at[2];
        State s[WIDTH];
#pragma unroll
        for (int k = 0; k < WIDTH; k++) {
            s[k].clear();
        }
        if (mine) {
            locate(kept, line, at);
            const ELEMENT* from = x + at[0] + j * column_x;
            int i = y;
            for (; i < m - 7 * down; i += 8 * down) {
                add<WIDTH, 8>(s, from, reduced, first + i, down);
            }
            for (; i < m; i += down) {
                add<WIDTH, 1>(s, from, reduced, first + i, down);
            }
        }
        for (int half = down >> 1; half > 0; half >>= 1) {
            if (y >= half && y < 2 * half) {
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    shared[k * BLOCK + threadIdx.x] = s[k];
                }
            }
            __syncthreads();
            if (y < half) {
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    s[k].merge(shared[k * BLOCK + threadIdx.x + half * across]);
                }
            }
            __syncthreads();
        }
        if (mine && y == 0) {
            i64 r = at[1] + j * column_out;
#pragma unroll
            for (int k = 0; k < WIDTH; k++, r += column_out) {
                if (states) {
                    states[blockIdx.y * count + r] = s[k];
                } else {
                    store(out + r, s[k].result(n, ddof));
                }
            }
        }
    }
}

// Columns without gaps between them, their number, x's address and all other strides multiples of VECTOR.
extern "C" __global__ void __launch_bounds__(BLOCK, 1)
    dense(const ELEMENT* x, i64 lines, Axes<2> kept, i64 width, i64 column_x, i64 column_out, i64 tiles, u64 by_tiles,
          i64 n, Axes<1> reduced, int across, int down, i64 chunk, i64 count, State* states, RESULT* out, f64 ddof) {
    columns<VECTOR>(x, lines, kept, width, column_x, column_out, tiles, by_tiles, n, reduced, across, down, chunk,
                    count, states, out, ddof);
}

extern "C" __global__ void __launch_bounds__(BLOCK, 1)
    strided(const ELEMENT* x, i64 lines, Axes<2> kept, i64 width, i64 column_x, i64 column_out, i64 tiles, u64 by_tiles,
            i64 n, Axes<1> reduced, int across, int down, i64 chunk, i64 count, State* states, RESULT* out, f64 ddof) {
    columns<1>(x, lines, kept, width, column_x, column_out, tiles, by_tiles, n, reduced, across, down, chunk, count,
               states, out, ddof);
}
