// Conversions of the 16-bit types and the rounding of tensor cores' operands: nearest even unless said otherwise,
// subnormals kept, overflow to infinity, NaN stays NaN.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

namespace halves {

inline uint32_t bits(float x) {
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

inline float number(uint32_t u) {
    float x;
    memcpy(&x, &u, 4);
    return x;
}

inline float fromBf16(uint16_t h) {
    return number((uint32_t)h << 16);
}

inline uint16_t toBf16(float x) {
    uint32_t u = bits(x);
    if (x != x) {
        return 0x7FFF;  // what the hardware's cvt gives for every NaN
    }
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

inline float fromF16(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31;
    uint32_t mantissa = h & 0x3FF;
    if (exponent == 31) {
        return number(sign | 0x7F800000 | mantissa << 13);
    }
    if (exponent == 0) {
        float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return number(sign | (exponent + 112) << 23 | mantissa << 13);
}

inline uint16_t toF16(float x) {
    uint16_t sign = (uint16_t)(bits(x) >> 16 & 0x8000);
    float magnitude = fabsf(x);
    if (x != x) {
        return 0x7FFF;
    }
    if (magnitude >= 65520.0f) {  // half way between the largest number and 2^16: rounds to even, which is infinity
        return sign | 0x7C00;
    }
    if (magnitude < 0x1p-14f) {  // subnormal: the sum's last bit is worth 2^-24, so the addition does the rounding
        return sign | (uint16_t)(bits(magnitude + 0.5f) & 0x7FF);
    }
    uint32_t u = bits(magnitude);
    u += 0xFFF + (u >> 13 & 1);
    return sign | (uint16_t)((u >> 13) - (112 << 10));
}

// 10 mantissa bits, ties away from zero, as the instruction cvt.rna.tf32.f32 rounds.
inline float roundTf32(float x) {
    uint32_t u = bits(x);
    if ((u & 0x7F800000) == 0x7F800000) {
        return x;
    }
    return number((u + 0x1000) & 0xFFFFE000);
}

inline float roundF16(float x) {
    return fromF16(toF16(x));
}

inline float roundBf16(float x) {
    return fromBf16(toBf16(x));
}

}  // namespace halves
