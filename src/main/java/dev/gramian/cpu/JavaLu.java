package dev.gramian.cpu;

/**
 * LU with partial pivoting of rows of doubles (m, n), m and n of at least 1: PA = LU in place, L's unit diagonal not
 * stored. Rows change places in the array of rows, not in memory.
 */
final class JavaLu {
    private static final int BLOCK = 32;

    private final double[][] a;
    private final int[] order;
    private final int sign;
    private final int zeroPivot;

    JavaLu(double[][] a) {
        this.a = a;
        int m = a.length;
        int n = a[0].length;
        int steps = Math.min(m, n);
        order = new int[m];
        for (int i = 0; i < m; i++) {
            order[i] = i;
        }
        int parity = 1;
        int zero = -1;
        double[] coefficients = new double[BLOCK];
        for (int first = 0; first < steps; first += BLOCK) {
            int next = Math.min(steps, first + BLOCK);
            for (int k = first; k < next; k++) {
                int p = k;
                for (int r = k + 1; r < m; r++) {
                    if (Math.abs(a[r][k]) > Math.abs(a[p][k])) {
                        p = r;
                    }
                }
                if (a[p][k] == 0) {
                    zero = zero < 0 ? k : zero;
                    continue;
                }
                if (p != k) {
                    double[] row = a[p];
                    a[p] = a[k];
                    a[k] = row;
                    int o = order[p];
                    order[p] = order[k];
                    order[k] = o;
                    parity = -parity;
                }
                double pivot = a[k][k];
                for (int r = k + 1; r < m; r++) {
                    double l = a[r][k] / pivot;
                    a[r][k] = l;
                    if (l != 0) {
                        RowOps.axpy(-l, a[k], a[r], k + 1, next);
                    }
                }
            }
            if (next < n) {
                for (int r = first + 1; r < m; r++) {
                    int count = Math.min(r, next) - first;
                    System.arraycopy(a[r], first, coefficients, 0, count);
                    RowOps.combine(-1, coefficients, a, first, count, a[r], next, n);
                }
            }
        }
        sign = parity;
        zeroPivot = zero;
    }

    /** Row order()[i] of the matrix given has become row i. */
    int[] order() {
        return order;
    }

    /** First pivot that is exactly zero, or -1. */
    int zeroPivot() {
        return zeroPivot;
    }

    /** 1 or -1: the sign of the row permutation. */
    int sign() {
        return sign;
    }

    /** x of A x = b, A square, as new rows; takes the rows of b and destroys them. */
    double[][] solve(double[][] b) {
        int n = a.length;
        int width = b[0].length;
        double[][] x = new double[n][];
        for (int i = 0; i < n; i++) {
            x[i] = b[order[i]];
        }
        double[] upper = new double[n];
        for (int i = 1; i < n; i++) {
            RowOps.combine(-1, a[i], x, 0, i, x[i], 0, width);
        }
        for (int i = n - 1; i >= 0; i--) {
            int count = n - 1 - i;
            System.arraycopy(a[i], i + 1, upper, 0, count);
            RowOps.combine(-1, upper, x, i + 1, count, x[i], 0, width);
            double pivot = a[i][i];
            double[] row = x[i];
            for (int j = 0; j < width; j++) {
                row[j] /= pivot;
            }
        }
        return x;
    }
}
