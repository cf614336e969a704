// Before every kernel: element types, arithmetic types and conversions between them. Inline PTX stands here and nowhere
// else, each with plain C++ beside it for the emulation on which the tests run where there is no GPU.

typedef double f64;
typedef float f32;
typedef long long i64;
typedef int i32;
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;

struct f16 { u16 bits; };
struct bf16 { u16 bits; };
struct b8 { u8 value; };  // BOOL: 0 or 1

#define INFINITE_F32 __int_as_float(0x7f800000)
#define INFINITE_F64 __longlong_as_double(0x7ff0000000000000LL)
#define NAN_F32 __int_as_float(0x7fc00000)
#define NAN_F64 __longlong_as_double(0x7ff8000000000000LL)
#ifndef INFINITY
#define INFINITY INFINITE_F32
#endif

// ---- half types
// ------------------------------------------------------------------------------------------------------

#ifdef GRAMIAN_EMULATED

__device__ __forceinline__ f32 widen(f16 h) {
    u32 sign = (u32)(h.bits & 0x8000u) << 16;
    u32 magnitude = h.bits & 0x7fffu;
    if (magnitude >= 0x7c00u) {  // inf, NaN
        return __uint_as_float(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    }
    f32 m = magnitude < 0x400u ? (f32)magnitude * 5.9604644775390625e-8f  // subnormal: times 2^-24
                               : __uint_as_float((magnitude << 13) + 0x38000000u);
    return __uint_as_float(__float_as_uint(m) | sign);
}

__device__ __forceinline__ f16 narrow_f16(f32 x) {
    u32 u = __float_as_uint(x);
    u32 sign = u >> 16 & 0x8000u;
    u32 m = u & 0x7fffffffu;
    f16 r;
    if (m > 0x7f800000u) {
        r.bits = 0x7fff;  // as cvt.rn.f16.f32 has it
    } else if (m >= 0x477ff000u) {  // 65520 and more round to inf
        r.bits = (u16)(sign | 0x7c00u);
    } else if (m >= 0x38800000u) {
        u32 odd = m >> 13 & 1u;
        r.bits = (u16)(sign | ((m + 0xfffu + odd - 0x38000000u) >> 13));
    } else {  // subnormal: adding 0.5 rounds to a multiple of 2^-24
        f32 t = __uint_as_float(m) + 0.5f;
        r.bits = (u16)(sign | (__float_as_uint(t) - 0x3f000000u));
    }
    return r;
}

__device__ __forceinline__ bf16 narrow_bf16(f32 x) {
    u32 u = __float_as_uint(x);
    bf16 r;
    r.bits = (u & 0x7fffffffu) > 0x7f800000u ? (u16)0x7fff : (u16)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
    return r;
}

#else

__device__ __forceinline__ f32 widen(f16 h) {
    f32 r;
    asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(h.bits));
    return r;
}

__device__ __forceinline__ f16 narrow_f16(f32 x) {
    f16 r;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
    return r;
}

__device__ __forceinline__ bf16 narrow_bf16(f32 x) {
    bf16 r;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
#else
    u32 u = __float_as_uint(x);
    r.bits = (u & 0x7fffffffu) > 0x7f800000u ? (u16)0x7fff : (u16)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
#endif
    return r;
}

#endif

__device__ __forceinline__ f32 widen(bf16 h) { return __uint_as_float((u32)h.bits << 16); }

// To odd in the last place where inexact: rounded again, to half of the digits or fewer, it gives what x would.
__device__ __forceinline__ f32 narrow_to_odd(f64 x) {
    f32 r = (f32)x;
    u32 u = __float_as_uint(r);
    if (fabs((f64)r) > fabs(x)) {
        u--;
    }
    return (f64)__uint_as_float(u) == x ? r : __uint_as_float(u | 1u);
}

__device__ __forceinline__ f16 narrow_f16(f64 x) { return narrow_f16(narrow_to_odd(x)); }
__device__ __forceinline__ bf16 narrow_bf16(f64 x) { return narrow_bf16(narrow_to_odd(x)); }

// ---- arithmetic types
// ------------------------------------------------------------------------------------------------

// Compute<T>::type is what arithmetic on T is done in: F32 for half types, long long for integers and BOOL.
template <class T> struct Compute { typedef i64 type; };
template <> struct Compute<f64> { typedef f64 type; };
template <> struct Compute<f32> { typedef f32 type; };
template <> struct Compute<f16> { typedef f32 type; };
template <> struct Compute<bf16> { typedef f32 type; };

// load(x): an element as its compute type.
__device__ __forceinline__ f64 load(f64 x) { return x; }
__device__ __forceinline__ f32 load(f32 x) { return x; }
__device__ __forceinline__ f32 load(f16 x) { return widen(x); }
__device__ __forceinline__ f32 load(bf16 x) { return widen(x); }
__device__ __forceinline__ i64 load(i64 x) { return x; }
__device__ __forceinline__ i64 load(i32 x) { return x; }
__device__ __forceinline__ i64 load(u8 x) { return x; }
__device__ __forceinline__ i64 load(b8 x) { return x.value != 0; }

// store(p, x): a value of the compute type (or bool, or F64 for any float) to an element: rounded once to nearest even,
// integers wrapped to the type's width, BOOL by its lowest bit.
__device__ __forceinline__ void store(f64* p, f64 x) { *p = x; }
__device__ __forceinline__ void store(f32* p, f32 x) { *p = x; }
__device__ __forceinline__ void store(f32* p, f64 x) { *p = (f32)x; }
__device__ __forceinline__ void store(f16* p, f32 x) { *p = narrow_f16(x); }
__device__ __forceinline__ void store(f16* p, f64 x) { *p = narrow_f16(x); }
__device__ __forceinline__ void store(bf16* p, f32 x) { *p = narrow_bf16(x); }
__device__ __forceinline__ void store(bf16* p, f64 x) { *p = narrow_bf16(x); }
__device__ __forceinline__ void store(i64* p, i64 x) { *p = x; }
__device__ __forceinline__ void store(i32* p, i64 x) { *p = (i32)x; }
__device__ __forceinline__ void store(u8* p, i64 x) { *p = (u8)x; }
__device__ __forceinline__ void store(b8* p, i64 x) { p->value = (u8)(x & 1); }

// ---- vectors
// ---------------------------------------------------------------------------------------------------------

// N elements read or written at once, at an address that is a multiple of their size; 16 bytes are the most.
template <class T, int N> struct alignas(sizeof(T) * N) Pack { T v[N]; };

// ---- largest and smallest
// --------------------------------------------------------------------------------------------

// NaN if either is NaN; 0.0 is above -0.0. Equal numbers differ in no other bit than a zero's sign.
__device__ __forceinline__ f64 maximum(f64 a, f64 b) {
    return a != a || b < a ? a
        : a == b ? __longlong_as_double(__double_as_longlong(a) & __double_as_longlong(b)) : b;
}

__device__ __forceinline__ f64 minimum(f64 a, f64 b) {
    return a != a || a < b ? a
        : a == b ? __longlong_as_double(__double_as_longlong(a) | __double_as_longlong(b)) : b;
}

#if !defined(GRAMIAN_EMULATED) && __CUDA_ARCH__ >= 800

__device__ __forceinline__ f32 maximum(f32 a, f32 b) {
    f32 r;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
    return r;
}

__device__ __forceinline__ f32 minimum(f32 a, f32 b) {
    f32 r;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
    return r;
}

#else

__device__ __forceinline__ f32 maximum(f32 a, f32 b) {
    return a != a || b < a ? a : a == b ? __int_as_float(__float_as_int(a) & __float_as_int(b)) : b;
}

__device__ __forceinline__ f32 minimum(f32 a, f32 b) {
    return a != a || a < b ? a : a == b ? __int_as_float(__float_as_int(a) | __float_as_int(b)) : b;
}

#endif

__device__ __forceinline__ i64 maximum(i64 a, i64 b) { return a > b ? a : b; }
__device__ __forceinline__ i64 minimum(i64 a, i64 b) { return a < b ? a : b; }
