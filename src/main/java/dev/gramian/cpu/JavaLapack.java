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
        double half = Math.scalb(1.0, exponent / 2);
        double rest = Math.scalb(1.0, exponent - exponent / 2);
        for (int i = 0; i < values.length; i++) {
            values[i] = values[i] * half * rest;
        }
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
