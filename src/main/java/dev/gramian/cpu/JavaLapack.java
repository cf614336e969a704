package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;

/**
 * Decompositions in plain Java. Works in double precision for both types, an F32 result being rounded once; matrices
 * are copied to the heap, a few times their size in doubles while a call lasts.
 */
final class JavaLapack implements Lapack {
    @Override
    public String describe() {
        return "Java";
    }

    @Override
    public void svd(SvdMode mode, DType t, long m, long n, long a, long u, long s, long vt) {
        boolean wide = m < n;
        int rows = size("svd", m);
        int columns = size("svd", n);
        double[][] x = wide ? loadTransposed(t, rows, columns, a) : load(t, rows, columns, a);
        // Powers of two, so nothing is rounded but what is far below the largest element. In two factors, since one
        // alone may be outside the range of a double.
        int exponent = scale(x);
        JavaSvd svd = new JavaSvd(mode, x);
        double[] values = svd.s;
        unscale(values, exponent);
        storeRow(t, values, s);
        if (mode != SvdMode.VALUES) {
            if (wide) {
                storeTransposed(t, svd.vt, u);
                storeTransposed(t, svd.u, vt);
            } else {
                store(t, svd.u, u);
                store(t, svd.vt, vt);
            }
        }
    }

    /** Scales the largest magnitude into [1, 2) and returns the exponent taken out; 0 for a zero matrix. */
    private static int scale(double[][] x) {
        double max = 0;
        for (double[] row : x) {
            for (double v : row) {
                max = Math.max(max, Math.abs(v));
            }
        }
        if (max == 0) {
            return 0;
        }
        int exponent = Math.getExponent(max);
        if (exponent < Double.MIN_EXPONENT) {
            exponent = Math.getExponent(max * 0x1p60) - 60;
        }
        double half = Math.scalb(1.0, -(exponent / 2));
        double rest = Math.scalb(1.0, -(exponent - exponent / 2));
        for (double[] row : x) {
            for (int j = 0; j < row.length; j++) {
                row[j] = row[j] * half * rest;
            }
        }
        return exponent;
    }

    private static void unscale(double[] values, int exponent) {
        double half = Math.scalb(1.0, exponent / 2);
        double rest = Math.scalb(1.0, exponent - exponent / 2);
        for (int i = 0; i < values.length; i++) {
            values[i] = values[i] * half * rest;
        }
    }

    @Override
    public void eigh(boolean vectors, DType t, long n, long a, long w, long v) {
        double[][] x = loadLower(t, size("eigh", n), a);
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < i; j++) {
                x[j][i] = x[i][j];
            }
        }
        int exponent = scale(x);
        JavaEigh eigh = new JavaEigh(vectors, x);
        unscale(eigh.w, exponent);
        storeRow(t, eigh.w, w);
        if (vectors) {
            storeTransposed(t, eigh.vt, v);
        }
    }

    @Override
    public void eig(boolean vectors, DType t, long n, long a, long re, long im, long vre, long vim) {
        int size = size("eig", n);
        double[][] x = load(t, size, size, a);
        int exponent = scale(x);
        JavaEig eig = new JavaEig(vectors, x);
        unscale(eig.re, exponent);
        unscale(eig.im, exponent);
        storeRow(t, eig.re, re);
        storeRow(t, eig.im, im);
        if (vectors) {
            storeTransposed(t, eig.vre, vre);
            storeTransposed(t, eig.vim, vim);
        }
    }

    @Override
    public void qr(boolean full, DType t, long m, long n, long a, long q, long r) {
        int rows = size("qr", m);
        double[][] x = load(t, rows, size("qr", n), a);
        int exponent = scale(x);
        JavaQr qr = new JavaQr(x);
        double[][] vectors = new double[rows][full ? rows : qr.r.length];
        for (int i = 0; i < vectors[0].length; i++) {
            vectors[i][i] = 1;
        }
        qr.applyQ(vectors, true);
        store(t, vectors, q);
        for (double[] row : qr.r) {
            unscale(row, exponent);
        }
        store(t, qr.r, r);
        if (full && m > n) {
            Mem.zero(r + n * n * t.bytes(), (m - n) * n * t.bytes());
        }
    }

    @Override
    public long cholesky(DType t, long n, long a) {
        double[][] l = loadLower(t, size("cholesky", n), a);
        for (int i = 0; i < l.length; i++) {
            for (int j = 0; j < i; j++) {
                l[i][j] = (l[i][j] - RowOps.dot(l[i], l[j], 0, j)) / l[j][j];
            }
            double square = l[i][i] - RowOps.dot(l[i], l[i], 0, i);
            if (!(square > 0)) {
                return i + 1;
            }
            l[i][i] = Math.sqrt(square);
        }
        store(t, l, a);
        return 0;
    }

    @Override
    public void lu(DType t, long m, long n, long a, long p, long l, long u) {
        double[][] x = load(t, size("lu", m), size("lu", n), a);
        int[] order = new JavaLu(x).order();
        int k = (int) Math.min(m, n);
        double[] row = new double[k];
        for (int i = 0; i < m; i++) {
            Mem.i64(p + 8L * i, order[i]);
            for (int j = 0; j < k; j++) {
                row[j] = j < i ? x[i][j] : j == i ? 1 : 0;
            }
            storeRow(t, row, l + (long) i * k * t.bytes());
            if (i < k) {
                java.util.Arrays.fill(x[i], 0, i, 0);
                storeRow(t, x[i], u + i * n * t.bytes());
            }
        }
    }

    @Override
    public void solveTriangular(
            boolean lower, boolean transpose, boolean unit, DType t, long n, long nrhs, long a, long b) {
        int size = size("solveTriangular", n);
        double[][] x = load(t, size, size("solveTriangular", nrhs), b);
        double[][] rows = transpose ? loadTransposed(t, size, size, a) : load(t, size, size, a);
        boolean forward = lower != transpose;
        double[] coefficients = new double[size];
        for (int step = 0; step < size; step++) {
            int i = forward ? step : size - 1 - step;
            int first = forward ? 0 : i + 1;
            System.arraycopy(rows[i], first, coefficients, 0, step);
            RowOps.combine(-1, coefficients, x, first, step, x[i], 0, x[i].length);
            if (!unit) {
                for (int j = 0; j < x[i].length; j++) {
                    x[i][j] /= rows[i][i];
                }
            }
        }
        store(t, x, b);
    }

    @Override
    public long solve(DType t, long n, long nrhs, long a, long b) {
        JavaLu lu = new JavaLu(load(t, size("solve", n), size("solve", n), a));
        if (lu.zeroPivot() < 0) {
            store(t, lu.solve(load(t, size("solve", n), size("solve", nrhs), b)), b);
        }
        return lu.zeroPivot();
    }

    @Override
    public long inverse(DType t, long n, long a) {
        int size = size("inv", n);
        JavaLu lu = new JavaLu(load(t, size, size, a));
        if (lu.zeroPivot() < 0) {
            double[][] identity = new double[size][size];
            for (int i = 0; i < size; i++) {
                identity[i][i] = 1;
            }
            store(t, lu.solve(identity), a);
        }
        return lu.zeroPivot();
    }

    @Override
    public int pivots(DType t, long n, long a) {
        double[][] x = load(t, size("det", n), size("det", n), a);
        JavaLu lu = new JavaLu(x);
        store(t, x, a);
        return lu.sign();
    }

    private static int size(String op, long n) {
        if (n > 1 << 30) {
            throw new ShapeException(op + ": matrix side is too long; " + n + "; at most 2^30 fit an array");
        }
        return (int) n;
    }

    private static double[][] load(DType t, int m, int n, long at) {
        double[][] rows = new double[m][n];
        for (double[] row : rows) {
            if (t == DType.F64) {
                for (int j = 0; j < n; j++) {
                    row[j] = Mem.f64(at + 8L * j);
                }
            } else {
                for (int j = 0; j < n; j++) {
                    row[j] = Mem.f32(at + 4L * j);
                }
            }
            at += (long) n * t.bytes();
        }
        return rows;
    }

    /** Rows of which only the lower triangle is filled. */
    private static double[][] loadLower(DType t, int n, long at) {
        double[][] rows = load(t, n, n, at);
        for (int i = 0; i < n; i++) {
            java.util.Arrays.fill(rows[i], i + 1, n, 0);
        }
        return rows;
    }

    private static double[][] loadTransposed(DType t, int m, int n, long at) {
        double[][] rows = new double[n][m];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                rows[j][i] = t == DType.F64 ? Mem.f64(at + 8L * j) : Mem.f32(at + 4L * j);
            }
            at += (long) n * t.bytes();
        }
        return rows;
    }

    private static void store(DType t, double[][] rows, long at) {
        for (double[] row : rows) {
            storeRow(t, row, at);
            at += (long) row.length * t.bytes();
        }
    }

    private static void storeRow(DType t, double[] row, long at) {
        if (t == DType.F64) {
            for (int j = 0; j < row.length; j++) {
                Mem.f64(at + 8L * j, row[j]);
            }
        } else {
            for (int j = 0; j < row.length; j++) {
                Mem.f32(at + 4L * j, (float) row[j]);
            }
        }
    }

    private static void storeTransposed(DType t, double[][] rows, long at) {
        int m = rows.length;
        int n = rows[0].length;
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < m; i++) {
                if (t == DType.F64) {
                    Mem.f64(at, rows[i][j]);
                } else {
                    Mem.f32(at, (float) rows[i][j]);
                }
                at += t.bytes();
            }
        }
    }
}
