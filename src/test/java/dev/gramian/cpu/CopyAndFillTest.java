package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import dev.gramian.core.Distribution;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Casts, copies of every layout, choice, fills, sequences and random numbers. */
final class CopyAndFillTest {
    private static final Elementwise ONE = new Elementwise(CpuPath.SCALAR, new Workers(1));
    private static final Elementwise TWO = new Elementwise(CpuPath.VECTOR, new Workers(2));

    private static View longs(long... v) {
        View x = Samples.empty(DType.I64, Shape.of(v.length));
        for (int i = 0; i < v.length; i++) {
            Mem.i64(CpuStorage.address(x) + 8L * i, v[i]);
        }
        return x;
    }

    private static View doubles(double... v) {
        View x = Samples.empty(DType.F64, Shape.of(v.length));
        for (int i = 0; i < v.length; i++) {
            Mem.f64(CpuStorage.address(x) + 8L * i, v[i]);
        }
        return x;
    }

    private static View cast(View x, DType to) {
        View out = Samples.empty(to, x.shape());
        TWO.copy(new View[] {x}, out);
        return out;
    }

    @Test
    void floatsSaturateAsIntegersAndNanIsZero() {
        View x = doubles(Double.NaN, 1e300, -1e300, 2.9, -2.9, 255.9, 256, -0.0, Double.NEGATIVE_INFINITY);
        long[] i64 = {0, Long.MAX_VALUE, Long.MIN_VALUE, 2, -2, 255, 256, 0, Long.MIN_VALUE};
        long[] i32 = {0, Integer.MAX_VALUE, Integer.MIN_VALUE, 2, -2, 255, 256, 0, Integer.MIN_VALUE};
        long[] u8 = {0, 255, 0, 2, 0, 255, 255, 0, 0};
        long[] bool = {1, 1, 1, 1, 1, 1, 1, 0, 1};
        for (int i = 0; i < i64.length; i++) {
            assertEquals(i64[i], Samples.whole(cast(x, DType.I64), x.shape(), i));
            assertEquals(i32[i], Samples.whole(cast(x, DType.I32), x.shape(), i));
            assertEquals(u8[i], Samples.whole(cast(x, DType.U8), x.shape(), i));
            assertEquals(bool[i], Samples.whole(cast(x, DType.BOOL), x.shape(), i));
        }
    }

    @Test
    void longsStayExactAndRoundOnce() {
        long odd = (1L << 53) + 1;
        View x = longs(odd, -odd, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 40) + 7, (1L << 62) + (1L << 54) + 1);
        View same = cast(x, DType.I64);
        assertEquals(odd, Samples.whole(same, x.shape(), 0));
        assertEquals(7, Samples.whole(cast(x, DType.I32), x.shape(), 4));
        assertEquals(1, Samples.whole(cast(x, DType.U8), x.shape(), 0));
        for (int i = 0; i < x.shape().size(); i++) {
            BigDecimal exact = new BigDecimal(Samples.whole(x, x.shape(), i));
            assertEquals(exact.doubleValue(), Samples.real(cast(x, DType.F64), x.shape(), i));
            assertEquals(exact.floatValue(), (float) Samples.real(cast(x, DType.F32), x.shape(), i));
        }
        // 2^62 + 2^54 lies half way between two BF16 values: the 1 decides
        assertEquals(0x1p62 + 0x1p55, Samples.real(cast(x, DType.BF16), x.shape(), 5));
    }

    @Test
    void allHalfBitPatternsRoundTrip() {
        for (DType half : new DType[] {DType.F16, DType.BF16}) {
            View x = Samples.empty(half, Shape.of(65536));
            for (int i = 0; i < 65536; i++) {
                Mem.i16(CpuStorage.address(x) + 2L * i, (short) i);
            }
            for (DType wide : new DType[] {DType.F32, DType.F64}) {
                View w = cast(x, wide);
                View back = cast(w, half);
                for (int i = 0; i < 65536; i++) {
                    double v = Samples.real(w, x.shape(), i);
                    assertEquals(decode(half, i), v);
                    if (!Double.isNaN(v)) {
                        assertEquals((short) i, Mem.i16(CpuStorage.address(back) + 2L * i));
                    } else {
                        assertTrue(Double.isNaN(Samples.real(back, x.shape(), i)));
                    }
                }
                Samples.free(w, back);
            }
            Samples.free(x);
        }
    }

    /** Between every two neighbours: below, at and above the half-way point, ties to the even one. */
    @Test
    void halvesRoundToNearestEvenOnce() {
        for (DType half : new DType[] {DType.F16, DType.BF16}) {
            int end = half == DType.F16 ? 0x7BFF : 0x7F7F;
            double[] v = new double[3 * end];
            int[] want = new int[3 * end];
            for (int i = 0; i < end; i++) {
                double middle = (decode(half, i) + decode(half, i + 1)) / 2;
                v[3 * i] = Math.nextDown(middle);
                v[3 * i + 1] = middle;
                v[3 * i + 2] = Math.nextUp(middle);
                want[3 * i] = i;
                want[3 * i + 1] = i + (i & 1);
                want[3 * i + 2] = i + 1;
            }
            View x = doubles(v);
            View out = cast(x, half);
            for (int i = 0; i < v.length; i++) {
                assertEquals(want[i], Mem.i16(CpuStorage.address(out) + 2L * i) & 0xFFFF, half + " of " + v[i]);
            }
            Samples.free(x, out);
        }
    }

    /** Every exponent and sign with many fractions, and every tie, from F32 by vectors; few elements and many. */
    @Test
    void floatsBecomeHalvesAsOneByOne() {
        for (DType half : new DType[] {DType.F16, DType.BF16}) {
            int n = (1 << 22) + 5;
            View x = Samples.empty(DType.F32, Shape.of(n));
            for (int i = 0; i < n; i++) {
                // the low 13 or 16 bits are what is rounded away: at, beside and far from the half-way point
                int low = new int[] {0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0, i * 31 & 0xFFFF}[i & 7];
                Mem.i32(CpuStorage.address(x) + 4L * i, (i >>> 3) << 13 ^ low);
            }
            View out = cast(x, half);
            View few = new View(x.storage(), Layout.contiguous(Shape.of(3)).slice(0, 0, 3, 1), DType.F32);
            View fewOut = cast(few, half);
            for (int i = 0; i < n; i++) {
                float v = Mem.f32(CpuStorage.address(x) + 4L * i);
                short is = Mem.i16(CpuStorage.address(out) + 2L * i);
                if (Float.isNaN(v)) {
                    assertTrue(Float.isNaN(Half.toFloat(half, is)));
                } else if (Half.fromFloat(half, v) != is) {
                    assertEquals(Half.fromFloat(half, v), is, half + " of " + v);
                }
                if (i < 3) {
                    assertEquals(is, Mem.i16(CpuStorage.address(fewOut) + 2L * i));
                }
            }
            Samples.free(x, out, fewOut);
        }
    }

    private static double decode(DType half, int bits) {
        int m = half == DType.F16 ? 10 : 7;
        int bias = half == DType.F16 ? 15 : 127;
        int e = (bits & 0x7FFF) >> m;
        int f = bits & (1 << m) - 1;
        double v = e == 2 * bias + 1
                ? f == 0 ? Double.POSITIVE_INFINITY : Double.NaN
                : e == 0 ? Math.scalb((double) f, 1 - bias - m) : Math.scalb((double) (f + (1 << m)), e - bias - m);
        return (bits & 0x8000) == 0 ? v : -v;
    }

    @Test
    void copiesOfEveryLayout() {
        Random random = Samples.random("copies");
        Shape[] shapes = {
            Shape.SCALAR, Shape.of(0, 3), Shape.of(67), Shape.of(33, 65), Shape.of(3, 40, 5, 24), Shape.of(300, 401),
            Shape.of(2, 37, 67)
        };
        for (DType t : DType.values()) {
            for (Shape s : shapes) {
                for (View x : Samples.layouts(t, s, random)) {
                    View out = Samples.empty(t, s);
                    TWO.copy(new View[] {x}, out);
                    long w = t.bytes();
                    long base = ((CpuStorage) x.storage()).address;
                    for (long i = 0; i < s.size(); i++) {
                        for (int b = 0; b < w; b++) {
                            assertEquals(
                                    Mem.u8(base + Samples.index(x, s, i) * w + b),
                                    Mem.u8(CpuStorage.address(out) + i * w + b),
                                    () -> t + " " + x.layout());
                        }
                    }
                    Samples.free(x, out);
                }
            }
        }
    }

    @Test
    void whereChoosesByCondition() {
        Random random = Samples.random("where");
        Shape s = Shape.of(37, 91);
        for (DType t : DType.values()) {
            for (View c : Samples.layouts(DType.BOOL, s, random)) {
                View x = Samples.layouts(t, s, random).get(random.nextInt(8));
                View y = Samples.layouts(t, s, random).get(random.nextInt(8));
                View out = Samples.empty(t, s);
                TWO.where(new View[] {c, x, y}, out);
                for (long i = 0; i < s.size(); i++) {
                    double want = Samples.real(Samples.whole(c, s, i) != 0 ? x : y, s, i);
                    assertEquals(want, Samples.real(out, s, i), t.toString());
                }
            }
        }
    }

    @Test
    void fillsAndSequences() {
        for (DType t : DType.values()) {
            Shape s = Shape.of(70_001);
            View x = Samples.empty(t, s);
            TWO.fill(new Op.Fill(s, t, 1), x);
            for (long i = 0; i < s.size(); i++) {
                assertEquals(1, Samples.real(x, s, i));
            }
        }
        View x = Samples.empty(DType.F64, Shape.of(50_001));
        TWO.sequence(new Op.Sequence(50_001, DType.F64, -1, 0.3, 7), x);
        assertEquals(-1 + 49_999 * 0.3, Samples.real(x, x.shape(), 49_999));
        assertEquals(7, Samples.real(x, x.shape(), 50_000));
        View y = Samples.empty(DType.I64, Shape.of(5));
        TWO.sequence(new Op.Sequence(5, DType.I64, 10, -3, -2), y);
        assertEquals(-2, Samples.whole(y, y.shape(), 4));
        assertEquals(1, Samples.whole(y, y.shape(), 3));
    }

    @Test
    void randomNumbersDependOnSeedAndPlaceOnly() {
        Shape s = Shape.of(100_003);
        for (Distribution d : Distribution.values()) {
            View a = Samples.empty(DType.F32, s);
            View b = Samples.empty(DType.F32, s);
            View few = Samples.empty(DType.F32, Shape.of(1001));
            ONE.random(new Op.Random(s, DType.F32, d, 42, -3, 5), a);
            TWO.random(new Op.Random(s, DType.F32, d, 42, -3, 5), b);
            TWO.random(new Op.Random(few.shape(), DType.F32, d, 42, -3, 5), few);
            double sum = 0;
            double squares = 0;
            for (long i = 0; i < s.size(); i++) {
                double v = Samples.real(a, s, i);
                assertEquals(v, Samples.real(b, s, i));
                if (i < 1001) {
                    assertEquals(v, Samples.real(few, few.shape(), i));
                }
                if (d != Distribution.NORMAL) {
                    assertTrue(v >= -3 && v < 5);
                }
                sum += v;
                squares += v * v;
            }
            double mean = sum / s.size();
            double variance = squares / s.size() - mean * mean;
            double wantMean = d == Distribution.UNIFORM ? 1 : d == Distribution.NORMAL ? -3 : 0.5;
            double wantVariance = d == Distribution.UNIFORM ? 64 / 12.0 : d == Distribution.NORMAL ? 25 : 63 / 12.0;
            assertEquals(wantMean, mean, 0.08, d.toString());
            assertEquals(wantVariance, variance, 0.04 * wantVariance, d.toString());
        }
    }

    @Test
    void layoutsOfOneAxisTakeNegativeSteps() {
        View x = longs(1, 2, 3, 4, 5);
        View reversed = new View(
                x.storage(),
                Layout.contiguous(Shape.of(5)).slice(0, Long.MAX_VALUE, Long.MIN_VALUE, -2),
                DType.I64);
        View out = cast(reversed, DType.I64);
        assertEquals(5, Samples.whole(out, out.shape(), 0));
        assertEquals(1, Samples.whole(out, out.shape(), 2));
        assertEquals(Half.fromF16((short) 0x3C00), 1f);
    }
}
