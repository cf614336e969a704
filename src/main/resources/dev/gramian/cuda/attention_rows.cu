// Attention weights of rows that a group of threads holds in registers: scores are read once, weights written once.
// Macros: as attention.cuh; COUNT vectors to a thread; blocks have at most BOUND threads. A group is threads threads:
// of a warp, or the block. keys <= threads * COUNT * WIDTH.
//
// COUNT is 4 at most for vectors, 8 for single scores: with mask and bias beside the scores more would leave the SM too
// few threads, or spill.
#include "attention.cuh"

#define EXTRAS (CAP + MASK + BIAS + HEADS)
#define AT_LEAST (BOUND > 256 ? 1 : EXTRAS == 0 ? 4 : EXTRAS == 1 && sizeof(ELEMENT) == 4 ? 3 : 2)

extern "C" __global__ void __launch_bounds__(BOUND, AT_LEAST) rows(SCORES, int threads, C* weights, C* lse) {
    __shared__ C shared[2][32];
    int lane = threadIdx.x & (threads - 1);
    int groups = blockDim.x / threads;
    int start = lane * WIDTH;
    int step = threads * WIDTH;
    for (i64 base = (i64)blockIdx.x * groups; base < count; base += (i64)gridDim.x * groups) {
        i64 r = base + threadIdx.x / threads;
        bool mine = r < count;
        Row row(mine ? r : 0, SCORES_GIVEN);
        row.to = mine ? row.to : 0;
        C s[COUNT][WIDTH];
        row.read(s, start, step);
        C top = -INFINITY;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                top = maximum(top, s[i][k]);
            }
        }
        Weights w(group_all<Largest>(top, threads, shared[0]), row.sink);
        C sum = 0;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            C part = 0;
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                s[i][k] = w.exponential(s[i][k]);
                part += s[i][k];
            }
            sum += part;
        }
        w.sum(group_all<Sum>(sum, threads, shared[1]));
        C* to = weights + r * keys + start;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (mine && start + i * step < keys) {
                Vector y;
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    y.v[k] = w.weight(s[i][k]);
                }
                *(Vector*)(to + i * step) = y;
            }
        }
        if (mine && lane == 0) {
            lse[r] = w.log_sum();
        }
    }
}
