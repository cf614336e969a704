package dev.gramian.peers;

import java.util.List;
import java.util.TreeSet;

/**
 * Holds results against float64 sums over the operands. Large results are sampled: first and last rows and some
 * between.
 */
final class Check {
    private static final double EPS = Math.ulp(1f);

    private double worst;

    private Check() {}

    /** The largest error over the tolerance: up to 1 where {@code result} is right. */
    static double of(Work w, List<Operand> in, float[][] result) {
        Check c = new Check();
        long[] d = w.sizes();
        switch (w.kind()) {
            case GEMM -> c.product(in, result[0], 1, d[0], d[1], d[2]);
            case BGEMM -> c.product(in, result[0], d[0], d[1], d[2], d[3]);
            case ATTENTION -> c.attention(in, result[0], d, d[2], false);
            case CAUSAL -> c.attention(in, result[0], d, d[2], true);
            case DECODE -> c.attention(in, result[0], d, 1, false);
            case SOFTMAX -> c.softmax(in.getFirst(), result[0], d[0], size(d[1]));
            case LAYERNORM -> c.layerNorm(in, result[0], d[0], size(d[1]));
            case SVD -> c.svd(in.getFirst(), result, size(d[0]), size(d[1]), size(d[2]));
            case RANK -> c.rank(in.getFirst(), result, size(d[0]), size(d[1]), size(d[2]));
            case EIGH -> c.eigh(in.getFirst(), result, size(d[0]));
            case ADD -> c.elements(result[0], i -> (double) in.get(0).at(i) + in.get(1).at(i), in.getFirst().size());
            case EXP -> c.elements(result[0], i -> Math.exp(in.getFirst().at(i)), in.getFirst().size());
            case TANH -> c.elements(result[0], i -> Math.tanh(in.getFirst().at(i)), in.getFirst().size());
            case TRANSPOSE -> c.elements(result[0], i -> in.getFirst().at(i % d[0] * d[1] + i / d[0]), d[0] * d[1]);
        }
        return c.worst;
    }

    private static int size(long n) {
        return Math.toIntExact(n);
    }

    /** At most {@code count} positions: the first, the last and others spread unevenly, as tiles are even. */
    private static long[] positions(long length, int count) {
        TreeSet<Long> at = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            at.add(Math.round((length - 1) * Math.pow((double) i / Math.max(1, count - 1), 1.3)));
        }
        return at.stream().mapToLong(Long::longValue).toArray();
    }

    private void length(float[] got, long expected) {
        if (got.length != expected) {
            throw new IllegalStateException(got.length + " values instead of " + expected);
        }
    }

    private void near(double got, double expected, double tolerance) {
        double share = Math.abs(got - expected) / tolerance;
        // NaN is infinitely wrong
        worst = Math.max(worst, share >= 0 ? share : Double.POSITIVE_INFINITY);
    }

    private interface Element {
        double at(long index);
    }

    private void elements(float[] got, Element expected, long count) {
        length(got, count);
        for (long i : positions(count, 4096)) {
            double e = expected.at(i);
            near(got[size(i)], e, 8 * EPS * Math.max(0.05, Math.abs(e)));
        }
    }

    private void product(List<Operand> in, float[] got, long batch, long m, long n, long k) {
        length(got, batch * m * n);
        for (long b : positions(batch, 8)) {
            for (long i : positions(m, 16)) {
                for (long j : positions(n, 16)) {
                    double sum = 0;
                    double size = 0;
                    for (long p = 0; p < k; p++) {
                        double x = (double) in.get(0).at((b * m + i) * k + p) * in.get(1).at((b * k + p) * n + j);
                        sum += x;
                        size += Math.abs(x);
                    }
                    near(got[size((b * m + i) * n + j)], sum, 8 * EPS * size);
                }
            }
        }
    }

    private void attention(List<Operand> in, float[] got, long[] shape, long queries, boolean causal) {
        long heads = shape[0] * shape[1];
        long keys = shape[2];
        int d = size(shape[3]);
        length(got, heads * queries * d);
        for (long h : positions(heads, 4)) {
            for (long i : positions(queries, 8)) {
                int seen = size(causal ? i + 1 : keys);
                double[] p = new double[seen];
                double top = Double.NEGATIVE_INFINITY;
                for (int j = 0; j < seen; j++) {
                    for (int c = 0; c < d; c++) {
                        p[j] += (double) in.get(0).at((h * queries + i) * d + c)
                                * in.get(1).at((h * keys + j) * d + c);
                    }
                    p[j] /= Math.sqrt(d);
                    top = Math.max(top, p[j]);
                }
                double sum = 0;
                double[] out = new double[d];
                for (int j = 0; j < seen; j++) {
                    double e = Math.exp(p[j] - top);
                    sum += e;
                    for (int c = 0; c < d; c++) {
                        out[c] += e * in.get(2).at((h * keys + j) * d + c);
                    }
                }
                for (int c = 0; c < d; c++) {
                    near(got[size((h * queries + i) * d + c)], out[c] / sum, 2e-5);
                }
            }
        }
    }

    private void softmax(Operand x, float[] got, long rows, int n) {
        length(got, rows * n);
        for (long i : positions(rows, 32)) {
            double sum = 0;
            double most = 0;
            for (int j = 0; j < n; j++) {
                double e = Math.exp(x.at(i * n + j));
                sum += e;
                most = Math.max(most, e);
            }
            for (int j = 0; j < n; j++) {
                near(got[size(i * n + j)], Math.exp(x.at(i * n + j)) / sum, 1e-5 * most / sum);
            }
        }
    }

    private void layerNorm(List<Operand> in, float[] got, long rows, int n) {
        length(got, rows * n);
        Operand x = in.getFirst();
        for (long i : positions(rows, 32)) {
            double mean = 0;
            for (int j = 0; j < n; j++) {
                mean += x.at(i * n + j);
            }
            mean /= n;
            double square = 0;
            for (int j = 0; j < n; j++) {
                square += (x.at(i * n + j) - mean) * (x.at(i * n + j) - mean);
            }
            double scale = 1 / Math.sqrt(square / n + 1e-5);
            for (int j = 0; j < n; j++) {
                double e = (x.at(i * n + j) - mean) * scale * in.get(1).at(j) + in.get(2).at(j);
                near(got[size(i * n + j)], e, 2e-5);
            }
        }
    }

    private void svd(Operand a, float[][] r, int batch, int m, int n) {
        int k = Math.min(m, n);
        length(r[0], (long) batch * m * k);
        length(r[1], (long) batch * k);
        length(r[2], (long) batch * k * n);
        for (long b : positions(batch, 4)) {
            int at = size(b);
            float[] x = new float[m * n];
            a.fill(b * m * n, x, x.length);
            triplets(x, part(r[0], at, m * k), part(r[1], at, k), part(r[2], at, k * n), m, n, k, EPS);
        }
    }

    private static float[] part(float[] x, int index, int size) {
        return java.util.Arrays.copyOfRange(x, index * size, (index + 1) * size);
    }

    private void rank(Operand a, float[][] r, int m, int n, int k) {
        length(r[0], (long) m * k);
        length(r[1], k);
        length(r[2], (long) k * n);
        // what random sampling leaves out
        triplets(a.floats(), r[0], r[1], r[2], m, n, k, 1e-6);
    }

    /** A v = s u and u, v orthonormal, for up to 16 of k; sizes descend. */
    private void triplets(float[] a, float[] u, float[] s, float[] vt, int m, int n, int k, double unit) {
        for (int i = 0; i < k; i++) {
            near(s[i], Math.max(0, i == 0 ? s[i] : Math.min(s[i], s[i - 1])), EPS * s[0]);
        }
        long[] some = positions(k, 16);
        double scale = unit * Math.sqrt(Math.max(m, n)) * s[0];
        for (long t : some) {
            double norm = 0;
            for (int i = 0; i < m; i++) {
                double sum = 0;
                for (int j = 0; j < n; j++) {
                    sum += (double) a[i * n + j] * vt[size(t) * n + j];
                }
                sum -= (double) s[size(t)] * u[i * k + size(t)];
                norm += sum * sum;
            }
            near(Math.sqrt(norm), 0, 32 * scale);
            for (long o : some) {
                double uu = 0;
                for (int i = 0; i < m; i++) {
                    uu += (double) u[i * k + size(t)] * u[i * k + size(o)];
                }
                double vv = 0;
                for (int j = 0; j < n; j++) {
                    vv += (double) vt[size(t) * n + j] * vt[size(o) * n + j];
                }
                near(uu, t == o ? 1 : 0, 32 * EPS * Math.sqrt(m));
                near(vv, t == o ? 1 : 0, 32 * EPS * Math.sqrt(n));
            }
        }
    }

    private void eigh(Operand a, float[][] r, int n) {
        length(r[0], n);
        length(r[1], (long) n * n);
        float[] x = a.floats();
        double most = Math.max(Math.abs(r[0][0]), Math.abs(r[0][n - 1]));
        for (int i = 1; i < n; i++) {
            near(r[0][i], Math.max(r[0][i], r[0][i - 1]), EPS * most);
        }
        for (long t : positions(n, 16)) {
            double norm = 0;
            for (int i = 0; i < n; i++) {
                double sum = 0;
                for (int j = 0; j < n; j++) {
                    sum += (double) x[i * n + j] * r[1][j * n + size(t)];
                }
                sum -= (double) r[0][size(t)] * r[1][i * n + size(t)];
                norm += sum * sum;
            }
            near(Math.sqrt(norm), 0, 32 * EPS * Math.sqrt(n) * most);
            for (long o : positions(n, 16)) {
                double vv = 0;
                for (int i = 0; i < n; i++) {
                    vv += (double) r[1][i * n + size(t)] * r[1][i * n + size(o)];
                }
                near(vv, t == o ? 1 : 0, 32 * EPS * Math.sqrt(n));
            }
        }
    }
}
