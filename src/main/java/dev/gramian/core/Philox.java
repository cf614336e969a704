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
 *   <li>normal: with u of both elements, r = sqrt(-2 log(1 - u0)), the two values are a + (b r) cos(2 pi u1) and
 *       a + (b r) sin(2 pi u1) (Box and Muller), in F64;
 *   <li>integers: a + (high 64 bits of bits times (b - a)), which favours no value by more than (b - a) / 2^64.
 * </ul>
 *
 * <p>Everything is integer arithmetic and sums, products, quotients and square roots of F64, each rounded by itself: no
 * library function, whose last bits differ from machine to machine, and no fused multiply-add. log, sin and cos are the
 * series below; random.cu has the same, operation for operation.
 */
public final class Philox {
    private static final int MULTIPLY_0 = 0xD2511F53;
    private static final int MULTIPLY_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final double ULP = 0x1p-53;
    private static final long ROOT_HALF_BITS = Double.doubleToRawLongBits(0.7071067811865476);
    /** ln 2 in two parts, the first with so few bits that its product with an exponent is exact. */
    private static final double LN2_HIGH = 0x1.62e42feep-1;
    private static final double LN2_LOW = 0x1.a39ef35793c76p-33;

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
     * {@code out[at + 1]}. The angle is cut into quarters while it is whole: q of them and f of another, |f| at most 1/2.
     */
    public static void normal(long bits0, long bits1, double mean, double deviation, double[] out, int at) {
        double r = deviation * Math.sqrt(-2 * log(1 - (bits0 >>> 11) * ULP));
        long turn = bits1 >>> 11;
        long q = turn + (1L << 50) >>> 51;
        double f = (turn - (q << 51)) * 0x1p-51;
        double sin = sinQuarter(f);
        double cos = cosQuarter(f);
        boolean odd = (q & 1) != 0;
        double x = odd ? sin : cos;
        double y = odd ? cos : sin;
        out[at] = mean + r * ((q + 1 & 2) != 0 ? -x : x);
        out[at + 1] = mean + r * ((q & 2) != 0 ? -y : y);
    }

    /**
     * ln w for w in (0, 1] that is not subnormal, less than 1 ulp off. w = 2^e (1 + f), sqrt(1/2) at most 1 + f below
     * sqrt(2); ln(1 + f) = 2 artanh(s), s = f / (2 + f), by its series to s^21.
     */
    static double log(double w) {
        long bits = Double.doubleToRawLongBits(w);
        long e = bits - ROOT_HALF_BITS >> 52;
        double f = Double.longBitsToDouble(bits - (e << 52)) - 1;
        double s = f / (2 + f);
        double z = s * s;
        double r = 2.0 / 21;
        r = r * z + 2.0 / 19;
        r = r * z + 2.0 / 17;
        r = r * z + 2.0 / 15;
        r = r * z + 2.0 / 13;
        r = r * z + 2.0 / 11;
        r = r * z + 2.0 / 9;
        r = r * z + 2.0 / 7;
        r = r * z + 2.0 / 5;
        r = r * z + 2.0 / 3;
        // 2 s + s r z = f - s (f - r z): f is exact, what is taken from it at most a fifth of it
        return e * LN2_HIGH - (s * (f - r * z) - e * LN2_LOW - f);
    }

    /** sin(pi/2 f) for |f| at most 1/2, less than 2 ulp off: the series to f^17, pi/2 in two parts. */
    static double sinQuarter(double f) {
        double z = f * f;
        double p = 6.0669357311061955e-12;
        p = p * z - 6.688035109811468e-10;
        p = p * z + 5.692172921967927e-8;
        p = p * z - 3.598843235212085e-6;
        p = p * z + 1.6044118478735983e-4;
        p = p * z - 4.681754135318688e-3;
        p = p * z + 7.969262624616705e-2;
        p = p * z - 0.6459640975062463;
        p = p * z + 6.123233995736766e-17;
        return f * p + f * 1.5707963267948966;
    }

    /** cos(pi/2 f) for |f| at most 1/2, less than 1.5 ulp off: the series to f^16. */
    static double cosQuarter(double f) {
        double z = f * f;
        double p = 6.565963114979473e-11;
        p = p * z - 6.386603083791852e-9;
        p = p * z + 4.710874778818172e-7;
        p = p * z - 2.5202042373060607e-5;
        p = p * z + 9.192602748394266e-4;
        p = p * z - 2.086348076335296e-2;
        p = p * z + 0.25366950790104803;
        p = p * z - 1.2337005501361697;
        return p * z + 1;
    }

    /** {@link Distribution#INTEGERS}: low to low + count - 1; {@code count} is unsigned and not 0. */
    public static long integer(long bits, long low, long count) {
        return low + Math.unsignedMultiplyHigh(bits, count);
    }
}
