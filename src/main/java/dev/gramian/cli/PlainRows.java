package dev.gramian.cli;

import dev.gramian.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** Rows of matrices in float64, for oracles. */
final class PlainRows {
    private static final long BLOCK = 1 << 20;

    /** Steps towards a direction that should not be there. */
    private static final int STEPS = 8;

    private PlainRows() {}

    /** Passes the rows of a matrix one after another, reading some at a time; each may be written to. */
    static void each(Tensor x, Consumer<double[]> work) {
        long size = Math.max(1, BLOCK / Math.max(1, x.dim(1)));
        int d = Math.toIntExact(x.dim(1));
        for (long i = 0; i < x.dim(0); i += size) {
            long end = Math.min(x.dim(0), i + size);
            double[] block = x.slice(0, i, end).toDoubleArray();
            for (int r = 0; r < end - i; r++) {
                work.accept(Arrays.copyOfRange(block, r * d, (r + 1) * d));
            }
        }
    }

    static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    /** {@code sum} += {@code factor} x. */
    static void add(double[] sum, double factor, double[] x) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * x[i];
        }
    }

    /** Euclidean length, of numbers of any size. */
    static double norm(double[] x) {
        double square = dot(x, x);
        return square > 1e-280 && square < 1e300 ? Math.sqrt(square) : SvdReference.norm(x);
    }

    /**
     * The largest wᵀ S w found among directions w of length 1 off those given, by some steps of the power method: where
     * the directions are the leading ones of S, none is above the last.
     */
    static double largestOff(UnaryOperator<double[]> scatter, double[][] directions, int d) {
        double[] w = new Random(1).doubles(d, -1, 1).toArray();
        double most = 0;
        for (int step = 0; step < STEPS; step++) {
            for (int times = 0; times < 2; times++) {
                double before = norm(w);
                for (double[] c : directions) {
                    add(w, -dot(w, c) / dot(c, c), c);
                }
                double length = norm(w);
                if (!(length > 1e-10 * before)) {
                    return most; // nothing is off them
                }
                for (int i = 0; i < d; i++) {
                    w[i] /= length;
                }
            }
            double[] z = scatter.apply(w);
            most = Math.max(most, dot(z, w));
            w = z;
        }
        return most;
    }

    /** {@code n} rows of {@code each} multiply-adds within a budget, evenly spread, at least one. */
    static long[] sample(long n, double each, double budget) {
        long count = n == 0 ? 0 : Math.max(1, (long) Math.min(n, budget / Math.max(1, each)));
        long[] rows = new long[Math.toIntExact(count)];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = count == 1 ? 0 : Math.round((double) i * (n - 1) / (count - 1));
        }
        return rows;
    }

    static String coverage(long checked, long all, String unit) {
        return checked == all ? "all" : Text.count(checked) + " of " + Text.count(all) + " " + unit;
    }

    /** Additions that may err on the way of a sum: a long one in blocks keeps more digits than its number says. */
    static double additions(double n) {
        return Math.min(n, 32 * Math.sqrt(n)) + 8;
    }
}
