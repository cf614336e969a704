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

    /** Adding and taking away 1.5 * 2^23 rounds to the nearest whole number, which then stands in the low bits. */
    private static final float ROUND_F = 0x1.8p23f;

    private static final double ROUND_D = 0x1.8p52;
    private static final double LN2_HI_D = 0x1.62e42fee00000p-1;
    private static final double LN2_LO_D = 0x1.a39ef35793c76p-33;

    private VectorMath() {}

    /**
     * exp(x): at most 1.1 ulp off, subnormal results included; NaN stays NaN. x = n ln 2 + r with |r| at most ln(2)/2,
     * and a minimax polynomial for r; 2^n in two factors, so that neither leaves the exponent's range.
     */
    static FloatVector exp(FloatVector v) {
        FloatVector x = v.blend(-104.0f, v.compare(VectorOperators.LT, -104.0f));
        x = x.blend(89.0f, x.compare(VectorOperators.GT, 89.0f));
        FloatVector k = x.fma(FloatVector.broadcast(F, 1.44269504f), FloatVector.broadcast(F, ROUND_F));
        IntVector n = k.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUND_F));
        FloatVector nf = k.sub(ROUND_F);
        FloatVector r = nf.fma(FloatVector.broadcast(F, -0.693359375f), x);
        r = nf.fma(FloatVector.broadcast(F, 2.12194440e-4f), r);
        FloatVector p = r.fma(FloatVector.broadcast(F, 0x1.6a2252p-10f), FloatVector.broadcast(F, 0x1.123b04p-7f));
        p = p.fma(r, FloatVector.broadcast(F, 0x1.5558f8p-5f));
        p = p.fma(r, FloatVector.broadcast(F, 0x1.555490p-3f));
        p = p.fma(r, FloatVector.broadcast(F, 0x1.fffffcp-2f));
        p = p.fma(r.mul(r), r).add(1.0f);
        IntVector half = n.lanewise(VectorOperators.ASHR, 1);
        return p.mul(power(half)).mul(power(n.sub(half)));
    }

    private static FloatVector power(IntVector n) {
        return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    }

    /** tanh(x), at most 2 ulp off: an odd polynomial near zero, 1 - 2 / (exp(2|x|) + 1) beyond. */
    static FloatVector tanh(FloatVector x) {
        FloatVector a = x.abs();
        FloatVector far = FloatVector.broadcast(F, 1.0f)
                .sub(FloatVector.broadcast(F, 2.0f).div(exp(a.add(a)).add(1.0f)));
        // the sign of x by its bit, so that -0.0 keeps it
        far = far.reinterpretAsInts()
                .or(x.reinterpretAsInts().and(0x80000000))
                .reinterpretAsFloats();
        FloatVector q = x.mul(x);
        FloatVector p = q.fma(
                FloatVector.broadcast(F, -0.005666968412697315f), FloatVector.broadcast(F, 0.02060616761445999f));
        p = p.fma(q, FloatVector.broadcast(F, -0.05373000353574753f));
        p = p.fma(q, FloatVector.broadcast(F, 0.13331331312656403f));
        p = p.fma(q, FloatVector.broadcast(F, -0.33333277702331543f));
        FloatVector near = p.mul(q).fma(x, x);
        return far.blend(near, a.compare(VectorOperators.LT, 0.625f));
    }

    /** exp(x) in F64, at most 2 ulp off; as {@link #exp(FloatVector)}, with the Taylor polynomial to r^13. */
    static DoubleVector exp(DoubleVector v) {
        DoubleVector x = v.blend(-746.0, v.compare(VectorOperators.LT, -746.0));
        x = x.blend(710.0, x.compare(VectorOperators.GT, 710.0));
        DoubleVector k = x.fma(DoubleVector.broadcast(D, 1.4426950408889634), DoubleVector.broadcast(D, ROUND_D));
        LongVector n = k.reinterpretAsLongs().sub(Double.doubleToRawLongBits(ROUND_D));
        DoubleVector nf = k.sub(ROUND_D);
        DoubleVector r = nf.fma(DoubleVector.broadcast(D, -LN2_HI_D), x);
        r = nf.fma(DoubleVector.broadcast(D, -LN2_LO_D), r);
        DoubleVector p = r.fma(DoubleVector.broadcast(D, 1.0 / 6227020800.0),
                DoubleVector.broadcast(D, 1.0 / 479001600.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 39916800.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 3628800.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 362880.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 40320.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 5040.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 720.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 120.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 24.0));
        p = p.fma(r, DoubleVector.broadcast(D, 1.0 / 6.0));
        p = p.fma(r, DoubleVector.broadcast(D, 0.5));
        p = p.fma(r.mul(r), r).add(1.0);
        LongVector half = n.lanewise(VectorOperators.ASHR, 1);
        return p.mul(power(half)).mul(power(n.sub(half)));
    }

    private static DoubleVector power(LongVector n) {
        return n.add(1023).lanewise(VectorOperators.LSHL, 52).reinterpretAsDoubles();
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

    /** Product of the lanes in one fixed order. */
    static double product(DoubleVector v) {
        double p = v.lane(0);
        for (int i = 1; i < D.length(); i++) {
            p *= v.lane(i);
        }
        return p;
    }
}
