package dev.gramian.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PhiloxTest {
    private static int[] block(int c0, int c1, int c2, int c3, int k0, int k1) {
        int[] out = new int[4];
        Philox.block(c0, c1, c2, c3, k0, k1, out);
        return out;
    }

    @Test
    void knownAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, block(0, 0, 0, 0, 0, 0));
        assertArrayEquals(
                new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, block(-1, -1, -1, -1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    @Test
    void bitsOfAnElementDoNotDependOnWhereOneStarts() {
        long[] all = new long[20];
        Philox.bits(7, 0, all, 20);
        for (int i = 0; i < 20; i++) {
            long[] one = new long[1];
            Philox.bits(7, i, one, 1);
            assertEquals(all[i], one[0]);
        }
        assertEquals(0xe169c58d6627e8d5L, first(0));
    }

    private static long first(long seed) {
        long[] one = new long[1];
        Philox.bits(seed, 0, one, 1);
        return one[0];
    }

    @Test
    void uniformNeverReachesItsEnd() {
        double[][] ranges = {{0, 1}, {0, 0.1}, {0.7, 1.3}, {-5, -0.1}, {-1e308, 1.7e308}, {1, Math.nextUp(1f)},
            {-1, 0}};
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            for (double[] r : ranges) {
                if (t.isHalf() && (r[1] > 1e300 || r[1] - r[0] < 1e-6) || t == DType.F32 && r[1] > 1e300) {
                    continue;
                }
                for (long bits : new long[] {0, -1, -2048, 1L << 62, Long.MIN_VALUE}) {
                    double v = Philox.within(t, Philox.uniform(bits, r[0], r[1]), r[0], r[1]);
                    assertTrue(v >= r[0] && v < r[1], t + " [" + r[0] + ", " + r[1] + ") gave " + v);
                }
            }
        }
    }

    /** Bits as Python's integers have them, normal numbers by NumPy's log, cos and sin. */
    @Test
    void numbersByAnotherImplementation() throws IOException {
        JsonNode cases;
        try (InputStream in = PhiloxTest.class.getResourceAsStream("/golden/random/random.json")) {
            cases = new ObjectMapper().readTree(in);
        }
        assertEquals(18, cases.size());
        for (JsonNode c : cases) {
            int n = c.get("bits").size();
            long[] bits = new long[n];
            Philox.bits(c.get("seed").asLong(), c.get("from").asLong(), bits, n);
            double[] normal = new double[n];
            for (int i = 0; i < n; i++) {
                assertEquals(Long.parseUnsignedLong(c.get("bits").get(i).asText()), bits[i]);
                assertEquals(c.get("uniform").get(i).asDouble(), Philox.uniform(bits[i], -2, 3));
                assertEquals(c.get("integers").get(i).asLong(), Philox.integer(bits[i], -1000, 6000));
                if ((i & 1) == 0) {
                    Philox.normal(bits[i], bits[i + 1], 0, 1, normal, i);
                }
            }
            for (int i = 0; i < n; i++) {
                // NumPy's angle is rounded before its cosine is taken: up to 4e-16, times a radius below 9
                assertEquals(c.get("normal").get(i).asDouble(), normal[i], 4e-15);
            }
        }
    }

    private static final MathContext DIGITS = new MathContext(50);
    private static final BigDecimal HALF_PI = new BigDecimal("1.57079632679489661923132169163975144209858469968755291");
    private static final BigDecimal LN2 = new BigDecimal("0.69314718055994530941723212145817656807550013436025525");

    /** sin (from the first power) or cos (from the second term) of pi/2 f by its series. */
    private static BigDecimal series(double f, boolean sin) {
        BigDecimal x = HALF_PI.multiply(new BigDecimal(f), DIGITS);
        BigDecimal term = sin ? x : BigDecimal.ONE;
        BigDecimal sum = term;
        for (int k = sin ? 2 : 1; k < 60; k += 2) {
            term = term.multiply(x, DIGITS).multiply(x, DIGITS).divide(BigDecimal.valueOf(-k * (k + 1)), DIGITS);
            sum = sum.add(term, DIGITS);
        }
        return sum;
    }

    private static BigDecimal ln(double w) {
        int e = Math.getExponent(w) + 1;
        BigDecimal m = new BigDecimal(Math.scalb(w, -e));
        BigDecimal s = m.subtract(BigDecimal.ONE).divide(m.add(BigDecimal.ONE), DIGITS);
        BigDecimal power = s;
        BigDecimal sum = BigDecimal.ZERO;
        for (int k = 1; k < 120; k += 2) {
            sum = sum.add(power.divide(BigDecimal.valueOf(k), DIGITS), DIGITS);
            power = power.multiply(s, DIGITS).multiply(s, DIGITS);
        }
        return sum.multiply(BigDecimal.TWO).add(LN2.multiply(BigDecimal.valueOf(e)));
    }

    private static void within(double ulps, BigDecimal exact, double is, String what) {
        double off = exact.subtract(new BigDecimal(is)).abs().doubleValue() / Math.ulp(exact.doubleValue());
        assertTrue(off < ulps, what + " is " + is + ", off by " + off + " ulp");
    }

    @Test
    void seriesKeepTheirBounds() {
        Random r = new Random(5);
        for (int i = 0; i < 6000; i++) {
            long k = r.nextLong() >>> 11 >>> (i % 3 == 0 ? r.nextInt(53) : 0);
            double u = (i % 3 == 1 ? (1L << 53) - 1 - (k >>> r.nextInt(53)) : k) * 0x1p-53;
            if (u > 0) {
                within(1, ln(1 - u), Philox.log(1 - u), "log(1 - " + u + ")");
                double f = (u - 0.5) * (1 - i % 2 * (1 - 0x1p-20));
                within(2, series(f, true), Philox.sinQuarter(f), "sin of quarter turns " + f);
                within(1.5, series(f, false), Philox.cosQuarter(f), "cos of quarter turns " + f);
            }
        }
        assertEquals(0.0, Philox.log(1));
        assertEquals(0.0, Philox.sinQuarter(0));
        assertEquals(1.0, Philox.cosQuarter(0));
        assertEquals(0.7071067811865476, Philox.cosQuarter(-0.5), 1.7e-16);
    }

    /** All four quarters and their edges, where the angle is whole. */
    @Test
    void anglesGoAllTheWayRound() {
        double[] out = new double[2];
        for (long turn = 0; turn < 64; turn++) {
            for (long beside = -1; beside <= 1; beside++) {
                long bits = (turn << 47) + beside << 11;
                Philox.normal(1L << 63, bits, 0, 1, out, 0);
                double r = Math.sqrt(2 * Math.log(2));
                double angle = 2 * Math.PI * ((bits >>> 11) * 0x1p-53);
                assertEquals(r * Math.cos(angle), out[0], 2e-15);
                assertEquals(r * Math.sin(angle), out[1], 2e-15);
            }
        }
    }
}
