package dev.gramian.core;

/**
 * Random numbers by counter (Philox4x32-10, Salmon et al. 2011): element i depends on the seed and i alone, so that every
 * device and thread count draws the same.
 *
 * <p>One 128-bit block serves the two elements 2c and 2c + 1. Its counter is (low and high half of c, 0, 0), its key the
 * low and high half of the seed. With the block's words w0 to w3, element 2c has the bits {@code w1 << 32 | w0}, element
 * 2c + 1 the bits {@code w3 << 32 | w2}:
 *
 * <ul>
 *   <li>uniform: the top 53 bits times 2^-53 is u in [0, 1); the value a + (b - a) u, rounded to the element type and
 *       moved to its neighbour where rounding left [a, b);
 *   <li>normal: with u of both elements, r = sqrt(-2 log(1 - u0)), the two values are a + b r cos(2 pi u1) and
 *       a + b r sin(2 pi u1) (Box and Muller), in F64;
 *   <li>integers: a + (high 64 bits of bits times (b - a)), which favours no value by more than (b - a) / 2^64.
 * </ul>
 */
public final class Philox {
    private static final int MULTIPLY_0 = 0xD2511F53;
    private static final int MULTIPLY_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final double ULP = 0x1p-53;

    private Philox() {}

    /** Ten rounds over counter words c0 to c3 (low first) and key words k0, k1; the block goes to {@code out[0..3]}. */
    public static void block(int c0, int c1, int c2, int c3, int k0, int k1, int[] out) {
        for (int round = 0; round < 10; round++) {
            long p0 = (MULTIPLY_0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
            long p1 = (MULTIPLY_1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }

    /** The 64 random bits of elements {@code from} to {@code from + n}. */
    public static void bits(long seed, long from, long[] out, int n) {
        int[] w = new int[4];
        int i = 0;
        while (i < n) {
            long c = (from + i) >>> 1;
            block((int) c, (int) (c >>> 32), 0, 0, (int) seed, (int) (seed >>> 32), w);
            if (((from + i) & 1) == 0) {
                out[i++] = (long) w[1] << 32 | w[0] & 0xFFFFFFFFL;
            }
            if (i < n) {
                out[i++] = (long) w[3] << 32 | w[2] & 0xFFFFFFFFL;
            }
        }
    }

    /** {@link Distribution#UNIFORM} in F64, before {@link #within}. */
    public static double uniform(long bits, double a, double b) {
        double u = (bits >>> 11) * ULP;
        double range = b - a;
        return Double.isInfinite(range) ? a * (1 - u) + b * u : a + range * u;
    }

    /** {@code x} from [a, b) as a value of {@code type} in [a, b), or next to a where the type has none there. */
    public static double within(DType type, double x, double a, double b) {
        double r = round(type, x);
        if (r >= b) {
            r = below(type, b);
        }
        return r < a ? above(type, r) : r;
    }

    private static double round(DType type, double x) {
        return switch (type) {
            case F32 -> (float) x;
            case F16, BF16 -> Half.toFloat(type, Half.fromDouble(type, x));
            case F64, I64, I32, U8, BOOL -> x;
        };
    }

    private static double below(DType type, double b) {
        return switch (type) {
            case F32 -> {
                float f = (float) b;
                yield f < b ? f : Math.nextDown(f);
            }
            case F16, BF16 -> -above(type, -b);
            case F64, I64, I32, U8, BOOL -> Math.nextDown(b);
        };
    }

    /** The smallest value of {@code type} greater than {@code a}. */
    private static double above(DType type, double a) {
        if (!type.isHalf()) {
            return type == DType.F32 ? -below(type, -a) : Math.nextUp(a);
        }
        short bits = Half.fromDouble(type, a);
        double r = Half.toFloat(type, bits);
        if (r > a) {
            return r;
        }
        // bits of one sign are ordered as magnitudes are; -0 steps to the smallest positive
        int next = r == 0 ? 1 : r > 0 ? bits + 1 : bits - 1;
        return Half.toFloat(type, (short) next);
    }

    /**
     * {@link Distribution#NORMAL} from the bits of elements 2c and 2c + 1; both results go to {@code out[at]} and
     * {@code out[at + 1]}. StrictMath, so that every machine agrees to the last bit.
     */
    public static void normal(long bits0, long bits1, double mean, double deviation, double[] out, int at) {
        double r = StrictMath.sqrt(-2 * StrictMath.log(1 - (bits0 >>> 11) * ULP));
        double angle = 2 * Math.PI * ((bits1 >>> 11) * ULP);
        out[at] = mean + deviation * r * StrictMath.cos(angle);
        out[at + 1] = mean + deviation * r * StrictMath.sin(angle);
    }

    /** {@link Distribution#INTEGERS}: low to low + count - 1; {@code count} is unsigned and not 0. */
    public static long integer(long bits, long low, long count) {
        return low + Math.unsignedMultiplyHigh(bits, count);
    }
}
