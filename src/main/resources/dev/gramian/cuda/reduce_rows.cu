// Slices that lie together in memory, each reduced by a group of threads. Macros: ELEMENT, RESULT, STATE; INDEX: u32
// where n < 2^31, else i64.
//
// x has count slices (axes kept: x, result) of n elements (axes reduced). A slice is cut into splits pieces of chunk
// elements, one after the other, chunk < 2^31; the state of piece s of the slice with result r goes to states[s * count
// + r], or, where states is null and there is one piece, its result to out. A group is threads threads: of a warp,
// several slices to a warp, or the block.
//
// Considered: one kernel with atomics for the pieces (not the same bits twice), and the last block of a slice merging
// the others' (a counter to clear and a fence against one small launch).
#include "states.cuh"

#define BLOCK 256
#define WIDTH (16 / (int)sizeof(ELEMENT))

typedef Compute<ELEMENT>::type C;
typedef STATE<ELEMENT> State;

// A piece without gaps, whatever its alignment: single elements up to a multiple of 16 bytes, vectors, the rest.
struct Dense {
    static __device__ __forceinline__ void one(State& s, const ELEMENT* p, i64 number) {
        C v[1] = {load(*p)};
        s.template add<1, 1>(v, number, 0);
    }

    // COUNT vectors, step elements apart
    template <int COUNT> static __device__ __forceinline__ void vectors(State& s, const ELEMENT* p, i64 number,
                                                                        int step) {
        // elements to a call of add: enough to make a division cheap, few enough for registers
        constexpr int TOGETHER = COUNT * WIDTH <= 16 ? COUNT : 1;
        Pack<ELEMENT, WIDTH> x[COUNT];
#pragma unroll
        for (int u = 0; u < COUNT; u++) {
            x[u] = *(const Pack<ELEMENT, WIDTH>*)(p + u * step);
        }
#pragma unroll
        for (int u = 0; u < COUNT; u += TOGETHER) {
            C v[TOGETHER * WIDTH];
#pragma unroll
            for (int k = 0; k < TOGETHER * WIDTH; k++) {
                v[k] = load(x[u + k / WIDTH].v[k % WIDTH]);
            }
            s.template add<TOGETHER * WIDTH, WIDTH>(v, number + u * step, step);
        }
    }

    static __device__ __forceinline__ void run(State& s, const ELEMENT* p, int n, i64 number, int lane, int threads) {
        int head = (int)((0 - (u64)p) % 16 / sizeof(ELEMENT));
        head = head < n ? head : n;
        for (int i = lane; i < head; i += threads) {
            one(s, p + i, number + i);
        }
        int step = threads * WIDTH;
        int end = head + (n - head) / WIDTH * WIDTH;
        int i = head + lane * WIDTH;
        for (; i < end - 3 * step; i += 4 * step) {
            vectors<4>(s, p + i, number + i, step);
        }
        for (; i < end; i += step) {
            vectors<1>(s, p + i, number + i, step);
        }
        for (i = end + lane; i < n; i += threads) {
            one(s, p + i, number + i);
        }
    }

    static __device__ __forceinline__ void piece(State& s, const ELEMENT* x, const Axes<1>& reduced, i64 first, int n,
                                                 int lane, int threads) {
        i64 length = reduced.size[(int)reduced.rank - 1];
        while (n > 0) {
            i64 left = reduced.rank == 1 ? n : length - first % length;
            int m = left < n ? (int)left : n;
            i64 at[1];
            locate(reduced, first, at);
            run(s, x + at[0], m, first, lane, threads);
            first += m;
            n -= m;
        }
    }
};

// A piece of any layout.
struct Strided {
    template <int COUNT> static __device__ __forceinline__ void some(State& s, const ELEMENT* x,
                                                                     const Axes<1>& reduced, i64 p, int threads) {
        C v[COUNT];
#pragma unroll
        for (int u = 0; u < COUNT; u++) {
            i64 at[1];
            locate(reduced, (INDEX)(p + u * threads), at);
            v[u] = load(x[at[0]]);
        }
        s.template add<COUNT, 1>(v, p, threads);
    }

    static __device__ __forceinline__ void piece(State& s, const ELEMENT* x, const Axes<1>& reduced, i64 first, int n,
                                                 int lane, int threads) {
        int i = lane;
        for (; i < n - 3 * threads; i += 4 * threads) {
            some<4>(s, x, reduced, first + i, threads);
        }
        for (; i < n; i += threads) {
            some<1>(s, x, reduced, first + i, threads);
        }
    }
};

template <class Piece> __device__ __forceinline__ void rows(const ELEMENT* x, i64 count, const Axes<2>& kept, i64 n,
                                                            const Axes<1>& reduced, int threads, i64 splits, i64 chunk,
                                                            State* states, RESULT* out, f64 ddof) {
    __shared__ State shared[32];
    int lane = threadIdx.x & (threads - 1);
    int groups = BLOCK / threads;
    i64 pieces = count * splits;
    for (i64 base = (i64)blockIdx.x * groups; base < pieces; base += (i64)gridDim.x * groups) {
        i64 task = base + threadIdx.x / threads;
        i64 at[2];
        i64 split = 0;
        State s;
        s.clear();
        if (task < pieces) {
            i64 slice = task;
            if (splits > 1) {
                slice = task / splits;
                split = task - slice * splits;
            }
            locate(kept, slice, at);
            i64 first = split * chunk;
            Piece::piece(s, x + at[0], reduced, first, (int)(n - first < chunk ? n - first : chunk), lane, threads);
        }
        group_merge(s, threads, shared);
        if (task < pieces && lane == 0) {
            if (states) {
                states[split * count + at[1]] = s;
            } else {
                store(out + at[1], s.result(n, ddof));
            }
        }
        if (threads > 32) {
            __syncthreads();
        }
    }
}

// The innermost reduced axis has stride 1.
extern "C" __global__ void __launch_bounds__(BLOCK, 1)
    dense(const ELEMENT* x, i64 count, Axes<2> kept, i64 n, Axes<1> reduced, int threads, i64 splits, i64 chunk,
          State* states, RESULT* out, f64 ddof) {
    rows<Dense>(x, count, kept, n, reduced, threads, splits, chunk, states, out, ddof);
}

extern "C" __global__ void __launch_bounds__(BLOCK, 1)
    strided(const ELEMENT* x, i64 count, Axes<2> kept, i64 n, Axes<1> reduced, int threads, i64 splits, i64 chunk,
            State* states, RESULT* out, f64 ddof) {
    rows<Strided>(x, count, kept, n, reduced, threads, splits, chunk, states, out, ddof);
}
