// Running sums along one axis. Macros: ELEMENT, RESULT.
//
// count slices (axes kept: x, out) of n elements, step_x and step_out apart. A slice is cut into splits pieces of chunk
// elements. One piece: one launch. More: the first, with out null, puts the sum of piece s of slice i to
// totals (at i * splits + s for rows, at s * count + i for columns); the second starts each piece from the sum of the
// totals before it. Reading x twice costs a quarter to a third more than passing sums on from block to block while they
// run, but gives the same bits every time. Floats are summed in F64 and rounded as they are stored.
#define BLOCK 256
#define EACH 8

typedef Compute<ELEMENT>::type C;
template <class T> struct Wide { typedef f64 type; };
template <> struct Wide<i64> { typedef i64 type; };
typedef Wide<C>::type W;

template <class T> struct Run {
    // elements to a vector of at most 16 bytes, a part of EACH
    static constexpr int WIDTH = 16 / sizeof(T) < EACH ? 16 / (int)sizeof(T) : EACH;
    static __device__ __forceinline__ bool aligned(const T* p) { return (u64)p % (WIDTH * sizeof(T)) == 0; }
};

__device__ __forceinline__ void read(W (&v)[EACH], const ELEMENT* x, i64 step, bool packed, int left) {
    typedef Run<ELEMENT> R;
    if (packed && left >= EACH) {
#pragma unroll
        for (int k = 0; k < EACH; k += R::WIDTH) {
            Pack<ELEMENT, R::WIDTH> p = *(const Pack<ELEMENT, R::WIDTH>*)(x + k);
#pragma unroll
            for (int j = 0; j < R::WIDTH; j++) {
                v[k + j] = load(p.v[j]);
            }
        }
    } else {
#pragma unroll
        for (int k = 0; k < EACH; k++) {
            v[k] = k < left ? (W)load(x[k * step]) : (W)0;
        }
    }
}

__device__ __forceinline__ void write(const W (&v)[EACH], RESULT* out, bool packed, int left) {
    typedef Run<RESULT> R;
    if (packed && left >= EACH) {
#pragma unroll
        for (int k = 0; k < EACH; k += R::WIDTH) {
            Pack<RESULT, R::WIDTH> p;
#pragma unroll
            for (int j = 0; j < R::WIDTH; j++) {
                store(&p.v[j], v[k + j]);
            }
            *(Pack<RESULT, R::WIDTH>*)(out + k) = p;
        }
    } else {
#pragma unroll
        for (int k = 0; k < EACH; k++) {
            if (k < left) {
                store(out + k, v[k]);
            }
        }
    }
}

// step_out is 1: a group of threads threads takes a piece, each EACH neighbours at a time.
extern "C" __global__ void __launch_bounds__(BLOCK)
    rows(const ELEMENT* x, i64 count, Axes<2> kept, i64 n, i64 step_x, int threads, i64 splits, i64 chunk, W* totals,
         RESULT* out) {
    __shared__ W shared[2][32];
    int lane = threadIdx.x & (threads - 1);
    int groups = BLOCK / threads;
    int turn = 0;
    for (i64 base = (i64)blockIdx.x * groups; base < count * splits; base += (i64)gridDim.x * groups) {
        i64 task = base + threadIdx.x / threads;
        bool mine = task < count * splits;
        i64 slice = mine ? task : 0;
        i64 split = 0;
        if (splits > 1) {
            slice = task / splits;
            split = task - slice * splits;
        }
        i64 at[2];
        locate(kept, slice, at);
        i64 first = split * chunk;
        // the same for the whole block or, with one piece, always
        int m = (int)(n - first < chunk ? n - first : chunk);
        const ELEMENT* from = x + at[0] + first * step_x;
        bool packed_x = step_x == 1 && Run<ELEMENT>::aligned(from);
        RESULT* to = out + at[1] + first;
        bool packed_out = Run<RESULT>::aligned(to);
        W sum = 0;
        W all;
        if (out && split > 0) {
            W part = 0;
            for (i64 s = lane; s < split; s += threads) {
                part += totals[slice * splits + s];
            }
            group_before(part, threads, shared[turn ^= 1], sum);
        }
        for (int i = lane * EACH; i - lane * EACH < m; i += threads * EACH) {
            W v[EACH];
            int left = mine ? m - i : 0;
            read(v, from + i * step_x, step_x, packed_x, left);
#pragma unroll
            for (int k = 1; k < EACH; k++) {
                v[k] += v[k - 1];
            }
            W before = sum + group_before(v[EACH - 1], threads, shared[turn ^= 1], all);
            sum += all;
            if (out) {
#pragma unroll
                for (int k = 0; k < EACH; k++) {
                    v[k] += before;
                }
                write(v, to + i, packed_out, left);
            }
        }
        if (!out && mine && lane == 0) {
            totals[task] = sum;
        }
    }
}

// A thread walks down its slice, its neighbours down those beside it. Piece s is that of blocks (., s).
extern "C" __global__ void __launch_bounds__(BLOCK)
    columns(const ELEMENT* x, i64 count, Axes<2> kept, i64 n, i64 step_x, i64 step_out, i64 chunk, W* totals,
            RESULT* out) {
    i64 split = blockIdx.y;
    i64 first = split * chunk;
    int m = (int)(n - first < chunk ? n - first : chunk);
    for (i64 slice = GRID_START; slice < count; slice += GRID_STEP) {
        i64 at[2];
        locate(kept, slice, at);
        const ELEMENT* from = x + at[0] + first * step_x;
        RESULT* to = out + at[1] + first * step_out;
        W sum = 0;
        if (out) {
            for (i64 s = 0; s < split; s++) {
                sum += totals[s * count + slice];
            }
        }
        for (int i = 0; i < m; i += EACH) {
            W v[EACH];
            read(v, from, step_x, false, m - i);
            from += EACH * step_x;
#pragma unroll
            for (int k = 0; k < EACH; k++) {
                sum += v[k];
                if (out && k < m - i) {
                    store(to, sum);
                    to += step_out;
                }
            }
        }
        if (!out) {
            totals[split * count + slice] = sum;
        }
    }
}
