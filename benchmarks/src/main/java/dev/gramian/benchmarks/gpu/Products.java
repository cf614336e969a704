package dev.gramian.benchmarks.gpu;

import dev.gramian.Scope;
import dev.gramian.Tensor;

/** Matrix products. Sizes: products, rows, depth, columns; {@code matmul_nt} takes its second operand transposed. */
final class Products {
    private Products() {}

    static Case matmul(String type, long batch, long m, long k, long n) {
        return of("matmul", type, batch, m, k, n);
    }

    static Case transposed(String type, long batch, long m, long k, long n) {
        return of("matmul_nt", type, batch, m, k, n);
    }

    private static Case of(String kind, String type, long b, long m, long k, long n) {
        double elements = (double) b * (m * k + k * n + m * n);
        return new Case("products", kind, type, new long[] {b, m, k, n}, false,
                elements * Suite.dtype(type).bytes(), 2.0 * b * m * k * n, Products::run);
    }

    private static Measured run(Case c, Meter meter, Scope scope) {
        long batch = c.shape()[0];
        long m = c.shape()[1];
        long k = c.shape()[2];
        long n = c.shape()[3];
        Tensor x = scope.normal(c.dtype(), 1, batch, m, k);
        Tensor y = c.kind().equals("matmul_nt")
                ? scope.normal(c.dtype(), 2, batch, n, k).transpose(-2, -1)
                : scope.normal(c.dtype(), 2, batch, k, n);
        // one product as a matrix: batches of one are not what is measured there
        Tensor a = batch == 1 ? x.select(0, 0) : x;
        Tensor b = batch == 1 ? y.select(0, 0) : y;
        Agreement agreement = Agreement.of(c.type());
        try (Scope s = c.open(meter.device)) {
            Tensor all = a.matmul(b);
            Tensor product = batch == 1 ? all.unsqueeze(0) : all;
            for (long i : Sampled.positions(batch, 3)) {
                compare(agreement, x.select(0, i), y.select(0, i), product.select(0, i));
            }
        }
        return new Measured(meter.time(c.math(), () -> a.matmul(b)), agreement);
    }

    private static void compare(Agreement agreement, Tensor a, Tensor b, Tensor product) {
        long[] columns = Sampled.positions(b.dim(1), 9);
        double[][] column = new double[columns.length][];
        for (int j = 0; j < columns.length; j++) {
            column[j] = Sampled.column(b, columns[j]);
        }
        for (long i : Sampled.positions(a.dim(0), 9)) {
            double[] row = Sampled.row(a, i);
            double[] got = Sampled.row(product, i);
            for (int j = 0; j < columns.length; j++) {
                agreement.add(got[(int) columns[j]], Sampled.dot(row, column[j]));
            }
        }
    }
}
