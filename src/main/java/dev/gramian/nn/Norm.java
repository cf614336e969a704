package dev.gramian.nn;

import dev.gramian.Tensor;

/** Brings each row of x (..., features) to a common size; immutable. */
public sealed interface Norm permits LayerNorm, RmsNorm {
    /** (features), what each is multiplied by. */
    Tensor weight();

    /** (..., features) to the same shape, in the innermost open scope. */
    Tensor apply(Tensor x);
}
