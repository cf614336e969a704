package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.linalg.Svd;
import java.util.ArrayList;
import java.util.List;

/**
 * The oracle of {@code svd --check}: residuals in float64 by plain loops, as LAPACK's own tests measure them. Signs and
 * rotations of singular vectors are arbitrary, so the factors are judged by what they must satisfy, not one by one.
 *
 * <p>Every bound is 8 max(m, n) unit roundoffs relative to the matrix: backward stable algorithms stay well below.
 */
final class SvdReference {
    /** Multiply-adds per check, about a second; beyond, evenly spread rows stand for all. */
    private static final double BUDGET = 500e6;

    private SvdReference() {}

    /** The matrices of a stack, or its rows of singular values where {@code axes} is 1. */
    static List<Tensor> parts(Tensor t, int axes) {
        List<Tensor> all = new ArrayList<>();
        if (t.rank() == axes) {
            all.add(t);
        } else {
            for (long i = 0; i < t.dim(0); i++) {
                all.addAll(parts(t.select(0, i), axes));
            }
        }
        return all;
    }

    /** ‖A − U diag(S) VT‖ / ‖A‖, and how far U and V are from orthonormal. */
    static List<Verdict> factors(Tensor a, Svd svd) {
        Residual product = new Residual("‖A - U diag(S) VT‖ / ‖A‖", a);
        Residual left = new Residual("largest element of UᵀU - I", a);
        Residual right = new Residual("largest element of VT VTᵀ - I", a);
        Residual order = new Residual("S against descending order", a);
        List<Tensor> as = parts(a, 2);
        List<Tensor> us = parts(svd.u(), 2);
        List<Tensor> ss = parts(svd.s(), 1);
        List<Tensor> vts = parts(svd.vt(), 2);
        for (int i = 0; i < as.size(); i++) {
            double[] x = as.get(i).toDoubleArray();
            double[] u = us.get(i).toDoubleArray();
            double[] s = ss.get(i).toDoubleArray();
            double[] vt = vts.get(i).toDoubleArray();
            product(x, u, s, vt, as.size(), product);
            orthonormal(us.get(i).transpose(0, 1).toDoubleArray(), s.length, as.size(), left);
            orthonormal(vt, s.length, as.size(), right);
            descending(s, order);
        }
        return List.of(product.verdict(), left.verdict(), right.verdict(), order.verdict());
    }

    private static void product(double[] a, double[] u, double[] s, double[] vt, long matrices, Residual r) {
        if (a.length == 0) {
            return;
        }
        int k = s.length;
        int n = vt.length / k;
        int m = u.length / k;
        long[] rows = PlainRows.sample(m, (double) n * k * matrices, BUDGET);
        r.all += m;
        r.checked += rows.length;
        double residual = 0;
        double[] row = new double[n];
        for (long i : rows) {
            int at = (int) i;
            System.arraycopy(a, at * n, row, 0, n);
            for (int l = 0; l < k; l++) {
                double us = u[at * k + l] * s[l];
                for (int j = 0; j < n; j++) {
                    row[j] -= us * vt[l * n + j];
                }
            }
            residual = Math.hypot(residual, norm(row));
        }
        r.add(residual, norm(a));
    }

    /** {@code rows} holds k vectors one after another. */
    static void orthonormal(double[] rows, int k, long matrices, Residual r) {
        if (rows.length == 0) {
            return;
        }
        int n = rows.length / k;
        long[] some = PlainRows.sample(k, (double) n * k * matrices, BUDGET);
        r.all += k;
        r.checked += some.length;
        for (long i : some) {
            for (int j = 0; j < k; j++) {
                double dot = 0;
                for (int c = 0; c < n; c++) {
                    dot += rows[(int) i * n + c] * rows[j * n + c];
                }
                r.add(Math.abs(dot - (i == j ? 1 : 0)), 1);
            }
        }
    }

    private static void descending(double[] s, Residual r) {
        r.all += s.length;
        r.checked += s.length;
        for (int i = 0; i < s.length; i++) {
            double next = i + 1 < s.length ? s[i + 1] : 0;
            r.add(Math.max(0, next - s[i]), 0);
        }
    }

    /** Σ s² = ‖A‖² and Σ s⁴ = ‖A Aᵀ‖², which hold of no other values but by chance. */
    static List<Verdict> values(Tensor a, Tensor values) {
        Residual squares = new Residual("Σ s² against ‖A‖²", a);
        Residual fourths = new Residual("Σ s⁴ against ‖A Aᵀ‖²", a);
        Residual order = new Residual("S against descending order", a);
        List<Tensor> as = parts(a, 2);
        List<Tensor> ss = parts(values, 1);
        for (int i = 0; i < as.size(); i++) {
            Tensor wide = as.get(i).dim(0) <= as.get(i).dim(1) ? as.get(i) : as.get(i).transpose(0, 1);
            double[] x = wide.toDoubleArray();
            double[] s = ss.get(i).toDoubleArray();
            double size = norm(x);
            double scale = size > 0 ? 1 / size : 0; // squares of squares would overflow
            double two = 0;
            double four = 0;
            for (double v : s) {
                double w = v * scale * v * scale;
                two += w;
                four += w * w;
            }
            int m = s.length;
            squares.all += m;
            squares.checked += m;
            squares.add(size > 0 ? Math.abs(two - 1) / 2 : two, 1);
            if (m > 0 && (double) m * m * wide.dim(1) / 2 <= BUDGET / as.size()) {
                fourths.all += m;
                fourths.checked += m;
                fourths.add(Math.abs(four - gram(x, m, scale)) / 4, 1);
            }
            descending(s, order);
        }
        List<Verdict> all = new ArrayList<>(List.of(squares.verdict()));
        if (fourths.all > 0) {
            all.add(fourths.verdict());
        }
        all.add(order.verdict());
        return all;
    }

    /** ‖A Aᵀ‖² of m rows, each element scaled. */
    private static double gram(double[] a, int m, double scale) {
        int n = a.length / m;
        double sum = 0;
        for (int i = 0; i < m; i++) {
            for (int j = 0; j <= i; j++) {
                double dot = 0;
                for (int c = 0; c < n; c++) {
                    dot += a[i * n + c] * scale * (a[j * n + c] * scale);
                }
                sum += (i == j ? 1 : 2) * dot * dot;
            }
        }
        return sum;
    }

    /** That the distance to the approximation is the smallest there is: the root of the sum of the dropped s². */
    static Verdict approximation(Tensor a, Tensor values, long rank, Tensor product) {
        Residual r = new Residual("‖A - approximation‖ against Eckart and Young, / ‖A‖", a);
        List<Tensor> as = parts(a, 2);
        List<Tensor> ss = parts(values, 1);
        List<Tensor> ps = parts(product, 2);
        for (int i = 0; i < as.size(); i++) {
            double[] x = as.get(i).toDoubleArray();
            double[] p = ps.get(i).toDoubleArray();
            double[] dropped = ss.get(i).slice(0, rank, Long.MAX_VALUE).toDoubleArray();
            double size = norm(x);
            for (int j = 0; j < x.length; j++) {
                p[j] -= x[j];
            }
            r.all += as.get(i).dim(0);
            r.checked += as.get(i).dim(0);
            r.add(Math.abs(norm(p) - norm(dropped)), size);
        }
        return r.verdict();
    }

    /** Root of the sum of squares, safe from overflow. */
    static double norm(double[] x) {
        double largest = 0;
        for (double v : x) {
            largest = Math.max(largest, Math.abs(v));
        }
        if (largest == 0 || !Double.isFinite(largest)) {
            return largest;
        }
        double sum = 0;
        for (double v : x) {
            sum += v / largest * (v / largest);
        }
        return largest * Math.sqrt(sum);
    }
}
