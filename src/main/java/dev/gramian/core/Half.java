package dev.gramian.core;

/**
 * The two 16-bit float formats. Every conversion rounds once, to nearest even; NaN stays NaN, overflow gives infinity,
 * subnormals are kept.
 */
public final class Half {
    private Half() {}

    public static float fromF16(short bits) {
        return Float.float16ToFloat(bits);
    }

    public static short toF16(float v) {
        return Float.floatToFloat16(v);
    }

    public static short toF16(double v) {
        return Float.floatToFloat16(toOdd(v));
    }

    public static float fromBF16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    public static short toBF16(float v) {
        int bits = Float.floatToRawIntBits(v);
        if ((bits & 0x7FFFFFFF) > 0x7F800000) {
            return (short) (bits >>> 16 | 0x40); // quiet, so that cutting the payload cannot give infinity
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    public static short toBF16(double v) {
        return toBF16(toOdd(v));
    }

    /** {@code bits} of type {@code half}, which is F16 or BF16. */
    public static float toFloat(DType half, short bits) {
        return half == DType.F16 ? fromF16(bits) : fromBF16(bits);
    }

    /** Bits of {@code v} in {@code half}, which is F16 or BF16. */
    public static short fromFloat(DType half, float v) {
        return half == DType.F16 ? toF16(v) : toBF16(v);
    }

    /** Bits of {@code v} in {@code half}, which is F16 or BF16, rounded once. */
    public static short fromDouble(DType half, double v) {
        return half == DType.F16 ? toF16(v) : toBF16(v);
    }

    /**
     * The float next to v toward zero, its last bit set where v lies between floats. Rounding that to 16 bits is the same
     * as rounding v itself; rounding to nearest twice is not.
     */
    private static float toOdd(double v) {
        float f = (float) v;
        if (f == v || Double.isNaN(v)) {
            return f;
        }
        int bits = Float.floatToRawIntBits(f);
        if (Math.abs((double) f) > Math.abs(v)) {
            bits--;
        }
        return Float.intBitsToFloat(bits | 1);
    }
}
