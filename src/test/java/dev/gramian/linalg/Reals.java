package dev.gramian.linalg;

import java.util.Random;

/** Row-major matrices of doubles, the plain way: what results are held against. */
public final class Reals {
    private Reals() {}

    public static double[] uniform(Random random, int m, int n) {
        double[] x = new double[m * n];
        for (int i = 0; i < x.length; i++) {
            x[i] = 2 * random.nextDouble() - 1;
        }
        return x;
    }

    public static double[] transposed(double[] x, int m, int n) {
        double[] t = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                t[j * m + i] = x[i * n + j];
            }
        }
        return t;
    }

    public static double[] product(double[] a, double[] b, int m, int k, int n) {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int l = 0; l < k; l++) {
                for (int j = 0; j < n; j++) {
                    c[i * n + j] += a[i * k + l] * b[l * n + j];
                }
            }
        }
        return c;
    }

    public static double[] minus(double[] a, double[] b) {
        double[] c = a.clone();
        for (int i = 0; i < c.length; i++) {
            c[i] -= b[i];
        }
        return c;
    }

    public static double[] scaled(double[] a, double by) {
        double[] c = a.clone();
        for (int i = 0; i < c.length; i++) {
            c[i] *= by;
        }
        return c;
    }

    public static double max(double[] x) {
        double max = 0;
        for (double v : x) {
            max = Math.max(max, Math.abs(v));
        }
        return max;
    }

    /** Frobenius, free of over- and underflow. */
    public static double norm(double[] x) {
        double max = max(x);
        if (max == 0 || Double.isNaN(max) || Double.isInfinite(max)) {
            return max;
        }
        double sum = 0;
        for (double v : x) {
            sum += v / max * (v / max);
        }
        return max * Math.sqrt(sum);
    }

    public static double[] identity(int n) {
        double[] x = new double[n * n];
        for (int i = 0; i < n; i++) {
            x[i * (n + 1)] = 1;
        }
        return x;
    }

    public static double[] part(double[] x, int i, int size) {
        return java.util.Arrays.copyOfRange(x, i * size, (i + 1) * size);
    }
}
