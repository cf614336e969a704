package dev.gramian;

import dev.gramian.core.Op;
import dev.gramian.core.ShapeException;
import java.util.Objects;
import java.util.stream.Stream;

/** Normalisation over the last axes of float tensors; statistics in F32 or better, one rounding at the end. */
public final class Norms {
    private Norms() {}

    /** {@code (x - mean) / sqrt(var + eps)} over the last axis. */
    public static Tensor layerNorm(Tensor x, double eps) {
        return run(true, x, eps, null, null, 1);
    }

    /**
     * {@code (x - mean) / sqrt(var + eps) * weight + bias} over as many last axes as the weight, or else the bias, has; null
     * for none.
     */
    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
        return run(true, x, eps, weight, bias, weight != null ? weight.rank() : bias != null ? bias.rank() : 1);
    }

    /** {@code x / sqrt(mean(x^2) + eps)} over the last axis. */
    public static Tensor rmsNorm(Tensor x, double eps) {
        return run(false, x, eps, null, null, 1);
    }

    /** {@code x / sqrt(mean(x^2) + eps) * weight} over as many last axes as the weight has. */
    public static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
        return run(false, x, eps, weight, null, weight != null ? weight.rank() : 1);
    }

    private static Tensor run(boolean center, Tensor x, double eps, Tensor weight, Tensor bias, int axes) {
        Op op = new Op.Normalize(center, axes, eps, weight != null, bias != null);
        if (axes == 0) {
            throw new ShapeException(op.name() + ": " + (weight != null ? "weight" : "bias") + " is a scalar; x "
                    + x.shape() + ", " + (weight != null ? "weight" : "bias")
                    + " []; give it the shape of x's last axes");
        }
        if (x.rank() < axes) {
            throw new ShapeException(op.name() + ": x has too few axes; x " + x.shape() + ", normalised axes " + axes
                    + "; x needs the weight's axes last");
        }
        Tensor[] in = Stream.of(x, weight, bias).filter(Objects::nonNull).toArray(Tensor[]::new);
        return Scope.innermost(op.name(), x.device()).run(op, in);
    }
}
