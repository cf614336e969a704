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
        for (int j = 0; j < n; j += F32.length()) {
            int i = 0;
            for (; i + 4 <= m; i += 4) {
                rows4(k, n - j, alpha, a + i * aRow, aRow, aCol, b + 4L * j, bRow, c + i * cRow + 4L * j, cRow);
            }
            for (; i < m; i++) {
                row(k, n - j, alpha, a + i * aRow, aCol, b + 4L * j, bRow, c + i * cRow + 4L * j);
            }
        }
    }

    /** Four rows of one vector, its first {@code cols} lanes. */
    private static void rows4(
            int k, int cols, float alpha, long x, long aRow, long aCol, long y, long bRow, long z, long cRow) {
        VectorMask<Float> mask = F32.indexInRange(0, cols);
        FloatVector s0 = FloatVector.zero(F32);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        for (int p = 0; p < k; p++) {
            FloatVector v = FloatVector.fromMemorySegment(F32, Mem.ALL, y, ORDER, mask);
            s0 = FloatVector.broadcast(F32, Mem.f32(x)).fma(v, s0);
            s1 = FloatVector.broadcast(F32, Mem.f32(x + aRow)).fma(v, s1);
            s2 = FloatVector.broadcast(F32, Mem.f32(x + 2 * aRow)).fma(v, s2);
            s3 = FloatVector.broadcast(F32, Mem.f32(x + 3 * aRow)).fma(v, s3);
            x += aCol;
            y += bRow;
        }
        s0.mul(alpha).intoMemorySegment(Mem.ALL, z, ORDER, mask);
        s1.mul(alpha).intoMemorySegment(Mem.ALL, z + cRow, ORDER, mask);
        s2.mul(alpha).intoMemorySegment(Mem.ALL, z + 2 * cRow, ORDER, mask);
        s3.mul(alpha).intoMemorySegment(Mem.ALL, z + 3 * cRow, ORDER, mask);
    }

    private static void row(int k, int cols, float alpha, long x, long aCol, long y, long bRow, long z) {
        VectorMask<Float> mask = F32.indexInRange(0, cols);
        FloatVector s = FloatVector.zero(F32);
        for (int p = 0; p < k; p++) {
            FloatVector v = FloatVector.fromMemorySegment(F32, Mem.ALL, y, ORDER, mask);
            s = FloatVector.broadcast(F32, Mem.f32(x)).fma(v, s);
            x += aCol;
            y += bRow;
        }
        s.mul(alpha).intoMemorySegment(Mem.ALL, z, ORDER, mask);
    }

    /** As {@link #f32}. */
    static void f64(
            int m, int n, int k, double alpha, long a, long aRow, long aCol, long b, long bRow, long c, long cRow) {
        for (int j = 0; j < n; j += F64.length()) {
            int i = 0;
            for (; i + 4 <= m; i += 4) {
                rows4(k, n - j, alpha, a + i * aRow, aRow, aCol, b + 8L * j, bRow, c + i * cRow + 8L * j, cRow);
            }
            for (; i < m; i++) {
                row(k, n - j, alpha, a + i * aRow, aCol, b + 8L * j, bRow, c + i * cRow + 8L * j);
            }
        }
    }

    private static void rows4(
            int k, int cols, double alpha, long x, long aRow, long aCol, long y, long bRow, long z, long cRow) {
        VectorMask<Double> mask = F64.indexInRange(0, cols);
        DoubleVector s0 = DoubleVector.zero(F64);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        for (int p = 0; p < k; p++) {
            DoubleVector v = DoubleVector.fromMemorySegment(F64, Mem.ALL, y, ORDER, mask);
            s0 = DoubleVector.broadcast(F64, Mem.f64(x)).fma(v, s0);
            s1 = DoubleVector.broadcast(F64, Mem.f64(x + aRow)).fma(v, s1);
            s2 = DoubleVector.broadcast(F64, Mem.f64(x + 2 * aRow)).fma(v, s2);
            s3 = DoubleVector.broadcast(F64, Mem.f64(x + 3 * aRow)).fma(v, s3);
            x += aCol;
            y += bRow;
        }
        s0.mul(alpha).intoMemorySegment(Mem.ALL, z, ORDER, mask);
        s1.mul(alpha).intoMemorySegment(Mem.ALL, z + cRow, ORDER, mask);
        s2.mul(alpha).intoMemorySegment(Mem.ALL, z + 2 * cRow, ORDER, mask);
        s3.mul(alpha).intoMemorySegment(Mem.ALL, z + 3 * cRow, ORDER, mask);
    }

    private static void row(int k, int cols, double alpha, long x, long aCol, long y, long bRow, long z) {
        VectorMask<Double> mask = F64.indexInRange(0, cols);
        DoubleVector s = DoubleVector.zero(F64);
        for (int p = 0; p < k; p++) {
            DoubleVector v = DoubleVector.fromMemorySegment(F64, Mem.ALL, y, ORDER, mask);
            s = DoubleVector.broadcast(F64, Mem.f64(x)).fma(v, s);
            x += aCol;
            y += bRow;
        }
        s.mul(alpha).intoMemorySegment(Mem.ALL, z, ORDER, mask);
    }
}
