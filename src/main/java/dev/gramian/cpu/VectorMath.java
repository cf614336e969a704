package dev.gramian.cpu;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementary functions on vectors of the preferred width. Polynomials rather than {@code lanewise(EXP)}, which needs a
 * library that not every JDK carries and drops to one lane at a time without it.
 */
final class VectorMath {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;

    // Constants as vectors, for the JIT: broadcasting them in place costs it so many nodes that functions of this length
    // pass its limit (18000), whereupon it inlines no further and boxes every vector.

    /**
     * Adding and taking away 1.5 * 2^23 rounds to the nearest whole number, which then stands in the low bits: here with
     * twice the exponents' bias, so that half of it is the exponent field of a factor.
     */
    private static final FloatVector ROUND_F = f(0x1.8p23 + 2 * 127);

    private static final DoubleVector ROUND_D = d(0x1.8p52 + 2 * 1023);
    private static final IntVector EXPONENT_F = f(Float.POSITIVE_INFINITY).reinterpretAsInts();
    private static final LongVector EXPONENT_D = d(Double.POSITIVE_INFINITY).reinterpretAsLongs();

    /** The same with the bias of a factor 2^(n + 64). */
    private static final FloatVector ROUND_64_F = f(0x1.8p23 + 127 + 64);

    private static final FloatVector TWO_MINUS_64 = f(0x1p-64);
    private static final FloatVector ONE_F = f(1);
    private static final IntVector SIGN_F = f(-0.0).reinterpretAsInts();

    private static final FloatVector EXP_LOW_F = f(-104);
    private static final FloatVector EXP_HIGH_F = f(89);
    private static final FloatVector LOG2E_F = f(1.44269504);
    private static final FloatVector LN2_HIGH_F = f(-0.693359375);
    private static final FloatVector LN2_LOW_F = f(2.12194440e-4);
    private static final FloatVector EXP_6_F = f(0x1.6a2252p-10);
    private static final FloatVector EXP_5_F = f(0x1.123b04p-7);
    private static final FloatVector EXP_4_F = f(0x1.5558f8p-5);
    private static final FloatVector EXP_3_F = f(0x1.555490p-3);
    private static final FloatVector EXP_2_F = f(0x1.fffffcp-2);

    private static final DoubleVector EXP_LOW_D = d(-746);
    private static final DoubleVector EXP_HIGH_D = d(710);
    private static final DoubleVector LOG2E_D = d(1.4426950408889634);
    private static final DoubleVector LN2_HIGH_D = d(-0x1.62e42fee00000p-1);
    private static final DoubleVector LN2_LOW_D = d(-0x1.a39ef35793c76p-33);
    private static final DoubleVector EXP_13_D = d(1.0 / 6227020800.0);
    private static final DoubleVector EXP_12_D = d(1.0 / 479001600.0);
    private static final DoubleVector EXP_11_D = d(1.0 / 39916800.0);
    private static final DoubleVector EXP_10_D = d(1.0 / 3628800.0);
    private static final DoubleVector EXP_9_D = d(1.0 / 362880.0);
    private static final DoubleVector EXP_8_D = d(1.0 / 40320.0);
    private static final DoubleVector EXP_7_D = d(1.0 / 5040.0);
    private static final DoubleVector EXP_6_D = d(1.0 / 720.0);
    private static final DoubleVector EXP_5_D = d(1.0 / 120.0);
    private static final DoubleVector EXP_4_D = d(1.0 / 24.0);
    private static final DoubleVector EXP_3_D = d(1.0 / 6.0);
    private static final DoubleVector EXP_2_D = d(0.5);

    private static final FloatVector TANH_NEAR = f(0.625);
    private static final FloatVector TANH_11 = f(-0.005666968412697315);
    private static final FloatVector TANH_9 = f(0.02060616761445999);
    private static final FloatVector TANH_7 = f(-0.05373000353574753);
    private static final FloatVector TANH_5 = f(0.13331331312656403);
    private static final FloatVector TANH_3 = f(-0.33333277702331543);

    private static final FloatVector MILLS_CENTRE_F = f(3.5);
    private static final FloatVector MILLS_SPAN_F = f(-7);
    private static final FloatVector MILLS_0_F = f(0.7444160735927683);
    private static final FloatVector MILLS_1_F = f(-0.5655617392427935);
    private static final FloatVector MILLS_2_F = f(0.3154250913163972);
    private static final FloatVector MILLS_3_F = f(-0.11605317478862302);
    private static final FloatVector MILLS_4_F = f(0.017405821403671248);
    private static final FloatVector MILLS_5_F = f(0.00649372707467003);
    private static final FloatVector MILLS_6_F = f(-0.0031728292226636495);
    private static final FloatVector MILLS_7_F = f(-0.0004950402116911188);
    private static final FloatVector MILLS_8_F = f(0.0004183239140422396);
    private static final FloatVector MILLS_9_F = f(0.00010869418751133044);

    private static final FloatVector ROOT_TWO = f(1.41421356);
    private static final FloatVector MINUS_TWO = f(-2);
    private static final FloatVector ERF_13 = f(0x1.496a1ep-14);
    private static final FloatVector ERF_11 = f(-0x1.a3f6f8p-11);
    private static final FloatVector ERF_9 = f(0x1.5405b0p-8);
    private static final FloatVector ERF_7 = f(-0x1.b7f90cp-6);
    private static final FloatVector ERF_5 = f(0x1.ce2cf8p-4);
    private static final FloatVector ERF_3 = f(-0x1.81273ep-2);
    private static final FloatVector ERF_1 = f(0x1.06eba8p-3);
    private static final FloatVector GELU_END = f(20);
    private static final FloatVector MINUS_HALF = f(-0.5);
    private static final FloatVector MINUS_ZERO = f(-0.0);
    private static final FloatVector ZERO = f(0);

    private VectorMath() {}

    private static FloatVector f(double c) {
        return FloatVector.broadcast(F, (float) c);
    }

    private static DoubleVector d(double c) {
        return DoubleVector.broadcast(D, c);
    }

    /**
     * exp(x): at most 1.1 ulp off, subnormal results included; NaN stays NaN. x = n ln 2 + r with |r| at most ln(2)/2,
     * and a minimax polynomial for r; 2^n in two factors, so that neither leaves the exponent's range.
     */
    static FloatVector exp(FloatVector v) {
        FloatVector x = v.blend(EXP_LOW_F, v.compare(VectorOperators.LT, EXP_LOW_F));
        x = x.blend(EXP_HIGH_F, x.compare(VectorOperators.GT, EXP_HIGH_F));
        FloatVector k = x.fma(LOG2E_F, ROUND_F);
        FloatVector p = expLessOne(x, k.sub(ROUND_F));
        IntVector n = k.reinterpretAsInts();
        IntVector half = n.lanewise(VectorOperators.LSHL, 22).and(EXPONENT_F);
        FloatVector rest = n.lanewise(VectorOperators.LSHL, 23).sub(half).reinterpretAsFloats();
        FloatVector power = half.reinterpretAsFloats();
        return p.fma(power, power).mul(rest);
    }

    /**
     * exp(x) for x &le; 0 as {@link #exp(FloatVector)}, with fewer steps: n is at least -151, so 2^(n + 64) is a normal number,
     * and one product with 2^-64 rounds what is subnormal. Undefined above 0.
     */
    static FloatVector expNegative(FloatVector v) {
        FloatVector x = v.blend(EXP_LOW_F, v.compare(VectorOperators.LT, EXP_LOW_F));
        FloatVector k = x.fma(LOG2E_F, ROUND_64_F);
        FloatVector p = expLessOne(x, k.sub(ROUND_64_F));
        FloatVector power = k.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.fma(power, power).mul(TWO_MINUS_64);
    }

    /** exp(x - n ln 2) - 1. */
    private static FloatVector expLessOne(FloatVector x, FloatVector n) {
        FloatVector r = n.fma(LN2_LOW_F, n.fma(LN2_HIGH_F, x));
        FloatVector p = r.fma(EXP_6_F, EXP_5_F).fma(r, EXP_4_F).fma(r, EXP_3_F).fma(r, EXP_2_F);
        return p.fma(r.mul(r), r);
    }

    /** tanh(x), at most 2 ulp off: an odd polynomial near zero, 1 - 2 t / (1 + t) beyond, t = exp(-2|x|). */
    static FloatVector tanh(FloatVector x) {
        FloatVector a = x.abs();
        FloatVector t = expNegative(a.mul(MINUS_TWO));
        FloatVector far = ONE_F.sub(t.add(t).div(t.add(ONE_F)));
        FloatVector q = x.mul(x);
        FloatVector p = q.fma(TANH_11, TANH_9).fma(q, TANH_7).fma(q, TANH_5).fma(q, TANH_3);
        FloatVector near = p.mul(q).fma(a, a);
        return signed(far.blend(near, a.compare(VectorOperators.LT, TANH_NEAR)), x);
    }

    /** The sign of x by its bit, so that -0.0 keeps it. */
    private static FloatVector signed(FloatVector magnitude, FloatVector x) {
        return magnitude.reinterpretAsInts()
                .or(x.reinterpretAsInts().and(SIGN_F))
                .reinterpretAsFloats();
    }

    /**
     * Phi(-a) exp(a^2/2) for a &ge; 0, Phi the normal distribution's integral: a polynomial in (a - 3.5) / (a + 3.5) over
     * a + 3.5, off by a relative 8e-9 up to a = 15. The factor that a tail of Phi has beside its exponential, so that the
     * tail keeps its digits.
     */
    private static FloatVector mills(FloatVector a) {
        FloatVector d = ONE_F.div(a.add(MILLS_CENTRE_F));
        FloatVector t = d.fma(MILLS_SPAN_F, ONE_F);
        FloatVector p = t.fma(MILLS_9_F, MILLS_8_F).fma(t, MILLS_7_F).fma(t, MILLS_6_F).fma(t, MILLS_5_F);
        p = p.fma(t, MILLS_4_F).fma(t, MILLS_3_F).fma(t, MILLS_2_F).fma(t, MILLS_1_F).fma(t, MILLS_0_F);
        return p.mul(d);
    }

    // erf and gelu in two stages, each small enough for the JIT, with the exponential in memory between them

    /** exp(-x^2), for {@link #erf}. */
    static FloatVector erfTail(FloatVector x) {
        return expNegative(x.mul(x).neg());
    }

    /** erf(x), at most 2 ulp off: an odd polynomial up to 1, 1 - 2 Phi(-sqrt(2) |x|) beyond; tail is exp(-x^2). */
    static FloatVector erf(FloatVector x, FloatVector tail) {
        FloatVector a = x.abs();
        FloatVector q = x.mul(x);
        FloatVector far = tail.mul(mills(a.mul(ROOT_TWO))).fma(MINUS_TWO, ONE_F);
        FloatVector p = q.fma(ERF_13, ERF_11).fma(q, ERF_9).fma(q, ERF_7).fma(q, ERF_5).fma(q, ERF_3).fma(q, ERF_1);
        return signed(far.blend(p.fma(a, a), a.compare(VectorOperators.LT, ONE_F)), x);
    }

    /** exp(-x^2/2), for {@link #gelu}: what rounding takes from the square counts, times x^2/2, in the result. */
    static FloatVector geluTail(FloatVector x) {
        FloatVector a = geluEnd(x);
        FloatVector q = a.mul(a);
        FloatVector rest = a.fma(a, q.neg());
        FloatVector e = expNegative(q.mul(MINUS_HALF));
        return e.fma(rest.mul(MINUS_HALF), e);
    }

    /** x Phi(x) as x or 0 less its tail, at most 8 ulp off and mostly below 2; tail is exp(-x^2/2). */
    static FloatVector gelu(FloatVector x, FloatVector tail) {
        FloatVector a = geluEnd(x);
        return x.blend(MINUS_ZERO, x.compare(VectorOperators.LT, ZERO)).sub(a.mul(mills(a)).mul(tail));
    }

    /** |x|, but no further than F32 has a tail, so that infinity meets no zero. */
    private static FloatVector geluEnd(FloatVector x) {
        FloatVector a = x.abs();
        return a.blend(GELU_END, a.compare(VectorOperators.GT, GELU_END));
    }

    /** exp(x) in F64, at most 2 ulp off; as {@link #exp(FloatVector)}, with the Taylor polynomial to r^13. */
    static DoubleVector exp(DoubleVector v) {
        DoubleVector x = v.blend(EXP_LOW_D, v.compare(VectorOperators.LT, EXP_LOW_D));
        x = x.blend(EXP_HIGH_D, x.compare(VectorOperators.GT, EXP_HIGH_D));
        DoubleVector k = x.fma(LOG2E_D, ROUND_D);
        DoubleVector nf = k.sub(ROUND_D);
        DoubleVector r = nf.fma(LN2_LOW_D, nf.fma(LN2_HIGH_D, x));
        DoubleVector p = r.fma(EXP_13_D, EXP_12_D).fma(r, EXP_11_D).fma(r, EXP_10_D).fma(r, EXP_9_D).fma(r, EXP_8_D);
        p = p.fma(r, EXP_7_D).fma(r, EXP_6_D).fma(r, EXP_5_D).fma(r, EXP_4_D).fma(r, EXP_3_D).fma(r, EXP_2_D);
        p = p.fma(r.mul(r), r);
        LongVector n = k.reinterpretAsLongs();
        LongVector half = n.lanewise(VectorOperators.LSHL, 51).and(EXPONENT_D);
        DoubleVector rest = n.lanewise(VectorOperators.LSHL, 52).sub(half).reinterpretAsDoubles();
        DoubleVector power = half.reinterpretAsDoubles();
        return p.fma(power, power).mul(rest);
    }

    /**
     * Sum of the lanes in one fixed order. {@code reduceLanes} leaves the order open, and interpreted and compiled code do
     * differ, so the same call could give two results.
     */
    static double sum(DoubleVector v) {
        if (D.length() == 8) {
            return ((v.lane(0) + v.lane(4)) + (v.lane(2) + v.lane(6)))
                    + ((v.lane(1) + v.lane(5)) + (v.lane(3) + v.lane(7)));
        }
        if (D.length() == 4) {
            return (v.lane(0) + v.lane(2)) + (v.lane(1) + v.lane(3));
        }
        double s = v.lane(0);
        for (int i = 1; i < D.length(); i++) {
            s += v.lane(i);
        }
        return s;
    }

    /** Sum of the lanes in double precision, in one fixed order. */
    static double sum(FloatVector v) {
        return sum(low(v).add(high(v)));
    }

    /** The first half of the lanes. */
    static DoubleVector low(FloatVector v) {
        return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 0);
    }

    /** The second half of the lanes. */
    static DoubleVector high(FloatVector v) {
        return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 1);
    }

    /** Product of the lanes in one fixed order. */
    static double product(DoubleVector v) {
        double p = v.lane(0);
        for (int i = 1; i < D.length(); i++) {
            p *= v.lane(i);
        }
        return p;
    }
}
