package dev.gramian.nn;

import dev.gramian.Norms;
import dev.gramian.Tensor;

/**
 * {@code x / sqrt(mean(x^2) + eps) * weight} over the last axis.
 *
 * @param weight (features)
 * @param eps added to the mean square
 */
public record RmsNorm(Tensor weight, double eps) implements Norm {
    public RmsNorm {
        Fit.weight("rmsNorm", "weight", weight, 1, "(features)");
        Fit.eps("rmsNorm", eps);
    }

    @Override
    public Tensor apply(Tensor x) {
        return Norms.rmsNorm(x, weight, eps);
    }
}
