package dev.gramian.nn;

import dev.gramian.Tensor;
import dev.gramian.core.ClosedException;
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
        try {
            return step.get();
        } catch (RuntimeException | Error e) {
            try {
                for (int b = 0; b < lengths.length; b++) {
                    truncate.to(b, lengths[b]);
                }
            } catch (ClosedException closed) {
                e.addSuppressed(closed);
            }
            throw e;
        }
    }
}
