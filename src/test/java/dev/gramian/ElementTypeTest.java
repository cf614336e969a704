package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Half;
import dev.gramian.spec.DeviceSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BinaryOperator;

/** Element types: half types round once, nothing is promoted, scalars take the tensor's type. */
final class ElementTypeTest {
    private static Tensor everyHalf(Scope s, DType half) {
        short[] bits = new short[1 << 16];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (short) i;
        }
        return s.tensor(MemorySegment.ofArray(bits), half);
    }

    @DeviceSpec
    void everyHalfValueSurvivesFloatAndBack(Device device) {
        for (DType half : List.of(DType.F16, DType.BF16)) {
            try (Scope s = device.open()) {
                Tensor x = everyHalf(s, half);
                float[] f = x.toFloatArray();
                float[] cast = x.to(DType.F32).toFloatArray();
                short[] back = new short[1 << 16];
                x.to(DType.F32).to(half).copyTo(MemorySegment.ofArray(back));
                short[] wide = new short[1 << 16];
                x.to(DType.F64).to(half).copyTo(MemorySegment.ofArray(wide));
                for (int i = 0; i < f.length; i++) {
                    float want = Half.toFloat(half, (short) i);
                    assertEquals(want, f[i], "bits " + i);
                    assertEquals(want, cast[i], "bits " + i);
                    if (want == want) {
                        assertEquals((short) i, back[i], "bits " + i);
                        assertEquals((short) i, wide[i], "bits " + i);
                    } else {
                        assertEquals(Float.NaN, Half.toFloat(half, back[i]));
                    }
                }
            }
        }
    }

    /** Each pair's result is the exact one rounded once: float arithmetic on halves is exact enough to see to that. */
    @DeviceSpec
    void halfArithmeticRoundsOnce(Device device) {
        record Case(String name, BinaryOperator<Tensor> tensors, BinaryOperator<Double> numbers) {}
        List<Case> all = List.of(
                new Case("add", Tensor::add, (a, b) -> a + b), new Case("sub", Tensor::sub, (a, b) -> a - b),
                new Case("mul", Tensor::mul, (a, b) -> a * b), new Case("div", Tensor::div, (a, b) -> a / b),
                new Case("maximum", Tensor::maximum, Math::max), new Case("minimum", Tensor::minimum, Math::min));
        for (DType half : List.of(DType.F16, DType.BF16)) {
            try (Scope s = device.open()) {
                Tensor x = everyHalf(s, half);
                // every value beside another of unrelated size, an odd stride through the bits
                Tensor y = Indexing.gather(x, 0, s.arange(DType.I64, 1 << 16).mul(40503).remainder(1 << 16));
                double[] a = x.toDoubleArray();
                double[] b = y.toDoubleArray();
                for (Case c : all) {
                    double[] got = c.tensors.apply(x, y).toDoubleArray();
                    for (int i = 0; i < got.length; i++) {
                        double exact = c.numbers.apply(a[i], b[i]);
                        double want = Half.toFloat(half, Half.fromDouble(half, exact));
                        if (got[i] != want && got[i] == got[i] | want == want) {
                            assertEquals(want, got[i], half + " " + c.name + " of " + a[i] + " and " + b[i]);
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void halfSumsAccumulateWider(Device device) {
        try (Scope s = device.open()) {
            // in F16 itself a sum of ones stops at 2048, and a mean of these overflows
            assertEquals(4096, s.ones(DType.F16, 4096).sum().item());
            assertEquals(30_000, s.full(DType.F16, 30_000, 1000).mean().item(), 16);
            assertEquals(Double.POSITIVE_INFINITY, s.full(DType.F16, 30_000, 1000).sum().item());
            assertEquals(256 * 3, s.full(DType.BF16, 3, 256).sum().item());
            assertEquals(2048 + 4, s.full(DType.F16, 1, 2, 2050).cumSum(1).get(1, -1), 4);
            Tensor a = s.full(DType.F16, 0.125, 3, 5000);
            assertEquals(5000 / 64.0, a.matmul(a.transpose(0, 1)).get(2, 1), 0.05);
            assertEquals(0.0, s.full(DType.F16, 300, 999).var().item());
        }
    }

    @DeviceSpec
    void nothingIsPromoted(Device device) {
        try (Scope s = device.open()) {
            for (DType a : DType.values()) {
                for (DType b : DType.values()) {
                    Tensor x = s.ones(a, 2);
                    Tensor y = s.ones(b, 2);
                    List<BinaryOperator<Tensor>> calls = List.of(Tensor::eq, Tensor::le, (p, q) -> Join.concat(0, p, q),
                            (p, q) -> s.ones(DType.BOOL, 2).where(p, q));
                    for (BinaryOperator<Tensor> call : calls) {
                        if (a == b) {
                            call.apply(x, y);
                        } else {
                            DTypeException e = assertThrows(DTypeException.class, () -> call.apply(x, y));
                            String text = e.getMessage();
                            DType wider = a.ordinal() < b.ordinal() ? a : b;
                            String want = ": element types differ: " + a + " and " + b
                                    + "; a [2], b [2]; cast one with .to(DType." + wider + ")";
                            assertEquals(want, text.substring(text.indexOf(':')));
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void scalarsTakeTheTensorsType(Device device) {
        try (Scope s = device.open()) {
            for (DType t : DType.values()) {
                if (t != DType.BOOL) {
                    Tensor x = s.full(t, 7, 3);
                    double[] all = {
                        x.add(2).get(0), x.sub(2).get(0), x.mul(3).get(0), x.rsub(9).get(0), x.pow(2).get(0),
                        x.maximum(8).get(0), x.minimum(6).get(0), x.remainder(4).get(0)
                    };
                    assertArrayEquals(new double[] {9, 5, 21, 2, 49, 8, 6, 3}, all, t.toString());
                    assertEquals(t, x.add(2).dtype());
                }
            }
            // wraps as NumPy's fixed-width integers do
            assertEquals(4, s.full(DType.U8, 250, 1).add(10).itemLong());
            assertEquals(251, s.full(DType.U8, 5, 1).sub(10).itemLong());
            assertEquals(Integer.MIN_VALUE, s.full(DType.I32, Integer.MAX_VALUE, 1).add(1).itemLong());
            assertEquals(Long.MIN_VALUE, s.tensor(new long[] {Long.MAX_VALUE}).add(1).itemLong());
            assertEquals(-1, s.full(DType.I32, 3, 1).remainder(-4).itemLong());
            // a float scalar is rounded to the tensor's type before it is used
            assertEquals((float) 0.1 + 1f, s.ones(1).add(0.1).item());
            assertEquals(0.1 + 1, s.ones(DType.F64, 1).add(0.1).item());
            assertEquals(1 + (1L << 53), s.ones(DType.I64, 1).add(0x1p53).itemLong());
            assertArrayEquals(new boolean[] {true, false},
                    s.tensor(new boolean[] {true, false}).eq(1).toBooleanArray());
        }
    }
}
