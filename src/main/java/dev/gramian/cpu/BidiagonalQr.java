package dev.gramian.cpu;

import dev.gramian.core.GramianException;

/**
 * Singular values, and on request vectors, of an upper bidiagonal matrix by implicit QR steps, with zero shifts where
 * they keep small values accurate (Demmel and Kahan, "Accurate singular values of bidiagonal matrices", 1990).
 *
 * <p>A step that chases the bulge upwards is the downward step on the flipped matrix J Bᵀ J, which is again upper
 * bidiagonal: the same code with indices running backwards and the two sets of vectors exchanged.
 */
final class BidiagonalQr {
    private static final double EPS = Math.ulp(1.0) / 2;
    /** Below it squares lose bits to underflow. */
    private static final double SMALL = 0x1p-480;
    private static final double TOLERANCE = EPS * Math.min(100, Math.pow(EPS, -0.125));
    private static final int MAX_SWEEPS_PER_VALUE = 60;

    private final double[] d;
    private final double[] e;
    private final int n;
    private final RotationLog left;
    private final RotationLog right;

    // the last rotation worked out
    private double c;
    private double s;
    private double r;

    /** Lower bound of the smallest value of the block last looked at. */
    private double smallest;

    private BidiagonalQr(double[] d, double[] e, RotationLog left, RotationLog right) {
        this.d = d;
        this.e = e;
        this.n = d.length;
        this.left = left;
        this.right = right;
    }

    /** {@code d} (n) is the diagonal, {@code e} stands above it; leaves the values in d, descending, and destroys e. */
    static void values(double[] d, double[] e) {
        BidiagonalQr qr = new BidiagonalQr(d, e, RotationLog.NONE, RotationLog.NONE);
        qr.iterate();
        qr.finish(null, null);
    }

    /**
     * As {@link #values}, and turns the rows of {@code ut} and {@code vt}: where A = (ut)ᵀ B vt before, afterwards
     * A = (ut)ᵀ diag(d) vt.
     */
    static void vectors(double[] d, double[] e, double[][] ut, double[][] vt) {
        BidiagonalQr qr = new BidiagonalQr(d, e, new RotationLog(ut), new RotationLog(vt));
        qr.iterate();
        qr.left.flush();
        qr.right.flush();
        qr.finish(ut, vt);
    }

    private void iterate() {
        double threshold = threshold();
        long sweeps = 0;
        int low = -1; // the block of the previous round, whose direction is kept until it splits
        int high = -1;
        boolean down = true;
        int end = n - 1;
        while (end > 0) {
            if (e[end - 1] == 0 || Math.abs(e[end - 1]) <= threshold) {
                e[end - 1] = 0;
                end--;
                continue;
            }
            int start = end - 1;
            while (start > 0 && Math.abs(e[start - 1]) > threshold) {
                start--;
            }
            if (start > 0) {
                e[start - 1] = 0;
            }
            if (start > high || end < low || low < 0) {
                down = Math.abs(d[start]) >= Math.abs(d[end]);
            }
            low = start;
            high = end;
            if (!converged(start, end, down)) {
                if (++sweeps > (long) MAX_SWEEPS_PER_VALUE * n) {
                    throw new GramianException("svd: no convergence after " + sweeps + " QR sweeps; " + n
                            + " singular values, " + end + " not found; check the matrix for extreme values");
                }
                step(start, end, down);
            }
        }
    }

    /** Off-diagonals up to this size may go: small beside a lower bound of the smallest value, Demmel and Kahan's. */
    private double threshold() {
        double mu = Math.abs(d[0]);
        double min = mu;
        for (int i = 1; i < n && min > 0; i++) {
            mu = Math.abs(d[i]) * (mu / (mu + Math.abs(e[i - 1])));
            min = Math.min(min, mu);
        }
        double max = 0;
        for (int i = 0; i < n; i++) {
            max = Math.max(max, Math.abs(d[i]));
            if (i < n - 1) {
                max = Math.max(max, Math.abs(e[i]));
            }
        }
        // Values below max * EPS^4 carry no information of a dense matrix; without this floor a singular one would be
        // iterated down to the smallest number there is.
        double floor = max * EPS * EPS * EPS * EPS;
        return Math.max(Math.max(TOLERANCE * (min / Math.sqrt(n)), floor), Double.MIN_NORMAL);
    }

    /** Sets negligible off-diagonals of the block to zero; true if there were any. Else leaves a bound in smallest. */
    private boolean converged(int start, int end, boolean down) {
        int step = down ? 1 : -1;
        int at = down ? start : end;
        int eAt = down ? start : end - 1;
        int last = end - start;
        if (Math.abs(e[eAt + (last - 1) * step]) <= TOLERANCE * Math.abs(d[at + last * step])) {
            e[eAt + (last - 1) * step] = 0;
            return true;
        }
        double mu = Math.abs(d[at]);
        double min = mu;
        for (int i = 0; i < last; i++) {
            double off = Math.abs(e[eAt + i * step]);
            if (off <= TOLERANCE * mu) {
                e[eAt + i * step] = 0;
                return true;
            }
            mu = Math.abs(d[at + (i + 1) * step]) * (mu / (mu + off));
            min = Math.min(min, mu);
        }
        smallest = min;
        return false;
    }

    private void step(int start, int end, boolean down) {
        int step = down ? 1 : -1;
        int at = down ? start : end;
        int eAt = down ? start : end - 1;
        int last = end - start;
        RotationLog rows = down ? left : right;
        RotationLog columns = down ? right : left;
        double max = 0;
        for (int i = start; i <= end; i++) {
            max = Math.max(max, Math.abs(d[i]));
            if (i < end) {
                max = Math.max(max, Math.abs(e[i]));
            }
        }
        double shift = 0;
        if (n * TOLERANCE * (smallest / max) > EPS) {
            shift = smallerValue(
                    d[at + (last - 1) * step], e[eAt + (last - 1) * step], d[at + last * step]);
            double ratio = shift / Math.abs(d[at]);
            if (ratio * ratio < EPS) {
                shift = 0; // it would be lost in rounding
            }
        }
        if (shift == 0) {
            zeroShift(at, eAt, step, last, rows, columns);
        } else {
            shifted(shift, at, eAt, step, last, rows, columns);
        }
    }

    private void zeroShift(int at, int eAt, int step, int last, RotationLog rows, RotationLog columns) {
        double cr = 1;
        double cl = 1;
        double sl = 0;
        for (int i = 0; i < last; i++) {
            int p = at + i * step;
            int q = p + step;
            rotation(d[p] * cr, e[eAt + i * step]);
            cr = c;
            double sr = s;
            double rr = r;
            columns.add(p, q, cr, sr);
            if (i > 0) {
                e[eAt + (i - 1) * step] = sl * rr;
            }
            rotation(cl * rr, d[q] * sr);
            cl = c;
            sl = s;
            d[p] = r;
            rows.add(p, q, cl, sl);
        }
        int q = at + last * step;
        double h = d[q] * cr;
        d[q] = h * cl;
        e[eAt + (last - 1) * step] = h * sl;
    }

    private void shifted(double shift, int at, int eAt, int step, int last, RotationLog rows, RotationLog columns) {
        double f = (Math.abs(d[at]) - shift) * (Math.copySign(1, d[at]) + shift / d[at]);
        double g = e[eAt];
        for (int i = 0; i < last; i++) {
            int p = at + i * step;
            int q = p + step;
            int ep = eAt + i * step;
            rotation(f, g);
            if (i > 0) {
                e[ep - step] = r;
            }
            columns.add(p, q, c, s);
            f = c * d[p] + s * e[ep];
            e[ep] = c * e[ep] - s * d[p];
            g = s * d[q];
            d[q] = c * d[q];
            rotation(f, g);
            d[p] = r;
            rows.add(p, q, c, s);
            f = c * e[ep] + s * d[q];
            d[q] = c * d[q] - s * e[ep];
            if (i < last - 1) {
                g = s * e[ep + step];
                e[ep + step] = c * e[ep + step];
            }
        }
        e[eAt + (last - 1) * step] = f;
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
            if (f < 0) {
                norm = -norm; // c stays positive
            }
            c = f / norm;
            s = g / norm;
            r = norm / scale;
        }
    }

    /** The smaller singular value of [[f, g], [0, h]]. */
    private static double smallerValue(double f, double g, double h) {
        double small = Math.min(Math.abs(f), Math.abs(h));
        double large = Math.max(Math.abs(f), Math.abs(h));
        double off = Math.abs(g);
        if (small == 0) {
            return 0;
        }
        // (sigma1 +- sigma2)^2 = (large +- small)^2 + g^2 and sigma1 sigma2 = small large
        double top = Math.max(large, off);
        double x = large / top;
        double y = small / top;
        double z = off / top;
        double sum = Math.sqrt((x + y) * (x + y) + z * z) + Math.sqrt((x - y) * (x - y) + z * z);
        return 2 * small * (x / sum);
    }

    /** Signs to plus, order to descending. */
    private void finish(double[][] ut, double[][] vt) {
        for (int i = 0; i < n; i++) {
            if (d[i] < 0 || 1 / d[i] < 0) {
                d[i] = -d[i];
                if (vt != null) {
                    double[] row = vt[i];
                    for (int j = 0; j < row.length; j++) {
                        row[j] = -row[j];
                    }
                }
            }
        }
        if (vt == null) {
            java.util.Arrays.sort(d);
            for (int i = 0, j = n - 1; i < j; i++, j--) {
                double t = d[i];
                d[i] = d[j];
                d[j] = t;
            }
            return;
        }
        // Selection: few are out of place, and rows only change their slots.
        for (int i = 0; i < n - 1; i++) {
            int max = i;
            for (int j = i + 1; j < n; j++) {
                if (d[j] > d[max]) {
                    max = j;
                }
            }
            if (max != i) {
                double t = d[i];
                d[i] = d[max];
                d[max] = t;
                swap(ut, i, max);
                swap(vt, i, max);
            }
        }
    }

    private static void swap(double[][] rows, int i, int j) {
        double[] t = rows[i];
        rows[i] = rows[j];
        rows[j] = t;
    }
}
