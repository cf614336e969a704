package dev.gramian.vectors;

import java.util.Comparator;
import java.util.stream.IntStream;

/** Likeness of vectors in float64 by plain loops. */
final class Plain {
    private Plain() {}

    /** Of row i of x with row j of y, rows of length d. */
    static double score(Metric metric, double[] x, int i, double[] y, int j, int d) {
        double xy = 0;
        double xx = 0;
        double yy = 0;
        double difference = 0;
        for (int l = 0; l < d; l++) {
            double a = x[i * d + l];
            double b = y[j * d + l];
            xy += a * b;
            xx += a * a;
            yy += b * b;
            difference += (a - b) * (a - b);
        }
        return switch (metric) {
            case DOT -> xy;
            case COSINE -> xx == 0 || yy == 0 ? 0 : xy / Math.sqrt(xx) / Math.sqrt(yy);
            case EUCLIDEAN -> Math.sqrt(difference);
        };
    }

    /** All rows of y (n, d) from the nearest to row i of x on, equal ones in their order. */
    static int[] order(Metric metric, double[] x, int i, double[] y, int n, int d) {
        double sign = metric == Metric.EUCLIDEAN ? 1 : -1;
        double[] scores = IntStream.range(0, n).mapToDouble(j -> sign * score(metric, x, i, y, j, d)).toArray();
        return IntStream.range(0, n).boxed().sorted(Comparator.comparingDouble(j -> scores[j])).mapToInt(j -> j)
                .toArray();
    }
}
