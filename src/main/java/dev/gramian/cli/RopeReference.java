package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.core.Shape;

/** The oracle of {@code rope --check}: rotation in float64, row by row, from the angles. */
final class RopeReference {
    /** Rows of one check; beyond, evenly spread ones stand for all. */
    private static final long ROWS = 50_000;

    private final boolean interleaved;
    private final int rotary;
    private final double[] frequencies;
    private final double factor;

    /** {@code factor} is that of cos and sin. */
    RopeReference(boolean interleaved, long rotary, double[] frequencies, double factor) {
        this.interleaved = interleaved;
        this.rotary = Math.toIntExact(rotary);
        this.frequencies = frequencies;
        this.factor = factor;
    }

    /** x and y (..., heads, rows, channels); row i stands at {@code first + i} or at {@code positions} (..., rows). */
    Check check(Tensor x, Tensor positions, long first, Tensor y) {
        Shape rows = x.shape().without(x.rank() - 1);
        long total = rows.size();
        long checked = Math.min(total, ROWS);
        long[] at = positions == null ? null : positions.expand(expanded(positions, x)).toLongArray();
        Check check = new Check("result", y.dtype(), checked == total
                ? "all"
                : Text.count(checked) + " of " + Text.count(total) + " rows");
        double u = Check.roundoff(x.dtype());
        Tensor from = x.reshape(total, x.dim(-1));
        Tensor to = y.reshape(total, x.dim(-1));
        long length = x.dim(-2);
        long heads = x.rank() > 2 ? x.dim(-3) : 1;
        for (long n = 0; n < checked; n++) {
            long row = checked == 1 ? 0 : Math.round((double) n * (total - 1) / (checked - 1));
            long i = row % length;
            double position = at == null
                    ? first + i
                    : at[Math.toIntExact(row / (length * heads) * length + i)];
            row(from.select(0, row).toDoubleArray(), to.select(0, row).toDoubleArray(), position, u, check);
        }
        return check;
    }

    /** (..., rows) for every batch of x. */
    private static long[] expanded(Tensor positions, Tensor x) {
        return x.shape().slice(0, Math.max(0, x.rank() - 3)).plus(positions.dim(-1)).toArray();
    }

    private void row(double[] x, double[] y, double position, double u, Check check) {
        for (int i = 0; i < rotary / 2; i++) {
            int a = interleaved ? 2 * i : i;
            int b = interleaved ? 2 * i + 1 : i + rotary / 2;
            double angle = position * frequencies[i];
            double cos = factor * Math.cos(angle);
            double sin = factor * Math.sin(angle);
            double sum = factor * (Math.abs(x[a]) + Math.abs(x[b]));
            // the angle itself is rounded
            double slack = sum * (8 * u + 32 * 0x1p-53 * (1 + Math.abs(angle)));
            check.add(y[a], x[a] * cos - x[b] * sin, sum, slack);
            check.add(y[b], x[b] * cos + x[a] * sin, sum, slack);
        }
        for (int c = rotary; c < x.length; c++) {
            check.add(y[c], x[c], 0, 0);
        }
    }
}
