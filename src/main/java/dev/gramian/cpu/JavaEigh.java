package dev.gramian.cpu;

import dev.gramian.core.GramianException;

/**
 * Eigenvalues, and on request vectors, of a symmetric matrix of rows of doubles: Householder tridiagonalisation, implicit
 * QL or QR steps with Wilkinson's shift (whichever has the larger elements first to chase), reflectors applied in blocks.
 */
final class JavaEigh {
    private static final double EPS = Math.ulp(1.0) / 2;
    /** Below it squares lose bits to underflow. */
    private static final double SMALL = 0x1p-480;
    private static final int MAX_SWEEPS_PER_VALUE = 60;

    /** Eigenvalues, ascending. */
    final double[] w;
    /** Eigenvectors in rows (n, n); null without vectors. */
    final double[][] vt;

    private final double[] e;
    private final RotationLog log;

    // the last rotation worked out
    private double c;
    private double s;
    private double r;

    /** {@code a} (n, n), n of at least 1, both triangles filled, elements of magnitude at most about 1; destroys it. */
    JavaEigh(boolean vectors, double[][] a) {
        int n = a.length;
        w = new double[n];
        e = new double[n];
        int steps = Math.max(0, n - 1);
        double[][] v = new double[steps][n];
        double[] tau = new double[steps];
        tridiagonalise(a, v, tau);
        if (vectors) {
            vt = new double[n][n];
            for (int i = 0; i < n; i++) {
                vt[i][i] = 1;
            }
            Householder.applyAll(v, tau, steps, 1, vt, true);
            RowOps.transpose(vt);
        } else {
            vt = null;
        }
        log = vectors ? new RotationLog(vt) : RotationLog.NONE;
        iterate();
        log.flush();
        sort();
    }

    /** A = Q T Qᵀ; T's diagonal goes to w, what stands beside it to e; Q's reflectors start one below the diagonal. */
    private void tridiagonalise(double[][] a, double[][] v, double[] tau) {
        int n = a.length;
        double[] x = new double[n];
        for (int k = 0; k < n - 1; k++) {
            w[k] = a[k][k];
            double[] u = v[k];
            for (int i = k + 1; i < n; i++) {
                u[i] = a[i][k];
            }
            tau[k] = Householder.reflector(u, k + 1, n, e, k);
            if (tau[k] == 0) {
                continue;
            }
            // H A H = A - u xᵀ - x uᵀ
            for (int i = k + 1; i < n; i++) {
                x[i] = tau[k] * RowOps.dot(a[i], u, k + 1, n);
            }
            RowOps.axpy(-0.5 * tau[k] * RowOps.dot(x, u, k + 1, n), u, x, k + 1, n);
            for (int i = k + 1; i < n; i++) {
                RowOps.axpy2(-u[i], x, -x[i], u, a[i], k + 1, n);
            }
        }
        w[n - 1] = a[n - 1][n - 1];
    }

    private void iterate() {
        int n = w.length;
        double max = 0;
        for (int i = 0; i < n; i++) {
            max = Math.max(max, Math.max(Math.abs(w[i]), Math.abs(e[i])));
        }
        // beside the largest such an element is lost in any rounding, even where its neighbours are as small
        double floor = Math.max(max * EPS * EPS, Double.MIN_NORMAL);
        long sweeps = 0;
        int end = n - 1;
        while (end > 0) {
            if (negligible(end - 1, floor)) {
                e[end - 1] = 0;
                end--;
                continue;
            }
            int start = end - 1;
            while (start > 0 && !negligible(start - 1, floor)) {
                start--;
            }
            if (start > 0) {
                e[start - 1] = 0;
            }
            if (++sweeps > (long) MAX_SWEEPS_PER_VALUE * n) {
                throw new GramianException(
                        "eigh: no convergence after " + sweeps + " QR sweeps; " + n + " eigenvalues, "
                                + end + " not found; check the matrix for extreme values");
            }
            step(start, end, Math.abs(w[end]) >= Math.abs(w[start]));
        }
    }

    private boolean negligible(int i, double floor) {
        double off = Math.abs(e[i]);
        return off <= floor || off <= EPS * Math.sqrt(Math.abs(w[i])) * Math.sqrt(Math.abs(w[i + 1]));
    }

    /**
     * One sweep over a block. QL finds the eigenvalue at the start first; QR, without {@code ql}, is the same on the
     * block flipped about both diagonals.
     */
    private void step(int start, int end, boolean ql) {
        int step = ql ? 1 : -1;
        int at = ql ? start : end;
        int eAt = ql ? start : end - 1;
        int last = end - start;
        double off = e[eAt];
        double g = (w[at + step] - w[at]) / (2 * off);
        double shift = w[at] - off / (g + Math.copySign(Math.hypot(g, 1), g));
        g = w[at + last * step] - shift;
        double sine = 1;
        double cosine = 1;
        double p = 0;
        for (int i = last - 1; i >= 0; i--) {
            int lower = at + i * step;
            int upper = lower + step;
            int ei = eAt + i * step;
            double f = sine * e[ei];
            double b = cosine * e[ei];
            rotation(g, f);
            cosine = c;
            sine = s;
            if (i != last - 1) {
                e[ei + step] = r;
            }
            g = w[upper] - p;
            double t = (w[lower] - g) * sine + 2 * cosine * b;
            p = sine * t;
            w[upper] = g + p;
            g = cosine * t - b;
            log.add(upper, lower, cosine, sine);
        }
        w[at] -= p;
        e[eAt] = g;
    }

    /** c, s, r with c f + s g = r and c g - s f = 0. */
    private void rotation(double f, double g) {
        if (g == 0) {
            c = 1;
            s = 0;
            r = f;
        } else if (f == 0) {
            c = 0;
            s = 1;
            r = g;
        } else {
            double scale = 1;
            if (Math.abs(f) < SMALL && Math.abs(g) < SMALL) {
                scale = 0x1p600;
                f *= scale;
                g *= scale;
            }
            double norm = Math.sqrt(f * f + g * g);
            c = f / norm;
            s = g / norm;
            r = norm / scale;
        }
    }

    private void sort() {
        // Selection: few are out of place, and rows only change their slots.
        for (int i = 0; i < w.length - 1; i++) {
            int min = i;
            for (int j = i + 1; j < w.length; j++) {
                if (w[j] < w[min]) {
                    min = j;
                }
            }
            if (min != i) {
                double t = w[i];
                w[i] = w[min];
                w[min] = t;
                if (vt != null) {
                    double[] row = vt[i];
                    vt[i] = vt[min];
                    vt[min] = row;
                }
            }
        }
    }
}
