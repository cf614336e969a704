package dev.gramian.cli;

import dev.gramian.Tensor;
import java.util.Arrays;
import java.util.List;

/** The oracle of {@code steer --check}: directions and what they change, in float64 by plain loops. */
final class SteeringReference {
    private static final double BUDGET = 500e6;

    private SteeringReference() {}

    /** The difference of the means of the rows. */
    static List<Verdict> meanDifference(Tensor with, Tensor without, Tensor direction) {
        Check check = new Check("direction", direction.dtype(), "all");
        List<Tensor> ps = SvdReference.parts(with, 2);
        List<Tensor> ns = SvdReference.parts(without, 2);
        List<Tensor> vs = SvdReference.parts(direction, 1);
        double rows = Math.max(with.dim(-2), without.dim(-2));
        for (int b = 0; b < vs.size(); b++) {
            double[] sum = new double[Math.toIntExact(with.dim(-1))];
            double[] size = new double[sum.length];
            add(ps.get(b), 1, sum, size);
            add(ns.get(b), -1, sum, size);
            double[] actual = vs.get(b).toDoubleArray();
            for (int i = 0; i < sum.length; i++) {
                check.add(actual[i], sum[i], rows * size[i],
                        PlainRows.additions(rows) * Check.roundoff(with.dtype()) * size[i]);
            }
        }
        return List.of(check.verdict());
    }

    private static void add(Tensor x, int sign, double[] sum, double[] size) {
        double n = x.dim(0);
        PlainRows.each(x, row -> {
            for (int i = 0; i < row.length; i++) {
                sum[i] += sign * row[i] / n;
                size[i] += Math.abs(row[i]) / n;
            }
        });
    }

    /** A direction of length 1 along which the differences D of pairs of rows are largest, to the side of most. */
    static List<Verdict> principalDifference(Tensor with, Tensor without, Tensor direction) {
        double bound = Residual.bound(with);
        Residual length = new Residual("length of the direction against 1", "directions", bound);
        Residual residual = new Residual("‖DᵀD v - (v·DᵀD v) v‖ / ‖D‖²", "directions", bound);
        Residual off = new Residual("D's part off the direction beyond that along it, / ‖D‖²", "directions", bound);
        Residual side = new Residual("mean of D against the direction, / ‖D‖", "directions", bound);
        List<Tensor> ps = SvdReference.parts(with, 2);
        List<Tensor> ns = SvdReference.parts(without, 2);
        List<Tensor> vs = SvdReference.parts(direction, 1);
        for (int b = 0; b < vs.size(); b++) {
            double[] p = ps.get(b).toDoubleArray();
            double[] n = ns.get(b).toDoubleArray();
            double[] v = vs.get(b).toDoubleArray();
            // differences of what is alike have fewer digits
            double size = Math.max(PlainRows.norm(p), PlainRows.norm(n));
            PlainRows.add(p, -1, n);
            double norm = PlainRows.norm(p);
            double square = norm * Math.max(norm, size);
            length.add(Math.abs(PlainRows.norm(v) - 1), 1);
            double[] z = scatter(p, v);
            double along = PlainRows.dot(z, v);
            PlainRows.add(z, -along, v);
            residual.add(PlainRows.norm(z), square);
            double most = PlainRows.largestOff(w -> scatter(p, w), new double[][] {v}, v.length);
            off.add(Math.max(0, most - along), square);
            double mean = 0;
            for (int at = 0; at < p.length; at += v.length) {
                mean += PlainRows.dot(Arrays.copyOfRange(p, at, at + v.length), v);
            }
            side.add(Math.max(0, -mean), Math.max(norm, size) * Math.sqrt((double) p.length / v.length));
        }
        return List.of(length.verdict(), residual.verdict(), off.verdict(), side.verdict());
    }

    /** DᵀD w of rows one after another. */
    private static double[] scatter(double[] rows, double[] w) {
        double[] z = new double[w.length];
        for (int at = 0; at < rows.length; at += w.length) {
            double[] row = Arrays.copyOfRange(rows, at, at + w.length);
            PlainRows.add(z, PlainRows.dot(row, w), row);
        }
        return z;
    }

    /** x + strength v, or x - strength (x·e) e with e = v / ‖v‖ where {@code out}. */
    static Verdict steered(Tensor x, Tensor direction, double strength, boolean out, Tensor y) {
        int d = Math.toIntExact(x.dim(-1));
        long n = x.dim(-2);
        List<Tensor> xs = SvdReference.parts(x, 2);
        List<Tensor> vs = SvdReference.parts(direction.expand(x.shape().without(x.rank() - 2).toArray()), 1);
        List<Tensor> ys = SvdReference.parts(y, 2);
        long[] some = PlainRows.sample(n, 4.0 * d * xs.size(), BUDGET);
        Check check = new Check("result", y.dtype(), PlainRows.coverage(some.length, n, "rows"));
        double u = Check.roundoff(x.dtype());
        for (int b = 0; b < xs.size(); b++) {
            double[] v = vs.get(b).toDoubleArray();
            double[] e = v.clone();
            double norm = PlainRows.norm(v);
            for (int c = 0; c < d && norm > 0; c++) {
                e[c] /= norm;
            }
            for (long i : some) {
                double[] row = xs.get(b).select(0, i).toDoubleArray();
                double[] actual = ys.get(b).select(0, i).toDoubleArray();
                double along = PlainRows.dot(row, e);
                double size = 0;
                for (int c = 0; c < d; c++) {
                    size += Math.abs(row[c] * e[c]);
                }
                for (int c = 0; c < d; c++) {
                    double change = strength * (out ? -along * e[c] : v[c]);
                    double most = Math.abs(strength * (out ? size * e[c] : v[c]));
                    double slack = u * ((out ? PlainRows.additions(d) + 8 : 4) * most + 2 * Math.abs(row[c]));
                    check.add(actual[c], row[c] + change, Math.abs(row[c]) + most, slack);
                }
            }
        }
        return check.verdict();
    }
}
