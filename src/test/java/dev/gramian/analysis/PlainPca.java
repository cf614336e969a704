package dev.gramian.analysis;

import java.util.stream.IntStream;

/** Principal components in float64 by plain loops: the covariance, and Jacobi rotations of it. */
final class PlainPca {
    final double[] mean;
    /** Rows, most variance first; of each the element of largest magnitude is positive. */
    final double[][] components;
    final double[] variance;
    double total;

    /** Of x (n, d), row-major. */
    PlainPca(double[] x, int n, int d) {
        mean = new double[d];
        for (int i = 0; i < n * d; i++) {
            mean[i % d] += x[i] / n;
        }
        double[][] c = new double[d][d];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < d; j++) {
                for (int k = 0; k < d; k++) {
                    c[j][k] += (x[i * d + j] - mean[j]) * (x[i * d + k] - mean[k]) / (n - 1);
                }
            }
        }
        double[][] v = new double[d][d];
        for (int i = 0; i < d; i++) {
            v[i][i] = 1;
            total += c[i][i];
        }
        for (int sweep = 0; sweep < 30; sweep++) {
            for (int p = 0; p < d; p++) {
                for (int q = p + 1; q < d; q++) {
                    rotate(c, v, p, q);
                }
            }
        }
        int[] order = IntStream.range(0, d).boxed().sorted((i, j) -> Double.compare(c[j][j], c[i][i]))
                .mapToInt(i -> i).toArray();
        components = new double[d][d];
        variance = new double[d];
        for (int k = 0; k < d; k++) {
            variance[k] = c[order[k]][order[k]];
            double largest = 0;
            for (int j = 0; j < d; j++) {
                components[k][j] = v[j][order[k]];
                largest = Math.abs(components[k][j]) > Math.abs(largest) ? components[k][j] : largest;
            }
            for (int j = 0; j < d && largest < 0; j++) {
                components[k][j] = -components[k][j];
            }
        }
    }

    private static void rotate(double[][] c, double[][] v, int p, int q) {
        if (c[p][q] == 0) {
            return;
        }
        double angle = 0.5 * Math.atan2(2 * c[p][q], c[q][q] - c[p][p]);
        double cos = Math.cos(angle);
        double sin = Math.sin(angle);
        for (int i = 0; i < c.length; i++) {
            double a = c[i][p];
            double b = c[i][q];
            c[i][p] = cos * a - sin * b;
            c[i][q] = sin * a + cos * b;
            a = v[i][p];
            b = v[i][q];
            v[i][p] = cos * a - sin * b;
            v[i][q] = sin * a + cos * b;
        }
        for (int i = 0; i < c.length; i++) {
            double a = c[p][i];
            double b = c[q][i];
            c[p][i] = cos * a - sin * b;
            c[q][i] = sin * a + cos * b;
        }
    }
}
