package dev.gramian.benchmarks.gpu;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.linalg.Eigh;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.Qr;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.linalg.Svd;
import java.util.function.Function;

/**
 * Decompositions of random matrices, thin. Sizes: matrices, rows, columns; for {@code solve} matrices, order, right sides; for
 * {@code svd_lowrank}, whose matrix has that rank, rows, columns, rank.
 */
final class Decompositions {
    private Decompositions() {}

    private static Case of(String kind, String type, long a, long b, long c, Case.Body body) {
        return new Case("decompositions", kind, type, new long[] {a, b, c}, false, 0, 0, body);
    }

    static Case svd(String type, long batch, long m, long n) {
        return of("svd", type, batch, m, n, (c, meter, scope) -> {
            Tensor x = normal(c, scope);
            return measure(c, meter, batch, x, (Function<Tensor, Svd>) Linalg::svd,
                    (agreement, r, i) -> product(agreement, x.select(0, i),
                            r.u().select(0, i), r.s().select(0, i).toDoubleArray(), r.vt().select(0, i)));
        });
    }

    static Case svdValues(String type, long batch, long m, long n) {
        return of("svd_values", type, batch, m, n, (c, meter, scope) -> {
            Tensor x = normal(c, scope);
            // the sum of the squares is that of the elements: independent of how the values were found
            return measure(c, meter, batch, x, Linalg::svdValues, (agreement, r, i) -> {
                double[] s = r.select(0, i).toDoubleArray();
                double[] all = x.select(0, i).toDoubleArray();
                agreement.add(Math.sqrt(Sampled.dot(s, s)), Math.sqrt(Sampled.dot(all, all)));
            });
        });
    }

    static Case svdLowRank(String type, long m, long n, long rank) {
        return of("svd_lowrank", type, m, n, rank, (c, meter, scope) -> {
            Tensor x = scope.normal(c.dtype(), 1, m, rank).matmul(scope.normal(c.dtype(), 2, rank, n));
            RandomizedSvd method = new RandomizedSvd(8, 2, 3);
            return measure(c, meter, 1, x, a -> method.ofRank(a, rank).svd(),
                    (agreement, r, i) -> product(agreement, x, r.u(), r.s().toDoubleArray(), r.vt()));
        });
    }

    static Case eigh(String type, long batch, long n) {
        return of("eigh", type, batch, n, n, (c, meter, scope) -> {
            Tensor g = normal(c, scope);
            Tensor x = g.add(g.transpose(-2, -1));
            return measure(c, meter, batch, x, (Function<Tensor, Eigh>) Linalg::eigh,
                    (agreement, r, i) -> product(agreement,
                            x.select(0, i), r.v().select(0, i), r.w().select(0, i).toDoubleArray(),
                            r.v().select(0, i).transpose(0, 1)));
        });
    }

    static Case qr(String type, long batch, long m, long n) {
        return of("qr", type, batch, m, n, (c, meter, scope) -> {
            Tensor x = normal(c, scope);
            return measure(c, meter, batch, x, (Function<Tensor, Qr>) Linalg::qr,
                    (agreement, r, i) -> product(agreement,
                            x.select(0, i), r.q().select(0, i), null, r.r().select(0, i)));
        });
    }

    static Case solve(String type, long batch, long n, long right) {
        return of("solve", type, batch, n, right, (c, meter, scope) -> {
            // the identity is heavy enough for a condition number near 3
            Tensor a = scope.normal(c.dtype(), 1, batch, n, n).add(scope.eye(c.dtype(), n).mul(2 * Math.sqrt(n)));
            Tensor b = scope.normal(c.dtype(), 2, batch, n, right);
            return measure(c, meter, batch, b, x -> Linalg.solve(a, x),
                    (agreement, r, i) -> entries(agreement, b.select(0, i), a.select(0, i), null, r.select(0, i)));
        });
    }

    static Case cholesky(String type, long batch, long n) {
        return of("cholesky", type, batch, n, n, (c, meter, scope) -> {
            Tensor g = normal(c, scope);
            Tensor x = g.matmul(g.transpose(-2, -1)).mul(1.0 / n).add(scope.eye(c.dtype(), n));
            return measure(c, meter, batch, x, Linalg::cholesky, (agreement, r, i) -> entries(agreement, x.select(0, i),
                    r.select(0, i), null, r.select(0, i).transpose(0, 1)));
        });
    }

    private static Tensor normal(Case c, Scope scope) {
        return scope.normal(c.dtype(), 1, c.shape());
    }

    private interface Check<R> {
        void of(Agreement agreement, R result, long matrix);
    }

    private static <R> Measured measure(
            Case c,
            Meter meter,
            long batch,
            Tensor x,
            Function<Tensor, R> op,
            Check<R> check) {
        Agreement agreement = Agreement.of(c.type());
        try (Scope s = c.open(meter.device)) {
            R r = op.apply(x);
            for (long i : Sampled.positions(batch, 2)) {
                check.of(agreement, r, i);
            }
        }
        return new Measured(meter.time(c.math(), () -> op.apply(x)), agreement);
    }

    /** x = left diag(values) right, relative to the norm of x, and left's columns orthonormal. */
    private static void product(Agreement agreement, Tensor x, Tensor left, double[] values, Tensor right) {
        double scale = Math.sqrt(x.dim(0)) + Math.sqrt(x.dim(1));
        for (double v : values == null ? new double[0] : values) {
            scale = Math.max(scale, Math.abs(v));
        }
        agreement.relativeTo(scale);
        entries(agreement, x, left, values, right);
        long[] at = Sampled.positions(left.dim(1), 7);
        double[][] columns = new double[at.length][];
        for (int i = 0; i < at.length; i++) {
            columns[i] = Sampled.column(left, at[i]);
            for (int j = 0; j <= i; j++) {
                agreement.add(scale * Sampled.dot(columns[i], columns[j]), i == j ? scale : 0);
            }
        }
    }

    private static void entries(Agreement agreement, Tensor x, Tensor left, double[] values, Tensor right) {
        long[] at = Sampled.positions(x.dim(1), 7);
        double[][] columns = new double[at.length][];
        for (int j = 0; j < at.length; j++) {
            columns[j] = Sampled.column(right, at[j]);
        }
        for (long i : Sampled.positions(x.dim(0), 7)) {
            double[] row = Sampled.row(left, i);
            for (int k = 0; values != null && k < row.length; k++) {
                row[k] *= values[k];
            }
            double[] expected = Sampled.row(x, i);
            for (int j = 0; j < at.length; j++) {
                agreement.add(Sampled.dot(row, columns[j]), expected[(int) at[j]]);
            }
        }
    }
}
