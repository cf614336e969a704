package dev.gramian.analysis;

import dev.gramian.Buffer;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Finite;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.Svd;

/**
 * Principal components of more samples than memory holds, batch by batch. Not an approximation: what is kept of the batches
 * so far is a triangle (at most d, d) with the same singular values and right vectors as the centred samples, renewed by QR
 * of itself on top of the next batch, so that the result is {@link Pca#exact}'s to rounding, whatever the batches. Each
 * batch costs memory for three times its rows plus d, and d² elements stay.
 *
 * <p>Memory belongs to the scope given.
 */
public final class IncrementalPca implements AutoCloseable {
    private final Scope scope;
    private Buffer triangle;
    private double[] mean;
    private long samples;

    public IncrementalPca(Scope scope) {
        this.scope = scope;
    }

    /** Samples so far. */
    public long samples() {
        return samples;
    }

    /**
     * All rows of x (n, d) in batches of {@code rows}; 0 stands for d rows, or more where they are short. x may lie on
     * another device than the scope: a file mapped on the CPU is read a batch at a time.
     */
    public void addAll(Tensor x, long rows) {
        check(x);
        Batches.of("incrementalPca", x, rows, scope.device(), this::add);
    }

    /** The rows of x (m, d); one is enough. All batches have one d and one element type. */
    public void add(Tensor x) {
        check(x);
        if (x.dim(0) == 0) {
            return;
        }
        Finite.check("incrementalPca", x);
        long d = x.dim(1);
        try (Scope s = Scope.inner("incrementalPca", scope.device())) {
            double[] here = new double[(int) d];
            Tensor r = Linalg.qr(stacked(x, here)).r();
            triangle.truncate(0, 0);
            triangle.append(r.unsqueeze(0).unsqueeze(0));
            for (int i = 0; i < mean.length; i++) {
                mean[i] += (here[i] - mean[i]) * x.dim(0) / (samples + x.dim(0));
            }
            samples += x.dim(0);
        }
    }

    /** The triangle on top of x less its mean, which goes to {@code here}, and the difference of the means. */
    private Tensor stacked(Tensor x, double[] here) {
        long d = x.dim(1);
        try (Scope s = Scope.inner("incrementalPca", scope.device())) {
            Tensor wide = x.to(x.dtype().compute());
            Tensor center = wide.mean(0);
            System.arraycopy(center.toDoubleArray(), 0, here, 0, here.length);
            Tensor centred = wide.sub(center);
            if (mean == null) {
                triangle = Buffer.of(scope, wide.dtype(), 1, 1, d, d);
                mean = new double[here.length];
            }
            if (samples == 0) {
                return s.keep(centred);
            }
            // the scatter about the common mean is that about both means, and this row's
            double weight = Math.sqrt((double) samples * x.dim(0) / (samples + x.dim(0)));
            double[] between = new double[mean.length];
            for (int i = 0; i < between.length; i++) {
                between[i] = weight * (here[i] - mean[i]);
            }
            return s.keep(Join.concat(0, triangle.padded().reshape(-1, d), centred,
                    s.tensor(between, 1, d).to(wide.dtype())));
        }
    }

    private void check(Tensor x) {
        Pca.checkSamples("incrementalPca", x);
        if (x.rank() != 2) {
            throw new ShapeException(
                    "incrementalPca: needs one matrix; x " + x.shape() + "; select it from the stack first");
        }
        if (x.dim(1) == 0) {
            throw new ShapeException("incrementalPca: no features; x " + x.shape() + "; give (samples, features)");
        }
        if (mean != null && x.dim(1) != mean.length) {
            throw new ShapeException("incrementalPca: batches differ in features; x " + x.shape() + ", before "
                    + mean.length + "; give (samples, " + mean.length + ")");
        }
        DType compute = x.dtype().compute();
        if (mean != null && compute != triangle.dtype()) {
            throw new DTypeException("incrementalPca: element types differ; x " + x.dtype() + " " + x.shape()
                    + ", before " + triangle.dtype() + "; cast with .to(DType." + triangle.dtype() + ")");
        }
    }

    /** The first k components, 0 to min(n, d), of the samples so far; more may be added afterwards. */
    public Pca components(long k) {
        long most = mean == null ? 0 : Math.min(samples, mean.length);
        if (samples < 2) {
            throw new ShapeException("incrementalPca: variance needs 2 samples; " + samples + " were added; add more");
        }
        if (k < 0 || k > most) {
            throw new ShapeException("incrementalPca: " + k + " components; there are " + samples + " samples of "
                    + mean.length + " features; use 0 to " + most);
        }
        try (Scope s = Scope.inner("incrementalPca", scope.device())) {
            Svd svd = Linalg.svd(triangle.padded().reshape(-1, mean.length));
            Tensor total = svd.s().square().sum(true, -1).div(samples - 1);
            return Pca.of(s, s.tensor(mean, mean.length).to(triangle.dtype()), svd, total, k, samples);
        }
    }

    /** Frees the triangle before the scope does. */
    @Override
    public void close() {
        if (triangle != null) {
            triangle.close();
        }
    }
}
