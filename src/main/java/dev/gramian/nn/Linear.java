package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;

/**
 * {@code x weightᵀ + bias}: x (..., in) gives (..., out). The weight is read where it lies, so a view such as
 * {@code stored.transpose(0, 1)} serves for files that keep (in, out).
 *
 * @param weight (out, in)
 * @param bias (out) in the weight's type, or null
 */
public record Linear(Tensor weight, Tensor bias) {
    public Linear {
        Fit.weight("linear", "weight", weight, 2, "(out, in)");
        if (bias != null) {
            Fit.weight("linear", "bias", bias, 1, "(out)");
            if (bias.dim(0) != weight.dim(0)) {
                throw new ShapeException("linear: bias has " + bias.dim(0) + " features, the weight gives "
                        + weight.dim(0) + "; bias " + bias.shape() + ", weight " + weight.shape()
                        + " (out, in); they must be equal");
            }
            Fit.alike("linear", "bias", bias, "weight", weight);
        }
    }

    /** Without a bias. */
    public static Linear of(Tensor weight) {
        return new Linear(weight, null);
    }

    /** Features it takes. */
    public long in() {
        return weight.dim(1);
    }

    /** Features it gives. */
    public long out() {
        return weight.dim(0);
    }

    /** (..., in) to (..., out), in the innermost open scope. */
    public Tensor apply(Tensor x) {
        if (x.rank() == 0 || x.dim(-1) != in()) {
            throw new ShapeException("linear: x has " + (x.rank() == 0 ? "no" : Long.toString(x.dim(-1)))
                    + " features (axis -1), the weight takes " + in() + "; x " + x.shape() + ", weight "
                    + weight.shape() + " (out, in); give (..., " + in() + ")");
        }
        Fit.alike("linear", "x", x, "weight", weight);
        try (Scope s = Scope.inner("linear", x.device())) {
            Tensor y = x.matmul(weight.transpose(0, 1));
            return s.keep(bias == null ? y : y.add(bias));
        }
    }

    @Override
    public String toString() {
        return "linear " + weight.shape() + " (out, in)" + (bias == null ? "" : " with bias") + ", " + weight.dtype();
    }
}
