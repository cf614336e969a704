package dev.gramian.benchmarks.gpu;

import dev.gramian.Tensor;
import java.util.TreeSet;

/** Parts of tensors on the host, for references that would take too long over everything. */
final class Sampled {
    private Sampled() {}

    /** At most {@code count} positions of an axis: the first, the last and others spread unevenly between. */
    static long[] positions(long length, int count) {
        TreeSet<Long> at = new TreeSet<>();
        for (int i = 0; i < count && length > 0; i++) {
            // not evenly, so that no multiple of a tile size is met at every place
            at.add(Math.min(length - 1, Math.round((length - 1) * Math.pow((double) i / Math.max(1, count - 1), 1.3))));
        }
        return at.stream().mapToLong(Long::longValue).toArray();
    }

    /** x[..., row, :] of a matrix as float64. */
    static double[] row(Tensor matrix, long row) {
        return matrix.select(0, row).toDoubleArray();
    }

    /** x[..., :, column] of a matrix as float64. */
    static double[] column(Tensor matrix, long column) {
        return matrix.select(1, column).toDoubleArray();
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
