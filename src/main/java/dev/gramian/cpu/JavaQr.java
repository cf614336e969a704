package dev.gramian.cpu;

/** QR factorisation of rows of doubles by Householder reflectors in blocks. */
final class JavaQr {
    /** R (k, n), upper triangular, k = min(m, n). */
    final double[][] r;
    /** Reflectors as rows (k, m). */
    private final double[][] v;
    private final double[] tau;

    /** Factors {@code a} (m, n), m and n of at least 1, elements of magnitude at most about 1; destroys it. */
    JavaQr(double[][] a) {
        int m = a.length;
        int n = a[0].length;
        int steps = Math.min(m, n);
        v = new double[steps][m];
        tau = new double[steps];
        r = new double[steps][n];
        double[] beta = new double[steps];
        double[][] w = new double[Math.min(Householder.BLOCK, steps)][n];
        for (int first = 0; first < steps; first += Householder.BLOCK) {
            int count = Math.min(Householder.BLOCK, steps - first);
            for (int i = first; i < m; i++) {
                for (int k = first; k < first + count; k++) {
                    v[k][i] = a[i][k];
                }
            }
            for (int k = first; k < first + count; k++) {
                for (int i = first; i < k; i++) {
                    r[i][k] = v[k][i];
                    v[k][i] = 0;
                }
                tau[k] = Householder.reflector(v[k], k, m, beta, k);
                r[k][k] = beta[k];
                for (int l = k + 1; l < first + count && tau[k] != 0; l++) {
                    RowOps.axpy(-tau[k] * RowOps.dot(v[k], v[l], k, m), v[k], v[l], k, m);
                }
            }
            int next = first + count;
            if (next < n) {
                double[][] t = Householder.triangle(v, tau, first, count, first, m);
                Householder.apply(v, first, t, true, a, first, m, next, n, w);
                for (int i = first; i < next; i++) {
                    System.arraycopy(a[i], next, r[i], next, n - next);
                }
            }
        }
    }

    /** C = Q C for {@code c} of m rows; {@code identity} as {@link Householder#applyAll} has it. */
    void applyQ(double[][] c, boolean identity) {
        Householder.applyAll(v, tau, tau.length, 0, c, identity);
    }
}
