// Tensors from nothing: constants and sequences. Results are contiguous and aligned.
#include "casts.cuh"

// bytes: any number; value: 8 bytes of it over and over, a whole number of elements.
extern "C" __global__ void fill(i64 bytes, u64 value, u8* out) {
    Pack<u64, 2> two = {{value, value}};
    i64 whole = bytes >> 4;
    for (i64 i = GRID_START; i < whole; i += GRID_STEP) {
        ((Pack<u64, 2>*)out)[i] = two;
    }
    i64 i = (whole << 4) + GRID_START;
    if (i < bytes) {
        out[i] = (u8)(value >> 8 * (i & 7));
    }
}

#ifdef OUT

// Element i is start + i * step, rounded after each, the last one `last`. T: F64, or I64 for integers, which wrap.
__device__ __forceinline__ f64 term(f64 start, f64 step, i64 i) { return __dadd_rn(start, __dmul_rn((f64)i, step)); }
__device__ __forceinline__ i64 term(i64 start, i64 step, i64 i) { return (i64)((u64)start + (u64)i * (u64)step); }

extern "C" __global__ void sequence(i64 count, T start, T step, T last, OUT* out) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        convert(out + i, i == count - 1 ? last : term(start, step, i));
    }
}

#endif
