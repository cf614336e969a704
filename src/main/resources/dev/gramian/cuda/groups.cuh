// Values merged across a group: the neighbouring threads that share a row, a power of two of them: up to 32 of a warp,
// or a whole block. Every lane of a warp, and every thread of a block, has to take part, with or without a row of its
// own.

#define FULL_WARP 0xffffffffu
#define LANE ((int)(threadIdx.x & 31))

struct Sum {
    template <class T> static __device__ __forceinline__ T of(T a, T b) { return a + b; }
};

struct Largest {
    template <class T> static __device__ __forceinline__ T of(T a, T b) { return maximum(a, b); }
};

// Op::of over the group's values, the same bits in all its threads: Op::of has to be commutative. shared: a place for
// 32 values, used where the group is a block; of two calls in a row each needs its own.
template <class Op, class T> __device__ __forceinline__ T group_all(T x, int threads, T* shared) {
    int lanes = threads < 32 ? threads : 32;
    for (int o = lanes >> 1; o > 0; o >>= 1) {
        x = Op::of(x, __shfl_xor_sync(FULL_WARP, x, o));
    }
    if (threads > 32) {
        int warps = threads >> 5;
        if (LANE == 0) {
            shared[threadIdx.x >> 5] = x;
        }
        __syncthreads();
        x = shared[LANE & (warps - 1)];
        for (int o = warps >> 1; o > 0; o >>= 1) {
            x = Op::of(x, __shfl_xor_sync(FULL_WARP, x, o));
        }
    }
    return x;
}

// The group's states merged in order into the one of its first thread; the others' are spoiled. A state has
// merge(the state of the elements after) and down(lanes), itself as the lane so far up has it. shared as above.
template <class S> __device__ __forceinline__ void group_merge(S& s, int threads, S* shared) {
    int lanes = threads < 32 ? threads : 32;
    for (int o = lanes >> 1; o > 0; o >>= 1) {
        s.merge(s.down(o));
    }
    if (threads > 32) {
        int warps = threads >> 5;
        if (LANE == 0) {
            shared[threadIdx.x >> 5] = s;
        }
        __syncthreads();
        s = shared[LANE & (warps - 1)];
        for (int o = warps >> 1; o > 0; o >>= 1) {
            s.merge(s.down(o));
        }
    }
}

// Sum over the group's threads before this one; all: over all of them. shared as above.
template <class T> __device__ __forceinline__ T group_before(T x, int threads, T* shared, T& all) {
    int lanes = threads < 32 ? threads : 32;
    int lane = LANE & (lanes - 1);
    T sum = x;
    for (int o = 1; o < lanes; o <<= 1) {
        T y = __shfl_up_sync(FULL_WARP, sum, o);
        if (lane >= o) {
            sum = y + sum;
        }
    }
    T before = __shfl_up_sync(FULL_WARP, sum, 1);
    before = lane == 0 ? 0 : before;
    all = __shfl_sync(FULL_WARP, sum, LANE | (lanes - 1));
    if (threads > 32) {
        int warp = threadIdx.x >> 5;
        int warps = threads >> 5;
        if (LANE == 0) {
            shared[warp] = all;
        }
        __syncthreads();
        sum = shared[LANE & (warps - 1)];
        for (int o = 1; o < warps; o <<= 1) {
            T y = __shfl_up_sync(FULL_WARP, sum, o);
            if (LANE >= o) {
                sum = y + sum;
            }
        }
        all = __shfl_sync(FULL_WARP, sum, warps - 1);
        T earlier = __shfl_sync(FULL_WARP, sum, warp > 0 ? warp - 1 : 0);
        before = warp == 0 ? before : earlier + before;
    }
    return before;
}
