package dev.gramian.benchmarks.gpu;

import dev.gramian.Norms;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.util.function.UnaryOperator;

/** Operations that read and write each element once: rows (softmax, norms, sums), elementwise, moves. Sizes: rows, columns. */
final class RowCases {
    /** A row of the result from the row of each operand, in float64. */
    private interface Reference {
        double[] row(double[] x);
    }

    private RowCases() {}

    private static Case of(String kind, String type, long rows, long columns, double bytes, Case.Body body) {
        return new Case("memory", kind, type, new long[] {rows, columns}, false, bytes, 0, body);
    }

    private static double twice(String type, long rows, long columns) {
        return 2.0 * rows * columns * Suite.dtype(type).bytes();
    }

    static Case copy(String type, long rows, long columns) {
        return of("copy", type, rows, columns, twice(type, rows, columns),
                (c, meter, scope) -> moved(c, meter, scope.normal(c.dtype(), 1, c.shape())));
    }

    static Case exp(String type, long rows, long columns) {
        return of("exp", type, rows, columns, twice(type, rows, columns),
                (c, meter, scope) -> rowwise(c, meter, scope, Tensor::exp, x -> map(x, Math::exp)));
    }

    static Case softmax(String type, long rows, long columns) {
        return of("softmax", type, rows, columns, twice(type, rows, columns),
                (c, meter, scope) -> rowwise(c, meter, scope, x -> x.softmax(-1), RowCases::softmax));
    }

    /** Sum of every row. */
    static Case sum(String type, long rows, long columns) {
        return of("sum", type, rows, columns, (double) rows * (columns + 1) * Suite.dtype(type).bytes(),
                (c, meter, scope) -> rowwise(c, meter, scope, x -> x.sum(true, -1), x -> new double[] {total(x)}));
    }

    /** Sum of every column. */
    static Case sumColumns(String type, long rows, long columns) {
        return of("sum_columns", type, rows, columns, (double) (rows + 1) * columns * Suite.dtype(type).bytes(),
                (c, meter, scope) -> rowwise(c, meter, scope, x -> x.sum(true, 0).transpose(0, 1),
                        x -> new double[] {total(x)}, true));
    }

    static Case layerNorm(String type, long rows, long columns) {
        return of("layer_norm", type, rows, columns, twice(type, rows, columns), (c, meter, scope) -> {
            Tensor weight = scope.uniform(c.dtype(), 3, 0.5, 1.5, c.shape()[1]);
            Tensor bias = scope.normal(c.dtype(), 4, c.shape()[1]);
            double[] w = weight.toDoubleArray();
            double[] b = bias.toDoubleArray();
            return rowwise(c, meter, scope, x -> Norms.layerNorm(x, weight, bias, 1e-5), x -> normed(x, w, b));
        });
    }

    static Case add(String type, long rows, long columns) {
        return of("add", type, rows, columns, 1.5 * twice(type, rows, columns), (c, meter, scope) -> {
            Tensor x = scope.normal(c.dtype(), 1, c.shape());
            Tensor y = scope.normal(c.dtype(), 2, c.shape());
            Agreement agreement = Agreement.of(c.type());
            try (Scope s = c.open(meter.device)) {
                Tensor sum = x.add(y);
                for (long i : Sampled.positions(c.shape()[0], 9)) {
                    double[] a = Sampled.row(x, i);
                    double[] b = Sampled.row(y, i);
                    for (int j = 0; j < a.length; j++) {
                        a[j] += b[j];
                    }
                    agreement.add(Sampled.row(sum, i), a);
                }
            }
            return new Measured(meter.time(c.math(), () -> x.add(y)), agreement);
        });
    }

    /** Every second column into a contiguous tensor: half of what is read is not wanted, and not counted. */
    static Case strided(String type, long rows, long columns) {
        return of("copy_strided", type, rows, columns, twice(type, rows, columns), (c, meter, scope) -> {
            Tensor wide = scope.normal(c.dtype(), 1, c.shape()[0], 2 * c.shape()[1]);
            return moved(c, meter, wide.slice(1, 0, 2 * c.shape()[1], 2));
        });
    }

    static Case transposed(String type, long rows, long columns) {
        return of("copy_transposed", type, rows, columns, twice(type, rows, columns),
                (c, meter, scope) -> moved(c, meter,
                        scope.normal(c.dtype(), 1, c.shape()[1], c.shape()[0]).transpose(0, 1)));
    }

    private static Measured moved(Case c, Meter meter, Tensor view) {
        Agreement agreement = new Agreement(0);
        try (Scope s = c.open(meter.device)) {
            Tensor copy = view.copy();
            for (long i : Sampled.positions(c.shape()[0], 9)) {
                // the reference by another way: the elements' own places in the base, one column at a time
                double[] got = Sampled.row(copy, i);
                for (long j : Sampled.positions(c.shape()[1], 9)) {
                    agreement.add(got[(int) j], view.get(i, j));
                }
            }
        }
        return new Measured(meter.time(c.math(), view::copy), agreement);
    }

    static Case cast(String from, String to, long rows, long columns) {
        double bytes = (double) rows * columns * (Suite.dtype(from).bytes() + Suite.dtype(to).bytes());
        return of("cast_" + to.toLowerCase(java.util.Locale.ROOT), from, rows, columns, bytes, (c, meter, scope) -> {
            DType target = Suite.dtype(to);
            Tensor x = scope.normal(c.dtype(), 1, c.shape());
            Agreement agreement = Agreement.of(to.equals("F32") ? from : to);
            try (Scope s = c.open(meter.device)) {
                Tensor y = x.to(target);
                for (long i : Sampled.positions(c.shape()[0], 9)) {
                    agreement.add(Sampled.row(y, i), Sampled.row(x, i));
                }
            }
            return new Measured(meter.time(c.math(), () -> x.to(target)), agreement);
        });
    }

    private static Measured rowwise(Case c, Meter meter, Scope scope, UnaryOperator<Tensor> op, Reference reference) {
        return rowwise(c, meter, scope, op, reference, false);
    }

    /** @param columns whether the reference takes columns of the operand */
    private static Measured rowwise(
            Case c,
            Meter meter,
            Scope scope,
            UnaryOperator<Tensor> op,
            Reference reference,
            boolean columns) {
        Tensor x = scope.normal(c.dtype(), 1, c.shape());
        Agreement agreement = Agreement.of(c.type());
        try (Scope s = c.open(meter.device)) {
            Tensor y = op.apply(x);
            for (long i : Sampled.positions(c.shape()[columns ? 1 : 0], 9)) {
                agreement.add(Sampled.row(y, i), reference.row(columns ? Sampled.column(x, i) : Sampled.row(x, i)));
            }
        }
        return new Measured(meter.time(c.math(), () -> op.apply(x)), agreement);
    }

    private static double[] map(double[] x, java.util.function.DoubleUnaryOperator f) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = f.applyAsDouble(x[i]);
        }
        return y;
    }

    private static double total(double[] x) {
        double sum = 0;
        for (double v : x) {
            sum += v;
        }
        return sum;
    }

    static double[] softmax(double[] x) {
        double most = Double.NEGATIVE_INFINITY;
        for (double v : x) {
            most = Math.max(most, v);
        }
        double largest = most;
        double[] e = map(x, v -> Math.exp(v - largest));
        double sum = total(e);
        return map(e, v -> v / sum);
    }

    private static double[] normed(double[] x, double[] weight, double[] bias) {
        double mean = total(x) / x.length;
        double variance = total(map(x, v -> (v - mean) * (v - mean))) / x.length;
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = (x[i] - mean) / Math.sqrt(variance + 1e-5) * weight[i] + bias[i];
        }
        return y;
    }
}
