package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;

/** Complex numbers as two real tensors of one shape and type: there is no complex element type. */
public record Complex(Tensor re, Tensor im) {

    /** Magnitudes, free of overflow on the way. */
    public Tensor abs() {
        try (Scope s = Scope.inner("abs", re.device())) {
            Tensor x = re.abs();
            Tensor y = im.abs();
            Tensor larger = x.maximum(y);
            Tensor ratio = larger.eq(0).where(larger, x.minimum(y).div(larger));
            return s.keep(ratio.square().add(1).sqrt().mul(larger));
        }
    }
}
