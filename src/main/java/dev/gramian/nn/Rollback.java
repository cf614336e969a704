package dev.gramian.nn;

import dev.gramian.Tensor;
import java.util.function.Supplier;

/** Steps that append to a cache, all or nothing. */
final class Rollback {
    private Rollback() {}

    /** Drops what a sequence has beyond a length. */
    interface Truncate {
        void to(int sequence, long length);
    }

    /** What {@code step} gives; where it fails, sequences have the lengths of before again. */
    static Tensor onError(long[] lengths, Truncate truncate, Supplier<Tensor> step) {
        boolean done = false;
        try {
            Tensor y = step.get();
            done = true;
            return y;
        } finally {
            for (int b = 0; b < lengths.length && !done; b++) {
                truncate.to(b, lengths[b]);
            }
        }
    }
}
