package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.vectors.Concentration;
import dev.gramian.vectors.Metric;
import dev.gramian.vectors.Neighbors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The oracle of {@code similarity}, {@code neighbors} and {@code concentration --check}: every pair by itself, in float64
 * from the definition. Shares no code with the library but reading elements.
 */
final class VectorReference {
    /** Multiply-adds per check, about a second; beyond, evenly spread rows stand for all. */
    private static final double BUDGET = 300e6;

    /** Elements of a block of vectors in float64. */
    private static final long BLOCK = 1 << 20;

    private VectorReference() {}

    /** A score, and how far it may be off before it is stored. */
    private record Score(double value, double magnitude, double slack) {}

    private static Score score(Metric metric, double[] x, double[] y, double u) {
        double n = x.length + 8.0;
        return switch (metric) {
            case DOT -> {
                double sum = 0;
                for (int i = 0; i < x.length; i++) {
                    sum += Math.abs(x[i] * y[i]);
                }
                yield new Score(PlainRows.dot(x, y), sum, n * u * sum);
            }
            case COSINE -> new Score(Math.clamp(cosine(x, y), -1, 1), 1, 4 * n * u);
            case EUCLIDEAN -> {
                double[] difference = x.clone();
                PlainRows.add(difference, -1, y);
                double distance = PlainRows.norm(difference);
                yield new Score(distance, distance, n * u * distance);
            }
        };
    }

    private static double cosine(double[] x, double[] y) {
        double xx = PlainRows.norm(x);
        double yy = PlainRows.norm(y);
        if (xx == 0 || yy == 0) {
            return 0;
        }
        if (xx > 1e-100 && xx < 1e100 && yy > 1e-100 && yy < 1e100) {
            return PlainRows.dot(x, y) / xx / yy;
        }
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] / xx * (y[i] / yy);
        }
        return sum;
    }

    // ---- similarity --------------------------------------------------------------------------------------------------

    /** {@code y} null stands for x. Distances may be off by what their squares lose about the mean of y. */
    static Verdict similarity(Metric metric, Tensor x, Tensor y, Tensor result) {
        Tensor other = y == null ? x : y;
        long m = x.dim(-2);
        long n = other.dim(-2);
        List<Tensor> results = SvdReference.parts(result, 2);
        long[] batch = result.shape().slice(0, result.rank() - 2).toArray();
        List<Tensor> xs = SvdReference.parts(x.expand(shape(batch, x)), 2);
        List<Tensor> ys = SvdReference.parts(other.expand(shape(batch, other)), 2);
        long[] rows = PlainRows.sample(m, (double) n * x.dim(-1) * results.size(), BUDGET);
        Check check = new Check("likeness", result.dtype(), PlainRows.coverage(rows.length, m, "rows"));
        for (int b = 0; b < results.size(); b++) {
            double[][] all = rows(ys.get(b), 0, n);
            double[] center = metric == Metric.EUCLIDEAN ? mean(all, x.dim(-1)) : null;
            for (long i : rows) {
                double[] row = xs.get(b).select(0, i).toDoubleArray();
                double[] actual = results.get(b).select(0, i).toDoubleArray();
                for (int j = 0; j < actual.length; j++) {
                    Score s = score(metric, row, all[j], Check.roundoff(x.dtype()));
                    double slack = center == null ? s.slack : lost(row, all[j], center, s.value);
                    if (Double.isNaN(slack)) {
                        continue; // an infinity or NaN in any row is in the mean that all are taken from
                    }
                    check.add(actual[j], s.value, s.magnitude, slack);
                }
            }
        }
        return check.verdict();
    }

    private static long[] shape(long[] batch, Tensor t) {
        long[] shape = Arrays.copyOf(batch, batch.length + 2);
        shape[batch.length] = t.dim(-2);
        shape[batch.length + 1] = t.dim(-1);
        return shape;
    }

    /** What a distance loses as the root of |a|² + |b|² - 2 a·b in float64. */
    private static double lost(double[] x, double[] y, double[] center, double distance) {
        double squares = 0;
        for (int i = 0; i < x.length; i++) {
            double a = x[i] - center[i];
            double b = y[i] - center[i];
            squares += a * a + b * b;
        }
        double error = 4 * (x.length + 8) * 0x1p-53 * squares;
        return error == 0 ? 0 : Math.min(Math.sqrt(error), error / distance);
    }

    private static double[] mean(double[][] rows, long d) {
        double[] mean = new double[(int) d];
        for (double[] row : rows) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += row[i] / rows.length;
            }
        }
        return mean;
    }

    private static double[][] rows(Tensor x, long from, long to) {
        double[] values = x.slice(0, from, to).toDoubleArray();
        int d = Math.toIntExact(x.dim(1));
        double[][] rows = new double[Math.toIntExact(to - from)][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(values, i * d, (i + 1) * d);
        }
        return rows;
    }

    // ---- neighbors ---------------------------------------------------------------------------------------------------

    /** That each row named has the score given, and that no other rows have better ones. */
    static List<Verdict> neighbors(Metric metric, Tensor vectors, Tensor queries, Neighbors found) {
        long n = vectors.dim(0);
        int k = Math.toIntExact(found.indices().dim(1));
        long[] some = PlainRows.sample(queries.dim(0), (double) n * vectors.dim(1), BUDGET);
        String coverage = PlainRows.coverage(some.length, queries.dim(0), "queries");
        Check named = new Check("scores of the rows named", found.scores().dtype(), coverage);
        Check best = new Check("scores against the best of all", found.scores().dtype(), coverage);
        double[][] chosen = new double[some.length][];
        double[][] scores = new double[some.length][];
        for (int q = 0; q < some.length; q++) {
            chosen[q] = queries.select(0, some[q]).toDoubleArray();
            scores[q] = new double[Math.toIntExact(n)];
        }
        long block = Math.max(1, BLOCK / Math.max(1, vectors.dim(1)));
        for (long from = 0; from < n && some.length > 0; from += block) {
            double[][] rows = rows(vectors, from, Math.min(n, from + block));
            for (int i = 0; i < rows.length; i++) {
                for (int q = 0; q < some.length; q++) {
                    scores[q][(int) from + i] = score(metric, chosen[q], rows[i], 0).value;
                }
            }
        }
        double sign = metric == Metric.EUCLIDEAN ? 1 : -1;
        for (int q = 0; q < some.length && k > 0; q++) {
            long[] indices = found.indices().select(0, some[q]).toLongArray();
            double[] actual = found.scores().select(0, some[q]).toDoubleArray();
            double[] sorted = new double[scores[q].length];
            for (int i = 0; i < sorted.length; i++) {
                sorted[i] = sign * scores[q][i];
            }
            Arrays.sort(sorted);
            Set<Long> seen = new HashSet<>();
            for (int i = 0; i < k; i++) {
                // scored in float64 and rounded; candidates were chosen in the element type
                Score s = score(metric, chosen[q], vectors.select(0, indices[i]).toDoubleArray(), 0x1p-53);
                named.add(seen.add(indices[i]) ? actual[i] : Double.NaN, s.value, s.magnitude, s.slack);
                Score near = score(metric, chosen[q], vectors.select(0, indices[i]).toDoubleArray(),
                        Check.roundoff(queries.dtype()));
                best.add(actual[i], sign * sorted[i], near.magnitude, near.slack);
            }
        }
        return List.of(named.verdict(), best.verdict());
    }

    // ---- concentration -----------------------------------------------------------------------------------------------

    /** Vectors whose pairs can all be compared in time, evenly spread, more than k. */
    static Tensor some(Tensor x, int k) {
        long most = Math.clamp((long) Math.sqrt(BUDGET / Math.max(1, x.dim(1))), k + 1, Math.max(k + 1, 2000));
        long step = Math.max(1, (x.dim(0) + most - 1) / most);
        return step == 1 ? x : x.slice(0, 0, Long.MAX_VALUE, step);
    }

    /** All measures, each relative to its own size. {@code all} is how many vectors x was taken from. */
    static Verdict concentration(Tensor x, int k, Concentration c, long all) {
        double[][] rows = rows(x, 0, x.dim(0));
        int n = rows.length;
        double[][] distances = new double[n][n];
        double cosine = 0;
        double cosines = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                distances[i][j] = score(Metric.EUCLIDEAN, rows[i], rows[j], 0).value;
                distances[j][i] = distances[i][j];
                double angle = score(Metric.COSINE, rows[i], rows[j], 0).value;
                cosine += 2 * angle;
                cosines += 2 * angle * angle;
            }
        }
        double near = 0;
        double far = 0;
        double total = 0;
        double ratio = 0;
        double logs = 0;
        double twoLogs = 0;
        long apart = 0;
        int[] chosen = new int[n];
        boolean tie = false;
        for (int i = 0; i < n; i++) {
            List<Integer> order = new ArrayList<>();
            for (int j = 0; j < n; j++) {
                if (j != i) {
                    order.add(j);
                }
                total += distances[i][j];
            }
            double[] from = distances[i];
            order.sort((a, b) -> Double.compare(from[a], from[b]));
            double first = from[order.getFirst()];
            near += first;
            far += from[order.getLast()];
            order.subList(0, k).forEach(j -> chosen[j]++);
            tie |= k < n - 1 && from[order.get(k)] - from[order.get(k - 1)] <= 1e-7 * from[order.getLast()];
            if (first > 0) {
                apart++;
                ratio += from[order.getLast()] / first;
                twoLogs += Math.log(from[order.get(1)] / first);
                for (int j = 0; j < k - 1; j++) {
                    logs += Math.log(from[order.get(k - 1)] / from[order.get(j)]);
                }
            }
        }
        double square = 0;
        double cube = 0;
        for (int o : chosen) {
            square += Math.pow(o - k, 2) / n;
            cube += Math.pow(o - k, 3) / n;
        }
        double pairs = (double) n * (n - 1);
        double[] expected = {
            near / n, far / n, ratio / apart, total / (n - 1) / near, apart * (k - 1) / logs, apart / twoLogs,
            square == 0 ? 0 : cube / Math.pow(square, 1.5), cosine / pairs,
            Math.sqrt(Math.max(0, cosines / pairs - cosine / pairs * (cosine / pairs)))
        };
        double[] actual = {
            c.nearest(), c.farthest(), c.ratio(), c.contrast(), c.likelihoodDimension(), c.twoNearestDimension(),
            c.hubness(), c.meanCosine(), c.cosineSpread()
        };
        Residual r = new Residual(
                (tie ? "measures but hubness, as there are ties, in " : "measures in ") + x.dim(1) + " dimensions",
                "vectors", 1e-6);
        r.all = all;
        r.checked = n;
        for (int i = 0; i < actual.length; i++) {
            boolean hubness = i == 6;
            if (!(hubness && tie)
                    && (Double.isFinite(expected[i]) || Double.compare(expected[i], actual[i]) != 0)) {
                // cosines are of the size of 1, whatever their mean
                r.add(Math.abs(actual[i] - expected[i]), i >= 7 ? 1 : Math.abs(expected[i]));
            }
        }
        return r.verdict();
    }
}
