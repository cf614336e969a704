// Softmax, or its logarithm, along columns that lie side by side: neighbouring threads take neighbouring columns and
// hold them in registers. Macros: ELEMENT; LOG, 0 or 1; COUNT elements to a thread; blocks have at most BOUND threads.
//
// count columns (axes: x, out) of n elements, step_x and step_out apart. A block is across columns by down threads to
// a column, which take every down-th element: n <= down * COUNT.

typedef Compute<ELEMENT>::type C;

// Op over the threads of a column; shared: a place for a value of every thread.
template <class Op> __device__ __forceinline__ C column_all(C x, int across, int down, C* shared) {
    if (down > 1) {
        shared[threadIdx.x] = x;
        __syncthreads();
        for (int half = down >> 1; half > 0; half >>= 1) {
            if (threadIdx.x < half * across) {
                shared[threadIdx.x] = Op::of(shared[threadIdx.x], shared[threadIdx.x + half * across]);
            }
            __syncthreads();
        }
        x = shared[threadIdx.x & (across - 1)];
        __syncthreads();
    }
    return x;
}

extern "C" __global__ void __launch_bounds__(BOUND, 1)
    columns(const ELEMENT* x, i64 count, Axes<2> axes, int n, i64 step_x, i64 step_out, int across, int down,
            ELEMENT* out) {
    __shared__ C shared[BOUND];
    int y = threadIdx.x / across;
    for (i64 base = (i64)blockIdx.x * across; base < count; base += (i64)gridDim.x * across) {
        i64 column = base + (threadIdx.x & (across - 1));
        int m = column < count ? n : 0;
        i64 at[2];
        locate(axes, column < count ? column : 0, at);
        const ELEMENT* from = x + at[0] + y * step_x;
        C v[COUNT];
        C top = -INFINITY;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (i * down + y < m) {
                v[i] = load(*from);
                top = maximum(top, v[i]);
            }
            from += down * step_x;
        }
        top = column_all<Largest>(top, across, down, shared);
        C sum = 0;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (i * down + y < m) {
                C e = exp(v[i] - top);
                sum += e;
                v[i] = LOG ? v[i] : e;
            }
        }
        sum = column_all<Sum>(sum, across, down, shared);
        if (!(top - top == 0)) {
            sum = top - top;  // as for rows
        }
        C by = LOG ? log(sum) : 1 / sum;
        ELEMENT* to = out + at[1] + y * step_out;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (i * down + y < m) {
                store(to, LOG ? v[i] - top - by : v[i] * by);
            }
            to += down * step_out;
        }
    }
}
