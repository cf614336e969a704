// Elements named by an index tensor, and the check of it. I: i64 or i32. T: what is moved, elements or words of
// several of them where a named entry is one run in memory.
//
// The index is checked by a pass of its own before anything is moved: an error names the first bad entry, and the host
// has to wait for the answer either way. Moving first and checking on the way would save that pass but keep the host
// until all is moved.

struct Least {
    static __device__ __forceinline__ u64 of(u64 a, u64 b) { return a < b ? a : b; }
};

// Position of the first entry outside -entries to entries - 1, or all ones. Several blocks take *first as it is, all
// ones.
extern "C" __global__ void first_bad(i64 count, Axes<1> axes, const I* index, i64 entries, u64* first) {
    __shared__ u64 shared[32];
    u64 bad = ~0ull;
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 at[1];
        locate(axes, i, at);
        i64 v = index[at[0]];
        if (v < -entries || v >= entries) {
            bad = (u64)i;
            break;
        }
    }
    bad = group_all<Least>(bad, (int)blockDim.x, shared);
    if (threadIdx.x == 0) {
        if (gridDim.x == 1) {
            *first = bad;
        } else if (bad != ~0ull) {
            atomicMin(first, bad);
        }
    }
}

#ifdef T
#define UNROLL 4

// Element i of the result is at at[0] of x, plus the entry that the index at at[1] names times step. An entry that was
// changed after the check is taken as the first: memory outside x is never read.
extern "C" __global__ void take(i64 count, Axes<2> axes, const T* x, const I* index, i64 entries, i64 step, T* out) {
    for (i64 base = GRID_START; base < count; base += UNROLL * GRID_STEP) {
        i64 from[UNROLL];
        #pragma unroll
        for (int u = 0; u < UNROLL; u++) {
            i64 i = base + u * GRID_STEP;
            i64 at[2];
            locate(axes, i < count ? i : base, at);
            i64 v = index[at[1]];
            v += v < 0 ? entries : 0;
            from[u] = at[0] + (v >= 0 && v < entries ? v : 0) * step;
        }
        T v[UNROLL];
        #pragma unroll
        for (int u = 0; u < UNROLL; u++) {
            v[u] = x[from[u]];
        }
        #pragma unroll
        for (int u = 0; u < UNROLL; u++) {
            i64 i = base + u * GRID_STEP;
            if (i < count) {
                out[i] = v[u];
            }
        }
    }
}
#endif
