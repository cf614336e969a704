// Attention weights of rows too long for registers, cut into splits pieces of chunk keys, a multiple of WIDTH: the
// first launch leaves the state of piece p of row r at states[r * splits + p], the second merges them and writes the
// weights. Scores are read twice, the second time from the cache where they fit. Macros: as attention.cuh.
#include "attention.cuh"

#define BLOCK 256
#define AHEAD 4  // vectors that a thread asks for at once
#define STEP ((i64)BLOCK * WIDTH)

extern "C" __global__ void __launch_bounds__(BLOCK, 1) pieces(SCORES, i64 splits, i64 chunk, State* states) {
    __shared__ State shared[32];
    for (i64 task = blockIdx.x; task < count * splits; task += gridDim.x) {
        i64 r = task / splits;
        i64 begin = (task - r * splits) * chunk;
        Row row(r, SCORES_GIVEN);
        i64 end = begin + chunk < row.to ? begin + chunk : row.to;
        State state;
        state.clear();
        if (begin + chunk > row.from) {
            for (i64 j = begin + threadIdx.x * WIDTH; j < end; j += AHEAD * STEP) {
                C s[AHEAD][WIDTH];
                row.read(s, j, STEP);
#pragma unroll
                for (int i = 0; i < AHEAD; i++) {
                    if (j + i * STEP < end) {
                        state.template add<WIDTH, WIDTH>(s[i], 0, 0);
                    }
                }
            }
        }
        group_merge(state, BLOCK, shared);
        if (threadIdx.x == 0) {
            states[task] = state;
        }
        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(BLOCK, 1)
    finish(SCORES, i64 splits, i64 chunk, const State* states, C* weights, C* lse) {
    __shared__ State shared[32];
    __shared__ State whole;
    for (i64 task = blockIdx.x; task < count * splits; task += gridDim.x) {
        i64 r = task / splits;
        i64 begin = (task - r * splits) * chunk;
        State state;
        state.clear();
        for (i64 p = threadIdx.x; p < splits; p += BLOCK) {
            state.merge(states[r * splits + p]);
        }
        group_merge(state, BLOCK, shared);
        if (threadIdx.x == 0) {
            whole = state;
        }
        __syncthreads();
        Row row(r, SCORES_GIVEN);
        Weights w(whole.top, row.sink);
        w.sum(whole.top == -INFINITY ? 0 : (C)whole.sum * exp(whole.top - w.top));
        i64 end = begin + chunk < keys ? begin + chunk : keys;
        for (i64 j = begin + threadIdx.x * WIDTH; j < end; j += AHEAD * STEP) {
            C s[AHEAD][WIDTH];
            row.read(s, j, STEP);
#pragma unroll
            for (int i = 0; i < AHEAD; i++) {
                Vector y;
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    y.v[k] = w.weight(w.exponential(s[i][k]));
                }
                if (j + i * STEP < end) {
                    *(Vector*)(weights + r * keys + j + i * STEP) = y;
                }
            }
        }
        if (threadIdx.x == 0 && begin == 0) {
            lse[r] = w.log_sum();
        }
        __syncthreads();
    }
}
