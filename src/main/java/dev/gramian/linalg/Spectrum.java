package dev.gramian.linalg;

import dev.gramian.Tensor;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/**
 * What the singular values of one matrix say about its approximations: energy is the share of the sum of their squares
 * that the largest r hold, and the error of rank r, relative to the Frobenius norm, is √(1 - energy).
 */
public final class Spectrum {
    private final double[] values;
    /** Share of the sum of squares from index r on: summed from the smallest, so that small shares keep their digits. */
    private final double[] tails;

    private Spectrum(double[] values) {
        this.values = values;
        tails = new double[values.length + 1];
        double largest = values.length == 0 ? 0 : values[0];
        for (int r = values.length - 1; r >= 0; r--) {
            double relative = largest == 0 ? 0 : values[r] / largest;
            tails[r] = tails[r + 1] + relative * relative;
        }
        double all = tails[0];
        for (int r = 0; r < tails.length && all > 0; r++) {
            tails[r] /= all;
        }
    }

    /** Of singular values (k) as {@link Linalg#svdValues} gives them: descending, none negative. */
    public static Spectrum of(Tensor values) {
        if (values.rank() != 1) {
            throw new ShapeException(
                    "spectrum: needs the values of one matrix; s " + values.shape()
                            + "; select them from the stack first");
        }
        double[] v = values.toDoubleArray();
        for (int i = 0; i < v.length; i++) {
            if (!(v[i] >= 0 && v[i] < Double.POSITIVE_INFINITY) || i > 0 && v[i] > v[i - 1]) {
                throw new GramianException("spectrum: not descending from a finite number to 0; s " + values.shape()
                        + " has " + v[i] + " at [" + i + "]; give the singular values of a matrix");
            }
        }
        return new Spectrum(v);
    }

    /** The singular values, descending. */
    public double[] values() {
        return values.clone();
    }

    public int size() {
        return values.length;
    }

    /** Share of the sum of squares in the first r values, 0 to 1; 1 of a zero matrix. */
    public double energy(int r) {
        return 1 - tails[rank(r)];
    }

    /** ‖A - best approximation of rank r‖ / ‖A‖, both Frobenius; 0 of a zero matrix. */
    public double error(int r) {
        return Math.sqrt(tails[rank(r)]);
    }

    private int rank(int r) {
        if (r < 0 || r > values.length) {
            throw new ShapeException("spectrum: rank is " + r + "; there are " + values.length
                    + " singular values; use 0 to " + values.length);
        }
        return r;
    }

    /** Smallest rank with at least this energy, 0 to 1. */
    public int rankOfEnergy(double energy) {
        checkEnergy(energy);
        return smallest(1 - energy);
    }

    /** Smallest rank whose relative error is at most {@code relative}. */
    public int rankOfTolerance(double relative) {
        checkTolerance(relative);
        return smallest(relative * relative);
    }

    static void checkEnergy(double energy) {
        if (!(energy >= 0 && energy <= 1)) {
            throw new GramianException("lowRank: energy is " + energy + "; it is a share; use 0 to 1, such as 0.99");
        }
    }

    static void checkTolerance(double relative) {
        if (!(relative >= 0)) {
            throw new GramianException(
                    "lowRank: tolerance is " + relative + "; it is a share of the norm; use for example 1e-2");
        }
    }

    private int smallest(double tail) {
        int r = 0;
        while (tails[r] > tail) {
            r++;
        }
        return r;
    }

    /**
     * The exponential of the entropy of the values as shares of their sum (Roy and Vetterli 2007): k of k equal values, 1 of
     * a single one, 0 of a zero matrix.
     */
    public double effectiveRank() {
        double largest = values.length == 0 ? 0 : values[0];
        if (largest == 0) {
            return 0;
        }
        double sum = Arrays.stream(values).map(v -> v / largest).sum();
        double entropy = 0;
        for (double v : values) {
            double p = v / largest / sum;
            entropy -= p == 0 ? 0 : p * Math.log(p);
        }
        return Math.exp(entropy);
    }

    /** ‖A‖² / ‖A‖₂², Frobenius over spectral: at most the rank, and little moved by small values; 0 of a zero matrix. */
    public double stableRank() {
        double largest = values.length == 0 ? 0 : values[0];
        return largest == 0 ? 0 : Arrays.stream(values).map(v -> v / largest * (v / largest)).sum();
    }
}
