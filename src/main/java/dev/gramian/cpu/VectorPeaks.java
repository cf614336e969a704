package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link Peaks} by the Vector API. The chains go through the addend, which C2's fused multiply-add overwrites:
 * through a factor each step costs a move, and 85 GFLOP/s were seen instead of 103. Nor are they loops that C2 takes for
 * counted ones, as {@link VectorAttention} says.
 */
final class VectorPeaks {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;

    static final int F32_LANES = F.length();
    static final int F64_LANES = D.length();

    private VectorPeaks() {}

    /** Twelve chains of so many steps {@code a = x y + a} in every lane; their sum. */
    static double chains(int steps, float x, float y) {
        FloatVector u = FloatVector.broadcast(F, x);
        FloatVector v = FloatVector.broadcast(F, y);
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0.add(v);
        FloatVector a2 = a1.add(v);
        FloatVector a3 = a2.add(v);
        FloatVector a4 = a3.add(v);
        FloatVector a5 = a4.add(v);
        FloatVector a6 = a5.add(v);
        FloatVector a7 = a6.add(v);
        FloatVector a8 = a7.add(v);
        FloatVector a9 = a8.add(v);
        FloatVector a10 = a9.add(v);
        FloatVector a11 = a10.add(v);
        for (long i = 0; i != 3L * steps; i += 3) {
            a0 = u.fma(v, a0);
            a1 = u.fma(v, a1);
            a2 = u.fma(v, a2);
            a3 = u.fma(v, a3);
            a4 = u.fma(v, a4);
            a5 = u.fma(v, a5);
            a6 = u.fma(v, a6);
            a7 = u.fma(v, a7);
            a8 = u.fma(v, a8);
            a9 = u.fma(v, a9);
            a10 = u.fma(v, a10);
            a11 = u.fma(v, a11);
        }
        FloatVector s = a0.add(a1).add(a2).add(a3).add(a4).add(a5).add(a6).add(a7).add(a8).add(a9).add(a10).add(a11);
        return VectorMath.sum(s);
    }

    /** Twelve chains of so many steps {@code a = x y + a} in every lane; their sum. */
    static double chains(int steps, double x, double y) {
        DoubleVector u = DoubleVector.broadcast(D, x);
        DoubleVector v = DoubleVector.broadcast(D, y);
        DoubleVector a0 = DoubleVector.zero(D);
        DoubleVector a1 = a0.add(v);
        DoubleVector a2 = a1.add(v);
        DoubleVector a3 = a2.add(v);
        DoubleVector a4 = a3.add(v);
        DoubleVector a5 = a4.add(v);
        DoubleVector a6 = a5.add(v);
        DoubleVector a7 = a6.add(v);
        DoubleVector a8 = a7.add(v);
        DoubleVector a9 = a8.add(v);
        DoubleVector a10 = a9.add(v);
        DoubleVector a11 = a10.add(v);
        for (long i = 0; i != 3L * steps; i += 3) {
            a0 = u.fma(v, a0);
            a1 = u.fma(v, a1);
            a2 = u.fma(v, a2);
            a3 = u.fma(v, a3);
            a4 = u.fma(v, a4);
            a5 = u.fma(v, a5);
            a6 = u.fma(v, a6);
            a7 = u.fma(v, a7);
            a8 = u.fma(v, a8);
            a9 = u.fma(v, a9);
            a10 = u.fma(v, a10);
            a11 = u.fma(v, a11);
        }
        DoubleVector s = a0.add(a1).add(a2).add(a3).add(a4).add(a5).add(a6).add(a7).add(a8).add(a9).add(a10).add(a11);
        return VectorMath.sum(s);
    }

    /** Sum of F64 in memory, a multiple of 512 bytes. */
    static double sum(long at, long end) {
        DoubleVector a = DoubleVector.zero(D);
        DoubleVector b = a;
        DoubleVector c = a;
        DoubleVector d = a;
        int step = 8 * F64_LANES;
        for (; at < end; at += 4 * step) {
            a = a.add(load(at));
            b = b.add(load(at + step));
            c = c.add(load(at + 2 * step));
            d = d.add(load(at + 3 * step));
        }
        return VectorMath.sum(a.add(b).add(c.add(d)));
    }

    private static DoubleVector load(long at) {
        return DoubleVector.fromMemorySegment(D, Mem.ALL, at, ByteOrder.LITTLE_ENDIAN);
    }
}
