// What the pieces of slices gave, merged: states[s * count + r] is piece s of splits of result r. The merged state of n
// elements goes to merged[r], or, where merged is null, the result to out[r]. Without pieces that is the result of no
// elements. A group of threads threads takes one result. Macros: ELEMENT, RESULT, STATE.
#include "states.cuh"

#define BLOCK 256

typedef STATE<ELEMENT> State;

extern "C" __global__ void __launch_bounds__(BLOCK, 1)
    merge(const State* states, i64 count, i64 splits, int threads, i64 n, f64 ddof, State* merged, RESULT* out) {
    __shared__ State shared[32];
    int lane = threadIdx.x & (threads - 1);
    int groups = BLOCK / threads;
    for (i64 base = (i64)blockIdx.x * groups; base < count; base += (i64)gridDim.x * groups) {
        i64 r = base + threadIdx.x / threads;
        State s;
        s.clear();
        if (r < count) {
            for (i64 i = lane; i < splits; i += threads) {
                s.merge(states[i * count + r]);
            }
        }
        group_merge(s, threads, shared);
        if (r < count && lane == 0) {
            if (merged) {
                merged[r] = s;
            } else {
                store(out + r, s.result(n, ddof));
            }
        }
        if (threads > 32) {
            __syncthreads();
        }
    }
}
