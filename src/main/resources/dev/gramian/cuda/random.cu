// Random numbers by counter: core/Philox, operation for operation, so that every device draws the same bits. Products
// and sums are written as functions, which the compiler does not fuse.
//
// Macros: OUT, type of the elements; ROUNDED, the float type that UNIFORM rounds to; DRAW, one of UNIFORM, NORMAL,
// INTEGERS, which are drawn, and DROPOUT, which OUT F32 or F64 undergoes.
#include "casts.cuh"

#define UNIFORM 0
#define NORMAL 1
#define INTEGERS 2
#define DROPOUT 3

// ---- bits
// ------------------------------------------------------------------------------------------------------------

// The 64 random bits of elements 2c and 2c + 1.
__device__ __forceinline__ void random_bits(u64 seed, u64 c, u64 (&bits)[2]) {
    u32 c0 = (u32)c;
    u32 c1 = (u32)(c >> 32);
    u32 c2 = 0;
    u32 c3 = 0;
    u32 k0 = (u32)seed;
    u32 k1 = (u32)(seed >> 32);
    #pragma unroll
    for (int round = 0; round < 10; round++) {
        u64 p0 = (u64)0xD2511F53u * c0;
        u64 p1 = (u64)0xCD9E8D57u * c2;
        c0 = (u32)(p1 >> 32) ^ c1 ^ k0;
        c1 = (u32)p1;
        c2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c3 = (u32)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    bits[0] = (u64)c1 << 32 | c0;
    bits[1] = (u64)c3 << 32 | c2;
}

// The top 53 bits times 2^-53: exact.
__device__ __forceinline__ f64 unit(u64 bits) { return (f64)(i64)(bits >> 11) * 0x1p-53; }

// a b + c, rounded twice.
__device__ __forceinline__ f64 step(f64 a, f64 b, f64 c) { return __dadd_rn(__dmul_rn(a, b), c); }

// ---- uniform
// ---------------------------------------------------------------------------------------------------------

__device__ __forceinline__ f64 uniform(u64 bits, f64 a, f64 b) {
    f64 u = unit(bits);
    f64 range = b - a;
    return fabs(range) == INFINITE_F64 ? __dadd_rn(__dmul_rn(a, 1 - u), __dmul_rn(b, u)) : step(range, u, a);
}

__device__ __forceinline__ f64 next_up(f64 x) {
    return x == 0 ? 0x0.0000000000001p-1022
        : x != x || x == INFINITE_F64 ? x : __longlong_as_double(__double_as_longlong(x) + (x > 0 ? 1 : -1));
}

__device__ __forceinline__ f32 next_down(f32 x) {
    return x == 0 ? -0x0.000002p-126f
        : x != x || x == -INFINITE_F32 ? x : __int_as_float(__float_as_int(x) + (x > 0 ? -1 : 1));
}

__device__ __forceinline__ f64 rounded(f64, f64 x) { return x; }
__device__ __forceinline__ f64 rounded(f32, f64 x) { return (f32)x; }
__device__ __forceinline__ f64 rounded(f16, f64 x) { return widen(narrow_f16(x)); }
__device__ __forceinline__ f64 rounded(bf16, f64 x) { return widen(narrow_bf16(x)); }

__device__ __forceinline__ f64 below(f32, f64 b) {
    f32 f = (f32)b;
    return f < b ? f : next_down(f);
}
__device__ __forceinline__ f64 above(f32 t, f64 a) { return -below(t, -a); }
__device__ __forceinline__ f64 above(f64, f64 a) { return next_up(a); }
__device__ __forceinline__ f64 below(f64, f64 b) { return -next_up(-b); }

// The smallest value of a half type greater than a. Bits of one sign are ordered as magnitudes are; -0 steps to the
// smallest positive.
template <class H> __device__ __forceinline__ f64 above(H t, f64 a) {
    store(&t, a);
    f64 r = widen(t);
    if (r > a) {
        return r;
    }
    t.bits = (u16)(r == 0 ? 1 : r > 0 ? t.bits + 1 : t.bits - 1);
    return widen(t);
}
template <class H> __device__ __forceinline__ f64 below(H t, f64 b) { return -above(t, -b); }

// x from [a, b) as a value of the type in [a, b), or next to a where the type has none there.
template <class E> __device__ __forceinline__ f64 within(E type, f64 x, f64 a, f64 b) {
    f64 r = rounded(type, x);
    if (r >= b) {
        r = below(type, b);
    }
    return r < a ? above(type, r) : r;
}

// ---- normal
// ----------------------------------------------------------------------------------------------------------

__device__ __forceinline__ f64 natural_log(f64 w) {
    i64 bits = __double_as_longlong(w);
    i64 e = (bits - 0x3fe6a09e667f3bcdLL) >> 52;
    f64 f = __longlong_as_double(bits - (i64)((u64)e << 52)) - 1;
    f64 s = f / (2 + f);
    f64 z = __dmul_rn(s, s);
    f64 r = 2.0 / 21;
    r = step(r, z, 2.0 / 19);
    r = step(r, z, 2.0 / 17);
    r = step(r, z, 2.0 / 15);
    r = step(r, z, 2.0 / 13);
    r = step(r, z, 2.0 / 11);
    r = step(r, z, 2.0 / 9);
    r = step(r, z, 2.0 / 7);
    r = step(r, z, 2.0 / 5);
    r = step(r, z, 2.0 / 3);
    f64 low = __dadd_rn(f, -__dmul_rn(r, z));
    low = __dadd_rn(__dmul_rn(s, low), -__dmul_rn((f64)e, 0x1.a39ef35793c76p-33));
    return __dadd_rn(__dmul_rn((f64)e, 0x1.62e42feep-1), -__dadd_rn(low, -f));
}

__device__ __forceinline__ f64 sin_quarter(f64 f) {
    f64 z = __dmul_rn(f, f);
    f64 p = 6.0669357311061955e-12;
    p = step(p, z, -6.688035109811468e-10);
    p = step(p, z, 5.692172921967927e-8);
    p = step(p, z, -3.598843235212085e-6);
    p = step(p, z, 1.6044118478735983e-4);
    p = step(p, z, -4.681754135318688e-3);
    p = step(p, z, 7.969262624616705e-2);
    p = step(p, z, -0.6459640975062463);
    p = step(p, z, 6.123233995736766e-17);
    return __dadd_rn(__dmul_rn(f, p), __dmul_rn(f, 1.5707963267948966));
}

__device__ __forceinline__ f64 cos_quarter(f64 f) {
    f64 z = __dmul_rn(f, f);
    f64 p = 6.565963114979473e-11;
    p = step(p, z, -6.386603083791852e-9);
    p = step(p, z, 4.710874778818172e-7);
    p = step(p, z, -2.5202042373060607e-5);
    p = step(p, z, 9.192602748394266e-4);
    p = step(p, z, -2.086348076335296e-2);
    p = step(p, z, 0.25366950790104803);
    p = step(p, z, -1.2337005501361697);
    return step(p, z, 1);
}

__device__ __forceinline__ void normal(const u64 (&bits)[2], f64 mean, f64 deviation, f64 (&v)[2]) {
    f64 r = __dmul_rn(deviation, sqrt(__dmul_rn(-2, natural_log(1 - unit(bits[0])))));
    i64 turn = (i64)(bits[1] >> 11);
    i64 q = (turn + (1LL << 50)) >> 51;
    f64 f = (f64)(turn - (q << 51)) * 0x1p-51;
    f64 sine = sin_quarter(f);
    f64 cosine = cos_quarter(f);
    f64 x = q & 1 ? sine : cosine;
    f64 y = q & 1 ? cosine : sine;
    v[0] = step(r, q + 1 & 2 ? -x : x, mean);
    v[1] = step(r, q & 2 ? -y : y, mean);
}

// ---- kernel
// ----------------------------------------------------------------------------------------------------------

#if DRAW != DROPOUT

// A pair of elements a thread. a and b as in Philox; low and range for INTEGERS, range unsigned.
extern "C" __global__ void draw(i64 count, u64 seed, f64 a, f64 b, i64 low, u64 range, OUT* out) {
    for (i64 c = GRID_START; 2 * c < count; c += GRID_STEP) {
        u64 bits[2];
        random_bits(seed, c, bits);
        Pack<OUT, 2> pair;
#if DRAW == UNIFORM
        convert(&pair.v[0], within(ROUNDED(), uniform(bits[0], a, b), a, b));
        convert(&pair.v[1], within(ROUNDED(), uniform(bits[1], a, b), a, b));
#elif DRAW == NORMAL
        f64 v[2];
        normal(bits, a, b, v);
        convert(&pair.v[0], v[0]);
        convert(&pair.v[1], v[1]);
#else
        convert(&pair.v[0], (i64)((u64)low + __umul64hi(bits[0], range)));
        convert(&pair.v[1], (i64)((u64)low + __umul64hi(bits[1], range)));
#endif
        if (2 * c + 1 < count) {
            ((Pack<OUT, 2>*)out)[c] = pair;
        } else {
            out[2 * c] = pair.v[0];
        }
    }
}

#else

// An element a thread. Its random number is the one of index number + its offset along the axes.
extern "C" __global__ void dropout(i64 count, u64 seed, f32 p, f64 factor, i64 number, Axes<2> axes, const OUT* x,
                                   OUT* out) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 at[2];
        locate(axes, i, at);
        i64 n = number + at[1];
        u64 bits[2];
        random_bits(seed, (u64)n >> 1, bits);
        bool kept = within(f32(), uniform(n & 1 ? bits[1] : bits[0], 0, 1), 0, 1) >= p;
        out[i] = kept ? x[at[0]] * (OUT)factor : OUT(0);
    }
}

#endif
