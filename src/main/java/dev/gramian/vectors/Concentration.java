package dev.gramian.vectors;

import dev.gramian.Indexing;
import dev.gramian.Indexing.Ranked;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Finite;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.VectorNorm;
import java.util.Arrays;

/**
 * How far the curse of dimensionality has come: with many independent dimensions the distances among vectors become equal,
 * some vectors become neighbours of very many, and angles gather about the right one. Every vector is compared with every
 * other. Copies of a vector, whose nearest distance is 0, are left out of what divides by it; NaN where nothing is left.
 *
 * @param nearest mean distance to the nearest other vector
 * @param farthest mean distance to the farthest
 * @param ratio mean of farthest / nearest over the vectors; towards 1 with the dimension
 * @param contrast mean distance / mean nearest distance, the relative contrast of He, Kumar and Chang 2012
 * @param likelihoodDimension intrinsic dimension by the k nearest distances (Levina and Bickel 2004), the inverse
 *     estimates of all vectors averaged (MacKay and Ghahramani 2005)
 * @param twoNearestDimension intrinsic dimension by the ratio of the two nearest distances (Facco et al. 2017), the
 *     estimate of maximum likelihood
 * @param hubness skewness of how often a vector is among the k nearest of others; 0 for none
 * @param meanCosine of all pairs
 * @param cosineSpread standard deviation of the cosines of all pairs
 */
public record Concentration(
        double nearest,
        double farthest,
        double ratio,
        double contrast,
        double likelihoodDimension,
        double twoNearestDimension,
        double hubness,
        double meanCosine,
        double cosineSpread) {
    /** Elements of a block of distances. */
    private static final long BLOCK = 1 << 20;

    /** Of vectors (n, d), n above k; k from 2 on is the number of neighbours looked at, 10 being usual. */
    public static Concentration of(Tensor x, int k) {
        Similarity.check("concentration", "x", x, x);
        if (x.rank() != 2) {
            throw new ShapeException(
                    "concentration: needs one matrix; x " + x.shape() + "; select it from the stack first");
        }
        long n = x.dim(0);
        if (k < 2 || k >= n || n > Integer.MAX_VALUE) {
            throw new GramianException("concentration: " + k + " neighbours; x " + x.shape() + " has " + n
                    + " vectors; use 2 or more, fewer than there are vectors");
        }
        Finite.check("concentration", x);
        Sums sums = new Sums((int) n, k);
        try (Scope s = Scope.inner("concentration", x.device())) {
            Tensor wide = x.to(DType.F64);
            long rows = Math.max(1, BLOCK / Math.max(n, k * x.dim(1)));
            for (long i = 0; i < n; i += rows) {
                sums.add(wide, i, Math.min(n, i + rows));
            }
        }
        return sums.result();
    }

    private static final class Sums {
        private final int n;
        private final int k;
        private final long[] occurrences;
        private double nearest;
        private double farthest;
        private double distance;
        private double cosine;
        private double cosineSquare;
        private double ratio;
        private double logRatio;
        private double twoLogRatio;
        private long apart;

        Sums(int n, int k) {
            this.n = n;
            this.k = k;
            this.occurrences = new long[n];
        }

        /** Rows {@code from} to {@code to} against all. */
        void add(Tensor x, long from, long to) {
            try (Scope s = Scope.inner("concentration", x.device())) {
                Tensor block = x.slice(0, from, to);
                Tensor self = s.arange(DType.I64, n).unsqueeze(0)
                        .eq(s.arange(DType.I64, to - from).add(from).unsqueeze(1));
                Tensor zero = s.scalar(DType.F64, 0);
                Tensor cosines = self.where(zero, Similarity.of(Metric.COSINE, block, x));
                cosine += cosines.sum().item();
                cosineSquare += cosines.square().sum().item();
                Tensor distances = Similarity.of(Metric.EUCLIDEAN, block, x);
                double[] far = self.where(zero, distances).max(1).toDoubleArray();
                distance += self.where(zero, distances).sum().item();
                Ranked near = Indexing.topK(
                        self.where(s.scalar(DType.F64, Double.POSITIVE_INFINITY), distances), k, 1, false);
                // once more from differences: products leave 1e-8 of a distance that is 0
                Tensor others = Indexing.gather(x, 0, near.indices().flatten()).reshape(to - from, k, x.dim(1));
                double[] values = Linalg.norm(others.sub(block.unsqueeze(1)), VectorNorm.TWO, -1).toDoubleArray();
                long[] indices = near.indices().toLongArray();
                for (int i = 0; i < far.length; i++) {
                    Arrays.sort(values, i * k, (i + 1) * k);
                    add(far[i], values, i * k);
                }
                for (long i : indices) {
                    occurrences[(int) i]++;
                }
            }
        }

        private void add(double far, double[] near, int at) {
            nearest += near[at];
            farthest += far;
            if (near[at] > 0) {
                apart++;
                ratio += far / near[at];
                twoLogRatio += Math.log(near[at + 1] / near[at]);
                for (int j = 0; j < k - 1; j++) {
                    logRatio += Math.log(near[at + k - 1] / near[at + j]);
                }
            }
        }

        Concentration result() {
            double pairs = (double) n * (n - 1);
            double meanCosine = cosine / pairs;
            double square = 0;
            double cube = 0;
            for (long o : occurrences) {
                square += (double) (o - k) * (o - k) / n;
                cube += Math.pow(o - k, 3) / n;
            }
            return new Concentration(
                    nearest / n,
                    farthest / n,
                    ratio / apart,
                    distance / (n - 1) / nearest,
                    apart == 0 ? Double.NaN : apart * (k - 1) / logRatio,
                    apart == 0 ? Double.NaN : apart / twoLogRatio,
                    square == 0 ? 0 : cube / Math.pow(square, 1.5),
                    meanCosine,
                    Math.sqrt(Math.max(0, cosineSquare / pairs - meanCosine * meanCosine)));
        }
    }
}
