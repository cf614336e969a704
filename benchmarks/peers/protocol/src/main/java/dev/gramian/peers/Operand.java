package dev.gramian.peers;

import java.util.Arrays;

/** An input that every peer makes for itself: elements are a function of a seed and their index. */
public final class Operand {
    /** What the elements are. */
    private enum Form {
        /** Independent, uniform, of mean 0 and variance 1. */
        NOISE,
        /** The same, element (i, j) equal to (j, i). */
        SYMMETRIC,
        /** A sum of products of two vectors that falls by {@link #FALL} each, and a little noise. */
        FALLING
    }

    private static final double FALL = 0.8;
    private static final int TERMS = 40;
    private static final double REST = 1e-5;
    private static final float ROOT_3 = (float) Math.sqrt(3);

    private final Form form;
    private final long seed;
    private final long[] shape;
    private final long size;
    private float[] whole;

    private Operand(Form form, long seed, long... shape) {
        this.form = form;
        this.seed = seed;
        this.shape = shape.clone();
        this.size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    static Operand noise(long seed, long... shape) {
        return new Operand(Form.NOISE, seed, shape);
    }

    static Operand symmetric(long seed, long n) {
        return new Operand(Form.SYMMETRIC, seed, n, n);
    }

    static Operand falling(long seed, long m, long n) {
        return new Operand(Form.FALLING, seed, m, n);
    }

    public long[] shape() {
        return shape.clone();
    }

    public int[] intShape() {
        return Arrays.stream(shape).mapToInt(Math::toIntExact).toArray();
    }

    public long size() {
        return size;
    }

    private static float noise(long seed, long index) {
        long z = (index + 1) * 0x9E3779B97F4A7C15L + seed * 0xD1342543DE82EF95L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        z ^= z >>> 31;
        return ((z >>> 40) * 0x1p-23f - 1) * ROOT_3;
    }

    /** The element at a row-major position. */
    float at(long index) {
        return switch (form) {
            case NOISE -> noise(seed, index);
            case SYMMETRIC -> {
                long n = shape[1];
                long i = index / n;
                long j = index % n;
                yield noise(seed, Math.min(i, j) * n + Math.max(i, j));
            }
            case FALLING -> falling()[Math.toIntExact(index)];
        };
    }

    private float[] falling() {
        if (whole == null) {
            int m = Math.toIntExact(shape[0]);
            int n = Math.toIntExact(shape[1]);
            float[] x = new float[m * n];
            double scale = 1 / Math.sqrt((double) m * n);
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) (REST * scale * noise(seed, i));
            }
            double[] row = new double[n];
            float[][] u = new float[TERMS][m];
            float[][] w = new float[TERMS][n];
            for (int r = 0; r < TERMS; r++) {
                for (int i = 0; i < m; i++) {
                    u[r][i] = noise(seed + 1 + 2 * r, i);
                }
                for (int j = 0; j < n; j++) {
                    w[r][j] = noise(seed + 2 + 2 * r, j);
                }
            }
            for (int i = 0; i < m; i++) {
                Arrays.fill(row, 0);
                for (int r = 0; r < TERMS; r++) {
                    double f = scale * Math.pow(FALL, r) * u[r][i];
                    for (int j = 0; j < n; j++) {
                        row[j] += f * w[r][j];
                    }
                }
                for (int j = 0; j < n; j++) {
                    x[i * n + j] += (float) row[j];
                }
            }
            whole = x;
        }
        return whole;
    }

    /** Elements from {@code from} on. */
    public void fill(long from, float[] into, int count) {
        if (form == Form.NOISE) {
            for (int i = 0; i < count; i++) {
                into[i] = noise(seed, from + i);
            }
        } else {
            for (int i = 0; i < count; i++) {
                into[i] = at(from + i);
            }
        }
    }

    /** All elements in row-major order. */
    public float[] floats() {
        float[] x = new float[Math.toIntExact(size)];
        fill(0, x, x.length);
        return x;
    }

    /** One of the matrices of a batch, or what is left of the axes after the first. */
    public float[] floats(long batch) {
        long each = size / shape[0];
        float[] x = new float[Math.toIntExact(each)];
        fill(batch * each, x, x.length);
        return x;
    }

    /** Hands all elements over in pieces that fit a cache. */
    public void pieces(Piece to) {
        float[] x = new float[(int) Math.min(size, 1 << 16)];
        for (long at = 0; at < size; at += x.length) {
            int n = (int) Math.min(x.length, size - at);
            fill(at, x, n);
            to.take(at, x, n);
        }
    }

    /** Takes elements {@code from} to {@code from + count}. */
    public interface Piece {
        void take(long from, float[] values, int count);
    }
}
