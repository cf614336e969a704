// convert(p, v): v, of a compute type, to an element of any type. Floats round once, to nearest even; to integers
// toward zero, saturating, NaN is 0; integers to narrower ones keep the low bits; to BOOL is v != 0.

// v with its low bits gathered into one where F64 cannot hold them, so that the next rounding is the only one.
__device__ __forceinline__ f64 to_odd(i64 v) {
    i64 high = v >> 53;
    return (f64)(high == 0 || high == -1 ? v : (v & ~0xfffLL) | ((v & 0xfff) != 0 ? 0x800 : 0));
}

template <class V> __device__ __forceinline__ i64 saturate(V v) {
    return v != v ? 0
        : v >= V(9223372036854775808.0) ? 0x7fffffffffffffffLL
        : v < V(-9223372036854775808.0) ? (i64)0x8000000000000000ULL : (i64)v;
}

template <class V> __device__ __forceinline__ void convert(f64* p, V v) { *p = (f64)v; }
template <class V> __device__ __forceinline__ void convert(f32* p, V v) { *p = (f32)v; }
__device__ __forceinline__ void convert(f16* p, f32 v) { *p = narrow_f16(v); }
__device__ __forceinline__ void convert(f16* p, f64 v) { *p = narrow_f16(v); }
__device__ __forceinline__ void convert(f16* p, i64 v) { *p = narrow_f16(to_odd(v)); }
__device__ __forceinline__ void convert(bf16* p, f32 v) { *p = narrow_bf16(v); }
__device__ __forceinline__ void convert(bf16* p, f64 v) { *p = narrow_bf16(v); }
__device__ __forceinline__ void convert(bf16* p, i64 v) { *p = narrow_bf16(to_odd(v)); }
template <class V> __device__ __forceinline__ void convert(i64* p, V v) { *p = saturate(v); }
template <class V> __device__ __forceinline__ void convert(i32* p, V v) {
    *p = v != v ? 0 : v >= V(2147483648.0) ? 0x7fffffff : v < V(-2147483648.0) ? (i32)0x80000000u : (i32)v;
}
template <class V> __device__ __forceinline__ void convert(u8* p, V v) {
    *p = v > V(0) ? (v >= V(255) ? 255 : (u8)(i32)v) : 0;
}
template <class V> __device__ __forceinline__ void convert(b8* p, V v) { p->value = v != V(0); }
__device__ __forceinline__ void convert(i64* p, i64 v) { *p = v; }
__device__ __forceinline__ void convert(i32* p, i64 v) { *p = (i32)v; }
__device__ __forceinline__ void convert(u8* p, i64 v) { *p = (u8)v; }
