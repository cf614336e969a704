package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Decomposition;

/** Half types where matrices are decomposed: nothing does that in 16 bits, so they become F32, and results stay F32. */
final class Halves {
    private Halves() {}

    /** x itself, or F32 of a half type. */
    static Tensor wide(Tensor x) {
        return x.dtype().isHalf() ? x.to(DType.F32) : x;
    }

    /** As {@link #wide(Tensor)} where both have one type; what differs stays, for the operation to refuse. */
    static Tensor wide(Tensor x, Tensor with) {
        return x.dtype() == with.dtype() ? wide(x) : x;
    }

    /** Runs a decomposition of {@code a}; results in the innermost open scope. */
    static Tensor[] run(String op, Decomposition how, Tensor a) {
        if (!a.dtype().isHalf()) {
            return Scope.innermost(op, a.device()).runAll(how, a);
        }
        try (Scope s = Scope.inner(op, a.device())) {
            Tensor[] r = s.runAll(how, wide(a));
            for (Tensor t : r) {
                s.keep(t);
            }
            return r;
        }
    }
}
