// Before the second pass over kernel text: what NVRTC knows without any header, for the host. Compiled once, into a
// precompiled header; hence no header of the C++ library.
#pragma GCC system_header
#include "abi.h"

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef long clock_t;

#define __emu_global__ __attribute__((externally_visible, visibility("default"), noinline))
#define __emu_device__
#define __emu_variable__ __attribute__((externally_visible, visibility("default"), section(".emu_device")))
#define __emu_constant__ __attribute__((externally_visible, visibility("default"), section(".emu_device")))
// Plain static storage: all of .bss is shared memory. What is not shared is kept out of it.
#define __emu_shared__ static
#define __emu_bounds__(...)
#define EMU __attribute__((always_inline)) static inline

extern "C" {
emu_state emu_here __attribute__((externally_visible, visibility("default"), section(".emu_state"))) = {};
}

// ---- Vector types ----------------------------------------------------------------------------------------------------

struct alignas(1) char1 { signed char x; };
EMU char1 make_char1(signed char x) { return {x}; }
struct alignas(2) char2 { signed char x, y; };
EMU char2 make_char2(signed char x, signed char y) { return {x, y}; }
struct alignas(1) char3 { signed char x, y, z; };
EMU char3 make_char3(signed char x, signed char y, signed char z) { return {x, y, z}; }
struct alignas(4) char4 { signed char x, y, z, w; };
EMU char4 make_char4(signed char x, signed char y, signed char z, signed char w) { return {x, y, z, w}; }
struct alignas(1) uchar1 { unsigned char x; };
EMU uchar1 make_uchar1(unsigned char x) { return {x}; }
struct alignas(2) uchar2 { unsigned char x, y; };
EMU uchar2 make_uchar2(unsigned char x, unsigned char y) { return {x, y}; }
struct alignas(1) uchar3 { unsigned char x, y, z; };
EMU uchar3 make_uchar3(unsigned char x, unsigned char y, unsigned char z) { return {x, y, z}; }
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
EMU uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) { return {x, y, z, w}; }
struct alignas(2) short1 { short x; };
EMU short1 make_short1(short x) { return {x}; }
struct alignas(4) short2 { short x, y; };
EMU short2 make_short2(short x, short y) { return {x, y}; }
struct alignas(2) short3 { short x, y, z; };
EMU short3 make_short3(short x, short y, short z) { return {x, y, z}; }
struct alignas(8) short4 { short x, y, z, w; };
EMU short4 make_short4(short x, short y, short z, short w) { return {x, y, z, w}; }
struct alignas(2) ushort1 { unsigned short x; };
EMU ushort1 make_ushort1(unsigned short x) { return {x}; }
struct alignas(4) ushort2 { unsigned short x, y; };
EMU ushort2 make_ushort2(unsigned short x, unsigned short y) { return {x, y}; }
struct alignas(2) ushort3 { unsigned short x, y, z; };
EMU ushort3 make_ushort3(unsigned short x, unsigned short y, unsigned short z) { return {x, y, z}; }
struct alignas(8) ushort4 { unsigned short x, y, z, w; };
EMU ushort4 make_ushort4(unsigned short x, unsigned short y, unsigned short z, unsigned short w) { return {x, y, z, w}; }
struct alignas(4) int1 { int x; };
EMU int1 make_int1(int x) { return {x}; }
struct alignas(8) int2 { int x, y; };
EMU int2 make_int2(int x, int y) { return {x, y}; }
struct alignas(4) int3 { int x, y, z; };
EMU int3 make_int3(int x, int y, int z) { return {x, y, z}; }
struct alignas(16) int4 { int x, y, z, w; };
EMU int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
struct alignas(4) uint1 { unsigned int x; };
EMU uint1 make_uint1(unsigned int x) { return {x}; }
struct alignas(8) uint2 { unsigned int x, y; };
EMU uint2 make_uint2(unsigned int x, unsigned int y) { return {x, y}; }
struct alignas(4) uint3 { unsigned int x, y, z; };
EMU uint3 make_uint3(unsigned int x, unsigned int y, unsigned int z) { return {x, y, z}; }
struct alignas(16) uint4 { unsigned int x, y, z, w; };
EMU uint4 make_uint4(unsigned int x, unsigned int y, unsigned int z, unsigned int w) { return {x, y, z, w}; }
struct alignas(8) long1 { long x; };
EMU long1 make_long1(long x) { return {x}; }
struct alignas(16) long2 { long x, y; };
EMU long2 make_long2(long x, long y) { return {x, y}; }
struct alignas(8) long3 { long x, y, z; };
EMU long3 make_long3(long x, long y, long z) { return {x, y, z}; }
struct alignas(16) long4 { long x, y, z, w; };
EMU long4 make_long4(long x, long y, long z, long w) { return {x, y, z, w}; }
struct alignas(8) ulong1 { unsigned long x; };
EMU ulong1 make_ulong1(unsigned long x) { return {x}; }
struct alignas(16) ulong2 { unsigned long x, y; };
EMU ulong2 make_ulong2(unsigned long x, unsigned long y) { return {x, y}; }
struct alignas(8) ulong3 { unsigned long x, y, z; };
EMU ulong3 make_ulong3(unsigned long x, unsigned long y, unsigned long z) { return {x, y, z}; }
struct alignas(16) ulong4 { unsigned long x, y, z, w; };
EMU ulong4 make_ulong4(unsigned long x, unsigned long y, unsigned long z, unsigned long w) { return {x, y, z, w}; }
struct alignas(8) longlong1 { long long x; };
EMU longlong1 make_longlong1(long long x) { return {x}; }
struct alignas(16) longlong2 { long long x, y; };
EMU longlong2 make_longlong2(long long x, long long y) { return {x, y}; }
struct alignas(8) longlong3 { long long x, y, z; };
EMU longlong3 make_longlong3(long long x, long long y, long long z) { return {x, y, z}; }
struct alignas(16) longlong4 { long long x, y, z, w; };
EMU longlong4 make_longlong4(long long x, long long y, long long z, long long w) { return {x, y, z, w}; }
struct alignas(8) ulonglong1 { unsigned long long x; };
EMU ulonglong1 make_ulonglong1(unsigned long long x) { return {x}; }
struct alignas(16) ulonglong2 { unsigned long long x, y; };
EMU ulonglong2 make_ulonglong2(unsigned long long x, unsigned long long y) { return {x, y}; }
struct alignas(8) ulonglong3 { unsigned long long x, y, z; };
EMU ulonglong3 make_ulonglong3(unsigned long long x, unsigned long long y, unsigned long long z) { return {x, y, z}; }
struct alignas(16) ulonglong4 { unsigned long long x, y, z, w; };
EMU ulonglong4 make_ulonglong4(unsigned long long x, unsigned long long y, unsigned long long z, unsigned long long w) { return {x, y, z, w}; }
struct alignas(4) float1 { float x; };
EMU float1 make_float1(float x) { return {x}; }
struct alignas(8) float2 { float x, y; };
EMU float2 make_float2(float x, float y) { return {x, y}; }
struct alignas(4) float3 { float x, y, z; };
EMU float3 make_float3(float x, float y, float z) { return {x, y, z}; }
struct alignas(16) float4 { float x, y, z, w; };
EMU float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
struct alignas(8) double1 { double x; };
EMU double1 make_double1(double x) { return {x}; }
struct alignas(16) double2 { double x, y; };
EMU double2 make_double2(double x, double y) { return {x, y}; }
struct alignas(8) double3 { double x, y, z; };
EMU double3 make_double3(double x, double y, double z) { return {x, y, z}; }
struct alignas(16) double4 { double x, y, z, w; };
EMU double4 make_double4(double x, double y, double z, double w) { return {x, y, z, w}; }

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    constexpr operator uint3() const { return {x, y, z}; }
};

#define emu_thread_idx (*(const uint3*)&emu_here.thread)
#define emu_block_idx (*(const uint3*)&emu_here.block)
#define emu_block_dim (*(const dim3*)&emu_here.block_size)
#define emu_grid_dim (*(const dim3*)&emu_here.grid_size)

// ---- Bits ------------------------------------------------------------------------------------------------------------

template <class To, class From> EMU To emu_bits(From v) {
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    __builtin_memcpy(&to, &v, sizeof to);
    return to;
}
EMU unsigned __float_as_uint(float v) { return emu_bits<unsigned>(v); }
EMU int __float_as_int(float v) { return emu_bits<int>(v); }
EMU float __uint_as_float(unsigned v) { return emu_bits<float>(v); }
EMU float __int_as_float(int v) { return emu_bits<float>(v); }
EMU long long __double_as_longlong(double v) { return emu_bits<long long>(v); }
EMU double __longlong_as_double(long long v) { return emu_bits<double>(v); }
EMU int __double2hiint(double v) { return (int)(emu_bits<unsigned long long>(v) >> 32); }
EMU int __double2loint(double v) { return (int)emu_bits<unsigned long long>(v); }
EMU double __hiloint2double(int hi, int lo) {
    return emu_bits<double>((unsigned long long)(unsigned)hi << 32 | (unsigned)lo);
}
// By hand: the builtins call a function of libgcc, which is not linked.
EMU int __popc(unsigned v) {
    v -= v >> 1 & 0x55555555u;
    v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
    return (int)(((v + (v >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24);
}
EMU int __popcll(unsigned long long v) { return __popc((unsigned)v) + __popc((unsigned)(v >> 32)); }
EMU int __clz(int v) { return v == 0 ? 32 : __builtin_clz((unsigned)v); }
EMU int __clzll(long long v) { return v == 0 ? 64 : __builtin_clzll((unsigned long long)v); }
EMU int __ffs(int v) { return __builtin_ffs(v); }
EMU int __ffsll(long long v) { return __builtin_ffsll(v); }
EMU unsigned __brev(unsigned v) {
    v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
    v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
    v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(v);
}
EMU unsigned long long __brevll(unsigned long long v) {
    return (unsigned long long)__brev((unsigned)v) << 32 | __brev((unsigned)(v >> 32));
}
EMU unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
EMU int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
EMU unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
EMU long long __mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
EMU int __mul24(int a, int b) { return (int)((unsigned)(a << 8 >> 8) * (unsigned)(b << 8 >> 8)); }
EMU unsigned __umul24(unsigned a, unsigned b) { return (a & 0xffffff) * (b & 0xffffff); }
EMU unsigned __funnelshift_l(unsigned lo, unsigned hi, unsigned s) {
    return (unsigned)((((unsigned long long)hi << 32 | lo) << (s & 31)) >> 32);
}
EMU unsigned __funnelshift_r(unsigned lo, unsigned hi, unsigned s) {
    return (unsigned)(((unsigned long long)hi << 32 | lo) >> (s & 31));
}
EMU unsigned __byte_perm(unsigned a, unsigned b, unsigned s) {
    unsigned long long v = (unsigned long long)b << 32 | a;
    unsigned r = 0;
    for (int i = 0; i < 4; i++) {
        unsigned n = s >> (4 * i) & 15, byte = (unsigned)(v >> (8 * (n & 7))) & 255;
        r |= (n & 8 ? (byte & 128 ? 255u : 0u) : byte) << (8 * i);
    }
    return r;
}
EMU unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
    for (int i = 0; i < 32; i += 8) c += (a >> i & 255) * (b >> i & 255);
    return c;
}
EMU int __dp4a(int a, int b, int c) {
    for (int i = 0; i < 32; i += 8) c += (int)(signed char)(a >> i) * (signed char)(b >> i);
    return c;
}

// ---- Floating point --------------------------------------------------------------------------------------------------

extern "C" {
double sqrt(double);
float sqrtf(float);
double cbrt(double);
float cbrtf(float);
double exp(double);
float expf(float);
double exp2(double);
float exp2f(float);
double expm1(double);
float expm1f(float);
double log(double);
float logf(float);
double log2(double);
float log2f(float);
double log10(double);
float log10f(float);
double log1p(double);
float log1pf(float);
double logb(double);
float logbf(float);
double sin(double);
float sinf(float);
double cos(double);
float cosf(float);
double tan(double);
float tanf(float);
double asin(double);
float asinf(float);
double acos(double);
float acosf(float);
double atan(double);
float atanf(float);
double sinh(double);
float sinhf(float);
double cosh(double);
float coshf(float);
double tanh(double);
float tanhf(float);
double asinh(double);
float asinhf(float);
double acosh(double);
float acoshf(float);
double atanh(double);
float atanhf(float);
double erf(double);
float erff(float);
double erfc(double);
float erfcf(float);
double tgamma(double);
float tgammaf(float);
double lgamma(double);
float lgammaf(float);
double ceil(double);
float ceilf(float);
double floor(double);
float floorf(float);
double trunc(double);
float truncf(float);
double round(double);
float roundf(float);
double rint(double);
float rintf(float);
double nearbyint(double);
float nearbyintf(float);
double fabs(double);
float fabsf(float);
double j0(double);
float j0f(float);
double j1(double);
float j1f(float);
double y0(double);
float y0f(float);
double y1(double);
float y1f(float);
double exp10(double);
float exp10f(float);
double pow(double, double);
float powf(float, float);
double atan2(double, double);
float atan2f(float, float);
double fmod(double, double);
float fmodf(float, float);
double remainder(double, double);
float remainderf(float, float);
double hypot(double, double);
float hypotf(float, float);
double copysign(double, double);
float copysignf(float, float);
double fdim(double, double);
float fdimf(float, float);
double nextafter(double, double);
float nextafterf(float, float);
double fmax(double, double);
float fmaxf(float, float);
double fmin(double, double);
float fminf(float, float);
double fma(double, double, double);
float fmaf(float, float, float);
double ldexp(double, int);
float ldexpf(float, int);
double scalbn(double, int);
float scalbnf(float, int);
double frexp(double, int*);
float frexpf(float, int*);
double modf(double, double*);
float modff(float, float*);
int ilogb(double);
int ilogbf(float);
long lrint(double);
long lrintf(float);
long long llrint(double);
long long llrintf(float);
long lround(double);
long lroundf(float);
long long llround(double);
long long llroundf(float);
void sincos(double, double*, double*);
void sincosf(float, float*, float*);
int abs(int);
long labs(long);
long long llabs(long long);
void* memcpy(void*, const void*, size_t);
void* memset(void*, int, size_t);
}

EMU float sqrt(float x) { return sqrtf(x); }
EMU float cbrt(float x) { return cbrtf(x); }
EMU float exp(float x) { return expf(x); }
EMU float exp2(float x) { return exp2f(x); }
EMU float expm1(float x) { return expm1f(x); }
EMU float log(float x) { return logf(x); }
EMU float log2(float x) { return log2f(x); }
EMU float log10(float x) { return log10f(x); }
EMU float log1p(float x) { return log1pf(x); }
EMU float logb(float x) { return logbf(x); }
EMU float sin(float x) { return sinf(x); }
EMU float cos(float x) { return cosf(x); }
EMU float tan(float x) { return tanf(x); }
EMU float asin(float x) { return asinf(x); }
EMU float acos(float x) { return acosf(x); }
EMU float atan(float x) { return atanf(x); }
EMU float sinh(float x) { return sinhf(x); }
EMU float cosh(float x) { return coshf(x); }
EMU float tanh(float x) { return tanhf(x); }
EMU float asinh(float x) { return asinhf(x); }
EMU float acosh(float x) { return acoshf(x); }
EMU float atanh(float x) { return atanhf(x); }
EMU float erf(float x) { return erff(x); }
EMU float erfc(float x) { return erfcf(x); }
EMU float tgamma(float x) { return tgammaf(x); }
EMU float lgamma(float x) { return lgammaf(x); }
EMU float ceil(float x) { return ceilf(x); }
EMU float floor(float x) { return floorf(x); }
EMU float trunc(float x) { return truncf(x); }
EMU float round(float x) { return roundf(x); }
EMU float rint(float x) { return rintf(x); }
EMU float nearbyint(float x) { return nearbyintf(x); }
EMU float fabs(float x) { return fabsf(x); }
EMU float j0(float x) { return j0f(x); }
EMU float j1(float x) { return j1f(x); }
EMU float y0(float x) { return y0f(x); }
EMU float y1(float x) { return y1f(x); }
EMU float exp10(float x) { return exp10f(x); }
EMU float pow(float x, float y) { return powf(x, y); }
EMU float atan2(float x, float y) { return atan2f(x, y); }
EMU float fmod(float x, float y) { return fmodf(x, y); }
EMU float remainder(float x, float y) { return remainderf(x, y); }
EMU float hypot(float x, float y) { return hypotf(x, y); }
EMU float copysign(float x, float y) { return copysignf(x, y); }
EMU float fdim(float x, float y) { return fdimf(x, y); }
EMU float nextafter(float x, float y) { return nextafterf(x, y); }
EMU float fmax(float x, float y) { return fmaxf(x, y); }
EMU float fmin(float x, float y) { return fminf(x, y); }
EMU float fma(float x, float y, float z) { return fmaf(x, y, z); }
EMU float ldexp(float x, int n) { return ldexpf(x, n); }
EMU float scalbn(float x, int n) { return scalbnf(x, n); }
EMU float frexp(float x, int* n) { return frexpf(x, n); }
EMU float modf(float x, float* n) { return modff(x, n); }
EMU long long llrint(float x) { return llrintf(x); }
EMU long long llround(float x) { return llroundf(x); }
EMU long lrint(float x) { return lrintf(x); }
EMU long lround(float x) { return lroundf(x); }
EMU int ilogb(float x) { return ilogbf(x); }
EMU void sincos(float x, float* s, float* c) { sincosf(x, s, c); }
EMU long abs(long x) { return x < 0 ? -x : x; }
EMU long long abs(long long x) { return x < 0 ? -x : x; }
EMU float abs(float x) { return fabsf(x); }
EMU double abs(double x) { return fabs(x); }

EMU int isnan(float x) { return __builtin_isnan(x); }
EMU int isnan(double x) { return __builtin_isnan(x); }
EMU int isinf(float x) { return __builtin_isinf(x) != 0; }
EMU int isinf(double x) { return __builtin_isinf(x) != 0; }
EMU int isfinite(float x) { return __builtin_isfinite(x); }
EMU int isfinite(double x) { return __builtin_isfinite(x); }
EMU int signbit(float x) { return __builtin_signbit(x) != 0; }
EMU int signbit(double x) { return __builtin_signbit(x) != 0; }

EMU float rsqrtf(float x) { return (float)(1.0 / sqrt((double)x)); }
EMU double rsqrt(double x) { return 1.0 / sqrt(x); }
EMU float rsqrt(float x) { return rsqrtf(x); }
EMU float rcbrtf(float x) { return (float)(1.0 / cbrt((double)x)); }
EMU double rcbrt(double x) { return 1.0 / cbrt(x); }
EMU double sinpi(double x) { return sin(3.14159265358979323846 * remainder(x, 2.0)); }
EMU double cospi(double x) { return cos(3.14159265358979323846 * remainder(x, 2.0)); }
EMU float sinpif(float x) { return (float)sinpi((double)x); }
EMU float cospif(float x) { return (float)cospi((double)x); }
EMU void sincospi(double x, double* s, double* c) { *s = sinpi(x), *c = cospi(x); }
EMU void sincospif(float x, float* s, float* c) { *s = sinpif(x), *c = cospif(x); }
EMU double normcdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
EMU float normcdff(float x) { return (float)normcdf((double)x); }
EMU double norm3d(double x, double y, double z) { return hypot(hypot(x, y), z); }
EMU float norm3df(float x, float y, float z) { return (float)norm3d(x, y, z); }
EMU float fdividef(float x, float y) { return x / y; }

// Inverse error functions: a rough start (Giles), then Newton's steps on erfc, which keep their digits in the tail.
static double erfcinv(double y) {
    if (!(y > 0 && y < 2)) return y == 0 ? __builtin_inf() : y == 2 ? -__builtin_inf() : __builtin_nan("");
    double p = y < 1 ? y : 2 - y;
    double t = sqrt(-2 * log(p / 2));
    double x = -0.70710678118654752440 * ((2.30753 + t * 0.27061) / (1 + t * (0.99229 + t * 0.04481)) - t);
    for (int i = 0; i < 4; i++) {
        double e = erfc(x) - p;
        x += e / (1.12837916709551257390 * exp(-x * x) - x * e);
    }
    return y < 1 ? x : -x;
}
static double erfinv(double y) {
    if (fabs(y) > 0.5) return y > 0 ? erfcinv(1 - y) : -erfcinv(1 + y);
    double x = 0.88622692545275801365 * y;
    for (int i = 0; i < 6; i++) {
        double e = erf(x) - y;
        x -= e / (1.12837916709551257390 * exp(-x * x) + x * e);
    }
    return x;
}
EMU float erfcinvf(float y) { return (float)erfcinv((double)y); }
EMU float erfinvf(float y) { return (float)erfinv((double)y); }
EMU float erfcinv(float y) { return erfcinvf(y); }
EMU float erfinv(float y) { return erfinvf(y); }
EMU double normcdfinv(double y) { return -1.41421356237309504880 * erfcinv(2 * y); }
EMU float normcdfinvf(float y) { return (float)normcdfinv((double)y); }
static double erfcx(double x) { return x < 25 ? exp(x * x) * erfc(x) : 0.56418958354775628695 / x; }
EMU float erfcxf(float x) { return (float)erfcx((double)x); }

EMU float __expf(float x) { return expf(x); }
EMU float __exp10f(float x) { return exp10f(x); }
EMU float __logf(float x) { return logf(x); }
EMU float __log2f(float x) { return log2f(x); }
EMU float __log10f(float x) { return log10f(x); }
EMU float __sinf(float x) { return sinf(x); }
EMU float __cosf(float x) { return cosf(x); }
EMU float __tanf(float x) { return tanf(x); }
EMU void __sincosf(float x, float* s, float* c) { sincosf(x, s, c); }
EMU float __powf(float x, float y) { return powf(x, y); }
EMU float __fdividef(float x, float y) { return x / y; }
EMU float __saturatef(float x) { return x > 0 ? x < 1 ? x : 1 : 0; }
EMU float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
EMU double __fma_rn(double x, double y, double z) { return fma(x, y, z); }
EMU float __fmul_rn(float x, float y) { return x * y; }
EMU float __fadd_rn(float x, float y) { return x + y; }
EMU float __fsub_rn(float x, float y) { return x - y; }
EMU float __fdiv_rn(float x, float y) { return x / y; }
EMU float __frcp_rn(float x) { return 1 / x; }
EMU float __fsqrt_rn(float x) { return sqrtf(x); }
EMU float __frsqrt_rn(float x) { return rsqrtf(x); }
EMU double __dmul_rn(double x, double y) { return x * y; }
EMU double __dadd_rn(double x, double y) { return x + y; }
EMU double __dsub_rn(double x, double y) { return x - y; }
EMU double __ddiv_rn(double x, double y) { return x / y; }
EMU double __drcp_rn(double x) { return 1 / x; }
EMU double __dsqrt_rn(double x) { return sqrt(x); }

// Conversions to integers saturate, NaN gives 0 (0x80000000 00000000 from double to long long): as the PTX cvt.
template <class I> EMU I emu_to(double x) {
    constexpr bool is_signed = (I)-1 < 0;
    constexpr I most = is_signed ? (I)(((unsigned long long)1 << (8 * sizeof(I) - 1)) - 1) : (I)-1;
    constexpr I least = is_signed ? (I)(-most - 1) : 0;
    if (x != x) return sizeof(I) == 8 ? (I)((unsigned long long)1 << 63) : 0;
    return x >= (double)most ? most : x <= (double)least ? least : (I)x;
}
EMU int __float2int_rn(float x) { double v = x; return emu_to<int>(rint(v)); }
EMU int __float2int_rz(float x) { double v = x; return emu_to<int>(trunc(v)); }
EMU int __float2int_rd(float x) { double v = x; return emu_to<int>(floor(v)); }
EMU int __float2int_ru(float x) { double v = x; return emu_to<int>(ceil(v)); }
EMU unsigned __float2uint_rn(float x) { double v = x; return emu_to<unsigned>(rint(v)); }
EMU unsigned __float2uint_rz(float x) { double v = x; return emu_to<unsigned>(trunc(v)); }
EMU unsigned __float2uint_rd(float x) { double v = x; return emu_to<unsigned>(floor(v)); }
EMU unsigned __float2uint_ru(float x) { double v = x; return emu_to<unsigned>(ceil(v)); }
EMU long long __float2ll_rn(float x) { double v = x; return emu_to<long long>(rint(v)); }
EMU long long __float2ll_rz(float x) { double v = x; return emu_to<long long>(trunc(v)); }
EMU long long __float2ll_rd(float x) { double v = x; return emu_to<long long>(floor(v)); }
EMU long long __float2ll_ru(float x) { double v = x; return emu_to<long long>(ceil(v)); }
EMU unsigned long long __float2ull_rn(float x) { double v = x; return emu_to<unsigned long long>(rint(v)); }
EMU unsigned long long __float2ull_rz(float x) { double v = x; return emu_to<unsigned long long>(trunc(v)); }
EMU unsigned long long __float2ull_rd(float x) { double v = x; return emu_to<unsigned long long>(floor(v)); }
EMU unsigned long long __float2ull_ru(float x) { double v = x; return emu_to<unsigned long long>(ceil(v)); }
EMU int __double2int_rn(double x) { double v = x; return emu_to<int>(rint(v)); }
EMU int __double2int_rz(double x) { double v = x; return emu_to<int>(trunc(v)); }
EMU int __double2int_rd(double x) { double v = x; return emu_to<int>(floor(v)); }
EMU int __double2int_ru(double x) { double v = x; return emu_to<int>(ceil(v)); }
EMU unsigned __double2uint_rn(double x) { double v = x; return emu_to<unsigned>(rint(v)); }
EMU unsigned __double2uint_rz(double x) { double v = x; return emu_to<unsigned>(trunc(v)); }
EMU unsigned __double2uint_rd(double x) { double v = x; return emu_to<unsigned>(floor(v)); }
EMU unsigned __double2uint_ru(double x) { double v = x; return emu_to<unsigned>(ceil(v)); }
EMU long long __double2ll_rn(double x) { double v = x; return emu_to<long long>(rint(v)); }
EMU long long __double2ll_rz(double x) { double v = x; return emu_to<long long>(trunc(v)); }
EMU long long __double2ll_rd(double x) { double v = x; return emu_to<long long>(floor(v)); }
EMU long long __double2ll_ru(double x) { double v = x; return emu_to<long long>(ceil(v)); }
EMU unsigned long long __double2ull_rn(double x) { double v = x; return emu_to<unsigned long long>(rint(v)); }
EMU unsigned long long __double2ull_rz(double x) { double v = x; return emu_to<unsigned long long>(trunc(v)); }
EMU unsigned long long __double2ull_rd(double x) { double v = x; return emu_to<unsigned long long>(floor(v)); }
EMU unsigned long long __double2ull_ru(double x) { double v = x; return emu_to<unsigned long long>(ceil(v)); }
EMU float __int2float_rn(int x) { return (float)x; }
EMU double __int2double_rn(int x) { return x; }
EMU float __uint2float_rn(unsigned x) { return (float)x; }
EMU double __uint2double_rn(unsigned x) { return x; }
EMU float __ll2float_rn(long long x) { return (float)x; }
EMU double __ll2double_rn(long long x) { return (double)x; }
EMU float __ull2float_rn(unsigned long long x) { return (float)x; }
EMU double __ull2double_rn(unsigned long long x) { return (double)x; }
EMU float __double2float_rn(double x) { return (float)x; }
EMU float __double2float_rz(double x) {
    float f = (float)x;
    return fabs((double)f) > fabs(x) ? nextafterf(f, 0.0f) : f;
}

// ---- min and max -----------------------------------------------------------------------------------------------------

EMU int min(int x, int y) { return x < y ? x : y; }
EMU int max(int x, int y) { return x > y ? x : y; }
EMU unsigned min(unsigned x, unsigned y) { return x < y ? x : y; }
EMU unsigned max(unsigned x, unsigned y) { return x > y ? x : y; }
EMU long min(long x, long y) { return x < y ? x : y; }
EMU long max(long x, long y) { return x > y ? x : y; }
EMU unsigned long min(unsigned long x, unsigned long y) { return x < y ? x : y; }
EMU unsigned long max(unsigned long x, unsigned long y) { return x > y ? x : y; }
EMU long long min(long long x, long long y) { return x < y ? x : y; }
EMU long long max(long long x, long long y) { return x > y ? x : y; }
EMU unsigned long long min(unsigned long long x, unsigned long long y) { return x < y ? x : y; }
EMU unsigned long long max(unsigned long long x, unsigned long long y) { return x > y ? x : y; }
EMU unsigned min(int x, unsigned y) { return min((unsigned)x, (unsigned)y); }
EMU unsigned max(int x, unsigned y) { return max((unsigned)x, (unsigned)y); }
EMU unsigned min(unsigned x, int y) { return min((unsigned)x, (unsigned)y); }
EMU unsigned max(unsigned x, int y) { return max((unsigned)x, (unsigned)y); }
EMU unsigned long long min(long long x, unsigned long long y) { return min((unsigned long long)x, (unsigned long long)y); }
EMU unsigned long long max(long long x, unsigned long long y) { return max((unsigned long long)x, (unsigned long long)y); }
EMU unsigned long long min(unsigned long long x, long long y) { return min((unsigned long long)x, (unsigned long long)y); }
EMU unsigned long long max(unsigned long long x, long long y) { return max((unsigned long long)x, (unsigned long long)y); }
EMU float min(float x, float y) { return fminf(x, y); }
EMU float max(float x, float y) { return fmaxf(x, y); }
EMU double min(double x, double y) { return fmin(x, y); }
EMU double max(double x, double y) { return fmax(x, y); }
EMU double min(float x, double y) { return fmin(x, y); }
EMU double min(double x, float y) { return fmin(x, y); }
EMU double max(float x, double y) { return fmax(x, y); }
EMU double max(double x, float y) { return fmax(x, y); }
EMU int umin(unsigned x, unsigned y) { return min(x, y); }
EMU int umax(unsigned x, unsigned y) { return max(x, y); }
EMU long long llmin(long long x, long long y) { return min(x, y); }
EMU long long llmax(long long x, long long y) { return max(x, y); }

// ---- Memory ----------------------------------------------------------------------------------------------------------

EMU void __threadfence() { __asm__ volatile("" ::: "memory"); }
EMU void __threadfence_block() { __asm__ volatile("" ::: "memory"); }
EMU void __threadfence_system() { __asm__ volatile("" ::: "memory"); }
template <class T> EMU T __ldg(const T* p) { return *p; }
template <class T> EMU T __ldca(const T* p) { return *p; }
template <class T> EMU T __ldcg(const T* p) { return *p; }
template <class T> EMU T __ldcs(const T* p) { return *p; }
template <class T> EMU T __ldlu(const T* p) { return *p; }
template <class T> EMU T __ldcv(const T* p) { return *(const volatile T*)p; }
template <class T> EMU void __stwb(T* p, T v) { *p = v; }
template <class T> EMU void __stcg(T* p, T v) { *p = v; }
template <class T> EMU void __stcs(T* p, T v) { *p = v; }
template <class T> EMU void __stwt(T* p, T v) { *p = v; }
EMU size_t __cvta_generic_to_shared(const void* p) { return (size_t)p; }
EMU size_t __cvta_generic_to_global(const void* p) { return (size_t)p; }

// Only the types that CUDA has: long long, say, can be compared and exchanged only as unsigned long long.
#define EMU_ATOMIC(name, T, result) \
    EMU T name(T* p, T v) {         \
        T old = *p;                 \
        *p = result;                \
        return old;                 \
    }
EMU_ATOMIC(atomicAdd, int, old + v)
EMU_ATOMIC(atomicAdd, unsigned, old + v)
EMU_ATOMIC(atomicAdd, unsigned long long, old + v)
EMU_ATOMIC(atomicAdd, float, old + v)
EMU_ATOMIC(atomicAdd, double, old + v)
EMU_ATOMIC(atomicSub, int, old - v)
EMU_ATOMIC(atomicSub, unsigned, old - v)
EMU_ATOMIC(atomicMin, int, v < old ? v : old)
EMU_ATOMIC(atomicMax, int, v > old ? v : old)
EMU_ATOMIC(atomicMin, unsigned, v < old ? v : old)
EMU_ATOMIC(atomicMax, unsigned, v > old ? v : old)
EMU_ATOMIC(atomicMin, unsigned long long, v < old ? v : old)
EMU_ATOMIC(atomicMax, unsigned long long, v > old ? v : old)
EMU_ATOMIC(atomicMin, long long, v < old ? v : old)
EMU_ATOMIC(atomicMax, long long, v > old ? v : old)
EMU_ATOMIC(atomicAnd, int, old & v)
EMU_ATOMIC(atomicOr, int, old | v)
EMU_ATOMIC(atomicXor, int, old ^ v)
EMU_ATOMIC(atomicAnd, unsigned, old & v)
EMU_ATOMIC(atomicOr, unsigned, old | v)
EMU_ATOMIC(atomicXor, unsigned, old ^ v)
EMU_ATOMIC(atomicAnd, unsigned long long, old & v)
EMU_ATOMIC(atomicOr, unsigned long long, old | v)
EMU_ATOMIC(atomicXor, unsigned long long, old ^ v)
EMU_ATOMIC(atomicExch, int, v)
EMU_ATOMIC(atomicExch, unsigned, v)
EMU_ATOMIC(atomicExch, unsigned long long, v)
EMU_ATOMIC(atomicExch, float, v)
EMU_ATOMIC(atomicInc, unsigned, old >= v ? 0 : old + 1)
EMU_ATOMIC(atomicDec, unsigned, old == 0 || old > v ? v : old - 1)
#define EMU_CAS(T)                               \
    EMU T atomicCAS(T* p, T compare, T value) {  \
        T old = *p;                              \
        if (old == compare) *p = value;          \
        return old;                              \
    }
EMU_CAS(int)
EMU_CAS(unsigned)
EMU_CAS(unsigned long long)
EMU_CAS(unsigned short)

// ---- Warps -----------------------------------------------------------------------------------------------------------

template <class T> EMU unsigned long long emu_pack(T v) {
    static_assert(sizeof(T) <= 8, "a shuffled value has at most 8 bytes");
    unsigned long long u = 0;
    __builtin_memcpy(&u, &v, sizeof v);
    return u;
}
template <class T> EMU T emu_unpack(unsigned long long u) {
    T v;
    __builtin_memcpy(&v, &u, sizeof v);
    return v;
}
EMU void emu_syncwarp(int line, unsigned mask = 0xffffffffu) { emu_here.api->warp(EMU_WARP_SYNC, mask, 0, 0, line); }
// The types that CUDA shuffles: 4 and 8 bytes.
template <class T> EMU T emu_shuffle(int line, unsigned mask, T v, int source) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "only types of 4 and 8 bytes can be shuffled");
    return emu_unpack<T>(emu_here.api->warp(EMU_WARP_SHUFFLE, mask, emu_pack(v), source, line));
}
template <class T> EMU T emu_shfl(int line, unsigned mask, T v, int source, int width = 32) {
    int lane = (int)emu_here.lane;
    return emu_shuffle(line, mask, v, (lane & -width) | (source & (width - 1)));
}
template <class T> EMU T emu_shfl_up(int line, unsigned mask, T v, unsigned delta, int width = 32) {
    int lane = (int)emu_here.lane, from = lane - (int)delta;
    return emu_shuffle(line, mask, v, from < (lane & -width) ? lane : from);
}
template <class T> EMU T emu_shfl_down(int line, unsigned mask, T v, unsigned delta, int width = 32) {
    int lane = (int)emu_here.lane, from = lane + (int)delta;
    return emu_shuffle(line, mask, v, (lane & (width - 1)) + (int)delta >= width ? lane : from);
}
template <class T> EMU T emu_shfl_xor(int line, unsigned mask, T v, int flip, int width = 32) {
    int lane = (int)emu_here.lane, from = lane ^ flip;
    return emu_shuffle(line, mask, v, from >= (lane & -width) + width ? lane : from);
}
EMU unsigned emu_ballot(int line, unsigned mask, int p) {
    return (unsigned)emu_here.api->warp(EMU_WARP_BALLOT, mask, p != 0, 0, line);
}
template <class T> EMU unsigned emu_match_any(int line, unsigned mask, T v) {
    return (unsigned)emu_here.api->warp(EMU_WARP_MATCH_ANY, mask, emu_pack(v), 0, line);
}
template <class T> EMU unsigned emu_match_all(int line, unsigned mask, T v, int* p) {
    unsigned r = (unsigned)emu_here.api->warp(EMU_WARP_MATCH_ALL, mask, emu_pack(v), 0, line);
    *p = r != 0;
    return r;
}
EMU unsigned emu_reduce(int line, int kind, int, unsigned mask, unsigned v) {
    return (unsigned)emu_here.api->warp(kind, mask, v, 0, line);
}
EMU int emu_reduce(int line, int, int kind, unsigned mask, int v) {
    return (int)emu_here.api->warp(kind, mask, (unsigned long long)(long long)v, 0, line);
}
EMU unsigned __activemask() { return emu_here.api->active(); }
EMU void __nanosleep(unsigned) { emu_here.api->yield(); }
EMU long long clock64() { return (long long)__builtin_ia32_rdtsc(); }
EMU clock_t clock() { return (clock_t)clock64(); }

// ---- Kernels ---------------------------------------------------------------------------------------------------------

// The dynamic shared memory: the largest that a block can have; the driver watches over the size asked for.
extern "C" {
alignas(1024) char emu_dynamic[232448 + 1024]
    __attribute__((externally_visible, visibility("default"), section(".emu_dynamic,\"aw\",@nobits#")));
}

template <class F> struct emu_entry;
template <class... A> struct emu_entry<void (*)(A...)> {
    static constexpr unsigned count = sizeof...(A);
    static constexpr unsigned sizes[] = {(unsigned)sizeof(A)..., 0};
    static constexpr unsigned aligns[] = {(unsigned)alignof(A)..., 0};
};
template <int... i> struct emu_list {};
template <int n> using emu_upto = emu_list<__integer_pack(n)...>;
template <class F, F f, class L> struct emu_caller;
template <class... A, void (*f)(A...), int... i> struct emu_caller<void (*)(A...), f, emu_list<i...>> {
    static void call(void** p) {
        (void)p;
        f(*(A*)p[i]...);
    }
};
template <class F, F f> struct emu_kernel {
    typedef emu_entry<F> entry;
    static void call(void** p) { emu_caller<F, f, emu_upto<(int)entry::count>>::call(p); }
};
#define EMU_KERNEL(name, bound, public_name, ...)                                                              \
    {name, emu_kernel<decltype(&__VA_ARGS__), &__VA_ARGS__>::call, emu_entry<decltype(&__VA_ARGS__)>::count,     \
     emu_entry<decltype(&__VA_ARGS__)>::sizes, emu_entry<decltype(&__VA_ARGS__)>::aligns, bound, public_name},
#define EMU_KERNELS                                                                                     \
    extern "C" const emu_kernel_info emu_kernels[]                                                      \
        __attribute__((externally_visible, visibility("default")));                                     \
    const emu_kernel_info emu_kernels[]
