package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.analysis.Pca;
import dev.gramian.core.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The oracle of {@code pca --check}: what principal components must satisfy, in float64 by plain loops over the samples.
 * Signs and rotations are arbitrary, so none is compared with another's.
 */
final class PcaReference {
    /** Multiply-adds per check, about a second; beyond, evenly spread components or rows stand for all. */
    private static final double BUDGET = 500e6;

    private final Pca pca;
    private final boolean whiten;
    private final boolean sampled;
    private final int d;
    private final long matrices;
    private final double u;
    private final Check mean;
    private final Residual orthonormal;
    private final Residual scatter;
    private final Residual off;
    private final Check shares;
    private final Check coordinates;
    private final long[] rows;
    private double[] center;
    private double[][] directions;
    private double[] values;

    private PcaReference(Tensor x, Pca pca, Tensor y, boolean whiten, boolean sampled) {
        this.pca = pca;
        this.whiten = whiten;
        this.sampled = sampled;
        d = Math.toIntExact(x.dim(-1));
        matrices = x.shape().slice(0, x.rank() - 2).size();
        u = Check.roundoff(x.dtype());
        double bound = Residual.bound(x);
        mean = new Check("mean", pca.mean().dtype(), "all");
        orthonormal = new Residual("components against orthonormal", "components", bound);
        scatter = new Residual(sampled ? "s² beyond what lies along the component, / ‖X‖²" : "‖XᵀX c - s² c‖ / ‖X‖²",
                "components", bound);
        off = new Residual("s² off the components beyond the last, / ‖X‖²", "matrices", bound);
        shares = new Check("shares of the variance", pca.explainedVarianceRatio().dtype(), "all");
        rows = PlainRows.sample(x.dim(-2), (double) d * y.dim(-1) * matrices, BUDGET);
        coordinates = new Check("coordinates", y.dtype(), PlainRows.coverage(rows.length, x.dim(-2), "rows"));
    }

    /** {@code sampled} components are near the leading directions and need not be these. */
    static List<Verdict> check(Tensor x, Pca pca, Tensor y, boolean whiten, boolean sampled) {
        PcaReference r = new PcaReference(x, pca, y, whiten, sampled);
        List<Tensor> xs = SvdReference.parts(x, 2);
        List<Tensor> means = SvdReference.parts(pca.mean(), 1);
        List<Tensor> components = SvdReference.parts(pca.components(), 2);
        List<Tensor> values = SvdReference.parts(pca.singularValues(), 1);
        List<Tensor> shares = SvdReference.parts(pca.explainedVarianceRatio(), 1);
        List<Tensor> ys = SvdReference.parts(y, 2);
        for (int i = 0; i < xs.size(); i++) {
            r.mean(xs.get(i), means.get(i).toDoubleArray());
            r.components(xs.get(i), components.get(i).toDoubleArray(), values.get(i).toDoubleArray(),
                    shares.get(i).toDoubleArray());
            r.coordinates(xs.get(i), ys.get(i));
        }
        List<Verdict> all = new ArrayList<>(List.of(r.mean.verdict(), r.orthonormal.verdict(), r.scatter.verdict()));
        if (!sampled) {
            all.add(r.off.verdict());
        }
        all.addAll(List.of(r.shares.verdict(), r.coordinates.verdict()));
        return all;
    }

    private void mean(Tensor x, double[] found) {
        double n = x.dim(0);
        center = new double[d];
        double[] size = new double[d];
        PlainRows.each(x, row -> {
            for (int c = 0; c < d; c++) {
                center[c] += row[c] / n;
                size[c] += Math.abs(row[c]) / n;
            }
        });
        for (int c = 0; c < d; c++) {
            mean.add(found[c], center[c], n * size[c], PlainRows.additions(n) * u * size[c]);
        }
    }

    private double[] centred(double[] row) {
        PlainRows.add(row, -1, center);
        return row;
    }

    /** XᵀX w of the centred samples. */
    private double[] scatter(Tensor x, double[] w) {
        double[] z = new double[d];
        PlainRows.each(x, row -> {
            double[] c = centred(row);
            PlainRows.add(z, PlainRows.dot(c, w), c);
        });
        return z;
    }

    private void components(Tensor x, double[] flat, double[] s, double[] share) {
        values = s;
        directions = new double[s.length][];
        for (int i = 0; i < s.length; i++) {
            directions[i] = Arrays.copyOfRange(flat, i * d, (i + 1) * d);
        }
        SvdReference.orthonormal(flat, s.length, matrices, orthonormal);
        double[] squares = new double[2];
        PlainRows.each(x, row -> {
            squares[0] += PlainRows.dot(row, row);
            double[] c = centred(row);
            squares[1] += PlainRows.dot(c, c);
        });
        double norm = squares[1];
        // samples far from the origin lose digits when they are centred
        double size = Math.max(norm, Math.sqrt(norm * squares[0]));
        long[] some = PlainRows.sample(s.length, 2.0 * x.size() * matrices, 4 * BUDGET);
        scatter.all += s.length;
        scatter.checked += some.length;
        for (long i : some) {
            double[] c = directions[(int) i];
            double square = s[(int) i] * s[(int) i];
            double[] z = scatter(x, c);
            if (sampled) {
                scatter.add(Math.max(0, square - PlainRows.dot(z, c)), size);
            } else {
                PlainRows.add(z, -square, c);
                scatter.add(PlainRows.norm(z), size);
            }
        }
        if (!sampled) {
            off.all++;
            off.checked++;
            double last = s.length == 0 ? Double.POSITIVE_INFINITY : s[s.length - 1] * s[s.length - 1];
            double most = s.length == 0 ? 0 : PlainRows.largestOff(w -> scatter(x, w), directions, d);
            off.add(Math.max(0, most - last), size);
        }
        double bound = Residual.bound(x);
        for (int i = 0; i < share.length; i++) {
            shares.add(share[i], norm == 0 ? 0 : s[i] * s[i] / norm, 1, norm == 0 ? 0 : 2 * bound * size / norm);
        }
    }

    private void coordinates(Tensor x, Tensor y) {
        double n = x.dim(0);
        double[] factor = new double[values.length];
        double epsilon = pca.mean().dtype() == DType.F64 ? 0x1p-52 : 0x1p-23;
        for (int i = 0; i < factor.length; i++) {
            boolean varies = values[i] > epsilon * Math.max(n, d) * values[0];
            factor[i] = !whiten ? 1 : varies ? Math.sqrt(n - 1) / values[i] : 0;
        }
        for (long r : rows) {
            double[] row = x.select(0, r).toDoubleArray();
            double[] actual = y.select(0, r).toDoubleArray();
            for (int i = 0; i < factor.length; i++) {
                double sum = 0;
                double size = 0;
                for (int c = 0; c < d; c++) {
                    sum += (row[c] - center[c]) * directions[i][c];
                    size += (Math.abs(row[c]) + Math.abs(center[c])) * Math.abs(directions[i][c]);
                }
                double slack = (PlainRows.additions(d) + PlainRows.additions(n)) * u * factor[i] * size;
                coordinates.add(actual[i], factor[i] * sum, factor[i] * size, slack);
            }
        }
    }
}
