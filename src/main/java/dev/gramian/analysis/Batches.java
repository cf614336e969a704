package dev.gramian.analysis;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import java.util.function.Consumer;

/** Cuts a matrix by rows, to be worked on where there is no room for all of it. */
final class Batches {
    /** Least elements of a batch where no size is given. */
    private static final long ELEMENTS = 1 << 18;

    private Batches() {}

    /**
     * Passes {@code rows} of x at a time to {@code each}, in a scope of {@code device}: a view where they lie there
     * already. 0 stands for as many rows as columns, or more where they are short.
     */
    static void of(String op, Tensor x, long rows, Device device, Consumer<Tensor> each) {
        if (x.rank() != 2) {
            throw new ShapeException(op + ": needs one matrix; x " + x.shape() + "; select it from the stack first");
        }
        if (rows < 0) {
            throw new ShapeException(op + ": batches of " + rows + " rows; x " + x.shape()
                    + "; use 1 or more, or 0 for a choice");
        }
        long size = rows > 0 ? rows : Math.max(x.dim(1), ELEMENTS / Math.max(1, x.dim(1)));
        for (long i = 0; i < x.dim(0); i += size) {
            try (Scope s = Scope.inner(op, device)) {
                each.accept(x.slice(0, i, i + Math.min(size, x.dim(0) - i)).to(device));
            }
        }
    }
}
