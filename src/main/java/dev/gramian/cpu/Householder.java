package dev.gramian.cpu;

/**
 * Householder reflectors H = I - tau v vᵀ, and products of up to {@link #BLOCK} of them in the compact form I - V T Vᵀ.
 * Each v is an array of full length, zero before its first element, which is 1.
 */
final class Householder {
    static final int BLOCK = 32;

    /** Squares below it may have lost bits to underflow; what is scaled up by RESCUE has not. */
    private static final double UNSAFE = 0x1p-900;
    private static final double RESCUE = 0x1p600;

    private Householder() {}

    /**
     * Turns x[from, to) into the v whose reflector maps it to a multiple of the first unit vector. Returns tau and
     * leaves that multiple in beta[index].
     */
    static double reflector(double[] x, int from, int to, double[] beta, int index) {
        double alpha = x[from];
        double tail = RowOps.dot(x, x, from + 1, to);
        double scale = 1;
        if (tail + alpha * alpha < UNSAFE) {
            for (int j = from; j < to; j++) {
                x[j] *= RESCUE;
            }
            scale = 1 / RESCUE;
            alpha = x[from];
            tail = RowOps.dot(x, x, from + 1, to);
        }
        if (tail == 0) {
            beta[index] = alpha * scale;
            for (int j = from + 1; j < to; j++) {
                x[j] = 0;
            }
            x[from] = 1;
            return 0;
        }
        double b = -Math.copySign(Math.sqrt(alpha * alpha + tail), alpha);
        double first = alpha - b;
        for (int j = from + 1; j < to; j++) {
            x[j] /= first;
        }
        x[from] = 1;
        beta[index] = b * scale;
        return (b - alpha) / b;
    }

    /**
     * T (count, count), upper triangular, of reflectors v[first, first + count) whose elements end before
     * {@code to}.
     */
    static double[][] triangle(double[][] v, double[] tau, int first, int count, int from, int to) {
        double[][] t = new double[count][count];
        double[] products = new double[count];
        for (int j = 0; j < count; j++) {
            double scale = tau[first + j];
            for (int i = 0; i < j; i++) {
                products[i] = scale == 0 ? 0 : -scale * RowOps.dot(v[first + i], v[first + j], from + j, to);
            }
            for (int i = 0; i < j; i++) {
                double sum = 0;
                for (int k = i; k < j; k++) {
                    sum += t[i][k] * products[k];
                }
                t[i][j] = sum;
            }
            t[j][j] = scale;
        }
        return t;
    }

    /**
     * C = (I - V op(T) Vᵀ) C on rows [rowFrom, rowTo) and columns [from, to) of {@code c}; op transposes where
     * {@code transposed}. {@code w} is work of at least t.length rows as long as C's.
     */
    static void apply(
            double[][] v, int first, double[][] t, boolean transposed,
            double[][] c, int rowFrom, int rowTo, int from, int to, double[][] w) {
        int count = t.length;
        for (int k = 0; k < count; k++) {
            java.util.Arrays.fill(w[k], from, to, 0);
        }
        int r = rowFrom;
        for (; r <= rowTo - 4; r += 4) {
            for (int k = 0; k < count; k++) {
                double[] vk = v[first + k];
                RowOps.axpy4(
                        vk[r], c[r], vk[r + 1], c[r + 1], vk[r + 2], c[r + 2], vk[r + 3], c[r + 3], w[k], from, to);
            }
        }
        for (; r < rowTo; r++) {
            for (int k = 0; k < count; k++) {
                RowOps.axpy(v[first + k][r], c[r], w[k], from, to);
            }
        }
        // w = op(T) w in place: each row needs only rows not yet overwritten
        for (int step = 0; step < count; step++) {
            int i = transposed ? count - 1 - step : step;
            double diagonal = t[i][i];
            for (int j = from; j < to; j++) {
                w[i][j] *= diagonal;
            }
            for (int k = transposed ? 0 : i + 1; k < (transposed ? i : count); k++) {
                RowOps.axpy(transposed ? t[k][i] : t[i][k], w[k], w[i], from, to);
            }
        }
        double[] coefficients = new double[count];
        for (r = rowFrom; r < rowTo; r++) {
            for (int k = 0; k < count; k++) {
                coefficients[k] = v[first + k][r];
            }
            RowOps.combine(-1, coefficients, w, 0, count, c[r], from, to);
        }
    }

    /**
     * C = H0 H1 ... C over all of {@code c}, where reflector k starts at element k + shift. Where {@code identity}, C's
     * columns before the reflector's own are untouched unit vectors, which saves a third.
     */
    static void applyAll(double[][] v, double[] tau, int count, int shift, double[][] c, boolean identity) {
        int rows = c.length;
        int columns = rows == 0 ? 0 : c[0].length;
        double[][] w = new double[Math.min(BLOCK, count)][columns];
        for (int first = (count - 1) / BLOCK * BLOCK; first >= 0 && count > 0; first -= BLOCK) {
            int block = Math.min(BLOCK, count - first);
            double[][] t = triangle(v, tau, first, block, first + shift, rows);
            apply(v, first, t, false, c, first + shift, rows, identity ? first + shift : 0, columns, w);
        }
    }
}
