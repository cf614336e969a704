package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tiles of F32 products: 12 rows by two vectors (24 accumulators of 32 registers, AVX-512), 4 by two where there
 * are 16: with 6 by two, which fit, C2 keeps some in memory and is at 45% of that speed. Rows of a lie {@link VectorBlas#ROW} elements apart: a constant, so that every broadcast load is one
 * displacement from one register. a and the tile are Java arrays: access through memory segments costs the JIT so many
 * nodes that it gave up inlining (12 GFLOP/s instead of 200). b is packed, two vectors per step of k.
 *
 * <p>Accumulators are local variables: in an array they would live in memory, at a twenty-fifth of the speed.
 */
final class VectorTileF32 {
    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final long VECTOR = SPECIES.vectorByteSize();
    private static final int LANES = SPECIES.length();
    private static final int ROW = VectorBlas.ROW;

    private VectorTileF32() {}

    /** tile = a b for 12 rows, two vectors each. */
    static void tile12(int k, float[] a, int row, long b, float[] tile) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector s0 = zero;
        FloatVector t0 = zero;
        FloatVector s1 = zero;
        FloatVector t1 = zero;
        FloatVector s2 = zero;
        FloatVector t2 = zero;
        FloatVector s3 = zero;
        FloatVector t3 = zero;
        FloatVector s4 = zero;
        FloatVector t4 = zero;
        FloatVector s5 = zero;
        FloatVector t5 = zero;
        FloatVector s6 = zero;
        FloatVector t6 = zero;
        FloatVector s7 = zero;
        FloatVector t7 = zero;
        FloatVector s8 = zero;
        FloatVector t8 = zero;
        FloatVector s9 = zero;
        FloatVector t9 = zero;
        FloatVector s10 = zero;
        FloatVector t10 = zero;
        FloatVector s11 = zero;
        FloatVector t11 = zero;
        for (int p = 0; p < k; p++) {
            FloatVector u = load(b);
            FloatVector v = load(b + VECTOR);
            FloatVector x;
            x = FloatVector.broadcast(SPECIES, a[row + p]);
            s0 = x.fma(u, s0);
            t0 = x.fma(v, t0);
            x = FloatVector.broadcast(SPECIES, a[row + p + 1 * ROW]);
            s1 = x.fma(u, s1);
            t1 = x.fma(v, t1);
            x = FloatVector.broadcast(SPECIES, a[row + p + 2 * ROW]);
            s2 = x.fma(u, s2);
            t2 = x.fma(v, t2);
            x = FloatVector.broadcast(SPECIES, a[row + p + 3 * ROW]);
            s3 = x.fma(u, s3);
            t3 = x.fma(v, t3);
            x = FloatVector.broadcast(SPECIES, a[row + p + 4 * ROW]);
            s4 = x.fma(u, s4);
            t4 = x.fma(v, t4);
            x = FloatVector.broadcast(SPECIES, a[row + p + 5 * ROW]);
            s5 = x.fma(u, s5);
            t5 = x.fma(v, t5);
            x = FloatVector.broadcast(SPECIES, a[row + p + 6 * ROW]);
            s6 = x.fma(u, s6);
            t6 = x.fma(v, t6);
            x = FloatVector.broadcast(SPECIES, a[row + p + 7 * ROW]);
            s7 = x.fma(u, s7);
            t7 = x.fma(v, t7);
            x = FloatVector.broadcast(SPECIES, a[row + p + 8 * ROW]);
            s8 = x.fma(u, s8);
            t8 = x.fma(v, t8);
            x = FloatVector.broadcast(SPECIES, a[row + p + 9 * ROW]);
            s9 = x.fma(u, s9);
            t9 = x.fma(v, t9);
            x = FloatVector.broadcast(SPECIES, a[row + p + 10 * ROW]);
            s10 = x.fma(u, s10);
            t10 = x.fma(v, t10);
            x = FloatVector.broadcast(SPECIES, a[row + p + 11 * ROW]);
            s11 = x.fma(u, s11);
            t11 = x.fma(v, t11);
            b += 2 * VECTOR;
        }
        s0.intoArray(tile, 0 * LANES);
        t0.intoArray(tile, 1 * LANES);
        s1.intoArray(tile, 2 * LANES);
        t1.intoArray(tile, 3 * LANES);
        s2.intoArray(tile, 4 * LANES);
        t2.intoArray(tile, 5 * LANES);
        s3.intoArray(tile, 6 * LANES);
        t3.intoArray(tile, 7 * LANES);
        s4.intoArray(tile, 8 * LANES);
        t4.intoArray(tile, 9 * LANES);
        s5.intoArray(tile, 10 * LANES);
        t5.intoArray(tile, 11 * LANES);
        s6.intoArray(tile, 12 * LANES);
        t6.intoArray(tile, 13 * LANES);
        s7.intoArray(tile, 14 * LANES);
        t7.intoArray(tile, 15 * LANES);
        s8.intoArray(tile, 16 * LANES);
        t8.intoArray(tile, 17 * LANES);
        s9.intoArray(tile, 18 * LANES);
        t9.intoArray(tile, 19 * LANES);
        s10.intoArray(tile, 20 * LANES);
        t10.intoArray(tile, 21 * LANES);
        s11.intoArray(tile, 22 * LANES);
        t11.intoArray(tile, 23 * LANES);
    }

    /** tile = a b for 4 rows, two vectors each. */
    static void tile4(int k, float[] a, int row, long b, float[] tile) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector s0 = zero;
        FloatVector t0 = zero;
        FloatVector s1 = zero;
        FloatVector t1 = zero;
        FloatVector s2 = zero;
        FloatVector t2 = zero;
        FloatVector s3 = zero;
        FloatVector t3 = zero;
        for (int p = 0; p < k; p++) {
            FloatVector u = load(b);
            FloatVector v = load(b + VECTOR);
            FloatVector x;
            x = FloatVector.broadcast(SPECIES, a[row + p]);
            s0 = x.fma(u, s0);
            t0 = x.fma(v, t0);
            x = FloatVector.broadcast(SPECIES, a[row + p + 1 * ROW]);
            s1 = x.fma(u, s1);
            t1 = x.fma(v, t1);
            x = FloatVector.broadcast(SPECIES, a[row + p + 2 * ROW]);
            s2 = x.fma(u, s2);
            t2 = x.fma(v, t2);
            x = FloatVector.broadcast(SPECIES, a[row + p + 3 * ROW]);
            s3 = x.fma(u, s3);
            t3 = x.fma(v, t3);
            b += 2 * VECTOR;
        }
        s0.intoArray(tile, 0 * LANES);
        t0.intoArray(tile, 1 * LANES);
        s1.intoArray(tile, 2 * LANES);
        t1.intoArray(tile, 3 * LANES);
        s2.intoArray(tile, 4 * LANES);
        t2.intoArray(tile, 5 * LANES);
        s3.intoArray(tile, 6 * LANES);
        t3.intoArray(tile, 7 * LANES);
    }

    private static FloatVector load(long at) {
        return FloatVector.fromMemorySegment(SPECIES, Mem.ALL, at, ORDER);
    }

    /** c (+)= alpha * tile for {@code rows} whole rows; {@code step} is the distance of c's rows in bytes. */
    static void store(float[] tile, int rows, long c, long step, float alpha, boolean add) {
        for (int r = 0; r < rows; r++) {
            FloatVector x = FloatVector.fromArray(SPECIES, tile, 2 * r * LANES).mul(alpha);
            FloatVector y = FloatVector.fromArray(SPECIES, tile, (2 * r + 1) * LANES).mul(alpha);
            if (add) {
                x = x.add(load(c));
                y = y.add(load(c + VECTOR));
            }
            x.intoMemorySegment(Mem.ALL, c, ORDER);
            y.intoMemorySegment(Mem.ALL, c + VECTOR, ORDER);
            c += step;
        }
    }

    /** The same for {@code cols} columns. */
    static void storePart(float[] tile, int rows, int cols, long c, long step, float alpha, boolean add) {
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < cols; j++) {
                long at = c + r * step + 4L * j;
                float x = alpha * tile[2 * r * LANES + j];
                Mem.f32(at, add ? Mem.f32(at) + x : x);
            }
        }
    }

    // ---- vectors ------------------------------------------------------------------------------------------------------

    /** y += x[0..7] times eight rows; {@code ld} in bytes. */
    static void rows8(long n, long x, long rows, long ld, long y) {
        FloatVector x0 = FloatVector.broadcast(SPECIES, Mem.f32(x));
        FloatVector x1 = FloatVector.broadcast(SPECIES, Mem.f32(x + 4));
        FloatVector x2 = FloatVector.broadcast(SPECIES, Mem.f32(x + 8));
        FloatVector x3 = FloatVector.broadcast(SPECIES, Mem.f32(x + 12));
        FloatVector x4 = FloatVector.broadcast(SPECIES, Mem.f32(x + 16));
        FloatVector x5 = FloatVector.broadcast(SPECIES, Mem.f32(x + 20));
        FloatVector x6 = FloatVector.broadcast(SPECIES, Mem.f32(x + 24));
        FloatVector x7 = FloatVector.broadcast(SPECIES, Mem.f32(x + 28));
        long end = rows + n * 4 / VECTOR * VECTOR;
        while (rows < end) {
            FloatVector s = x0.fma(load(rows), load(y));
            FloatVector t = x1.mul(load(rows + ld));
            s = x2.fma(load(rows + 2 * ld), s);
            t = x3.fma(load(rows + 3 * ld), t);
            s = x4.fma(load(rows + 4 * ld), s);
            t = x5.fma(load(rows + 5 * ld), t);
            s = x6.fma(load(rows + 6 * ld), s);
            t = x7.fma(load(rows + 7 * ld), t);
            s.add(t).intoMemorySegment(Mem.ALL, y, ORDER);
            rows += VECTOR;
            y += VECTOR;
        }
        for (long j = n * 4 % VECTOR; j > 0; j -= 4, rows += 4, y += 4) {
            float s = Mem.f32(y);
            for (int r = 0; r < 8; r++) {
                s += Mem.f32(x + 4 * r) * Mem.f32(rows + r * ld);
            }
            Mem.f32(y, s);
        }
    }

    /** y[0..3] = four rows times x; {@code ld} in bytes. */
    static void dots4(long n, long rows, long ld, long x, long y) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector t0 = s0;
        FloatVector t1 = s0;
        FloatVector t2 = s0;
        FloatVector t3 = s0;
        long end = x + n * 4 / (2 * VECTOR) * (2 * VECTOR);
        while (x < end) {
            FloatVector u = load(x);
            FloatVector v = load(x + VECTOR);
            s0 = u.fma(load(rows), s0);
            t0 = v.fma(load(rows + VECTOR), t0);
            s1 = u.fma(load(rows + ld), s1);
            t1 = v.fma(load(rows + ld + VECTOR), t1);
            s2 = u.fma(load(rows + 2 * ld), s2);
            t2 = v.fma(load(rows + 2 * ld + VECTOR), t2);
            s3 = u.fma(load(rows + 3 * ld), s3);
            t3 = v.fma(load(rows + 3 * ld + VECTOR), t3);
            x += 2 * VECTOR;
            rows += 2 * VECTOR;
        }
        float r0 = (float) VectorMath.sum(s0.add(t0));
        float r1 = (float) VectorMath.sum(s1.add(t1));
        float r2 = (float) VectorMath.sum(s2.add(t2));
        float r3 = (float) VectorMath.sum(s3.add(t3));
        for (long j = n * 4 % (2 * VECTOR); j > 0; j -= 4, x += 4, rows += 4) {
            float u = Mem.f32(x);
            r0 += u * Mem.f32(rows);
            r1 += u * Mem.f32(rows + ld);
            r2 += u * Mem.f32(rows + 2 * ld);
            r3 += u * Mem.f32(rows + 3 * ld);
        }
        Mem.f32(y, r0);
        Mem.f32(y + 4, r1);
        Mem.f32(y + 8, r2);
        Mem.f32(y + 12, r3);
    }

    /** Copies {@code rows} rows of two vectors to consecutive memory; {@code ld} in bytes. */
    static void packRows(int rows, long from, long ld, long to) {
        for (int p = 0; p < rows; p++) {
            load(from).intoMemorySegment(Mem.ALL, to, ORDER);
            load(from + VECTOR).intoMemorySegment(Mem.ALL, to + VECTOR, ORDER);
            from += ld;
            to += 2 * VECTOR;
        }
    }
}
