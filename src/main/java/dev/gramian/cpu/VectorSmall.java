package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products too small to be worth packing: four rows of c at a time in registers, b read in place. OpenBLAS takes a lock for
 * its work memory in every call, which two threads with small products fight over.
 */
final class VectorSmall {
    private static final VectorSpecies<Float> F32 = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private VectorSmall() {}

    /** c = alpha op(a) b; steps in bytes: of a by row and by column, of b and c by row. */
    static void f32(
            int m, int n, int k, float alpha, long a, long aRow, long aCol, long b, long bRow, long c, long cRow) {
        int lanes = F32.length();
        for (int j = 0; j < n; j += lanes) {
            VectorMask<Float> mask = F32.indexInRange(j, n);
            int i = 0;
            for (; i + 4 <= m; i += 4) {
                FloatVector s0 = FloatVector.zero(F32);
                FloatVector s1 = s0;
                FloatVector s2 = s0;
                FloatVector s3 = s0;
                long x = a + i * aRow;
                long y = b + 4L * j;
                for (int p = 0; p < k; p++) {
                    FloatVector v = FloatVector.fromMemorySegment(F32, Mem.ALL, y, ORDER, mask);
                    s0 = FloatVector.broadcast(F32, Mem.f32(x)).fma(v, s0);
                    s1 = FloatVector.broadcast(F32, Mem.f32(x + aRow)).fma(v, s1);
                    s2 = FloatVector.broadcast(F32, Mem.f32(x + 2 * aRow)).fma(v, s2);
                    s3 = FloatVector.broadcast(F32, Mem.f32(x + 3 * aRow)).fma(v, s3);
                    x += aCol;
                    y += bRow;
                }
                long z = c + i * cRow + 4L * j;
                s0.mul(alpha).intoMemorySegment(Mem.ALL, z, ORDER, mask);
                s1.mul(alpha).intoMemorySegment(Mem.ALL, z + cRow, ORDER, mask);
                s2.mul(alpha).intoMemorySegment(Mem.ALL, z + 2 * cRow, ORDER, mask);
                s3.mul(alpha).intoMemorySegment(Mem.ALL, z + 3 * cRow, ORDER, mask);
            }
            for (; i < m; i++) {
                FloatVector s = FloatVector.zero(F32);
                for (int p = 0; p < k; p++) {
                    FloatVector v = FloatVector.fromMemorySegment(F32, Mem.ALL, b + p * bRow + 4L * j, ORDER, mask);
                    s = FloatVector.broadcast(F32, Mem.f32(a + i * aRow + p * aCol)).fma(v, s);
                }
                s.mul(alpha).intoMemorySegment(Mem.ALL, c + i * cRow + 4L * j, ORDER, mask);
            }
        }
    }

    /** As {@link #f32}. */
    static void f64(
            int m, int n, int k, double alpha, long a, long aRow, long aCol, long b, long bRow, long c, long cRow) {
        int lanes = F64.length();
        for (int j = 0; j < n; j += lanes) {
            VectorMask<Double> mask = F64.indexInRange(j, n);
            int i = 0;
            for (; i + 4 <= m; i += 4) {
                DoubleVector s0 = DoubleVector.zero(F64);
                DoubleVector s1 = s0;
                DoubleVector s2 = s0;
                DoubleVector s3 = s0;
                long x = a + i * aRow;
                long y = b + 8L * j;
                for (int p = 0; p < k; p++) {
                    DoubleVector v = DoubleVector.fromMemorySegment(F64, Mem.ALL, y, ORDER, mask);
                    s0 = DoubleVector.broadcast(F64, Mem.f64(x)).fma(v, s0);
                    s1 = DoubleVector.broadcast(F64, Mem.f64(x + aRow)).fma(v, s1);
                    s2 = DoubleVector.broadcast(F64, Mem.f64(x + 2 * aRow)).fma(v, s2);
                    s3 = DoubleVector.broadcast(F64, Mem.f64(x + 3 * aRow)).fma(v, s3);
                    x += aCol;
                    y += bRow;
                }
                long z = c + i * cRow + 8L * j;
                s0.mul(alpha).intoMemorySegment(Mem.ALL, z, ORDER, mask);
                s1.mul(alpha).intoMemorySegment(Mem.ALL, z + cRow, ORDER, mask);
                s2.mul(alpha).intoMemorySegment(Mem.ALL, z + 2 * cRow, ORDER, mask);
                s3.mul(alpha).intoMemorySegment(Mem.ALL, z + 3 * cRow, ORDER, mask);
            }
            for (; i < m; i++) {
                DoubleVector s = DoubleVector.zero(F64);
                for (int p = 0; p < k; p++) {
                    DoubleVector v = DoubleVector.fromMemorySegment(F64, Mem.ALL, b + p * bRow + 8L * j, ORDER, mask);
                    s = DoubleVector.broadcast(F64, Mem.f64(a + i * aRow + p * aCol)).fma(v, s);
                }
                s.mul(alpha).intoMemorySegment(Mem.ALL, c + i * cRow + 8L * j, ORDER, mask);
            }
        }
    }
}
