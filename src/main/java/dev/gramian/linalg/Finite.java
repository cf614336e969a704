package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.GramianException;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import java.util.Arrays;

/** The one scan before a decomposition, whose iterations NaN or infinity would lead anywhere. */
public final class Finite {
    private Finite() {}

    /** Refuses a float tensor with NaN or infinity in it, naming the first such element and where it is. */
    public static void check(String op, Tensor a) {
        long at;
        try (Scope s = Scope.inner(op, a.device())) {
            at = s.run(new Op.FirstNonFinite(), a).itemLong();
        }
        refuse(op, a, at);
    }

    /** As {@link #check}, of the lower triangles alone; what is no matrix is left for the operation to refuse. */
    static void checkLower(String op, Tensor a) {
        if (a.rank() < 2) {
            return;
        }
        long at;
        try (Scope s = Scope.inner(op, a.device())) {
            at = s.run(new Op.FirstNonFinite(), s.run(new Op.Triangle(true, 0), a)).itemLong();
        }
        refuse(op, a, at);
    }

    private static void refuse(String op, Tensor a, long at) {
        if (at < 0) {
            return;
        }
        Shape shape = a.shape();
        long[] index = new long[shape.rank()];
        long rest = at;
        for (int i = index.length - 1; i >= 0; i--) {
            index[i] = rest % shape.at(i);
            rest /= shape.at(i);
        }
        double value = a.get(index);
        throw new GramianException(
                op + ": x is not finite: " + (Double.isNaN(value) ? "NaN" : value > 0 ? "inf" : "-inf")
                        + " at " + Arrays.toString(index) + "; x " + a.dtype() + " " + shape
                        + "; replace such values first, e.g. x.isFinite().where(x, ...)");
    }
}
