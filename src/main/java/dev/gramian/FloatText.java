package dev.gramian;

import dev.gramian.core.DType;
import dev.gramian.core.Half;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Floats as NumPy writes them: the fewest digits that read back as the same value, at most 8 after the point, all
 * elements of an array in one form and width.
 */
final class FloatText {
    private static final int DIGITS = 8;

    private FloatText() {}

    /** A single value: {@code 1.5}, {@code 1e-05}; digits are never cut. */
    static String scalar(DType dtype, double v) {
        if (Double.isNaN(v) || Double.isInfinite(v)) {
            return special(v);
        }
        BigDecimal d = strip(shortest(dtype, v));
        double a = Math.abs(v);
        if (a != 0 && (a >= (dtype == DType.F64 ? 1e16 : limit(dtype)) || a < 1e-4)) {
            int digits = Integer.toString(Math.abs(exponent(d))).length();
            String s = scientific(v, d, d.precision() - 1, Math.max(2, digits));
            return d.precision() == 1 ? s.replace(".", "") : s;
        }
        return sign(v) + d.abs().setScale(Math.max(1, d.scale()), RoundingMode.UNNECESSARY).toPlainString();
    }

    /** The elements of an array, all of one width. */
    static String[] cells(DType dtype, double[] values) {
        boolean exponent = needsExponent(dtype, values);
        BigDecimal[] digits = new BigDecimal[values.length];
        int fraction = 0;
        int exponentDigits = 2;
        for (int i = 0; i < values.length; i++) {
            if (Double.isFinite(values[i])) {
                BigDecimal d = cut(dtype, values[i], exponent);
                digits[i] = d;
                fraction = Math.max(fraction, exponent ? d.precision() - 1 : Math.max(0, d.scale()));
                exponentDigits = Math.max(exponentDigits, Integer.toString(Math.abs(exponent(d))).length());
            }
        }
        for (int i = 0; exponent && i < values.length; i++) {
            // where others need more digits, the exact value's follow, not zeros
            if (digits[i] != null && digits[i].precision() < fraction + 1) {
                digits[i] = strip(
                        new BigDecimal(values[i]).round(new MathContext(fraction + 1, RoundingMode.HALF_EVEN)));
            }
        }
        String[] cells = new String[values.length];
        int width = 0;
        for (int i = 0; i < values.length; i++) {
            cells[i] = digits[i] == null
                    ? special(values[i])
                    : exponent
                            ? scientific(values[i], digits[i], fraction, exponentDigits)
                            : fixed(values[i], digits[i], fraction);
            width = Math.max(width, cells[i].length());
        }
        for (int i = 0; i < values.length; i++) {
            cells[i] = " ".repeat(width - cells[i].length()) + cells[i];
        }
        return cells;
    }

    /** NumPy's rule, in the arithmetic of the type; half types share F16's limit. */
    private static boolean needsExponent(DType dtype, double[] values) {
        double max = 0;
        double min = Double.POSITIVE_INFINITY;
        for (double v : values) {
            double a = Math.abs(v);
            if (a > 0 && a < Double.POSITIVE_INFINITY) {
                max = Math.max(max, a);
                min = Math.min(min, a);
            }
        }
        return max > 0 && (max >= limit(dtype) || min < round(dtype, 1e-4) || round(dtype, max / min) > 1000);
    }

    /** From here on the digits before the point say more than the type knows. */
    private static double limit(DType dtype) {
        return dtype == DType.F64 ? 1e8 : dtype == DType.F32 ? 1e6 : 1e3;
    }

    private static double round(DType dtype, double v) {
        return dtype == DType.F64 ? v : dtype == DType.F32 ? (float) v : Half.toFloat(dtype, Half.fromDouble(dtype, v));
    }

    private static String special(double v) {
        return Double.isNaN(v) ? "nan" : v > 0 ? "inf" : "-inf";
    }

    private static String sign(double v) {
        return v < 0 || v == 0 && 1 / v < 0 ? "-" : "";
    }

    /** The shortest digits, or the exact value rounded where those are more than {@link #DIGITS} after the point. */
    private static BigDecimal cut(DType dtype, double v, boolean exponent) {
        BigDecimal d = strip(shortest(dtype, v));
        if (exponent) {
            return d.precision() <= DIGITS + 1
                    ? d
                    : strip(new BigDecimal(v).round(new MathContext(DIGITS + 1, RoundingMode.HALF_EVEN)));
        }
        return d.scale() <= DIGITS ? d : strip(new BigDecimal(v).setScale(DIGITS, RoundingMode.HALF_EVEN));
    }

    private static BigDecimal strip(BigDecimal d) {
        return d.signum() == 0 ? BigDecimal.ZERO : d.stripTrailingZeros();
    }

    /** {@code 2.5} among values with three decimals is {@code "2.5  "}: NumPy pads where it trims zeros. */
    private static String fixed(double v, BigDecimal d, int fraction) {
        String s = d.abs().toPlainString();
        int point = s.indexOf('.');
        String text = point < 0 ? s + "." : s;
        int have = point < 0 ? 0 : s.length() - 1 - point;
        return sign(v) + text + " ".repeat(fraction - have);
    }

    private static int exponent(BigDecimal d) {
        return d.signum() == 0 ? 0 : d.precision() - d.scale() - 1;
    }

    private static String scientific(double v, BigDecimal d, int fraction, int exponentDigits) {
        int e = exponent(d);
        String mantissa = d.abs().movePointLeft(e).setScale(fraction, RoundingMode.UNNECESSARY).toPlainString();
        String power = Integer.toString(Math.abs(e));
        return sign(v) + mantissa + (fraction == 0 ? "." : "") + "e" + (e < 0 ? "-" : "+")
                + "0".repeat(exponentDigits - power.length()) + power;
    }

    /** The fewest digits that read back as the same value of the type. */
    private static BigDecimal shortest(DType dtype, double v) {
        BigDecimal exact = new BigDecimal(v);
        if (dtype.isHalf()) {
            for (int p = 1; p < 6; p++) {
                BigDecimal r = exact.round(new MathContext(p, RoundingMode.HALF_EVEN));
                if (round(dtype, r.doubleValue()) == v) {
                    return r;
                }
            }
            return exact;
        }
        BigDecimal d = new BigDecimal(dtype == DType.F64 ? Double.toString(v) : Float.toString((float) v));
        if (strip(d).precision() == 2) {
            // Java never goes below two digits: 4.9E-324 for 5e-324
            BigDecimal one = exact.round(new MathContext(1, RoundingMode.HALF_EVEN));
            boolean same = dtype == DType.F64 ? one.doubleValue() == v : one.floatValue() == (float) v;
            return same ? one : d;
        }
        return d;
    }
}
