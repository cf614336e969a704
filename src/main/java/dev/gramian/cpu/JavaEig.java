package dev.gramian.cpu;

import dev.gramian.core.GramianException;

/**
 * Eigenvalues, and on request vectors, of a matrix of rows of doubles: Householder reduction to Hessenberg form, Francis's
 * implicit double-shift QR steps to a quasi-triangular T, vectors by back substitution in T.
 */
final class JavaEig {
    private static final double EPS = Math.ulp(1.0);
    private static final int MAX_SWEEPS_PER_VALUE = 60;
    /** Sweeps on one block without a find after which shifts are no longer taken from its end. */
    private static final int PATIENCE = 10;
    /** Vectors that grow beyond it while they are solved for are scaled down. */
    private static final double LARGE = 0x1p400;

    /** Eigenvalues, conjugates side by side, the one with positive imaginary part first. */
    final double[] re;
    final double[] im;
    /** Eigenvectors in rows (n, n), of length 1, of complex ones the largest element real; null without vectors. */
    final double[][] vre;
    final double[][] vim;

    private final double[][] h;
    private final double[][] q;
    private final int n;
    private double norm;

    /** {@code a} (n, n), n of at least 1, elements of magnitude at most about 1; destroys it. */
    JavaEig(boolean vectors, double[][] a) {
        h = a;
        n = a.length;
        re = new double[n];
        im = new double[n];
        q = vectors ? new double[n][n] : null;
        vre = vectors ? new double[n][] : null;
        vim = vectors ? new double[n][n] : null;
        reduce();
        for (double[] row : h) {
            for (double v : row) {
                norm = Math.max(norm, Math.abs(v));
            }
        }
        iterate();
        if (vectors) {
            for (int k = 0; k < n; k++) {
                vector(k);
            }
        }
    }

    /** A = Q H Qᵀ, H zero below its first subdiagonal. */
    private void reduce() {
        int steps = Math.max(0, n - 2);
        double[][] v = new double[steps][n];
        double[] tau = new double[steps];
        double[] beta = new double[steps];
        double[] sums = new double[n];
        for (int k = 0; k < steps; k++) {
            double[] u = v[k];
            for (int i = k + 1; i < n; i++) {
                u[i] = h[i][k];
            }
            tau[k] = Householder.reflector(u, k + 1, n, beta, k);
            h[k + 1][k] = beta[k];
            for (int i = k + 2; i < n; i++) {
                h[i][k] = 0;
            }
            if (tau[k] == 0) {
                continue;
            }
            java.util.Arrays.fill(sums, 0);
            for (int i = k + 1; i < n; i++) {
                RowOps.axpy(u[i], h[i], sums, k + 1, n);
            }
            for (int i = k + 1; i < n; i++) {
                RowOps.axpy(-tau[k] * u[i], sums, h[i], k + 1, n);
            }
            for (double[] row : h) {
                RowOps.axpy(-tau[k] * RowOps.dot(row, u, k + 1, n), u, row, k + 1, n);
            }
        }
        if (q != null) {
            for (int i = 0; i < n; i++) {
                q[i][i] = 1;
            }
            Householder.applyAll(v, tau, steps, 1, q, true);
        }
    }

    private void iterate() {
        long sweeps = 0;
        int waited = 0;
        int end = n - 1;
        while (end >= 0) {
            int start = end;
            while (start > 0 && !negligible(start)) {
                start--;
            }
            if (start == end) {
                re[end--] = h[start][start];
                waited = 0;
            } else if (start == end - 1) {
                pair(start);
                end -= 2;
                waited = 0;
            } else {
                if (++sweeps > (long) MAX_SWEEPS_PER_VALUE * n) {
                    throw new GramianException("eig: no convergence after " + (sweeps - 1) + " QR sweeps; " + n
                            + " eigenvalues, " + (end + 1) + " not found; check the matrix for extreme values");
                }
                sweep(start, end, ++waited % PATIENCE == 0);
            }
        }
    }

    /** Whether h[i][i - 1] is lost beside its neighbours; makes it zero then. */
    private boolean negligible(int i) {
        double beside = Math.abs(h[i - 1][i - 1]) + Math.abs(h[i][i]);
        if (Math.abs(h[i][i - 1]) > EPS / 2 * (beside == 0 ? norm : beside)) {
            return false;
        }
        h[i][i - 1] = 0;
        return true;
    }

    /** One sweep over h[start..end], at least three rows, with both eigenvalues of its end as shifts. */
    private void sweep(int start, int end, boolean exceptional) {
        double x = h[end][end];
        double y = h[end - 1][end - 1];
        double w = h[end][end - 1] * h[end - 1][end];
        if (exceptional) {
            double s = Math.abs(h[end][end - 1]) + Math.abs(h[end - 1][end - 2]);
            x = h[end][end] + 0.75 * s;
            y = x;
            w = -0.4375 * s * s;
        }
        double first = h[start][start];
        double below = h[start + 1][start];
        double size = Math.abs(first - x) + Math.abs(first - y) + Math.abs(below);
        double[] u = {
            (first - x) * ((first - y) / size) - w / size + h[start][start + 1] * (below / size),
            below / size * (first - x + (h[start + 1][start + 1] - y)), below / size * h[start + 2][start + 1]
        };
        int top = q == null ? start : 0;
        int right = q == null ? end + 1 : n;
        double[] beta = new double[1];
        for (int k = start; k < end; k++) {
            int count = Math.min(3, end - k + 1);
            if (k > start) {
                u[0] = h[k][k - 1];
                u[1] = h[k + 1][k - 1];
                u[2] = count == 3 ? h[k + 2][k - 1] : 0;
            }
            double tau = Householder.reflector(u, 0, count, beta, 0);
            if (k > start) {
                h[k][k - 1] = beta[0];
                for (int i = 1; i < count; i++) {
                    h[k + i][k - 1] = 0;
                }
            }
            if (tau == 0) {
                continue;
            }
            double u2 = count == 3 ? u[2] : 0;
            double[] r0 = h[k];
            double[] r1 = h[k + 1];
            double[] r2 = h[Math.min(k + 2, end)];
            for (int j = k; j < right; j++) {
                double t = tau * (r0[j] + u[1] * r1[j] + (count == 3 ? u2 * r2[j] : 0));
                r0[j] -= t;
                r1[j] -= t * u[1];
                if (count == 3) {
                    r2[j] -= t * u2;
                }
            }
            int bottom = Math.min(k + 3, end);
            for (int i = top; i <= bottom; i++) {
                reflect(h[i], k, count, tau, u[1], u2);
            }
            for (int i = 0; q != null && i < n; i++) {
                reflect(q[i], k, count, tau, u[1], u2);
            }
        }
    }

    private static void reflect(double[] row, int k, int count, double tau, double u1, double u2) {
        double t = tau * (row[k] + u1 * row[k + 1] + (count == 3 ? u2 * row[k + 2] : 0));
        row[k] -= t;
        row[k + 1] -= t * u1;
        if (count == 3) {
            row[k + 2] -= t * u2;
        }
    }

    /** The eigenvalues of the 2 x 2 block at {@code i}, which becomes triangular where they are real. */
    private void pair(int i) {
        double b = h[i][i + 1];
        double c = h[i + 1][i];
        double d = h[i + 1][i + 1];
        double p = (h[i][i] - d) / 2;
        double square = p * p + b * c;
        if (square < 0) {
            re[i] = re[i + 1] = d + p;
            im[i] = Math.sqrt(-square);
            im[i + 1] = -im[i];
            return;
        }
        // (z, c) is an eigenvector and becomes the first unit vector
        double z = p + Math.copySign(Math.sqrt(square), p);
        double length = Math.hypot(z, c);
        double cosine = z / length;
        double sine = c / length;
        RowOps.rotate(cosine, sine, h[i], h[i + 1], i, q == null ? i + 2 : n);
        for (int r = q == null ? i : 0; r <= i + 1; r++) {
            rotate(h[r], i, cosine, sine);
        }
        for (int r = 0; q != null && r < n; r++) {
            rotate(q[r], i, cosine, sine);
        }
        h[i + 1][i] = 0;
        re[i] = h[i][i];
        re[i + 1] = h[i + 1][i + 1];
    }

    private static void rotate(double[] row, int i, double cosine, double sine) {
        double x = row[i];
        row[i] = cosine * x + sine * row[i + 1];
        row[i + 1] = cosine * row[i + 1] - sine * x;
    }

    // ---- vectors ----------------------------------------------------------------------------------------------------

    /** Row k of vre and vim, for a complex pair those of k - 1 and k. */
    private void vector(int k) {
        if (im[k] > 0) {
            return; // with its conjugate, which follows
        }
        double[] x = new double[n];
        double[] y = new double[n];
        int below = k;
        if (im[k] == 0) {
            x[k] = 1;
        } else {
            below = k - 1;
            // the element that is divided by is the larger one
            if (Math.abs(h[k][below]) > Math.abs(h[below][k])) {
                x[k] = 1;
                x[below] = (re[k] - h[k][k]) / h[k][below];
                y[below] = -im[k] / h[k][below];
            } else {
                x[below] = 1;
                x[k] = (re[k] - h[below][below]) / h[below][k];
                y[k] = -im[k] / h[below][k];
            }
        }
        substitute(x, y, below - 1, k);
        double[] vr = new double[n];
        double[] vi = new double[n];
        for (int i = 0; i < n; i++) {
            vr[i] = RowOps.dot(q[i], x, 0, k + 1);
            vi[i] = RowOps.dot(q[i], y, 0, k + 1);
        }
        normalise(vr, vi);
        if (im[k] == 0) {
            vre[k] = vr;
        } else {
            vre[k - 1] = vr;
            vim[k - 1] = vi;
            vre[k] = vr;
            for (int i = 0; i < n; i++) {
                vim[k][i] = -vi[i];
            }
        }
    }

    /** Elements {@code from} down to 0 of the vector x + i y with T (x + i y) = (re[k] - i im[k]) (x + i y). */
    private void substitute(double[] x, double[] y, int from, int k) {
        double lr = re[k];
        double li = -im[k];
        double smallest = Math.max(EPS * norm, Double.MIN_NORMAL);
        for (int i = from; i >= 0; i--) {
            double br = -RowOps.dot(h[i], x, i + 1, k + 1);
            double bi = -RowOps.dot(h[i], y, i + 1, k + 1);
            if (im[i] == 0) {
                divide(x, y, i, br, bi, h[i][i] - lr, -li, smallest);
            } else {
                int above = i - 1;
                double ar = -RowOps.dot(h[above], x, i + 1, k + 1);
                double ai = -RowOps.dot(h[above], y, i + 1, k + 1);
                // rows (p - l, b) and (c, d - l): the one with the larger first element eliminates the other
                double p = h[above][above] - lr;
                double d = h[i][i] - lr;
                double b = h[above][i];
                double c = h[i][above];
                if (Math.hypot(p, li) >= Math.abs(c)) {
                    double size = Math.max(p * p + li * li, Double.MIN_NORMAL);
                    double fr = c * p / size; // c / (p - i li)
                    double fi = c * li / size;
                    divide(x, y, i, br - (fr * ar - fi * ai), bi - (fr * ai + fi * ar), d - fr * b, -li - fi * b,
                            smallest);
                    divide(x, y, above, ar - b * x[i], ai - b * y[i], p, -li, smallest);
                } else {
                    double fr = p / c;
                    double fi = -li / c;
                    divide(x, y, i, ar - (fr * br - fi * bi), ai - (fr * bi + fi * br), b - (fr * d + fi * li),
                            fr * li - fi * d, smallest);
                    divide(x, y, above, br - (d * x[i] + li * y[i]), bi - (d * y[i] - li * x[i]), c, 0, smallest);
                }
                i--;
            }
            shrink(x, y, i, k);
        }
    }

    /** Element i = (br + i bi) / (dr + i di), a divisor that is too small counting as {@code smallest}. */
    private static void divide(
            double[] x, double[] y, int i, double br, double bi, double dr, double di, double smallest) {
        if (Math.abs(dr) + Math.abs(di) < smallest) {
            dr = smallest;
            di = 0;
        }
        // Smith's way, free of overflow
        if (Math.abs(dr) >= Math.abs(di)) {
            double f = di / dr;
            double d = dr + di * f;
            x[i] = (br + bi * f) / d;
            y[i] = (bi - br * f) / d;
        } else {
            double f = dr / di;
            double d = dr * f + di;
            x[i] = (br * f + bi) / d;
            y[i] = (bi * f - br) / d;
        }
    }

    private static void shrink(double[] x, double[] y, int from, int to) {
        if (Math.abs(x[from]) + Math.abs(y[from]) > LARGE) {
            for (int j = from; j <= to; j++) {
                x[j] /= LARGE;
                y[j] /= LARGE;
            }
        }
    }

    private static void normalise(double[] x, double[] y) {
        double most = 0;
        double length = 0;
        int at = 0;
        for (int i = 0; i < x.length; i++) {
            double size = Math.hypot(x[i], y[i]);
            length = Math.hypot(length, size);
            if (size > most) {
                most = size;
                at = i;
            }
        }
        boolean real = y[at] == 0;
        double c = real ? 1 : x[at] / most;
        double s = real ? 0 : -y[at] / most;
        for (int i = 0; i < x.length; i++) {
            double t = (c * x[i] - s * y[i]) / length;
            y[i] = (s * x[i] + c * y[i]) / length;
            x[i] = t;
        }
        if (!real) {
            y[at] = 0;
        }
    }
}
