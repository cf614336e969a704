package dev.gramian.analysis;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Eigh;
import dev.gramian.linalg.Finite;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.linalg.Svd;
import dev.gramian.linalg.TruncatedSvd;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Principal components of samples x (..., n, d), n rows of d features; axes before them are a stack, each matrix with
 * components of its own (the layers of a network, say). Samples are centred first, then decomposed; variances divide by
 * n - 1. F32 and F64; half types are computed in F32. Of each component the element of largest magnitude is positive, the
 * first of equal ones, as scikit-learn's {@code svd_flip} decides by the components: devices agree.
 *
 * <p>Tensors belong to the innermost scope that was open where the components were computed.
 *
 * @param mean of the features (..., d)
 * @param components orthonormal rows (..., k, d), most variance first
 * @param singularValues of the centred samples (..., k), descending
 * @param explainedVariance of the samples along each component (..., k)
 * @param explainedVarianceRatio the same as a share of the total variance (..., k); 0 where nothing varies
 * @param samples n
 */
public record Pca(
        Tensor mean,
        Tensor components,
        Tensor singularValues,
        Tensor explainedVariance,
        Tensor explainedVarianceRatio,
        long samples) {

    // ---- fitting -----------------------------------------------------------------------------------------------------

    /** The first k components, 0 to min(n, d), by the singular values of the centred samples. Refuses NaN and infinity. */
    public static Pca exact(Tensor x, long k) {
        check(x, k);
        try (Scope s = Scope.inner("pca", x.device())) {
            Centred c = Centred.of(x);
            Svd svd = Linalg.svd(c.values());
            Tensor total = svd.s().square().sum(true, -1).div(x.dim(-2) - 1);
            return of(s, c.mean(), svd, total, k, x.dim(-2));
        }
    }

    /**
     * The first k components of one matrix (n, d) by random sampling: for k far below min(n, d). The variances are close
     * where the spectrum falls, and never too large; their total is exact.
     */
    public static Pca randomized(Tensor x, long k, RandomizedSvd sampler) {
        check(x, k);
        try (Scope s = Scope.inner("pca", x.device())) {
            Centred c = Centred.of(x);
            TruncatedSvd svd = sampler.ofRank(c.values(), k);
            Tensor total = s.full(c.values().dtype(), svd.norm() * svd.norm() / (x.dim(-2) - 1), 1);
            return of(s, c.mean(), svd.svd(), total, k, x.dim(-2));
        }
    }

    /**
     * The first k components by the eigenvalues of the covariance (..., d, d): less work where n is far above d, and half
     * the digits. Squaring loses components whose singular value is below the root of the rounding error times the first's;
     * those at that level are given as 0.
     */
    public static Pca byCovariance(Tensor x, long k) {
        check(x, k);
        try (Scope s = Scope.inner("pca", x.device())) {
            Centred c = Centred.of(x);
            long n = x.dim(-2);
            Eigh eigh = Linalg.eigh(c.values().transpose(-2, -1).matmul(c.values()).div(n - 1)).withSigns();
            long d = x.dim(-1);
            Tensor all = eigh.w().flip(-1);
            Tensor noise = all.slice(-1, 0, 1).mul(rounding(all.dtype()) * Math.max(n, d));
            Tensor variance = all.gt(noise).where(all, s.scalar(all.dtype(), 0));
            Tensor total = variance.sum(true, -1);
            Tensor first = variance.slice(-1, 0, k);
            return new Pca(
                    s.keep(c.mean()),
                    s.keep(eigh.v().flip(-1).slice(-1, 0, k).transpose(-2, -1).copy()),
                    s.keep(first.mul(n - 1).sqrt()),
                    s.keep(first.copy()),
                    s.keep(share(s, first, total)),
                    n);
        }
    }

    /** Samples less their mean (..., d), in the type they are computed in. */
    private record Centred(Tensor values, Tensor mean) {
        static Centred of(Tensor x) {
            Finite.check("pca", x);
            Tensor wide = x.to(x.dtype().compute());
            Tensor mean = wide.mean(-2);
            return new Centred(wide.sub(mean.unsqueeze(-2)), mean);
        }
    }

    static void check(Tensor x, long k) {
        checkSamples("pca", x);
        long most = Math.min(x.dim(-2), x.dim(-1));
        if (x.dim(-2) < 2) {
            throw new ShapeException("pca: variance needs 2 samples; x " + x.shape() + " has " + x.dim(-2)
                    + "; give (..., samples, features)");
        }
        if (k < 0 || k > most) {
            throw new ShapeException(
                    "pca: " + k + " components; x " + x.shape() + " has " + most + "; use 0 to " + most);
        }
    }

    static void checkSamples(String op, Tensor x) {
        if (!x.dtype().isFloat()) {
            throw new DTypeException(op + ": needs a float type; x " + x.dtype() + " " + x.shape()
                    + "; cast with .to(DType.F32)");
        }
        if (x.rank() < 2) {
            throw new ShapeException(op + ": needs a matrix of samples; x " + x.shape()
                    + "; give (..., samples, features)");
        }
    }

    /** {@code total} is the variance of all features (..., 1). */
    static Pca of(Scope s, Tensor mean, Svd svd, Tensor total, long k, long n) {
        // signs are decided by the components, so these take the place of the left vectors
        Svd swapped = new Svd(
                svd.vt().slice(-2, 0, k).transpose(-2, -1), svd.s().slice(-1, 0, k),
                svd.u().slice(-1, 0, k).transpose(-2, -1)).withSigns();
        Tensor variance = swapped.s().square().div(n - 1);
        return new Pca(
                s.keep(mean),
                s.keep(swapped.u().transpose(-2, -1).copy()),
                s.keep(swapped.s().copy()),
                s.keep(variance),
                s.keep(share(s, variance, total)),
                n);
    }

    private static Tensor share(Scope s, Tensor variance, Tensor total) {
        return variance.div(total.eq(0).where(s.scalar(total.dtype(), 1), total));
    }

    private static double rounding(DType dtype) {
        return dtype == DType.F64 ? 0x1p-52 : 0x1p-23;
    }

    // ---- use ---------------------------------------------------------------------------------------------------------

    /** Coordinates (..., m, k) of samples (..., m, d) along the components. */
    public Tensor transform(Tensor x) {
        return project("transform", x, null);
    }

    /**
     * As {@link #transform}, scaled so that the samples of the fit have variance 1 along each component. A component
     * without variance beyond rounding gives 0.
     */
    public Tensor whiten(Tensor x) {
        try (Scope s = Scope.inner("whiten", x.device())) {
            Tensor deviation = explainedVariance.sqrt();
            return s.keep(project("whiten", x, varies().where(deviation.rdiv(1), s.scalar(mean.dtype(), 0))));
        }
    }

    /**
     * As {@link #transform(Tensor)} of one matrix (m, d) in batches of {@code rows}, 0 for a choice; x may lie on another
     * device than the components, a file mapped on the CPU say, and be larger than memory.
     */
    public Tensor transform(Tensor x, long rows) {
        return inBatches("transform", x, rows, this::transform);
    }

    /** As {@link #whiten(Tensor)} of one matrix (m, d) in batches; see {@link #transform(Tensor, long)}. */
    public Tensor whiten(Tensor x, long rows) {
        return inBatches("whiten", x, rows, this::whiten);
    }

    private Tensor inBatches(String op, Tensor x, long rows, UnaryOperator<Tensor> each) {
        fits(op, "x", x, mean.dim(-1), "features");
        Device device = mean.device();
        try (Scope s = Scope.inner(op, device)) {
            List<Tensor> parts = new ArrayList<>();
            Batches.of(op, x, rows, device, batch -> {
                Tensor part = each.apply(batch);
                parts.add(Scope.innermost(op, device).keep(part));
            });
            return s.keep(parts.isEmpty()
                    ? s.zeros(mean.dtype(), 0, components.dim(-2))
                    : Join.concat(0, parts.toArray(Tensor[]::new)));
        }
    }

    private Tensor project(String op, Tensor x, Tensor scale) {
        fits(op, "x", x, mean.dim(-1), "features");
        try (Scope s = Scope.inner(op, x.device())) {
            Tensor axes = scale == null ? components : components.mul(scale.unsqueeze(-1));
            return s.keep(wide(x).sub(mean.unsqueeze(-2)).matmul(axes.transpose(-2, -1)));
        }
    }

    /** Samples (..., m, d) at coordinates (..., m, k): what the components keep of them. */
    public Tensor inverseTransform(Tensor y) {
        return restore("inverseTransform", y, components);
    }

    /** Samples (..., m, d) whose {@link #whiten} is y (..., m, k). */
    public Tensor unwhiten(Tensor y) {
        try (Scope s = Scope.inner("unwhiten", y.device())) {
            Tensor deviation = varies().where(explainedVariance.sqrt(), s.scalar(mean.dtype(), 0));
            return s.keep(restore("unwhiten", y, components.mul(deviation.unsqueeze(-1))));
        }
    }

    private Tensor restore(String op, Tensor y, Tensor axes) {
        fits(op, "y", y, components.dim(-2), "coordinates");
        try (Scope s = Scope.inner(op, y.device())) {
            return s.keep(wide(y).matmul(axes).add(mean.unsqueeze(-2)));
        }
    }

    private static void fits(String op, String name, Tensor x, long size, String what) {
        checkSamples(op, x);
        if (x.dim(-1) != size) {
            throw new ShapeException(op + ": " + name + " has " + x.dim(-1) + " " + what + ", the components "
                    + size + "; " + name + " " + x.shape() + "; give (..., samples, " + size + ")");
        }
    }

    private Tensor wide(Tensor x) {
        return x.dtype().isHalf() ? x.to(mean.dtype()) : x;
    }

    /** Where the variance is more than rounding. */
    private Tensor varies() {
        if (singularValues.dim(-1) == 0) {
            return singularValues.gt(0);
        }
        double relative = rounding(mean.dtype()) * Math.max(samples, mean.dim(-1));
        return singularValues.gt(singularValues.slice(-1, 0, 1).mul(relative));
    }

    /** Every tensor of this in the scope that encloses {@code s}. */
    public Pca keep(Scope s) {
        return new Pca(s.keep(mean), s.keep(components), s.keep(singularValues), s.keep(explainedVariance),
                s.keep(explainedVarianceRatio), samples);
    }
}
