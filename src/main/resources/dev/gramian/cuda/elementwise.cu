// A function of one element of each operand: r = f(a), f(a, b) or f(a, b, c), for operands that lie anyhow.
//
// Macros: INPUTS, 1 to 3; IN_A, IN_B, IN_C and OUT, types of the elements; T, type of the constants p and q; FUNCTION,
// statements that set r from a, b, c, p and q; one of PACKED, STRIDED, TILED, the way to go over the elements; VECTOR,
// elements that `packed` handles at once. One way of one function is a program: that is what a first use compiles.
//
// Operands: their axes (the result's last), two bits of `modes` each, their addresses. An operand that is a constant
// has no memory: the first is p, the second q. flag is for functions that refuse some values: they lower it.
#include "functions.cuh"
#include "casts.cuh"

#define OPERANDS (INPUTS + 1)
#define THREADS 256

#if INPUTS < 2
typedef IN_A IN_B;
#endif
#if INPUTS < 3
typedef IN_A IN_C;
#endif

// How packed reads an operand: VECTOR elements at once, one after another, none (a constant), one for all.
#define WHOLE 0
#define SINGLE 1
#define CONSTANT 2
#define REPEATED 3
#define MODE(k) (modes >> 2 * (k) & 3)

__device__ __forceinline__ OUT apply(IN_A a, IN_B b, IN_C c, T p, T q, i64* flag) {
    OUT r;
    FUNCTION;
    return r;
}

// The constants as elements; set(x, p) does nothing for types of which there are none.
template <class E, class V> __device__ __forceinline__ void set(E&, V) {}
#ifdef CONSTANTS
__device__ __forceinline__ void set(IN_A& x, T p) { store(&x, p); }
#endif

#define OPERAND_PARAMETERS                                                                                     \
    i32 modes, const IN_A *__restrict__ in_a, const IN_B *__restrict__ in_b, const IN_C *__restrict__ in_c,    \
        OUT *__restrict__ out, T p, T q, i64 *flag

#ifdef PACKED

template <class E> __device__ __forceinline__ Pack<E, VECTOR> fetch(const E* from, i32 mode, E constant) {
    Pack<E, VECTOR> v;
    if (mode == WHOLE) {
        v = *(const Pack<E, VECTOR>*)from;
    } else if (mode == SINGLE) {
        #pragma unroll
        for (int j = 0; j < VECTOR; j++) {
            v.v[j] = from[j];
        }
    } else {
        E one = mode == CONSTANT ? constant : *from;
        #pragma unroll
        for (int j = 0; j < VECTOR; j++) {
            v.v[j] = one;
        }
    }
    return v;
}

#define PACKS (VECTOR < 8 ? 2 : 1)

// Axes in packs: the innermost is sizes and strides of VECTOR elements, which lie in a row or are one. Behind the packs
// `tail` elements more, of operands that are one row. 16 bytes of the widest operand are a pack, two packs a thread:
// enough in flight to cover memory's latency. An operand that is not aligned to packs is read element by element out of
// the first-level cache, which still keeps up with memory.
extern "C" __global__ void __launch_bounds__(THREADS)
packed(i64 packs, i32 tail, Axes<OPERANDS> axes, OPERAND_PARAMETERS) {
    IN_A p_element;
    IN_B q_element;
    set(p_element, p);
    set(q_element, q);
    i64 at[PACKS][OPERANDS];
    Pack<IN_A, VECTOR> a[PACKS];
    Pack<IN_B, VECTOR> b[PACKS];
    Pack<IN_C, VECTOR> c[PACKS];
    #pragma unroll
    for (int u = 0; u < PACKS; u++) {
        i64 i = GRID_START + u * GRID_STEP;
        if (i < packs) {
            locate(axes, i, at[u]);
            a[u] = fetch(in_a + at[u][0], MODE(0), p_element);
#if INPUTS > 1
            b[u] = fetch(in_b + at[u][1], MODE(1), q_element);
#endif
#if INPUTS > 2
            c[u] = fetch(in_c + at[u][2], MODE(2), IN_C());
#endif
        }
    }
    #pragma unroll
    for (int u = 0; u < PACKS; u++) {
        if (GRID_START + u * GRID_STEP < packs) {
            Pack<OUT, VECTOR> r;
            #pragma unroll
            for (int j = 0; j < VECTOR; j++) {
                r.v[j] = apply(a[u].v[j], b[u].v[j], c[u].v[j], p, q, flag);
            }
            OUT* to = out + at[u][INPUTS];
            if (MODE(INPUTS) == WHOLE) {
                *(Pack<OUT, VECTOR>*)to = r;
            } else {
                #pragma unroll
                for (int j = 0; j < VECTOR; j++) {
                    to[j] = r.v[j];
                }
            }
        }
    }
    if (GRID_START < tail) {
        i64 i = packs * VECTOR + GRID_START;
        #define ELEMENT(k, in, constant) (MODE(k) == CONSTANT ? constant : in[MODE(k) == REPEATED ? 0 : i])
        IN_A x = ELEMENT(0, in_a, p_element);
        IN_B y = IN_B();
        IN_C z = IN_C();
#if INPUTS > 1
        y = ELEMENT(1, in_b, q_element);
#endif
#if INPUTS > 2
        z = ELEMENT(2, in_c, IN_C());
#endif
        out[i] = apply(x, y, z, p, q, flag);
    }
}

#endif

#ifdef STRIDED

#define EACH 4

// Any axes: EACH elements a thread, neighbours in neighbouring threads.
extern "C" __global__ void __launch_bounds__(THREADS)
strided(i64 count, Axes<OPERANDS> axes, OPERAND_PARAMETERS) {
    IN_A p_element;
    IN_B q_element;
    set(p_element, p);
    set(q_element, q);
    i64 to[EACH];
    IN_A a[EACH];
    IN_B b[EACH];
    IN_C c[EACH];
    #pragma unroll
    for (int u = 0; u < EACH; u++) {
        i64 i = GRID_START + u * GRID_STEP;
        if (i < count) {
            i64 at[OPERANDS];
            locate(axes, i, at);
            a[u] = MODE(0) == CONSTANT ? p_element : in_a[at[0]];
#if INPUTS > 1
            b[u] = MODE(1) == CONSTANT ? q_element : in_b[at[1]];
#endif
#if INPUTS > 2
            c[u] = in_c[at[2]];
#endif
            to[u] = at[INPUTS];
        }
    }
    #pragma unroll
    for (int u = 0; u < EACH; u++) {
        if (GRID_START + u * GRID_STEP < count) {
            out[to[u]] = apply(a[u], b[u], c[u], p, q, flag);
        }
    }
}

#endif

#ifdef TILED

// Rows and columns of a tile: lines of 64 bytes at least, but for single bytes.
#define TILE (VECTOR >= 8 ? 64 : 32)
#define ROWS (THREADS / 32)

// A tile of elements whose columns are read without bank conflicts: lines are an odd number of words long.
template <class E> struct Tile {
    E v[TILE][TILE + (sizeof(E) < 4 ? 4 / sizeof(E) : 1)];

    // Elements (a0 + r, b0 + c) of the last axis and the one before, neighbours along the latter in neighbouring
    // threads.
    __device__ __forceinline__ void fill(const E* from, i64 step_a, i64 step_b, i64 left_a, i64 left_b) {
        #pragma unroll
        for (int r = 0; r < TILE; r += ROWS) {
            #pragma unroll
            for (int c = 0; c < TILE; c += 32) {
                int ra = r + (threadIdx.x >> 5);
                int cb = c + LANE;
                if (ra < left_a && cb < left_b) {
                    v[ra][cb] = from[ra * step_a + cb * step_b];
                }
            }
        }
    }
};

// A transposed operand or several: where the last axis takes long steps in some operand and the axis before short ones.
// Those operands go through tiles in shared memory, so that both they and the result are read and written line by line.
// Blocks: x over tiles along the last axis, y along the one before, z over the others; `tiles`: a bit for each operand
// that goes through one.
extern "C" __global__ void __launch_bounds__(THREADS)
tiled(i64 planes, i32 tiles, Axes<OPERANDS> axes, OPERAND_PARAMETERS) {
    __shared__ Tile<IN_A> tile_a;
#if INPUTS > 1
    __shared__ Tile<IN_B> tile_b;
#endif
#if INPUTS > 2
    __shared__ Tile<IN_C> tile_c;
#endif
    IN_A p_element;
    IN_B q_element;
    set(p_element, p);
    set(q_element, q);
    int last = (int)axes.rank - 1;
    i64 size_a = axes.size[last];
    i64 size_b = axes.size[last - 1];
    #define STEP_A(k) axes.stride[k][last]
    #define STEP_B(k) axes.stride[k][last - 1]
    i64 a0 = (i64)blockIdx.x * TILE;
    for (i64 plane = blockIdx.z; plane < planes; plane += gridDim.z) {
        for (i64 b0 = (i64)blockIdx.y * TILE; b0 < size_b; b0 += (i64)gridDim.y * TILE) {
            i64 at[OPERANDS];
            locate(axes, last - 1, plane, at);
            #pragma unroll
            for (int k = 0; k < OPERANDS; k++) {
                at[k] += a0 * STEP_A(k) + b0 * STEP_B(k);
            }
            i64 left_a = size_a - a0;
            i64 left_b = size_b - b0;
            if (tiles & 1) {
                tile_a.fill(in_a + at[0], STEP_A(0), STEP_B(0), left_a, left_b);
            }
#if INPUTS > 1
            if (tiles & 2) {
                tile_b.fill(in_b + at[1], STEP_A(1), STEP_B(1), left_a, left_b);
            }
#endif
#if INPUTS > 2
            if (tiles & 4) {
                tile_c.fill(in_c + at[2], STEP_A(2), STEP_B(2), left_a, left_b);
            }
#endif
            __syncthreads();
            #pragma unroll
            for (int r = 0; r < TILE; r += ROWS) {
                #pragma unroll
                for (int c = 0; c < TILE; c += 32) {
                    int rb = r + (threadIdx.x >> 5);
                    int ca = c + LANE;
                    if (rb < left_b && ca < left_a) {
                        #define OF(k, in, tile, constant)                                                   \
                            (tiles >> k & 1         ? tile.v[ca][rb]                                        \
                             : MODE(k) == CONSTANT ? constant                                               \
                                                   : in[at[k] + ca * STEP_A(k) + rb * STEP_B(k)])
                        IN_A x = OF(0, in_a, tile_a, p_element);
                        IN_B y = IN_B();
                        IN_C z = IN_C();
#if INPUTS > 1
                        y = OF(1, in_b, tile_b, q_element);
#endif
#if INPUTS > 2
                        z = tiles & 4 ? tile_c.v[ca][rb] : in_c[at[2] + ca * STEP_A(2) + rb * STEP_B(2)];
#endif
                        out[at[INPUTS] + ca * STEP_A(INPUTS) + rb * STEP_B(INPUTS)] =
                            apply(x, y, z, p, q, flag);
                    }
                }
            }
            __syncthreads();
        }
    }
}

#endif
