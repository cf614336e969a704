// Layer and RMS norm of rows that a group of threads holds in registers: read once, written once. Macros: as
// normalize.cuh; WIDTH elements are read at once, COUNT such vectors to a thread; blocks have at most BOUND threads.
//
// count rows (x_rows: x; results follow one another) of n elements (axes: x, weight, bias, without gaps where WIDTH >
// 1). A group is threads threads: of a warp, or the block. n <= threads * COUNT * WIDTH. weight and bias may be null.
#include "normalize.cuh"

typedef Pack<ELEMENT, WIDTH> Vector;

// Where element j of a row lies. Without gaps nothing is to be looked up.
struct Place {
    i64 at[3];
    __device__ __forceinline__ Place(const Axes<3>& axes, int j) {
        if (WIDTH > 1) {
            at[0] = at[1] = at[2] = j;
        } else {
            locate(axes, (u32)j, at);
        }
    }
};

extern "C" __global__ void __launch_bounds__(BOUND, 1)
    rows(const ELEMENT* x, const ELEMENT* weight, const ELEMENT* bias, i64 count, Axes<1> x_rows, int n, Axes<3> axes,
         f64 eps, int threads, ELEMENT* out) {
    __shared__ f64 shared[2][32];
    int lane = threadIdx.x & (threads - 1);
    int groups = blockDim.x / threads;
    int first = lane * WIDTH;
    int step = threads * WIDTH;
    for (i64 base = (i64)blockIdx.x * groups; base < count; base += (i64)gridDim.x * groups) {
        i64 r = base + threadIdx.x / threads;
        int m = r < count ? n : 0;
        i64 at[1];
        locate(x_rows, r < count ? r : 0, at);
        const ELEMENT* from = x + at[0];
        Vector v[COUNT];
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int j = first + i * step;
            if (j < m) {
                v[i] = *(const Vector*)(from + Place(axes, j).at[0]);
            }
        }
        Norm norm;
        if (CENTER) {
            f64 sum = 0;
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                if (first + i * step < m) {
#pragma unroll
                    for (int k = 0; k < WIDTH; k++) {
                        sum += (f64)load(v[i].v[k]);
                    }
                }
            }
            norm.mean(group_all<Sum>(sum, threads, shared[0]) / n);
        }
        f64 squares = 0;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (first + i * step < m) {
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    f64 d = (f64)norm.distance(load(v[i].v[k]));
                    squares += d * d;
                }
            }
        }
        norm.variance(group_all<Sum>(squares, threads, shared[1]) / n, eps);
        if (!CENTER && threads > 32) {
            __syncthreads();  // with one sum to a row its place would be written again too early
        }
        ELEMENT* to = out + r * n;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int j = first + i * step;
            if (j < m) {
                Place place(axes, j);
                Vector w, b, y;
                if (weight) {
                    w = *(const Vector*)(weight + place.at[1]);
                }
                if (bias) {
                    b = *(const Vector*)(bias + place.at[2]);
                }
#pragma unroll
                for (int k = 0; k < WIDTH; k++) {
                    C t = norm.of(load(v[i].v[k]));
                    t = weight ? t * load(w.v[k]) : t;
                    t = bias ? t + load(b.v[k]) : t;
                    store(&y.v[k], t);
                }
                *(Vector*)(to + j) = y;
            }
        }
    }
}
