package dev.gramian.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.gramian.core.DType;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * F32 from and to the half types by the Vector API, in integer arithmetic: the same bits as {@link Casts} in plain Java
 * but for the payloads of NaN.
 */
final class VectorCasts {
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> S = VectorSpecies.of(short.class,
            VectorShape.forBitSize(I.vectorBitSize() / 2));
    /** Elements per vector; kernels take whole vectors only. */
    static final int L = I.length();

    private VectorCasts() {}

    /** A kernel for whole vectors, or null where there is no vector form. */
    static Casts.CastKernel of(DType from, DType to) {
        if (from == DType.F32) {
            return to == DType.BF16 ? VectorCasts::toBF16 : to == DType.F16 ? VectorCasts::toF16 : null;
        }
        if (to != DType.F32) {
            return null;
        }
        return from == DType.BF16 ? VectorCasts::fromBF16 : from == DType.F16 ? VectorCasts::fromF16 : null;
    }

    private static void toBF16(long x, long out, long n) {
        for (long i = 0; i < n; i += L) {
            IntVector b = IntVector.fromMemorySegment(I, Mem.ALL, x + 4 * i, LITTLE_ENDIAN);
            IntVector high = b.lanewise(VectorOperators.LSHR, 16);
            IntVector even = high.and(1).add(0x7FFF).add(b).lanewise(VectorOperators.LSHR, 16);
            store(even.blend(high.or(0x40), b.and(0x7FFFFFFF).compare(VectorOperators.GT, 0x7F800000)), out + 2 * i);
        }
    }

    private static void toF16(long x, long out, long n) {
        for (long i = 0; i < n; i += L) {
            IntVector b = IntVector.fromMemorySegment(I, Mem.ALL, x + 4 * i, LITTLE_ENDIAN);
            IntVector a = b.and(0x7FFFFFFF);
            // exponent from bias 127 to 15, half of the last kept bit added, less one where that bit is even
            IntVector h = a.lanewise(VectorOperators.LSHR, 13).and(1).add(0xC8000FFF).add(a);
            h = h.lanewise(VectorOperators.LSHR, 13);
            // subnormal: 0.5 has the place value of F16's last bit there, so the addition rounds
            IntVector low = a.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(0x3F000000);
            h = h.blend(low, a.compare(VectorOperators.LT, 0x38800000));
            h = h.blend(0x7C00, a.compare(VectorOperators.GE, 0x477FF000));
            IntVector nan = a.lanewise(VectorOperators.LSHR, 13).and(0x3FF).or(0x7E00);
            h = h.blend(nan, a.compare(VectorOperators.GT, 0x7F800000));
            store(h.or(b.lanewise(VectorOperators.LSHR, 16).and(0x8000)), out + 2 * i);
        }
    }

    private static void fromBF16(long x, long out, long n) {
        for (long i = 0; i < n; i += L) {
            load(x + 2 * i).lanewise(VectorOperators.LSHL, 16).intoMemorySegment(Mem.ALL, out + 4 * i, LITTLE_ENDIAN);
        }
    }

    private static void fromF16(long x, long out, long n) {
        for (long i = 0; i < n; i += L) {
            IntVector h = load(x + 2 * i);
            IntVector a = h.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
            IntVector f = a.add(0x38000000);
            // subnormal: made normal by the leading bit of 2^-14, which is then taken away
            IntVector low = f.add(0x00800000).reinterpretAsFloats().sub(0x1p-14f).reinterpretAsInts();
            IntVector end = a.or(0x7F800000);
            f = f.blend(low, a.compare(VectorOperators.LT, 0x00800000));
            f = f.blend(end, a.compare(VectorOperators.GE, 0x0F800000));
            IntVector sign = h.and(0x8000).lanewise(VectorOperators.LSHL, 16);
            f.or(sign).intoMemorySegment(Mem.ALL, out + 4 * i, LITTLE_ENDIAN);
        }
    }

    /** L 16-bit numbers, the sign bit spread: callers cut it off. */
    private static IntVector load(long a) {
        return (IntVector) ShortVector.fromMemorySegment(S, Mem.ALL, a, LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, I, 0);
    }

    private static void store(IntVector v, long a) {
        ((ShortVector) v.convertShape(VectorOperators.I2S, S, 0)).intoMemorySegment(Mem.ALL, a, LITTLE_ENDIAN);
    }
}
