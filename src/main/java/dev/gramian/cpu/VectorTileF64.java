package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tiles of F64 products: 12 rows by two vectors (24 accumulators of 32 registers, AVX-512), 4 by two where there
 * are 16: with 6 by two, which fit, C2 keeps some in memory and is at 45% of that speed. Rows of a lie {@link VectorBlas#ROW} elements apart: a constant, so that every broadcast load is one
 * displacement from one register. a and the tile are Java arrays: access through memory segments costs the JIT so many
 * nodes that it gave up inlining (12 GFLOP/s instead of 200). b is packed, two vectors per step of k.
 *
 * <p>Accumulators are local variables: in an array they would live in memory, at a twenty-fifth of the speed.
 */
final class VectorTileF64 {
    static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;

    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final long VECTOR = SPECIES.vectorByteSize();
    private static final int LANES = SPECIES.length();
    private static final int ROW = VectorBlas.ROW;

    private VectorTileF64() {}

    /** tile = a b for 12 rows, two vectors each. */
    static void tile12(int k, double[] a, int row, long b, double[] tile) {
        DoubleVector zero = DoubleVector.zero(SPECIES);
        DoubleVector s0 = zero;
        DoubleVector t0 = zero;
        DoubleVector s1 = zero;
        DoubleVector t1 = zero;
        DoubleVector s2 = zero;
        DoubleVector t2 = zero;
        DoubleVector s3 = zero;
        DoubleVector t3 = zero;
        DoubleVector s4 = zero;
        DoubleVector t4 = zero;
        DoubleVector s5 = zero;
        DoubleVector t5 = zero;
        DoubleVector s6 = zero;
        DoubleVector t6 = zero;
        DoubleVector s7 = zero;
        DoubleVector t7 = zero;
        DoubleVector s8 = zero;
        DoubleVector t8 = zero;
        DoubleVector s9 = zero;
        DoubleVector t9 = zero;
        DoubleVector s10 = zero;
        DoubleVector t10 = zero;
        DoubleVector s11 = zero;
        DoubleVector t11 = zero;
        for (int p = 0; p < k; p++) {
            DoubleVector u = load(b);
            DoubleVector v = load(b + VECTOR);
            DoubleVector x;
            x = DoubleVector.broadcast(SPECIES, a[row + p]);
            s0 = x.fma(u, s0);
            t0 = x.fma(v, t0);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 1 * ROW]);
            s1 = x.fma(u, s1);
            t1 = x.fma(v, t1);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 2 * ROW]);
            s2 = x.fma(u, s2);
            t2 = x.fma(v, t2);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 3 * ROW]);
            s3 = x.fma(u, s3);
            t3 = x.fma(v, t3);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 4 * ROW]);
            s4 = x.fma(u, s4);
            t4 = x.fma(v, t4);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 5 * ROW]);
            s5 = x.fma(u, s5);
            t5 = x.fma(v, t5);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 6 * ROW]);
            s6 = x.fma(u, s6);
            t6 = x.fma(v, t6);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 7 * ROW]);
            s7 = x.fma(u, s7);
            t7 = x.fma(v, t7);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 8 * ROW]);
            s8 = x.fma(u, s8);
            t8 = x.fma(v, t8);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 9 * ROW]);
            s9 = x.fma(u, s9);
            t9 = x.fma(v, t9);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 10 * ROW]);
            s10 = x.fma(u, s10);
            t10 = x.fma(v, t10);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 11 * ROW]);
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
    static void tile4(int k, double[] a, int row, long b, double[] tile) {
        DoubleVector zero = DoubleVector.zero(SPECIES);
        DoubleVector s0 = zero;
        DoubleVector t0 = zero;
        DoubleVector s1 = zero;
        DoubleVector t1 = zero;
        DoubleVector s2 = zero;
        DoubleVector t2 = zero;
        DoubleVector s3 = zero;
        DoubleVector t3 = zero;
        for (int p = 0; p < k; p++) {
            DoubleVector u = load(b);
            DoubleVector v = load(b + VECTOR);
            DoubleVector x;
            x = DoubleVector.broadcast(SPECIES, a[row + p]);
            s0 = x.fma(u, s0);
            t0 = x.fma(v, t0);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 1 * ROW]);
            s1 = x.fma(u, s1);
            t1 = x.fma(v, t1);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 2 * ROW]);
            s2 = x.fma(u, s2);
            t2 = x.fma(v, t2);
            x = DoubleVector.broadcast(SPECIES, a[row + p + 3 * ROW]);
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

    private static DoubleVector load(long at) {
        return DoubleVector.fromMemorySegment(SPECIES, Mem.ALL, at, ORDER);
    }

    /** c (+)= alpha * tile for {@code rows} whole rows; {@code step} is the distance of c's rows in bytes. */
    static void store(double[] tile, int rows, long c, long step, double alpha, boolean add) {
        for (int r = 0; r < rows; r++) {
            DoubleVector x = DoubleVector.fromArray(SPECIES, tile, 2 * r * LANES).mul(alpha);
            DoubleVector y = DoubleVector.fromArray(SPECIES, tile, (2 * r + 1) * LANES).mul(alpha);
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
    static void storePart(double[] tile, int rows, int cols, long c, long step, double alpha, boolean add) {
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < cols; j++) {
                long at = c + r * step + 8L * j;
                double x = alpha * tile[2 * r * LANES + j];
                Mem.f64(at, add ? Mem.f64(at) + x : x);
            }
        }
    }

    // ---- vectors ------------------------------------------------------------------------------------------------------

    /** y += x[0..7] times eight rows; {@code ld} in bytes. */
    static void rows8(long n, long x, long rows, long ld, long y) {
        DoubleVector x0 = DoubleVector.broadcast(SPECIES, Mem.f64(x));
        DoubleVector x1 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 8));
        DoubleVector x2 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 16));
        DoubleVector x3 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 24));
        DoubleVector x4 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 32));
        DoubleVector x5 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 40));
        DoubleVector x6 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 48));
        DoubleVector x7 = DoubleVector.broadcast(SPECIES, Mem.f64(x + 56));
        long end = rows + n * 8 / VECTOR * VECTOR;
        while (rows < end) {
            DoubleVector s = x0.fma(load(rows), load(y));
            DoubleVector t = x1.mul(load(rows + ld));
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
        for (long j = n * 8 % VECTOR; j > 0; j -= 8, rows += 8, y += 8) {
            double s = Mem.f64(y);
            for (int r = 0; r < 8; r++) {
                s += Mem.f64(x + 8 * r) * Mem.f64(rows + r * ld);
            }
            Mem.f64(y, s);
        }
    }

    /** y[0..3] = four rows times x; {@code ld} in bytes. */
    static void dots4(long n, long rows, long ld, long x, long y) {
        DoubleVector s0 = DoubleVector.zero(SPECIES);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        DoubleVector t0 = s0;
        DoubleVector t1 = s0;
        DoubleVector t2 = s0;
        DoubleVector t3 = s0;
        long end = x + n * 8 / (2 * VECTOR) * (2 * VECTOR);
        while (x < end) {
            DoubleVector u = load(x);
            DoubleVector v = load(x + VECTOR);
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
        double r0 = VectorMath.sum(s0.add(t0));
        double r1 = VectorMath.sum(s1.add(t1));
        double r2 = VectorMath.sum(s2.add(t2));
        double r3 = VectorMath.sum(s3.add(t3));
        for (long j = n * 8 % (2 * VECTOR); j > 0; j -= 8, x += 8, rows += 8) {
            double u = Mem.f64(x);
            r0 += u * Mem.f64(rows);
            r1 += u * Mem.f64(rows + ld);
            r2 += u * Mem.f64(rows + 2 * ld);
            r3 += u * Mem.f64(rows + 3 * ld);
        }
        Mem.f64(y, r0);
        Mem.f64(y + 8, r1);
        Mem.f64(y + 16, r2);
        Mem.f64(y + 24, r3);
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
