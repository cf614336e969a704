package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.ReduceFn;

/**
 * One reduction as the state of a block, the merging of two neighbouring states, and the result. A state is two longs:
 * doubles by their bits for floats, plain longs for integers. Blocks and the order of merging depend on the shape alone,
 * so the result does not depend on the thread count.
 */
abstract class Reducer {
    final ReduceFn fn;

    Reducer(ReduceFn fn) {
        this.fn = fn;
    }

    static Reducer of(ReduceFn fn, CpuPath path, DType type, double param) {
        DType block = Gather.block(type);
        return block == DType.I64
                ? new Integers(fn)
                : new Floats(fn, RowKernels.of(path, block), block == DType.F64, param);
    }

    /** State of n &gt; 0 elements at {@code a}, the first of which is number {@code first} of its slice. */
    abstract void block(long a, long n, long first, long[] state, int at);

    /** Merges the state at y, of ny elements, into that at x, of the nx elements before. */
    abstract void merge(long[] state, int x, long nx, int y, long ny);

    /** Result of n elements as {@code type}. */
    abstract void store(long[] state, int at, long n, DType type, long addr);

    /** Result of an empty slice. */
    abstract void storeEmpty(DType type, long addr);

    /** Merges {@code count} states of {@code size} elements each (the last may hold fewer, n in all) into the first. */
    final void tree(long[] state, int at, int count, long size, long n) {
        for (int half = 1; half < count; half *= 2) {
            for (int i = 0; i + half < count; i += 2 * half) {
                long nx = half * size;
                long ny = Math.min(n - (i + half) * size, half * size);
                merge(state, at + 2 * i, nx, at + 2 * (i + half), ny);
            }
        }
    }

    private static final class Floats extends Reducer {
        private final RowKernels k;
        private final boolean wide;
        private final double ddof;

        Floats(ReduceFn fn, RowKernels k, boolean wide, double ddof) {
            super(fn);
            this.k = k;
            this.wide = wide;
            this.ddof = ddof;
        }

        private static double get(long[] s, int i) {
            return Double.longBitsToDouble(s[i]);
        }

        private static void put(long[] s, int i, double a, double b) {
            s[i] = Double.doubleToRawLongBits(a);
            s[i + 1] = Double.doubleToRawLongBits(b);
        }

        @Override
        void block(long a, long n, long first, long[] s, int at) {
            switch (fn) {
                case SUM, MEAN -> put(s, at, k.sum(a, n), 0);
                case PROD -> put(s, at, k.prod(a, n), 0);
                case NORM1 -> put(s, at, k.sumAbs(a, n), 0);
                case NORM_INF -> put(s, at, k.maxAbs(a, n), 0);
                case MIN -> put(s, at, k.min(a, n), 0);
                case MAX -> put(s, at, k.max(a, n), 0);
                case VAR, STD -> {
                    double mean = k.sum(a, n) / n;
                    put(s, at, mean, k.sumSquares(a, n, mean));
                }
                case ARGMIN, ARGMAX -> {
                    double v = fn == ReduceFn.ARGMIN ? k.min(a, n) : k.max(a, n);
                    put(s, at, v, 0);
                    s[at + 1] = first + k.find(a, n, v);
                }
                case ANY -> put(s, at, k.maxAbs(a, n) != 0 ? 1 : 0, 0);
                case ALL -> put(s, at, k.find(a, n, 0) < 0 ? 1 : 0, 0);
                case LOGSUMEXP -> {
                    double m = k.max(a, n);
                    put(s, at, m, Double.isInfinite(m) || Double.isNaN(m) ? 1 : k.sumExp(a, n, m));
                }
                case NORM2 -> norm2(a, n, s, at);
            }
        }

        /** State: scale (a power of two), sum of (x / scale)^2. Scaled only where the plain sum leaves a safe range. */
        private void norm2(long a, long n, long[] s, int at) {
            double q = k.sumSquares(a, n, 0);
            double scale = 1;
            if (wide && !(q > 1e-250 && q < 1e300)) {
                double m = k.maxAbs(a, n);
                if (m > 0 && m < Double.POSITIVE_INFINITY) {
                    scale = Math.scalb(1.0, Math.max(Math.getExponent(m), -1000));
                    q = 0;
                    for (long i = 0; i < n; i++) {
                        double v = Mem.f64(a + 8 * i) / scale;
                        q += v * v;
                    }
                } else {
                    q = m;
                }
            }
            put(s, at, scale, q);
        }

        @Override
        void merge(long[] s, int x, long nx, int y, long ny) {
            double a = get(s, x);
            double b = get(s, y);
            switch (fn) {
                case SUM, MEAN, NORM1 -> put(s, x, a + b, 0);
                case PROD -> put(s, x, a * b, 0);
                case NORM_INF, MAX, ANY -> put(s, x, Math.max(a, b), 0);
                case MIN, ALL -> put(s, x, Math.min(a, b), 0);
                case VAR, STD -> {
                    double d = b - a;
                    double share = (double) ny / (nx + ny);
                    put(s, x, a + d * share, get(s, x + 1) + get(s, y + 1) + d * d * share * nx);
                }
                case ARGMIN, ARGMAX -> {
                    boolean better = fn == ReduceFn.ARGMIN ? b < a : b > a;
                    if (!Double.isNaN(a) && (better || Double.isNaN(b))) {
                        s[x] = s[y];
                        s[x + 1] = s[y + 1];
                    }
                }
                case LOGSUMEXP -> {
                    double m = Math.max(a, b);
                    if (Double.isInfinite(m) || Double.isNaN(m)) {
                        put(s, x, m, 1);
                    } else {
                        put(s, x, m, get(s, x + 1) * Math.exp(a - m) + get(s, y + 1) * Math.exp(b - m));
                    }
                }
                case NORM2 -> {
                    double p = get(s, x + 1);
                    double q = get(s, y + 1);
                    if (p == 0 || a == b) {
                        put(s, x, b, p + q);
                    } else if (q != 0) {
                        double m = Math.max(a, b);
                        put(s, x, m, p * (a / m) * (a / m) + q * (b / m) * (b / m));
                    }
                }
            }
        }

        @Override
        void store(long[] s, int at, long n, DType type, long addr) {
            double a = get(s, at);
            double b = get(s, at + 1);
            switch (fn) {
                case SUM, PROD, MIN, MAX, NORM1, NORM_INF -> Gather.store(type, addr, a);
                case MEAN -> Gather.store(type, addr, a / n);
                case VAR -> Gather.store(type, addr, variance(b, n, ddof));
                case STD -> Gather.store(type, addr, Math.sqrt(variance(b, n, ddof)));
                case ARGMIN, ARGMAX -> Gather.store(type, addr, s[at + 1]);
                case ANY, ALL -> Gather.store(type, addr, (long) a);
                case LOGSUMEXP -> Gather.store(type, addr, a + Math.log(b));
                case NORM2 -> Gather.store(type, addr, a * Math.sqrt(b));
            }
        }

        @Override
        void storeEmpty(DType type, long addr) {
            switch (fn) {
                case SUM, NORM1, NORM2, NORM_INF -> Gather.store(type, addr, 0.0);
                case PROD -> Gather.store(type, addr, 1.0);
                case MEAN, VAR, STD -> Gather.store(type, addr, Double.NaN);
                case LOGSUMEXP -> Gather.store(type, addr, Double.NEGATIVE_INFINITY);
                case ANY, ALL -> Gather.store(type, addr, fn == ReduceFn.ALL ? 1L : 0L);
                case MIN, MAX, ARGMIN, ARGMAX -> throw new AssertionError(fn);
            }
        }
    }

    /** NaN where too few elements are left to divide by, as NumPy. */
    static double variance(double squares, double n, double ddof) {
        return n - ddof > 0 ? squares / (n - ddof) : Double.NaN;
    }

    private static final class Integers extends Reducer {
        Integers(ReduceFn fn) {
            super(fn);
        }

        @Override
        void block(long a, long n, long first, long[] s, int at) {
            long v = Mem.i64(a);
            long index = 0;
            switch (fn) {
                case SUM -> {
                    for (long i = 1; i < n; i++) {
                        v += Mem.i64(a + 8 * i);
                    }
                }
                case PROD -> {
                    for (long i = 1; i < n; i++) {
                        v *= Mem.i64(a + 8 * i);
                    }
                }
                case MIN -> {
                    for (long i = 1; i < n; i++) {
                        v = Math.min(v, Mem.i64(a + 8 * i));
                    }
                }
                case MAX -> {
                    for (long i = 1; i < n; i++) {
                        v = Math.max(v, Mem.i64(a + 8 * i));
                    }
                }
                case ARGMIN -> {
                    for (long i = 1; i < n; i++) {
                        long x = Mem.i64(a + 8 * i);
                        if (x < v) {
                            v = x;
                            index = i;
                        }
                    }
                }
                case ARGMAX -> {
                    for (long i = 1; i < n; i++) {
                        long x = Mem.i64(a + 8 * i);
                        if (x > v) {
                            v = x;
                            index = i;
                        }
                    }
                }
                case ANY -> {
                    for (long i = 1; i < n; i++) {
                        v |= Mem.i64(a + 8 * i);
                    }
                    v = v != 0 ? 1 : 0;
                }
                case ALL -> {
                    boolean all = v != 0;
                    for (long i = 1; i < n; i++) {
                        all &= Mem.i64(a + 8 * i) != 0;
                    }
                    v = all ? 1 : 0;
                }
                case MEAN, VAR, STD, LOGSUMEXP, NORM1, NORM2, NORM_INF -> throw new AssertionError(fn);
            }
            s[at] = v;
            s[at + 1] = first + index;
        }

        @Override
        void merge(long[] s, int x, long nx, int y, long ny) {
            long a = s[x];
            long b = s[y];
            switch (fn) {
                case SUM -> s[x] = a + b;
                case PROD -> s[x] = a * b;
                case MIN, ALL -> s[x] = Math.min(a, b);
                case MAX, ANY -> s[x] = Math.max(a, b);
                case ARGMIN, ARGMAX -> {
                    if (fn == ReduceFn.ARGMIN ? b < a : b > a) {
                        s[x] = b;
                        s[x + 1] = s[y + 1];
                    }
                }
                case MEAN, VAR, STD, LOGSUMEXP, NORM1, NORM2, NORM_INF -> throw new AssertionError(fn);
            }
        }

        @Override
        void store(long[] s, int at, long n, DType type, long addr) {
            Gather.store(type, addr, fn == ReduceFn.ARGMIN || fn == ReduceFn.ARGMAX ? s[at + 1] : s[at]);
        }

        @Override
        void storeEmpty(DType type, long addr) {
            Gather.store(type, addr, fn == ReduceFn.PROD || fn == ReduceFn.ALL ? 1L : 0L);
        }
    }
}
