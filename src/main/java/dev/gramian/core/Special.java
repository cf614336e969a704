package dev.gramian.core;

/**
 * Special functions in F64 that {@link Math} lacks. Rational approximations of erf and erfc by the published fdlibm
 * coefficients: error below 1 ulp for erf, a few ulp for the tails of erfc.
 */
final class Special {
    /** Highest power first, as {@link #poly} takes them. */
    private static final double[] SMALL_P = {
        -2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02,
        -3.25042107247001499370e-01, 1.28379167095512558561e-01
    };

    private static final double[] SMALL_Q = {
        -3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03,
        6.50222499887672944485e-02, 3.97917223959155352819e-01, 1
    };
    private static final double[] MIDDLE_P = {
        -2.16637559486879084300e-03, 3.54783043256182359371e-02, -1.10894694282396677476e-01,
        3.18346619901161753674e-01, -3.72207876035701323847e-01, 4.14856118683748331666e-01,
        -2.36211856075265944077e-03
    };
    private static final double[] MIDDLE_Q = {
        1.19844998467991074170e-02, 1.36370839120290507362e-02, 1.26171219808761642112e-01,
        7.18286544141962662868e-02, 5.40397917702171048937e-01, 1.06420880400844228286e-01, 1
    };
    private static final double[] TAIL_P = {
        -9.81432934416914548592e+00, -8.12874355063065934246e+01, -1.84605092906711035994e+02,
        -1.62396669462573470355e+02, -6.23753324503260060396e+01, -1.05586262253232909814e+01,
        -6.93858572707181764372e-01, -9.86494403484714822705e-03
    };
    private static final double[] TAIL_Q = {
        -6.04244152148580987438e-02, 6.57024977031928170135e+00, 1.08635005541779435134e+02,
        4.29008140027567833386e+02, 6.45387271733267880336e+02, 4.34565877475229228821e+02,
        1.37657754143519042600e+02, 1.96512716674392571292e+01, 1
    };
    private static final double[] FAR_P = {
        -4.83519191608651397019e+02, -1.02509513161107724954e+03, -6.37566443368389627722e+02,
        -1.60636384855821916062e+02, -1.77579549177547519889e+01, -7.99283237680523006574e-01,
        -9.86494292470009928597e-03
    };
    private static final double[] FAR_Q = {
        -2.24409524465858183362e+01, 4.74528541206955367215e+02, 2.55305040643316442583e+03,
        3.19985821950859553908e+03, 1.53672958608443695994e+03, 3.25792512996573918826e+02,
        3.03380607434824582924e+01, 1
    };

    private static final double SMALL_END = 0.84375;
    private static final double MIDDLE_END = 1.25;
    private static final double TAIL_END = 1 / 0.35;
    /** erf(1) cut to 24 bits: what MIDDLE adds to. */
    private static final double NEAR_ERF_ONE = 8.45062911510467529297e-01;

    private static final double INV_LN2 = 1.4426950408889634;
    private static final double SQRT_HALF = 0.7071067811865476;

    private Special() {}

    static double erf(double x) {
        double a = Math.abs(x);
        if (a < SMALL_END) {
            return x + x * small(x * x);
        }
        if (a < MIDDLE_END) {
            return Math.copySign(NEAR_ERF_ONE + middle(a), x);
        }
        if (a < 6) {
            return Math.copySign(1 - tail(a, a, 1), x);
        }
        return a >= 6 ? Math.copySign(1, x) : x; // NaN stays
    }

    /** 1 - erf(x) without cancellation. */
    static double erfc(double x) {
        double a = Math.abs(x);
        if (a < SMALL_END) {
            double r = small(x * x);
            return x < 0.25 ? 1 - (x + x * r) : 0.5 + (0.5 - x - x * r);
        }
        if (a < MIDDLE_END) {
            return x > 0 ? 1 - NEAR_ERF_ONE - middle(a) : 1 + (NEAR_ERF_ONE + middle(a));
        }
        if (x >= 28) {
            return 0;
        }
        if (x <= -6) {
            return 2;
        }
        return x > 0 ? tail(a, a, 1) : x < 0 ? 2 - tail(a, a, 1) : x;
    }

    private static double small(double z) {
        return poly(z, SMALL_P) / poly(z, SMALL_Q);
    }

    private static double middle(double a) {
        return poly(a - 1, MIDDLE_P) / poly(a - 1, MIDDLE_Q);
    }

    /**
     * erfc(a) for a >= 1.25, where a^2 is scale x^2: rounding a square (or a itself, where a is x / sqrt(2)) would grow
     * in exp, so the square's leading part is made exact.
     */
    private static double tail(double a, double x, double scale) {
        double s = 1 / (a * a);
        double r = a < TAIL_END ? poly(s, TAIL_P) / poly(s, TAIL_Q) : poly(s, FAR_P) / poly(s, FAR_Q);
        double head = Double.longBitsToDouble(Double.doubleToRawLongBits(x) & 0xFFFFFFFF00000000L);
        return Math.exp(-head * head * scale - 0.5625) * Math.exp((head - x) * (head + x) * scale + r) / a;
    }

    private static double poly(double x, double[] c) {
        double y = c[0];
        for (int i = 1; i < c.length; i++) {
            y = y * x + c[i];
        }
        return y;
    }

    /** 1 / (1 + exp(-x)); neither end overflows or loses digits. */
    static double sigmoid(double x) {
        if (x >= 0) {
            return 1 / (1 + Math.exp(-x));
        }
        double e = Math.exp(x);
        return e / (1 + e);
    }

    /** x * sigmoid(x); -0 at -inf, the limit. */
    static double silu(double x) {
        return x < -800 ? -0.0 : x * sigmoid(x);
    }

    /** x times the normal distribution function, which erfc gives without cancellation; -0 at -inf, the limit. */
    static double gelu(double x) {
        if (x < -2) {
            return x < -40 ? -0.0 : 0.5 * x * tail(-x * SQRT_HALF, -x, 0.5);
        }
        return 0.5 * x * erfc(-x * SQRT_HALF);
    }

    /** 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3); -0 at -inf, the limit. */
    static double geluTanh(double x) {
        double u2 = 1.5957691216057308 * x * (1 + 0.044715 * x * x);
        return u2 < -800 ? -0.0 : x * sigmoid(u2);
    }

    /** Base 2 logarithm, exact at powers of two. */
    static double log2(double x) {
        if (!(x > 0) || x == Double.POSITIVE_INFINITY) {
            return Math.log(x);
        }
        int shift = x < Double.MIN_NORMAL ? -54 : 0;
        double y = shift == 0 ? x : x * 0x1p54;
        int e = Math.getExponent(y);
        double m = Math.scalb(y, -e);
        if (m > 1.4142135623730951) {
            m *= 0.5;
            e++;
        }
        return e + shift + Math.log(m) * INV_LN2;
    }

    /** Python's remainder: the sign of y, or zero with y's sign. */
    static double remainder(double x, double y) {
        double r = x % y;
        if (r == 0) {
            return Math.copySign(0.0, y);
        }
        return r < 0 != y < 0 ? r + y : r;
    }

    /** As IEEE 754, C and NumPy have it: 1 to any power is 1, even NaN; Java's own says NaN. */
    static double pow(double x, double y) {
        return x == 1 || x == -1 && Double.isInfinite(y) ? 1 : Math.pow(x, y);
    }

    /** Integer power by squaring, wrapping. */
    static long pow(long x, long y) {
        if (y < 0) {
            throw new DTypeException(
                    "pow: negative exponent " + y + "; integers have no such power; cast with .to(DType.F64)");
        }
        long r = 1;
        for (long b = x, e = y; e > 0; e >>= 1, b *= b) {
            if ((e & 1) != 0) {
                r *= b;
            }
        }
        return r;
    }
}
