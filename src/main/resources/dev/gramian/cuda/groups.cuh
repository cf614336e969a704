// Values merged across a group: the neighbouring threads that share a row, a power of two of them: up to 32 of a warp, or
// a whole block. Every lane of a warp, and every thread of a block, has to take part, with or without a row of its own.

#define FULL_WARP 0xffffffffu
#define LANE ((int)(threadIdx.x & 31))

struct Sum {
    template <class T> static __device__ __forceinline__ T of(T a, T b) { return a + b; }
};

struct Largest {
    template <class T> static __device__ __forceinline__ T of(T a, T b) { return maximum(a, b); }
};

// Op::of over the group's values, the same bits in all its threads: Op::of has to be commutative. shared: a place for 32
// values, used where the group is a block; of two calls in a row each needs its own.
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
