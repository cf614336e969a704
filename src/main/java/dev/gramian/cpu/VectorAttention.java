package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops of {@link TiledAttention} by the Vector API. Queries lie along the lanes, {@link #STRIP} of them, so that maxima and
 * sums over keys are plain vector operations: a strip is a matrix whose rows are that long.
 *
 * <p>The loops that matter end on {@code !=} over addresses: the JIT takes them for no counted loops and leaves them as they
 * are. Counted ones it unrolls, moves the loads of all copies to the front and runs out of registers, at less than half the
 * speed. {@link #known} takes bounds checks away, which loops that are not counted would keep.
 */
final class VectorAttention {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final long V = F.vectorByteSize();

    /** Queries of a strip: two vectors. */
    static final int STRIP = 2 * F.length();

    /** Bytes of a strip's row. */
    static final long ROW = 2 * V;

    /** Rows that one pass over an operand computes; what is packed for it comes in groups of as many. */
    static final int ROWS = 4;

    private static final long ADDRESSES = Long.MAX_VALUE >>> 1;

    /** As a float, 1.5 * 2^23 + 127: less u, the low bits hold the exponent of 2^-u, rounded. */
    private static final FloatVector ROUND = f(12582912 + 127);
    private static final IntVector END = f(127).reinterpretAsInts();
    private static final FloatVector EXP_5 = f(0x1.5bba14p-10);
    private static final FloatVector EXP_4 = f(0x1.3cea88p-7);
    private static final FloatVector EXP_3 = f(0x1.c6b752p-5);
    private static final FloatVector EXP_2 = f(0x1.ebf9bcp-3);
    private static final FloatVector EXP_1 = f(0x1.62e42ap-1);
    private static final FloatVector ONE = f(1);
    private static final FloatVector LOW = f(Double.NEGATIVE_INFINITY);

    private VectorAttention() {}

    private static FloatVector f(double c) {
        return FloatVector.broadcast(F, (float) c);
    }

    private static FloatVector load(long a) {
        return FloatVector.fromMemorySegment(F, Mem.ALL, a, LE);
    }

    private static void store(FloatVector v, long a) {
        v.intoMemorySegment(Mem.ALL, a, LE);
    }

    private static FloatVector all(long a) {
        return FloatVector.broadcast(F, Mem.f32(a));
    }

    /** The address, which the JIT then knows to be in range. */
    private static long known(long address) {
        return address & ADDRESSES;
    }

    // ---- products -----------------------------------------------------------------------------------------------

    /**
     * Rows of a strip, {@link #ROWS} at a time: {@code to[r] = sum over p of a[p][r] * b[p]} with {@code depth} rows of b,
     * and a in groups of as many rows as are computed at a time, {@code groups} of them {@code group} bytes apart.
     */
    static void multiply(int groups, int depth, long a, long group, long b, long to) {
        for (int i = 0; i < groups; i++) {
            tile(a + i * group, b, b + depth * ROW, to + i * ROWS * ROW);
        }
    }

    /** As {@link #multiply}, added to the rows times what {@code factor} has for each query. */
    static void accumulate(int groups, int depth, long a, long group, long b, long to, long factor) {
        for (int i = 0; i < groups; i++) {
            tile(a + i * group, b, b + depth * ROW, to + i * ROWS * ROW, factor);
        }
    }

    private static void tile(long a, long b, long end, long to) {
        FloatVector s0 = FloatVector.zero(F);
        FloatVector t0 = s0;
        FloatVector s1 = s0;
        FloatVector t1 = s0;
        FloatVector s2 = s0;
        FloatVector t2 = s0;
        FloatVector s3 = s0;
        FloatVector t3 = s0;
        while (b != end) {
            long x = known(a);
            long y = known(b);
            FloatVector u = load(y);
            FloatVector v = load(y + V);
            FloatVector w = all(x);
            s0 = w.fma(u, s0);
            t0 = w.fma(v, t0);
            w = all(x + 4);
            s1 = w.fma(u, s1);
            t1 = w.fma(v, t1);
            w = all(x + 8);
            s2 = w.fma(u, s2);
            t2 = w.fma(v, t2);
            w = all(x + 12);
            s3 = w.fma(u, s3);
            t3 = w.fma(v, t3);
            a += 4 * ROWS;
            b += ROW;
        }
        long z = known(to);
        store(s0, z);
        store(t0, z + V);
        store(s1, z + 2 * V);
        store(t1, z + 3 * V);
        store(s2, z + 4 * V);
        store(t2, z + 5 * V);
        store(s3, z + 6 * V);
        store(t3, z + 7 * V);
    }

    private static void tile(long a, long b, long end, long to, long factor) {
        FloatVector s0 = FloatVector.zero(F);
        FloatVector t0 = s0;
        FloatVector s1 = s0;
        FloatVector t1 = s0;
        FloatVector s2 = s0;
        FloatVector t2 = s0;
        FloatVector s3 = s0;
        FloatVector t3 = s0;
        while (b != end) {
            long x = known(a);
            long y = known(b);
            FloatVector u = load(y);
            FloatVector v = load(y + V);
            FloatVector w = all(x);
            s0 = w.fma(u, s0);
            t0 = w.fma(v, t0);
            w = all(x + 4);
            s1 = w.fma(u, s1);
            t1 = w.fma(v, t1);
            w = all(x + 8);
            s2 = w.fma(u, s2);
            t2 = w.fma(v, t2);
            w = all(x + 12);
            s3 = w.fma(u, s3);
            t3 = w.fma(v, t3);
            a += 4 * ROWS;
            b += ROW;
        }
        long z = known(to);
        FloatVector f = load(factor);
        FloatVector g = load(factor + V);
        store(f.fma(load(z), s0), z);
        store(g.fma(load(z + V), t0), z + V);
        store(f.fma(load(z + 2 * V), s1), z + 2 * V);
        store(g.fma(load(z + 3 * V), t1), z + 3 * V);
        store(f.fma(load(z + 4 * V), s2), z + 4 * V);
        store(g.fma(load(z + 5 * V), t2), z + 5 * V);
        store(f.fma(load(z + 6 * V), s3), z + 6 * V);
        store(g.fma(load(z + 7 * V), t3), z + 7 * V);
    }

    // ---- softmax ------------------------------------------------------------------------------------------------

    /** Largest of each query's {@code rows} scores but for NaN, -inf if there is none, to the row {@code to}. */
    static void max(int rows, long scores, long to) {
        FloatVector m = LOW;
        FloatVector n = LOW;
        long end = scores + rows * ROW;
        while (scores != end) {
            long a = known(scores);
            FloatVector x = load(a);
            FloatVector y = load(a + V);
            m = m.blend(x, x.compare(VectorOperators.GT, m));
            n = n.blend(y, y.compare(VectorOperators.GT, n));
            scores += ROW;
        }
        store(m, to);
        store(n, to + V);
    }

    /**
     * Scores to {@code 2^(score - top)}, 0 where that is less than 2^-126, and the sums over {@code rows} rows to
     * {@code sums}. False where some score is above {@code top} or NaN: what the rows and sums hold is then of no use.
     */
    static boolean exp(int rows, long scores, long top, long sums) {
        boolean fits = true;
        for (long half = 0; half < ROW; half += V) {
            FloatVector m = load(top + half);
            FloatVector sum = FloatVector.zero(F);
            IntVector most = IntVector.zero(I);
            long end = scores + half + rows * ROW;
            for (long a = scores + half; a != end; a += ROW) {
                long x = known(a);
                // u = top - score, from 0 to infinity; as unsigned numbers, its bits are beyond infinity's otherwise
                FloatVector u = m.sub(load(x));
                IntVector bits = u.reinterpretAsInts();
                most = most.lanewise(VectorOperators.UMAX, bits);
                u = bits.min(END).reinterpretAsFloats();
                FloatVector k = ROUND.sub(u);
                FloatVector r = ROUND.sub(k).sub(u);
                FloatVector p = r.fma(EXP_5, EXP_4).fma(r, EXP_3).fma(r, EXP_2).fma(r, EXP_1).fma(r, ONE);
                p = p.mul(k.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
                store(p, x);
                sum = sum.add(p);
            }
            store(sum, sums + half);
            fits &= !most.compare(VectorOperators.UGT, Float.floatToRawIntBits(Float.POSITIVE_INFINITY)).anyTrue();
        }
        return fits;
    }

    /** A row times {@code factor}, plus {@code addend}. */
    static void add(long a, long factor, long addend) {
        store(load(a).fma(load(factor), load(addend)), a);
        store(load(a + V).fma(load(factor + V), load(addend + V)), a + V);
    }

    /** Rows times {@code factor}. */
    static void scale(int rows, long a, long factor) {
        FloatVector f = load(factor);
        FloatVector g = load(factor + V);
        long end = a + rows * ROW;
        for (; a != end; a += ROW) {
            long x = known(a);
            store(load(x).mul(f), x);
            store(load(x + V).mul(g), x + V);
        }
    }

    // ---- what changes scores ------------------------------------------------------------------------------------

    /** -inf for the queries whose {@code from} is above {@code row} or whose {@code to} is not, {@code rows} rows. */
    static void select(int rows, int row, long scores, long from, long to) {
        for (long half = 0; half < ROW; half += V) {
            FloatVector first = load(from + half);
            FloatVector last = load(to + half);
            FloatVector at = f(row);
            long end = scores + half + rows * ROW;
            for (long a = scores + half; a != end; a += ROW) {
                long x = known(a);
                VectorMask<Float> out = at.compare(VectorOperators.LT, first)
                        .or(at.compare(VectorOperators.GE, last));
                store(load(x).blend(LOW, out), x);
                at = at.add(ONE);
            }
        }
    }
}
