package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gramian.core.DType;
import dev.gramian.core.Half;
import java.util.function.Supplier;

/** How far a float result is from what it should be, in units of its type's last place. */
final class Near {
    private Near() {}

    /**
     * Null where the result is right, else what is wrong. Right is: NaN for NaN; zero with its sign; the exact value
     * rounded once where {@code ulps} is 0; else no further than {@code ulps} of the compute type beside that rounding.
     * {@code floor}: smallest unit that counts, for functions with a factor that is subnormal before they are.
     */
    static String miss(DType t, double want, double is, double ulps, double floor) {
        if (Double.isNaN(want) || Double.isNaN(is)) {
            return Double.isNaN(want) && Double.isNaN(is) ? null : "is " + is + ", not " + want;
        }
        double rounded = t == DType.F64
                ? want
                : t == DType.F32 ? (float) want : Half.toFloat(t, Half.fromDouble(t, want));
        if (rounded == is) {
            return is != 0 || 1 / rounded == 1 / is ? null : "is " + is + ", not " + rounded;
        }
        if (ulps == 0) {
            return "is " + is + ", not " + rounded + ", exactly " + want;
        }
        double largest = switch (t) {
            case F64 -> Double.MAX_VALUE;
            case F32 -> Float.MAX_VALUE;
            case F16 -> 65504;
            default -> 0x1.fep127;
        };
        if (Double.isInfinite(rounded) || Double.isInfinite(is)) {
            // either side of the end of the range
            boolean same = Math.signum(want) == Math.signum(is) && Math.abs(want) > largest * (1 - 1e-6)
                    && Math.abs(is) > largest * (1 - 1e-6);
            return same ? null : "is " + is + ", not " + rounded;
        }
        double ulp = Math.max(floor, ulp(t, want));
        double allowed = t.isHalf() ? 0.5 + ulps * (t == DType.F16 ? 0x1p-13 : 0x1p-16) : 0.5 + ulps;
        double off = Math.abs(is - want) / ulp;
        return off <= allowed ? null : "is " + is + ", not " + want + ": off by " + off + " ulp";
    }

    /** Right is the same kind of number, no further off than {@code slack} and one rounding. */
    static void within(DType t, double want, double is, double slack, Supplier<String> where) {
        if (Double.isNaN(want) || Double.isInfinite(want)) {
            assertEquals(want, is, where);
            return;
        }
        if (t == DType.F16 && Math.abs(want) + slack >= 65504) {
            return; // either side of the end of the range
        }
        double bound = slack + 0.5001 * ulp(t, want) + (t == DType.F64 ? Math.ulp(want) : 0);
        if (!(Math.abs(is - want) <= bound)) {
            fail(where.get() + ": is " + is + ", not " + want + ", at most " + bound + " off");
        }
    }

    /** With the error of each addition carried along. */
    static double sum(double[] v) {
        double sum = 0;
        double low = 0;
        for (double x : v) {
            double t = sum + x;
            low += Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum;
            sum = t;
        }
        return Double.isFinite(low) ? sum + low : sum;
    }

    static double ulp(DType t, double v) {
        int e = Math.getExponent(v);
        return switch (t) {
            case F64 -> Math.ulp(v);
            case F32 -> Math.ulp((float) v);
            case F16 -> Math.scalb(1.0, Math.max(e, -14) - 10);
            default -> Math.scalb(1.0, Math.max(e, -126) - 7);
        };
    }
}
