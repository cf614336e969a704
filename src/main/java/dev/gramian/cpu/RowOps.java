package dev.gramian.cpu;

/**
 * Loops over rows held as separate arrays, all at the same index range.
 *
 * <p>One array per row and one common index on purpose: then a store cannot hit a later load, and the JIT vectorises by
 * itself.
 */
final class RowOps {
    private RowOps() {}

    /** Sum of x * y. */
    static double dot(double[] x, double[] y, int from, int to) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int j = from;
        for (; j <= to - 4; j += 4) {
            s0 += x[j] * y[j];
            s1 += x[j + 1] * y[j + 1];
            s2 += x[j + 2] * y[j + 2];
            s3 += x[j + 3] * y[j + 3];
        }
        for (; j < to; j++) {
            s0 += x[j] * y[j];
        }
        return (s0 + s1) + (s2 + s3);
    }

    /** y += a x. */
    static void axpy(double a, double[] x, double[] y, int from, int to) {
        for (int j = from; j < to; j++) {
            y[j] += a * x[j];
        }
    }

    /** y += a0 x0 + a1 x1. */
    static void axpy2(double a0, double[] x0, double a1, double[] x1, double[] y, int from, int to) {
        for (int j = from; j < to; j++) {
            y[j] = y[j] + a0 * x0[j] + a1 * x1[j];
        }
    }

    /** y += a0 x0 + a1 x1 + a2 x2 + a3 x3. */
    static void axpy4(
            double a0, double[] x0, double a1, double[] x1, double a2, double[] x2, double a3, double[] x3,
            double[] y, int from, int to) {
        for (int j = from; j < to; j++) {
            y[j] = y[j] + a0 * x0[j] + a1 * x1[j] + a2 * x2[j] + a3 * x3[j];
        }
    }

    /** row -= a y + b v, then sum += c row: a delayed rank-2 update and the next product in one pass. */
    static void updateAndSum(
            double a, double[] y, double b, double[] v, double[] row, double c, double[] sum, int from, int to) {
        for (int j = from; j < to; j++) {
            double t = row[j] - a * y[j] - b * v[j];
            row[j] = t;
            sum[j] += c * t;
        }
    }

    /** (x, y) = (c x + s y, c y - s x). */
    static void rotate(double c, double s, double[] x, double[] y, int from, int to) {
        for (int j = from; j < to; j++) {
            double t = c * x[j] + s * y[j];
            y[j] = c * y[j] - s * x[j];
            x[j] = t;
        }
    }

    /** Rotations of (x, y), then of (y, z). */
    static void rotate2(
            double c0, double s0, double c1, double s1, double[] x, double[] y, double[] z, int from, int to) {
        for (int j = from; j < to; j++) {
            double a = x[j];
            double b = y[j];
            double d = z[j];
            double t = c0 * b - s0 * a;
            x[j] = c0 * a + s0 * b;
            y[j] = c1 * t + s1 * d;
            z[j] = c1 * d - s1 * t;
        }
    }

    /** The square matrix of these rows becomes its transpose. */
    static void transpose(double[][] a) {
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < i; j++) {
                double t = a[i][j];
                a[i][j] = a[j][i];
                a[j][i] = t;
            }
        }
    }

    // ---- composed ---------------------------------------------------------------------------------------------------

    /** y += sign * sum over k of coefficients[k] * rows[first + k], for k below {@code count}. */
    static void combine(
            double sign, double[] coefficients, double[][] rows, int first, int count, double[] y, int from, int to) {
        int k = 0;
        for (; k <= count - 4; k += 4) {
            axpy4(
                    sign * coefficients[k], rows[first + k],
                    sign * coefficients[k + 1], rows[first + k + 1],
                    sign * coefficients[k + 2], rows[first + k + 2],
                    sign * coefficients[k + 3], rows[first + k + 3],
                    y, from, to);
        }
        for (; k < count; k++) {
            axpy(sign * coefficients[k], rows[first + k], y, from, to);
        }
    }
}
