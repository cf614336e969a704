package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Row kernels for F64 by the Vector API. Blocks are short, so four chains of lanes keep sums nearly pairwise. */
final class VectorRowsF64 extends RowKernels {
    static final VectorRowsF64 INSTANCE = new VectorRowsF64();

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;

    private static final int W = D.length();

    private VectorRowsF64() {
        super(true);
    }

    private static DoubleVector load(long a) {
        return DoubleVector.fromMemorySegment(D, Mem.ALL, a, LE);
    }

    private static DoubleVector load(long a, VectorMask<Double> m) {
        return DoubleVector.fromMemorySegment(D, Mem.ALL, a, LE, m);
    }

    private static void store(DoubleVector v, long a) {
        v.intoMemorySegment(Mem.ALL, a, LE);
    }

    private static void store(DoubleVector v, long a, VectorMask<Double> m) {
        v.intoMemorySegment(Mem.ALL, a, LE, m);
    }

    private static VectorMask<Double> tail(long i, long n) {
        return D.indexInRange(0, (int) (n - i));
    }

    @Override
    double sum(long a, long n) {
        DoubleVector s0 = DoubleVector.zero(D);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            s0 = s0.add(load(a + 8 * i));
            s1 = s1.add(load(a + 8 * (i + W)));
            s2 = s2.add(load(a + 8 * (i + 2 * W)));
            s3 = s3.add(load(a + 8 * (i + 3 * W)));
        }
        for (; i <= n - W; i += W) {
            s0 = s0.add(load(a + 8 * i));
        }
        double s = VectorMath.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < n; i++) {
            s += Mem.f64(a + 8 * i);
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
            s0 = s0.add(load(a + 8 * i).abs());
            s1 = s1.add(load(a + 8 * (i + W)).abs());
            s2 = s2.add(load(a + 8 * (i + 2 * W)).abs());
            s3 = s3.add(load(a + 8 * (i + 3 * W)).abs());
        }
        double s = VectorMath.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < n; i++) {
            s += Math.abs(Mem.f64(a + 8 * i));
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
            DoubleVector d0 = load(a + 8 * i).sub(m);
            DoubleVector d1 = load(a + 8 * (i + W)).sub(m);
            DoubleVector d2 = load(a + 8 * (i + 2 * W)).sub(m);
            DoubleVector d3 = load(a + 8 * (i + 3 * W)).sub(m);
            s0 = d0.fma(d0, s0);
            s1 = d1.fma(d1, s1);
            s2 = d2.fma(d2, s2);
            s3 = d3.fma(d3, s3);
        }
        double s = VectorMath.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < n; i++) {
            double d = Mem.f64(a + 8 * i) - mean;
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
            p0 = p0.mul(load(a + 8 * i));
            p1 = p1.mul(load(a + 8 * (i + W)));
        }
        double p = VectorMath.product(p0.mul(p1));
        for (; i < n; i++) {
            p *= Mem.f64(a + 8 * i);
        }
        return p;
    }

    @Override
    double max(long a, long n) {
        DoubleVector m0 = DoubleVector.broadcast(D, Double.NEGATIVE_INFINITY);
        DoubleVector m1 = m0;
        DoubleVector m2 = m0;
        DoubleVector m3 = m0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            m0 = m0.max(load(a + 8 * i));
            m1 = m1.max(load(a + 8 * (i + W)));
            m2 = m2.max(load(a + 8 * (i + 2 * W)));
            m3 = m3.max(load(a + 8 * (i + 3 * W)));
        }
        for (; i <= n - W; i += W) {
            m0 = m0.max(load(a + 8 * i));
        }
        double m = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
        for (; i < n; i++) {
            m = Math.max(m, Mem.f64(a + 8 * i));
        }
        return m;
    }

    @Override
    double min(long a, long n) {
        DoubleVector m0 = DoubleVector.broadcast(D, Double.POSITIVE_INFINITY);
        DoubleVector m1 = m0;
        DoubleVector m2 = m0;
        DoubleVector m3 = m0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            m0 = m0.min(load(a + 8 * i));
            m1 = m1.min(load(a + 8 * (i + W)));
            m2 = m2.min(load(a + 8 * (i + 2 * W)));
            m3 = m3.min(load(a + 8 * (i + 3 * W)));
        }
        for (; i <= n - W; i += W) {
            m0 = m0.min(load(a + 8 * i));
        }
        double m = m0.min(m1).min(m2.min(m3)).reduceLanes(VectorOperators.MIN);
        for (; i < n; i++) {
            m = Math.min(m, Mem.f64(a + 8 * i));
        }
        return m;
    }

    @Override
    double maxAbs(long a, long n) {
        DoubleVector m0 = DoubleVector.zero(D);
        DoubleVector m1 = m0;
        DoubleVector m2 = m0;
        DoubleVector m3 = m0;
        long i = 0;
        for (; i <= n - 4 * W; i += 4 * W) {
            m0 = m0.max(load(a + 8 * i).abs());
            m1 = m1.max(load(a + 8 * (i + W)).abs());
            m2 = m2.max(load(a + 8 * (i + 2 * W)).abs());
            m3 = m3.max(load(a + 8 * (i + 3 * W)).abs());
        }
        double m = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
        for (; i < n; i++) {
            m = Math.max(m, Math.abs(Mem.f64(a + 8 * i)));
        }
        return m;
    }

    @Override
    double sumExp(long a, long n, double shift) {
        DoubleVector m = DoubleVector.broadcast(D, shift);
        DoubleVector s = DoubleVector.zero(D);
        for (long i = 0; i < n; i += W) {
            // one exp in the loop for whole and cut vectors: with a second copy the JIT would box both
            DoubleVector e = VectorMath.exp(load(n - i < W ? padded(a + 8 * i, n - i) : a + 8 * i).sub(m));
            s = s.add(e);
        }
        return VectorMath.sum(s);
    }

    @Override
    long find(long a, long n, double v) {
        boolean nan = Double.isNaN(v);
        long i = 0;
        if (nan) {
            for (; i <= n - W; i += W) {
                VectorMask<Double> hit = load(a + 8 * i).test(VectorOperators.IS_NAN);
                if (hit.anyTrue()) {
                    return i + hit.firstTrue();
                }
            }
        } else {
            DoubleVector w = DoubleVector.broadcast(D, v);
            for (; i <= n - W; i += W) {
                VectorMask<Double> hit = load(a + 8 * i).compare(VectorOperators.EQ, w);
                if (hit.anyTrue()) {
                    return i + hit.firstTrue();
                }
            }
        }
        long rest = super.find(a + 8 * i, n - i, v);
        return rest < 0 ? -1 : i + rest;
    }

    @Override
    double expInto(long a, long to, long n, double shift) {
        DoubleVector m = DoubleVector.broadcast(D, shift);
        long whole = n - n % W;
        long pad = whole < n ? padded(a + 8 * whole, n - whole) : 0;
        DoubleVector s = DoubleVector.zero(D);
        for (long i = 0; i < n; i += W) {
            DoubleVector e = VectorMath.exp(load(i < whole ? a + 8 * i : pad).sub(m));
            store(e, i < whole ? to + 8 * i : pad);
            s = s.add(e);
        }
        if (whole < n) {
            Moves.bytes(pad, to + 8 * whole, 8 * (n - whole));
        }
        return VectorMath.sum(s);
    }

    /** n elements in front of -inf, which has no exponential, to fill a vector. */
    private static long padded(long a, long n) {
        long pad = Scratch.take(Scratch.Slot.STAGE, 8 * W);
        for (int i = 0; i < W; i++) {
            Mem.f64(pad + 8 * i, i < n ? Mem.f64(a + 8 * i) : Double.NEGATIVE_INFINITY);
        }
        return pad;
    }

    @Override
    void times(long a, long to, long n, double factor) {
        DoubleVector f = DoubleVector.broadcast(D, factor);
        long i = 0;
        for (; i <= n - W; i += W) {
            store(load(a + 8 * i).mul(f), to + 8 * i);
        }
        if (i < n) {
            VectorMask<Double> in = tail(i, n);
            store(load(a + 8 * i, in).mul(f), to + 8 * i, in);
        }
    }

    private static DoubleVector plus(DoubleVector x, DoubleVector b) {
        return x.add(b).blend(Double.NEGATIVE_INFINITY, b.compare(VectorOperators.EQ, Double.NEGATIVE_INFINITY));
    }

    @Override
    void plus(long a, long addend, long to, long n) {
        long i = 0;
        for (; i <= n - W; i += W) {
            store(plus(load(a + 8 * i), load(addend + 8 * i)), to + 8 * i);
        }
        if (i < n) {
            VectorMask<Double> in = tail(i, n);
            store(plus(load(a + 8 * i, in), load(addend + 8 * i, in)), to + 8 * i, in);
        }
    }

    @Override
    void minus(long a, long to, long n, double first, double second) {
        DoubleVector p = DoubleVector.broadcast(D, first);
        DoubleVector q = DoubleVector.broadcast(D, second);
        long i = 0;
        for (; i <= n - W; i += W) {
            store(load(a + 8 * i).sub(p).sub(q), to + 8 * i);
        }
        if (i < n) {
            VectorMask<Double> in = tail(i, n);
            store(load(a + 8 * i, in).sub(p).sub(q), to + 8 * i, in);
        }
    }

    @Override
    void affine(long a, long to, long n, double mean, double scale, long weight, long bias) {
        DoubleVector m = DoubleVector.broadcast(D, mean);
        DoubleVector f = DoubleVector.broadcast(D, scale);
        long i = 0;
        if (weight != 0 && bias != 0) {
            for (; i <= n - W; i += W) {
                DoubleVector y = load(a + 8 * i).sub(m).mul(f);
                store(y.fma(load(weight + 8 * i), load(bias + 8 * i)), to + 8 * i);
            }
        } else if (weight != 0) {
            for (; i <= n - W; i += W) {
                DoubleVector y = load(a + 8 * i).sub(m).mul(f);
                store(y.mul(load(weight + 8 * i)), to + 8 * i);
            }
        } else if (bias != 0) {
            for (; i <= n - W; i += W) {
                DoubleVector y = load(a + 8 * i).sub(m).mul(f);
                store(y.add(load(bias + 8 * i)), to + 8 * i);
            }
        } else {
            for (; i <= n - W; i += W) {
                store(load(a + 8 * i).sub(m).mul(f), to + 8 * i);
            }
        }
        super.affine(
                a + 8 * i,
                to + 8 * i,
                n - i,
                mean,
                scale,
                weight == 0 ? 0 : weight + 8 * i,
                bias == 0 ? 0 : bias + 8 * i);
    }

    // ---- columns: four rows at a time, so that the accumulators are loaded and stored once for four ------------------

    @Override
    void addRows(long a, long step, long rows, double[] acc, int at, int cols) {
        long r = 0;
        for (; r < rows - 3; r += 4, a += 4 * step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                long p = a + 8L * j;
                DoubleVector s = load(p).add(load(p + step)).add(load(p + 2 * step).add(load(p + 3 * step)));
                DoubleVector.fromArray(D, acc, at + j).add(s).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                long p = a + 8L * j;
                acc[at + j] += (Mem.f64(p) + Mem.f64(p + step))
                        + (Mem.f64(p + 2 * step) + Mem.f64(p + 3 * step));
            }
        }
        super.addRows(a, step, rows - r, acc, at, cols);
    }

    @Override
    void addRowsAbs(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector.fromArray(D, acc, at + j).add(load(a + 8L * j).abs()).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                acc[at + j] += Math.abs(Mem.f64(a + 8L * j));
            }
        }
    }

    @Override
    void addRowsSquared(
            long a, long step, long rows, double[] mean, int meanAt, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector d = load(a + 8L * j).sub(DoubleVector.fromArray(D, mean, meanAt + j));
                d.fma(d, DoubleVector.fromArray(D, acc, at + j)).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                double d = Mem.f64(a + 8L * j) - mean[meanAt + j];
                acc[at + j] += d * d;
            }
        }
    }

    @Override
    void maxRows(long a, long step, long rows, double[] acc, int at, int cols) {
        long r = 0;
        for (; r < rows - 3; r += 4, a += 4 * step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                long p = a + 8L * j;
                DoubleVector s = load(p).max(load(p + step)).max(load(p + 2 * step).max(load(p + 3 * step)));
                DoubleVector.fromArray(D, acc, at + j).max(s).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                long p = a + 8L * j;
                double s = Math.max(
                        Math.max(Mem.f64(p), Mem.f64(p + step)),
                        Math.max(Mem.f64(p + 2 * step), Mem.f64(p + 3 * step)));
                acc[at + j] = Math.max(acc[at + j], s);
            }
        }
        super.maxRows(a, step, rows - r, acc, at, cols);
    }

    @Override
    void minRows(long a, long step, long rows, double[] acc, int at, int cols) {
        long r = 0;
        for (; r < rows - 3; r += 4, a += 4 * step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                long p = a + 8L * j;
                DoubleVector s = load(p).min(load(p + step)).min(load(p + 2 * step).min(load(p + 3 * step)));
                DoubleVector.fromArray(D, acc, at + j).min(s).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                long p = a + 8L * j;
                double s = Math.min(
                        Math.min(Mem.f64(p), Mem.f64(p + step)),
                        Math.min(Mem.f64(p + 2 * step), Mem.f64(p + 3 * step)));
                acc[at + j] = Math.min(acc[at + j], s);
            }
        }
        super.minRows(a, step, rows - r, acc, at, cols);
    }

    @Override
    void maxAbsRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector.fromArray(D, acc, at + j).max(load(a + 8L * j).abs()).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                acc[at + j] = Math.max(acc[at + j], Math.abs(Mem.f64(a + 8L * j)));
            }
        }
    }

    @Override
    void mulRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector.fromArray(D, acc, at + j).mul(load(a + 8L * j)).intoArray(acc, at + j);
            }
            for (; j < cols; j++) {
                acc[at + j] *= Mem.f64(a + 8L * j);
            }
        }
    }

    @Override
    void allRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            int j = 0;
            for (; j <= cols - W; j += W) {
                VectorMask<Double> zero = load(a + 8L * j).compare(VectorOperators.EQ, 0);
                DoubleVector.fromArray(D, acc, at + j).blend(0, zero).intoArray(acc, at + j);
            }
            super.allRows(a + 8L * j, step, 1, acc, at + j, cols - j);
        }
    }

    @Override
    void argRows(
            long a, long step, long rows, double sign, double first, double[] acc, double[] index, int at, int cols) {
        DoubleVector s = DoubleVector.broadcast(D, sign);
        for (long r = 0; r < rows; r++, a += step) {
            DoubleVector row = DoubleVector.broadcast(D, first + r);
            int j = 0;
            for (; j <= cols - W; j += W) {
                DoubleVector x = load(a + 8L * j).mul(s);
                DoubleVector m = DoubleVector.fromArray(D, acc, at + j);
                VectorMask<Double> keep = x.compare(VectorOperators.LE, m).or(m.compare(VectorOperators.NE, m));
                x.blend(m, keep).intoArray(acc, at + j);
                row.blend(DoubleVector.fromArray(D, index, at + j), keep).intoArray(index, at + j);
            }
            super.argRows(a + 8L * j, step, 1, sign, first + r, acc, index, at + j, cols - j);
        }
    }

    @Override
    void expRows(long a, long step, long rows, double[] shift, double[] acc, int at, int cols) {
        int whole = cols - cols % W;
        for (long r = 0; r < rows; r++, a += step) {
            expRow(a, shift, acc, at, whole);
        }
        super.expRows(a - rows * step + 8L * whole, step, rows, shift, acc, at + whole, cols - whole);
    }

    private static void expRow(long a, double[] shift, double[] acc, int at, int cols) {
        for (int j = 0; j < cols; j += W) {
            DoubleVector e = VectorMath.exp(load(a + 8L * j).sub(DoubleVector.fromArray(D, shift, at + j)));
            DoubleVector.fromArray(D, acc, at + j).add(e).intoArray(acc, at + j);
        }
    }
}
