package dev.gramian.cpu;

import dev.gramian.core.DType;

/**
 * What reductions and row operations do to contiguous elements of one compute type, F32 or F64. This class is the plain
 * Java form; the vector forms override it. All arithmetic and every returned figure is double, so an F32 sum needs
 * neither blocks nor compensation to be good to the last bit.
 *
 * <p>Addresses are of the first element; {@code n} may be 0 only where said.
 */
class RowKernels {
    private static final RowKernels SCALAR_F32 = new RowKernels(false);
    private static final RowKernels SCALAR_F64 = new RowKernels(true);

    /** Longer sums are halved: the error grows with the logarithm of the count. */
    private static final long PAIRWISE = 256;

    private final boolean wide;

    RowKernels(boolean wide) {
        this.wide = wide;
    }

    /** Kernels for blocks of {@code type}, F32 or F64. */
    static RowKernels of(CpuPath path, DType type) {
        boolean wide = type == DType.F64;
        if (!path.vector()) {
            return wide ? SCALAR_F64 : SCALAR_F32;
        }
        return wide ? VectorRowsF64.INSTANCE : VectorRowsF32.INSTANCE;
    }

    private long at(long a, long i) {
        return a + (wide ? 8 * i : 4 * i);
    }

    private double get(long a, long i) {
        return wide ? Mem.f64(a + 8 * i) : Mem.f32(a + 4 * i);
    }

    private void put(long a, long i, double v) {
        if (wide) {
            Mem.f64(a + 8 * i, v);
        } else {
            Mem.f32(a + 4 * i, (float) v);
        }
    }

    // ---- one row to one figure; n = 0 gives the neutral element -----------------------------------------------------

    double sum(long a, long n) {
        if (n > PAIRWISE) {
            long half = n / 2;
            return sum(a, half) + sum(at(a, half), n - half);
        }
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        long i = 0;
        for (; i < n - 3; i += 4) {
            s0 += get(a, i);
            s1 += get(a, i + 1);
            s2 += get(a, i + 2);
            s3 += get(a, i + 3);
        }
        for (; i < n; i++) {
            s0 += get(a, i);
        }
        return (s0 + s1) + (s2 + s3);
    }

    double sumAbs(long a, long n) {
        if (n > PAIRWISE) {
            long half = n / 2;
            return sumAbs(a, half) + sumAbs(at(a, half), n - half);
        }
        double s0 = 0;
        double s1 = 0;
        long i = 0;
        for (; i < n - 1; i += 2) {
            s0 += Math.abs(get(a, i));
            s1 += Math.abs(get(a, i + 1));
        }
        return i < n ? s0 + s1 + Math.abs(get(a, i)) : s0 + s1;
    }

    /** Sum of (x - mean)^2. */
    double sumSquares(long a, long n, double mean) {
        if (n > PAIRWISE) {
            long half = n / 2;
            return sumSquares(a, half, mean) + sumSquares(at(a, half), n - half, mean);
        }
        double s0 = 0;
        double s1 = 0;
        long i = 0;
        for (; i < n - 1; i += 2) {
            double d0 = get(a, i) - mean;
            double d1 = get(a, i + 1) - mean;
            s0 += d0 * d0;
            s1 += d1 * d1;
        }
        if (i < n) {
            double d = get(a, i) - mean;
            s0 += d * d;
        }
        return s0 + s1;
    }

    double prod(long a, long n) {
        double p = 1;
        for (long i = 0; i < n; i++) {
            p *= get(a, i);
        }
        return p;
    }

    /** NaN if there is one. */
    double max(long a, long n) {
        double m = Double.NEGATIVE_INFINITY;
        for (long i = 0; i < n; i++) {
            m = Math.max(m, get(a, i));
        }
        return m;
    }

    /** NaN if there is one. */
    double min(long a, long n) {
        double m = Double.POSITIVE_INFINITY;
        for (long i = 0; i < n; i++) {
            m = Math.min(m, get(a, i));
        }
        return m;
    }

    /** NaN if there is one. */
    double maxAbs(long a, long n) {
        double m = 0;
        for (long i = 0; i < n; i++) {
            m = Math.max(m, Math.abs(get(a, i)));
        }
        return m;
    }

    /** Sum of exp(x - shift); no x may be above shift. */
    double sumExp(long a, long n, double shift) {
        double s = 0;
        for (long i = 0; i < n; i++) {
            s += Math.exp(get(a, i) - shift);
        }
        return s;
    }

    /** First index where x equals v (or is NaN, where v is); -1 if there is none. */
    long find(long a, long n, double v) {
        boolean nan = Double.isNaN(v);
        for (long i = 0; i < n; i++) {
            double x = get(a, i);
            if (x == v || nan && Double.isNaN(x)) {
                return i;
            }
        }
        return -1;
    }

    // ---- one row to another, or in place; n = 0 does nothing --------------------------------------------------------

    /** to = exp(x - shift); the sum. No x may be above shift. */
    double expInto(long a, long to, long n, double shift) {
        double s = 0;
        for (long i = 0; i < n; i++) {
            double e = Math.exp(get(a, i) - shift);
            put(to, i, e);
            s += e;
        }
        return s;
    }

    /** to = x * factor. */
    void times(long a, long to, long n, double factor) {
        for (long i = 0; i < n; i++) {
            put(to, i, get(a, i) * factor);
        }
    }

    /** to = x + addend, or -inf where the addend is -inf even if x is NaN. */
    void plus(long a, long addend, long to, long n) {
        for (long i = 0; i < n; i++) {
            double b = get(addend, i);
            put(to, i, b == Double.NEGATIVE_INFINITY ? b : get(a, i) + b);
        }
    }

    /** to = (x - first) - second: two steps, so that a large first does not swallow the second. */
    void minus(long a, long to, long n, double first, double second) {
        for (long i = 0; i < n; i++) {
            put(to, i, get(a, i) - first - second);
        }
    }

    /** x = cap * tanh(x / cap). */
    void softcap(long a, long n, double cap) {
        for (long i = 0; i < n; i++) {
            put(a, i, cap * Math.tanh(get(a, i) / cap));
        }
    }

    /** x = -inf where the mask's byte is 0. */
    void select(long a, long mask, long n) {
        for (long i = 0; i < n; i++) {
            if (Mem.u8(mask + i) == 0) {
                put(a, i, Double.NEGATIVE_INFINITY);
            }
        }
    }

    /** to = (x - mean) * scale * weight + bias; weight and bias are addresses, 0 for none. */
    void affine(long a, long to, long n, double mean, double scale, long weight, long bias) {
        for (long i = 0; i < n; i++) {
            double y = (get(a, i) - mean) * scale;
            if (weight != 0) {
                y *= get(weight, i);
            }
            if (bias != 0) {
                y += get(bias, i);
            }
            put(to, i, y);
        }
    }

    final void fill(long a, long n, double v) {
        for (long i = 0; i < n; i++) {
            put(a, i, v);
        }
    }

    // ---- rows composed ----------------------------------------------------------------------------------------------

    /** Softmax or its logarithm of n &gt; 0 elements; {@code to} may be {@code a}. */
    final void softmax(long a, long to, long n, boolean log) {
        double m = max(a, n);
        if (Double.isNaN(m) || Double.isInfinite(m)) {
            // inf - inf: a row of -inf alone, one with +inf, and one with NaN have no softmax
            fill(to, n, Double.NaN);
        } else if (log) {
            minus(a, to, n, m, Math.log(sumExp(a, n, m)));
        } else {
            double s = expInto(a, to, n, m);
            times(to, to, n, 1 / s);
        }
    }

    /**
     * Attention weights of one row, n &ge; 0 columns; the log-sum-exp. {@code mask} (bytes) and {@code bias} are addresses
     * or 0; {@code shift} is a bias equal for all columns. Positions at -inf after masking weigh 0 whatever stands
     * elsewhere; NaN or +inf at a position attended to makes all attended weights NaN.
     */
    final double attend(
            long a, long to, long n, double scale, double cap, long bias, double shift, long mask) {
        times(a, to, n, scale);
        if (cap > 0) {
            softcap(to, n, cap);
        }
        if (bias != 0) {
            plus(to, bias, to, n);
        }
        if (shift != 0) {
            minus(to, to, n, -shift, 0);
        }
        if (mask != 0) {
            select(to, mask, n);
        }
        double m = max(to, n);
        if (m == Double.NEGATIVE_INFINITY) {
            fill(to, n, 0);
            return m;
        }
        if (!(m < Double.POSITIVE_INFINITY)) {
            for (long i = 0; i < n; i++) {
                put(to, i, get(to, i) == Double.NEGATIVE_INFINITY ? 0 : Double.NaN);
            }
            return m;
        }
        double s = expInto(to, to, n, m);
        times(to, to, n, 1 / s);
        return m + Math.log(s);
    }

    // ---- many columns at once: rows lie step bytes apart, column j goes to acc[at + j] ------------------------------

    /** acc += sum over rows. */
    void addRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] += get(a, j);
            }
        }
    }

    /** acc += sum over rows of magnitudes. */
    void addRowsAbs(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] += Math.abs(get(a, j));
            }
        }
    }

    /** acc += sum over rows of (x - mean)^2; the mean of column j at mean[meanAt + j]. */
    void addRowsSquared(
            long a, long step, long rows, double[] mean, int meanAt, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                double d = get(a, j) - mean[meanAt + j];
                acc[at + j] += d * d;
            }
        }
    }

    /** acc = max(acc, rows), NaN if there is one. */
    void maxRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] = Math.max(acc[at + j], get(a, j));
            }
        }
    }

    /** acc = min(acc, rows), NaN if there is one. */
    void minRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] = Math.min(acc[at + j], get(a, j));
            }
        }
    }

    /** acc *= product over rows. */
    void mulRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] *= get(a, j);
            }
        }
    }

    /** acc = 0 where a row has a zero. */
    void allRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] = get(a, j) == 0 ? 0 : acc[at + j];
            }
        }
    }

    /**
     * Where sign * x is above acc, or is NaN and acc is not: it becomes acc, and the row's number, {@code first} and on, the
     * index.
     */
    void argRows(
            long a, long step, long rows, double sign, double first, double[] acc, double[] index, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                double x = sign * get(a, j);
                double m = acc[at + j];
                if (!(x <= m) && m == m) {
                    acc[at + j] = x;
                    index[at + j] = first + r;
                }
            }
        }
    }

    /** acc += sum over rows of exp(x - shift), with the shift of column j, which no x is above, at shift[at + j]. */
    void expRows(long a, long step, long rows, double[] shift, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] += Math.exp(get(a, j) - shift[at + j]);
            }
        }
    }

    /** acc = max(acc, |rows|), NaN if there is one. */
    void maxAbsRows(long a, long step, long rows, double[] acc, int at, int cols) {
        for (long r = 0; r < rows; r++, a += step) {
            for (int j = 0; j < cols; j++) {
                acc[at + j] = Math.max(acc[at + j], Math.abs(get(a, j)));
            }
        }
    }
}
