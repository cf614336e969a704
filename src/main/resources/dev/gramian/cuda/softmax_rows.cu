// Softmax, or its logarithm, along rows that a group of threads holds in registers: read once, written once. Macros:
// ELEMENT; LOG, 0 or 1; WIDTH elements are read at once, COUNT such vectors to a thread, blocks have at most BOUND
// threads.
//
// count rows (axes: x, out) of n elements, step_x and step_out apart, both 1 where WIDTH > 1. A group is threads
// threads: of a warp, or the block. n <= threads * COUNT * WIDTH.
//
// Half types stay packed in registers and their exponentials are taken twice; keeping them in F32 would take twice the
// registers and halve the longest row.

typedef Compute<ELEMENT>::type C;
typedef Pack<ELEMENT, WIDTH> Vector;

// What a thread keeps of an element between its passes: the exponential, where it has room and is wanted.
__device__ __forceinline__ void keep(f64* x, f64 e) { *x = e; }
__device__ __forceinline__ void keep(f32* x, f32 e) { *x = e; }
__device__ __forceinline__ void keep(f16*, f32) {}
__device__ __forceinline__ void keep(bf16*, f32) {}
__device__ __forceinline__ f64 kept(f64 x, f64) { return x; }
__device__ __forceinline__ f32 kept(f32 x, f32) { return x; }
__device__ __forceinline__ f32 kept(f16 x, f32 top) { return exp(load(x) - top); }
__device__ __forceinline__ f32 kept(bf16 x, f32 top) { return exp(load(x) - top); }

extern "C" __global__ void __launch_bounds__(BOUND, 1)
    rows(const ELEMENT* x, i64 count, Axes<2> axes, int n, i64 step_x, i64 step_out, int threads, ELEMENT* out) {
    __shared__ C shared[2][32];
    int lane = threadIdx.x & (threads - 1);
    int groups = blockDim.x / threads;
    for (i64 base = (i64)blockIdx.x * groups; base < count; base += (i64)gridDim.x * groups) {
        i64 row = base + threadIdx.x / threads;
        int m = row < count ? n : 0;
        i64 at[2];
        locate(axes, row < count ? row : 0, at);
        int first = lane * WIDTH;
        int step = threads * WIDTH;
        const ELEMENT* from = x + at[0] + first * step_x;
        Vector v[COUNT];
        C top = -INFINITY;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (first + i * step < m) {
                v[i] = *(const Vector*)from;
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    top = maximum(top, load(v[i].v[k]));
                }
            }
            from += step * step_x;
        }
        top = group_all<Largest>(top, threads, shared[0]);
        C sum = 0;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            C part = 0;
            if (first + i * step < m) {
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    C e = exp(load(v[i].v[k]) - top);
                    part += e;
                    if (!LOG) {
                        keep(&v[i].v[k], e);
                    }
                }
            }
            sum += part;
        }
        sum = group_all<Sum>(sum, threads, shared[1]);
        if (!(top - top == 0)) {
            sum = top - top;  // a row with NaN or +inf, and one of -inf alone, has no softmax: NaN throughout
        }
        C by = LOG ? log(sum) : 1 / sum;
        ELEMENT* to = out + at[1] + first * step_out;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (first + i * step < m) {
                Vector y;
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    // two subtractions: a large top must not swallow the logarithm
                    store(&y.v[k], LOG ? load(v[i].v[k]) - top - by : kept(v[i].v[k], top) * by);
                }
                *(Vector*)to = y;
            }
            to += step * step_out;
        }
    }
}
