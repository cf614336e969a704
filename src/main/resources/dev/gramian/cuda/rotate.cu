// Rotary position embedding: pairs (a, b) of channels become (a cos - b sin, b cos + a sin), the channels after them
// stay. Macros: ELEMENT; TABLE, its compute type; INTERLEAVED, 1 where a pair is channels 2i and 2i + 1, 0 where it is
// i and i + pairs; WIDTH pairs are turned at once: where that is more than 1 all sizes and steps between rows are
// multiples of it, and rows have no gaps.
//
// count rows (axes: x, cos, sin, out) of channels elements, of the result without gaps. A row is units pieces of work:
// WIDTH pairs each, then WIDTH channels that stay each.
//
// Products round before they are added, so that every device gives the same bits.

typedef TABLE C;

__device__ __forceinline__ f32 product(f32 x, f32 y) { return __fmul_rn(x, y); }
__device__ __forceinline__ f64 product(f64 x, f64 y) { return __dmul_rn(x, y); }
__device__ __forceinline__ f32 sum(f32 x, f32 y) { return __fadd_rn(x, y); }
__device__ __forceinline__ f64 sum(f64 x, f64 y) { return __dadd_rn(x, y); }

__device__ __forceinline__ void turn(ELEMENT a, ELEMENT b, C c, C s, ELEMENT* to_a, ELEMENT* to_b) {
    store(to_a, sum(product(load(a), c), -product(load(b), s)));
    store(to_b, sum(product(load(b), c), product(load(a), s)));
}

// N elements, step apart; by vectors of at most 16 bytes where WIDTH > 1.
template <class T, int N> struct Some {
    T v[N];
    static constexpr int AT_ONCE = WIDTH == 1 ? 1 : N < 16 / (int)sizeof(T) ? N : 16 / (int)sizeof(T);
    __device__ __forceinline__ void read(const T* p, i64 step) {
#pragma unroll
        for (int k = 0; k < N; k += AT_ONCE) {
            Pack<T, AT_ONCE> x = *(const Pack<T, AT_ONCE>*)(p + (WIDTH > 1 ? k : k * step));
#pragma unroll
            for (int j = 0; j < AT_ONCE; j++) {
                v[k + j] = x.v[j];
            }
        }
    }
    __device__ __forceinline__ void write(T* p) const {
#pragma unroll
        for (int k = 0; k < N; k += AT_ONCE) {
            Pack<T, AT_ONCE> x;
#pragma unroll
            for (int j = 0; j < AT_ONCE; j++) {
                x.v[j] = v[k + j];
            }
            *(Pack<T, AT_ONCE>*)(p + k) = x;
        }
    }
};

extern "C" __global__ void __launch_bounds__(256)
    rotate(const ELEMENT* x, const C* cosines, const C* sines, i64 count, Axes<4> axes, i64 pairs, i64 step_x,
           i64 step_cos, i64 step_sin, i64 units, u64 by_units, ELEMENT* out) {
    for (i64 i = GRID_START; i < count * units; i += GRID_STEP) {
        i64 row = quotient(i, units, by_units);
        i64 j = (i - row * units) * WIDTH;
        i64 at[4];
        locate(axes, row, at);
        const ELEMENT* from = x + at[0];
        ELEMENT* to = out + at[3];
        if (j >= pairs) {
            Some<ELEMENT, WIDTH> rest;
            rest.read(from + (j + pairs) * step_x, step_x);
            rest.write(to + j + pairs);
            continue;
        }
        Some<C, WIDTH> c, s;
        c.read(cosines + at[1] + j * step_cos, step_cos);
        s.read(sines + at[2] + j * step_sin, step_sin);
        if (INTERLEAVED) {
            Some<ELEMENT, 2 * WIDTH> v, y;
            v.read(from + 2 * j * step_x, step_x);
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                turn(v.v[2 * k], v.v[2 * k + 1], c.v[k], s.v[k], &y.v[2 * k], &y.v[2 * k + 1]);
            }
            y.write(to + 2 * j);
        } else {
            Some<ELEMENT, WIDTH> a, b, y, z;
            a.read(from + j * step_x, step_x);
            b.read(from + (j + pairs) * step_x, step_x);
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                turn(a.v[k], b.v[k], c.v[k], s.v[k], &y.v[k], &z.v[k]);
            }
            y.write(to + j);
            z.write(to + j + pairs);
        }
    }
}
