package dev.gramian.cpu;

import dev.gramian.core.SvdMode;

/**
 * Singular value decomposition of rows of doubles: QR to a square matrix where there are more rows than columns,
 * Householder bidiagonalisation, implicit QR on the bidiagonal, and the reflectors applied in blocks.
 */
final class JavaSvd {
    /** Left vectors as rows (m, n) or (m, m); null without vectors. */
    double[][] u;
    /** Values, descending. */
    double[] s;
    /** Right vectors as rows of Vt (n, n); null without vectors. */
    double[][] vt;

    /** Decomposes {@code a} (m, n), m >= n >= 1, elements of magnitude at most about 1; destroys it. */
    JavaSvd(SvdMode mode, double[][] a) {
        int m = a.length;
        int n = a[0].length;
        boolean vectors = mode != SvdMode.VALUES;
        if (m == n) {
            square(a, vectors);
            if (vectors) {
                RowOps.transpose(u);
            }
            return;
        }
        JavaQr qr = new JavaQr(a);
        square(qr.r, vectors);
        if (vectors) {
            int columns = mode == SvdMode.FULL ? m : n;
            double[][] full = new double[m][columns];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    full[j][i] = u[i][j];
                }
            }
            for (int i = n; i < columns; i++) {
                full[i][i] = 1;
            }
            qr.applyQ(full, false);
            u = full;
        }
    }

    /** Leaves s, and on request vt and the transpose of u in u. */
    private void square(double[][] a, boolean vectors) {
        int n = a.length;
        double[] d = new double[n];
        double[] e = new double[n];
        double[] tauLeft = new double[n];
        double[] tauRight = new double[n];
        double[][] left = new double[n][n];
        double[][] right = new double[n][n];
        bidiagonalise(a, d, e, left, tauLeft, right, tauRight);
        s = d;
        if (!vectors) {
            BidiagonalQr.values(d, e);
            return;
        }
        // Q and P are formed first, since the rotations of the QR steps act on whole rows of Qᵀ and Pᵀ
        u = identity(n);
        Householder.applyAll(left, tauLeft, n, 0, u, true);
        RowOps.transpose(u);
        vt = identity(n);
        Householder.applyAll(right, tauRight, n - 1, 1, vt, true);
        RowOps.transpose(vt);
        BidiagonalQr.vectors(d, e, u, vt);
    }

    /**
     * A = Q B Pᵀ with B upper bidiagonal. The update of the rest of the matrix by a step's two reflectors is delayed
     * into the next step's first product, so that A is read twice and written once a step.
     */
    private static void bidiagonalise(
            double[][] a, double[] d, double[] e, double[][] left, double[] tauLeft,
            double[][] right, double[] tauRight) {
        int n = a.length;
        // delayed: a[r] -= u[r] y + x[r] v
        double[] u = new double[n];
        double[] x = new double[n];
        double[] y = new double[n];
        double[] v = new double[n];
        double[] sum = new double[n];
        for (int i = 0; i < n; i++) {
            double[] ui = left[i];
            for (int r = i; r < n; r++) {
                ui[r] = a[r][i] - u[r] * y[i] - x[r] * v[i];
            }
            tauLeft[i] = Householder.reflector(ui, i, n, d, i);
            if (i == n - 1) {
                return;
            }
            java.util.Arrays.fill(sum, i + 1, n, 0);
            for (int r = i; r < n; r++) {
                RowOps.updateAndSum(u[r], y, x[r], v, a[r], ui[r], sum, i + 1, n);
            }
            double[] vi = right[i];
            for (int j = i + 1; j < n; j++) {
                sum[j] *= tauLeft[i];
                vi[j] = a[i][j] - sum[j];
            }
            tauRight[i] = Householder.reflector(vi, i + 1, n, e, i);
            double yv = RowOps.dot(sum, vi, i + 1, n);
            for (int r = i + 1; r < n; r++) {
                x[r] = tauRight[i] * (RowOps.dot(a[r], vi, i + 1, n) - ui[r] * yv);
            }
            u = ui;
            v = vi;
            double[] free = y;
            y = sum;
            sum = free;
        }
    }

    private static double[][] identity(int n) {
        double[][] rows = new double[n][n];
        for (int i = 0; i < n; i++) {
            rows[i][i] = 1;
        }
        return rows;
    }
}
