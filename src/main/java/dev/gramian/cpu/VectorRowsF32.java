package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Row kernels for F32 by the Vector API. Sums widen to double on the way, which costs nothing at memory speed. */
final class VectorRowsF32 extends RowKernels {
    static final VectorRowsF32 INSTANCE = new VectorRowsF32();

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;

    /** Floats that widen to one double vector. */
    private static final VectorSpecies<Float> H = VectorSpecies.of(float.class,
            VectorShape.forBitSize(D.vectorBitSize() / 2));

    /** Bytes, one per lane of F; null on machines whose vectors hold only four floats: no byte vector is that short. */
    private static final VectorSpecies<Byte> B = F.length() >= 8
            ? VectorSpecies.of(byte.class, VectorShape.forBitSize(8 * F.length()))
            : null;

    private static final int L = F.length();
    private static final int W = D.length();

    private VectorRowsF32() {
        super(false);
    }

    private static FloatVector load(long a) {
        return FloatVector.fromMemorySegment(F, Mem.ALL, a, LE);
    }

    private static FloatVector load(long a, VectorMask<Float> m) {
        return FloatVector.fromMemorySegment(F, Mem.ALL, a, LE, m);
    }

    private static void store(FloatVector v, long a) {
        v.intoMemorySegment(Mem.ALL, a, LE);
    }

    private static void store(FloatVector v, long a, VectorMask<Float> m) {
        v.intoMemorySegment(Mem.ALL, a, LE, m);
    }

    /** W floats as doubles. */
    private static DoubleVector wide(long a) {
        return (DoubleVector) FloatVector.fromMemorySegment(H, Mem.ALL, a, LE)
                .convertShape(VectorOperators.F2D, D, 0);
    }

    private static VectorMask<Float> tail(long i, long n) {
        return F.indexInRange(0, (int) (n - i));
    }

    @Override
    double sum(long a, long n) {
        DoubleVector s0 = DoubleVector.zero(D);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            s0 = s0.add(wide(a + 4 * i));
            s1 = s1.add(wide(a + 4 * (i + W)));
            s2 = s2.add(wide(a + 4 * (i + 2 * W)));
            s3 = s3.add(wide(a + 4 * (i + 3 * W)));
        }
        for (; i <= n - W; i += W) {
            s0 = s0.add(wide(a + 4 * i));
        }
        double s = VectorMath.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < n; i++) {
            s += Mem.f32(a + 4 * i);
        }
        return s;
    }

    @Override
    double sumAbs(long a, long n) {
        DoubleVector s0 = DoubleVector.zero(D);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            s0 = s0.add(wide(a + 4 * i).abs());
            s1 = s1.add(wide(a + 4 * (i + W)).abs());
            s2 = s2.add(wide(a + 4 * (i + 2 * W)).abs());
            s3 = s3.add(wide(a + 4 * (i + 3 * W)).abs());
        }
        double s = VectorMath.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < n; i++) {
            s += Math.abs(Mem.f32(a + 4 * i));
        }
        return s;
    }

    @Override
    double sumSquares(long a, long n, double mean) {
        DoubleVector m = DoubleVector.broadcast(D, mean);
        DoubleVector s0 = DoubleVector.zero(D);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            DoubleVector d0 = wide(a + 4 * i).sub(m);
            DoubleVector d1 = wide(a + 4 * (i + W)).sub(m);
            DoubleVector d2 = wide(a + 4 * (i + 2 * W)).sub(m);
            DoubleVector d3 = wide(a + 4 * (i + 3 * W)).sub(m);
            s0 = d0.fma(d0, s0);
            s1 = d1.fma(d1, s1);
            s2 = d2.fma(d2, s2);
            s3 = d3.fma(d3, s3);
        }
        double s = VectorMath.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < n; i++) {
            double d = Mem.f32(a + 4 * i) - mean;
            s += d * d;
        }
        return s;
    }

    @Override
    double prod(long a, long n) {
        DoubleVector p0 = DoubleVector.broadcast(D, 1);
        DoubleVector p1 = p0;
        long i = 0;
        for (; i <= n - 2 * W; i += 2 * W) {
            p0 = p0.mul(wide(a + 4 * i));
            p1 = p1.mul(wide(a + 4 * (i + W)));
        }
        double p = VectorMath.product(p0.mul(p1));
        for (; i < n; i++) {
            p *= Mem.f32(a + 4 * i);
        }
        return p;
    }

    @Override
    double max(long a, long n) {
        FloatVector m0 = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        long i = 0;
        for (; i <= n - 4 * L; i += 4 * L) {
            m0 = m0.max(load(a + 4 * i));
            m1 = m1.max(load(a + 4 * (i + L)));
            m2 = m2.max(load(a + 4 * (i + 2 * L)));
            m3 = m3.max(load(a + 4 * (i + 3 * L)));
        }
        for (; i <= n - L; i += L) {
            m0 = m0.max(load(a + 4 * i));
        }
        float m = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
        for (; i < n; i++) {
            m = Math.max(m, Mem.f32(a + 4 * i));
        }
        return m;
    }

    @Override
    double min(long a, long n) {
        FloatVector m0 = FloatVector.broadcast(F, Float.POSITIVE_INFINITY);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        long i = 0;
        for (; i <= n - 4 * L; i += 4 * L) {
            m0 = m0.min(load(a + 4 * i));
            m1 = m1.min(load(a + 4 * (i + L)));
            m2 = m2.min(load(a + 4 * (i + 2 * L)));
            m3 = m3.min(load(a + 4 * (i + 3 * L)));
        }
        for (; i <= n - L; i += L) {
            m0 = m0.min(load(a + 4 * i));
        }
        float m = m0.min(m1).min(m2.min(m3)).reduceLanes(VectorOperators.MIN);
        for (; i < n; i++) {
            m = Math.min(m, Mem.f32(a + 4 * i));
        }
        return m;
    }

    @Override
    double maxAbs(long a, long n) {
        FloatVector m0 = FloatVector.zero(F);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        long i = 0;
        for (; i <= n - 4 * L; i += 4 * L) {
            m0 = m0.max(load(a + 4 * i).abs());
            m1 = m1.max(load(a + 4 * (i + L)).abs());
            m2 = m2.max(load(a + 4 * (i + 2 * L)).abs());
            m3 = m3.max(load(a + 4 * (i + 3 * L)).abs());
        }
        float m = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
        for (; i < n; i++) {
            m = Math.max(m, Math.abs(Mem.f32(a + 4 * i)));
        }
        return m;
    }

    @Override
    double sumExp(long a, long n, double shift) {
        long block = Scratch.take(Scratch.Slot.ROW, 4L * Math.min(n, Reductions.BLOCK));
        double s = 0;
        for (long i = 0; i < n; i += Reductions.BLOCK) {
            s += exponentials(a + 4 * i, block, (int) Math.min(Reductions.BLOCK, n - i), (float) shift);
        }
        return s;
    }

    @Override
    long find(long a, long n, double v) {
        boolean nan = Double.isNaN(v);
        long i = 0;
        if (nan) {
            for (; i <= n - L; i += L) {
                VectorMask<Float> hit = load(a + 4 * i).test(VectorOperators.IS_NAN);
                if (hit.anyTrue()) {
                    return i + hit.firstTrue();
                }
            }
        } else {
            FloatVector w = FloatVector.broadcast(F, (float) v);
            for (; i <= n - L; i += L) {
                VectorMask<Float> hit = load(a + 4 * i).compare(VectorOperators.EQ, w);
                if (hit.anyTrue()) {
                    return i + hit.firstTrue();
                }
            }
        }
        long rest = super.find(a + 4 * i, n - i, v);
        return rest < 0 ? -1 : i + rest;
    }

    @Override
    double expInto(long a, long to, long n, double shift) {
        double s = 0;
        for (long i = 0; i < n; i += Reductions.BLOCK) {
            int m = (int) Math.min(Reductions.BLOCK, n - i);
            s += exponentials(a + 4 * i, to + 4 * i, m, (float) shift);
        }
        return s;
    }

    /** to = exp(x - shift), none of them above 1; the sum, by a pass of its own: with it in one loop both are slower. */
    private double exponentials(long a, long to, int n, float shift) {
        int whole = n - n % L;
        int left = n - whole;
        long pad = left > 0 ? padded(a + 4L * whole, left) : 0;
        // one call for whole vectors and the cut one: with two copies of the loop the JIT would box both
        for (int i = 0; i < n; i += Math.max(L, whole)) {
            boolean cut = i == whole;
            negativeExp(cut ? pad : a, cut ? pad : to, cut ? L : whole, shift);
        }
        if (left > 0) {
            Moves.bytes(pad, to + 4L * whole, 4L * left);
        }
        return sum(to, n);
    }

    private static void negativeExp(long a, long to, int n, float shift) {
        FloatVector m = FloatVector.broadcast(F, shift);
        for (int i = 0; i < n; i += L) {
            store(VectorMath.expNegative(load(a + 4L * i).sub(m)), to + 4L * i);
        }
    }

    /** n elements in front of -inf, which has no exponential, to fill a vector. */
    private static long padded(long a, long n) {
        long pad = Scratch.take(Scratch.Slot.STAGE, 4 * L);
        for (int i = 0; i < L; i++) {
            Mem.f32(pad + 4 * i, i < n ? Mem.f32(a + 4 * i) : Float.NEGATIVE_INFINITY);
        }
        return pad;
    }

    @Override
    void times(long a, long to, long n, double factor) {
        FloatVector f = FloatVector.broadcast(F, (float) factor);
        long i = 0;
        for (; i <= n - L; i += L) {
            store(load(a + 4 * i).mul(f), to + 4 * i);
        }
        if (i < n) {
            VectorMask<Float> in = tail(i, n);
            store(load(a + 4 * i, in).mul(f), to + 4 * i, in);
        }
    }

    private static FloatVector plus(FloatVector x, FloatVector b) {
        return x.add(b).blend(Float.NEGATIVE_INFINITY, b.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
    }

    @Override
    void plus(long a, long addend, long to, long n) {
        long i = 0;
        for (; i <= n - L; i += L) {
            store(plus(load(a + 4 * i), load(addend + 4 * i)), to + 4 * i);
        }
        if (i < n) {
            VectorMask<Float> in = tail(i, n);
            store(plus(load(a + 4 * i, in), load(addend + 4 * i, in)), to + 4 * i, in);
        }
    }

    @Override
    void minus(long a, long to, long n, double first, double second) {
        FloatVector hi = FloatVector.broadcast(F, (float) first);
        FloatVector lo = FloatVector.broadcast(F, (float) second);
        long i = 0;
        for (; i <= n - L; i += L) {
            store(load(a + 4 * i).sub(hi).sub(lo), to + 4 * i);
        }
        if (i < n) {
            VectorMask<Float> in = tail(i, n);
            store(load(a + 4 * i, in).sub(hi).sub(lo), to + 4 * i, in);
        }
    }

    /** What the cast to float cuts off; 0 where nothing finite is left to cut. */
    private static float low(double v) {
        float f = (float) v;
        return Float.isFinite(f) ? (float) (v - f) : 0f;
    }

    @Override
    void softcap(long a, long n, double cap) {
        FloatVector c = FloatVector.broadcast(F, (float) cap);
        long whole = n - n % L;
        long pad = whole < n ? padded(a + 4 * whole, n - whole) : 0;
        for (long i = 0; i < n; i += L) {
            long at = i < whole ? a + 4 * i : pad;
            store(VectorMath.tanh(load(at).div(c)).mul(c), at);
        }
        if (whole < n) {
            Moves.bytes(pad, a + 4 * whole, 4 * (n - whole));
        }
    }

    @Override
    void select(long a, long mask, long n) {
        if (B == null) {
            super.select(a, mask, n);
            return;
        }
        long i = 0;
        for (; i <= n - L; i += L) {
            VectorMask<Float> blocked = ByteVector.fromMemorySegment(B, Mem.ALL, mask + i, LE)
                    .compare(VectorOperators.EQ, (byte) 0)
                    .cast(F);
            store(load(a + 4 * i).blend(Float.NEGATIVE_INFINITY, blocked), a + 4 * i);
        }
        super.select(a + 4 * i, mask + i, n - i);
    }

    @Override
    void affine(long a, long to, long n, double mean, double scale, long weight, long bias) {
        FloatVector hi = FloatVector.broadcast(F, (float) mean);
        FloatVector lo = FloatVector.broadcast(F, low(mean));
        FloatVector f = FloatVector.broadcast(F, (float) scale);
        long i = 0;
        if (weight != 0 && bias != 0) {
            for (; i <= n - L; i += L) {
                FloatVector y = load(a + 4 * i).sub(hi).sub(lo).mul(f);
                store(y.fma(load(weight + 4 * i), load(bias + 4 * i)), to + 4 * i);
            }
        } else if (weight != 0) {
            for (; i <= n - L; i += L) {
                FloatVector y = load(a + 4 * i).sub(hi).sub(lo).mul(f);
                store(y.mul(load(weight + 4 * i)), to + 4 * i);
            }
        } else if (bias != 0) {
            for (; i <= n - L; i += L) {
                FloatVector y = load(a + 4 * i).sub(hi).sub(lo).mul(f);
                store(y.add(load(bias + 4 * i)), to + 4 * i);
            }
        } else {
            for (; i <= n - L; i += L) {
                store(load(a + 4 * i).sub(hi).sub(lo).mul(f), to + 4 * i);
            }
        }
        super.affine(
                a + 4 * i,
                to + 4 * i,
                n - i,
                mean,
                scale,
                weight == 0 ? 0 : weight + 4 * i,
                bias == 0 ? 0 : bias + 4 * i);
    }

    // ---- columns: four rows at a time, so that the accumulators are loaded and stored once for four ------------------

    @Override
    void addRows(long a, long step, long rows, double[] acc, int at, int cols) {
        long r = 0;
        for (; r < rows - 3; r += 4, a += 4 * step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                long p = a + 4L * j;
                DoubleVector s = wide(p).add(wide(p + step)).add(wide(p + 2 * step).add(wide(p + 3 * step)));
                DoubleVector.fromArray(D, acc, at + j).add(s).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                long p = a + 4L * j;
                acc[at + j] += ((double) Mem.f32(p) + Mem.f32(p + step))
                        + ((double) Mem.f32(p + 2 * step) + Mem.f32(p + 3 * step));
            }
        }
        super.addRows(a, step, rows - r, acc, at, cols);
    }

    @Override
    void addRowsAbs(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector.fromArray(D, acc, at + j).add(wide(a + 4L * j).abs()).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                acc[at + j] += Math.abs(Mem.f32(a + 4L * j));
            }
        }
    }

    @Override
    void addRowsSquared(
            long a, long step, long rows, double[] mean, int meanAt, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector d = wide(a + 4L * j).sub(DoubleVector.fromArray(D, mean, meanAt + j));
                d.fma(d, DoubleVector.fromArray(D, acc, at + j)).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                double d = Mem.f32(a + 4L * j) - mean[meanAt + j];
                acc[at + j] += d * d;
            }
        }
    }

    @Override
    void mulRows(long a, long step, long rows, double[] acc, int at, int cols) {
        long r = 0;
        for (; r < rows - 3; r += 4, a += 4 * step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                long p = a + 4L * j;
                DoubleVector s = DoubleVector.fromArray(D, acc, at + j).mul(wide(p)).mul(wide(p + step));
                s.mul(wide(p + 2 * step)).mul(wide(p + 3 * step)).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                long p = a + 4L * j;
                acc[at + j] = acc[at + j] * Mem.f32(p) * Mem.f32(p + step) * Mem.f32(p + 2 * step)
                        * Mem.f32(p + 3 * step);
            }
        }
        super.mulRows(a, step, rows - r, acc, at, cols);
    }

    @Override
    void expRows(long a, long step, long rows, double[] shift, double[] acc, int at, int cols) {
        if (cols < L) {
            super.expRows(a, step, rows, shift, acc, at, cols);
            return;
        }
        long line = 4L * cols;
        long shifts = Scratch.take(Scratch.Slot.ROW, 5 * line);
        narrow(shift, at, cols, shifts);
        for (long r = 0; r < rows; r += 4) {
            int m = (int) Math.min(4, rows - r);
            for (int i = 0; i < m; i++) {
                expRow(a + (r + i) * step, shifts, shifts + (1 + i) * line, cols);
            }
            addRows(shifts + line, line, m, acc, at, cols);
        }
    }

    private static void expRow(long a, long shift, long to, int cols) {
        for (int i = 0; i < cols; i += L) {
            long j = 4L * Math.min(i, cols - L); // the last vector overlaps its neighbour
            store(VectorMath.expNegative(load(a + j).sub(load(shift + j))), to + j);
        }
    }

    // what is done to an accumulator twice changes nothing here, so the last vector overlaps its neighbour too; in floats,
    // of which a vector holds twice as many

    private static void narrow(double[] acc, int at, int cols, long to) {
        for (int j = 0; j < cols; j++) {
            Mem.f32(to + 4L * j, (float) acc[at + j]);
        }
    }

    private static void widen(long from, double[] acc, int at, int cols) {
        for (int j = 0; j < cols; j++) {
            acc[at + j] = Mem.f32(from + 4L * j);
        }
    }

    @Override
    void maxRows(long a, long step, long rows, double[] acc, int at, int cols) {
        if (cols < L) {
            super.maxRows(a, step, rows, acc, at, cols);
            return;
        }
        long m = Scratch.take(Scratch.Slot.ROW, 4L * cols);
        narrow(acc, at, cols, m);
        for (long r = 0; r < rows; r += 4, a += 4 * step) {
            long left = Math.min(3, rows - 1 - r);
            maxFour(a, a + Math.min(1, left) * step, a + Math.min(2, left) * step, a + left * step, m, cols);
        }
        widen(m, acc, at, cols);
    }

    private static void maxFour(long a, long b, long c, long d, long m, int cols) {
        for (int i = 0; i < cols; i += L) {
            long j = 4L * Math.min(i, cols - L);
            FloatVector s = load(a + j).max(load(b + j)).max(load(c + j).max(load(d + j)));
            store(load(m + j).max(s), m + j);
        }
    }

    @Override
    void minRows(long a, long step, long rows, double[] acc, int at, int cols) {
        if (cols < L) {
            super.minRows(a, step, rows, acc, at, cols);
            return;
        }
        long m = Scratch.take(Scratch.Slot.ROW, 4L * cols);
        narrow(acc, at, cols, m);
        for (long r = 0; r < rows; r += 4, a += 4 * step) {
            long left = Math.min(3, rows - 1 - r);
            minFour(a, a + Math.min(1, left) * step, a + Math.min(2, left) * step, a + left * step, m, cols);
        }
        widen(m, acc, at, cols);
    }

    private static void minFour(long a, long b, long c, long d, long m, int cols) {
        for (int i = 0; i < cols; i += L) {
            long j = 4L * Math.min(i, cols - L);
            FloatVector s = load(a + j).min(load(b + j)).min(load(c + j).min(load(d + j)));
            store(load(m + j).min(s), m + j);
        }
    }

    @Override
    void maxAbsRows(long a, long step, long rows, double[] acc, int at, int cols) {
        if (cols < L) {
            super.maxAbsRows(a, step, rows, acc, at, cols);
            return;
        }
        long m = Scratch.take(Scratch.Slot.ROW, 4L * cols);
        narrow(acc, at, cols, m);
        for (long r = 0; r < rows; r++, a += step) {
            for (int i = 0; i < cols; i += L) {
                long j = 4L * Math.min(i, cols - L);
                store(load(m + j).max(load(a + j).abs()), m + j);
            }
        }
        widen(m, acc, at, cols);
    }

    @Override
    void allRows(long a, long step, long rows, double[] acc, int at, int cols) {
        if (cols < L) {
            super.allRows(a, step, rows, acc, at, cols);
            return;
        }
        long m = Scratch.take(Scratch.Slot.ROW, 4L * cols);
        narrow(acc, at, cols, m);
        for (long r = 0; r < rows; r++, a += step) {
            for (int i = 0; i < cols; i += L) {
                long j = 4L * Math.min(i, cols - L);
                store(load(m + j).blend(0, load(a + j).compare(VectorOperators.EQ, 0)), m + j);
            }
        }
        widen(m, acc, at, cols);
    }

    @Override
    void argRows(
            long a, long step, long rows, double sign, double first, double[] acc, double[] index, int at, int cols) {
        if (cols < L) {
            super.argRows(a, step, rows, sign, first, acc, index, at, cols);
            return;
        }
        long m = Scratch.take(Scratch.Slot.ROW, 8L * cols);
        long k = m + 4L * cols;
        narrow(acc, at, cols, m);
        for (int j = 0; j < cols; j++) {
            Mem.f32(k + 4L * j, -1);
        }
        for (int r = 0; r < rows; r++, a += step) {
            argRow(a, (float) sign, r, m, k, cols);
        }
        widen(m, acc, at, cols);
        for (int j = 0; j < cols; j++) {
            float row = Mem.f32(k + 4L * j);
            index[at + j] = row < 0 ? index[at + j] : first + row;
        }
    }

    private static void argRow(long a, float sign, int row, long best, long index, int cols) {
        FloatVector s = FloatVector.broadcast(F, sign);
        FloatVector r = FloatVector.broadcast(F, row);
        for (int i = 0; i < cols; i += L) {
            long j = 4L * Math.min(i, cols - L);
            FloatVector x = load(a + j).mul(s);
            FloatVector m = load(best + j);
            VectorMask<Float> keep = x.compare(VectorOperators.LE, m).or(m.compare(VectorOperators.NE, m));
            store(x.blend(m, keep), best + j);
            store(r.blend(load(index + j), keep), index + j);
        }
    }
}
