package dev.gramian.nn;

import dev.gramian.Norms;
import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;

/**
 * {@code (x - mean) / sqrt(var + eps) * weight + bias} over the last axis.
 *
 * @param weight (features)
 * @param bias (features) in the weight's type, or null
 * @param eps added to the variance
 */
public record LayerNorm(Tensor weight, Tensor bias, double eps) implements Norm {
    public LayerNorm {
        Fit.weight("layerNorm", "weight", weight, 1, "(features)");
        if (bias != null) {
            Fit.weight("layerNorm", "bias", bias, 1, "(features)");
            if (bias.dim(0) != weight.dim(0)) {
                throw new ShapeException("layerNorm: weight and bias differ in features; weight " + weight.shape()
                        + ", bias " + bias.shape() + "; they must be equal");
            }
            Fit.alike("layerNorm", "bias", bias, "weight", weight);
        }
        Fit.eps("layerNorm", eps);
    }

    @Override
    public Tensor apply(Tensor x) {
        return Norms.layerNorm(x, weight, bias, eps);
    }
}
