package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Printed floats read back, whatever their bits. */
final class FloatTextTest {
    private static double ofBits(DType t, long bits) {
        return switch (t) {
            case F64 -> Double.longBitsToDouble(bits);
            case F32 -> Float.intBitsToFloat((int) bits);
            default -> Half.toFloat(t, (short) bits);
        };
    }

    private static double read(String cell) {
        return Double.parseDouble(cell.strip().replace("nan", "NaN").replace("inf", "Infinity"));
    }

    @Test
    void cellsReadBackToTheDigitsShown() {
        long seed = Seed.VALUE;
        Random random = new Random(seed);
        for (DType t : List.of(DType.F64, DType.F32, DType.F16, DType.BF16)) {
            for (int round = 0; round < 3000; round++) {
                double[] v = new double[1 + random.nextInt(5)];
                boolean tame = random.nextBoolean();
                for (int i = 0; i < v.length; i++) {
                    double d = tame ? random.nextGaussian() * 10 : ofBits(t, random.nextLong());
                    v[i] = t == DType.F64 ? d : t == DType.F32 ? (float) d : Half.toFloat(t, Half.fromDouble(t, d));
                }
                String about = "seed " + seed + ": " + t + " " + Arrays.toString(v);
                String[] cells = FloatText.cells(t, v);
                for (int i = 0; i < v.length; i++) {
                    assertEquals(cells[0].length(), cells[i].length(), about + " gives " + Arrays.toString(cells));
                    double r = read(cells[i]);
                    if (!Double.isFinite(v[i])) {
                        assertEquals(v[i], r, about);
                    } else {
                        // 8 digits after the point; reading them rounds, and the half types' shortest digits may be
                        // half an ulp off
                        double bound = cells[i].contains("e") ? 6e-9 * Math.abs(v[i]) : 6e-9;
                        bound += Goldens.ulp(t, v[i]) / 2;
                        assertTrue(Math.abs(r - v[i]) <= bound || t == DType.F64 && Math.abs(v[i]) < 1e-300,
                                about + " gives " + Arrays.toString(cells));
                    }
                    assertEquals(ofBits(t, bits(t, v[i])), ofBits(t, bits(t, read(FloatText.scalar(t, v[i])))), about);
                }
            }
        }
    }

    private static long bits(DType t, double v) {
        return switch (t) {
            case F64 -> Double.doubleToLongBits(v);
            case F32 -> Float.floatToIntBits((float) v);
            default -> Half.fromDouble(t, v);
        };
    }

    @Test
    void bfloat16TakesFewDigits() {
        assertEquals(List.of("0.334", "2.   "), List.of(FloatText.cells(DType.BF16, new double[] {0.333984375, 2})));
        assertEquals("3.39e+38", FloatText.scalar(DType.BF16, 0x1.FEp127));
        assertEquals("1e+03", FloatText.scalar(DType.F16, 1000));
        assertEquals("5e-324", FloatText.scalar(DType.F64, Double.MIN_VALUE));
        assertEquals("1e-45", FloatText.scalar(DType.F32, Float.MIN_VALUE));
        assertEquals("-0.0", FloatText.scalar(DType.F64, -0.0));
    }
}
