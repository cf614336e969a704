package dev.gramian.nn;

import dev.gramian.Indexing;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/**
 * A row of the weight for each id. As the last layer of a model that ties its embeddings: {@link #head}.
 *
 * @param weight (count, features)
 */
public record Embedding(Tensor weight) {
    public Embedding {
        Fit.weight("embedding", "weight", weight, 2, "(count, features)");
    }

    /** Number of ids, from 0 on. */
    public long count() {
        return weight.dim(0);
    }

    public long features() {
        return weight.dim(1);
    }

    /** The product with every row, (..., features) to (..., count), which shares this weight. */
    public Linear head() {
        return Linear.of(weight);
    }

    /** Rows of ids of any shape, I64 or I32, as (..., features) in the innermost open scope. The ids are read back. */
    public Tensor apply(Tensor ids) {
        if (ids.dtype() != DType.I64 && ids.dtype() != DType.I32) {
            throw new DTypeException("embedding: ids are " + ids.dtype() + "; ids " + ids.shape() + ", weight "
                    + weight.shape() + "; they must be I64 or I32");
        }
        check(ids.toLongArray(), ids.shape());
        try (Scope s = Scope.inner("embedding", weight.device())) {
            return s.keep(Indexing.gather(weight, 0, ids.flatten()))
                    .reshape(ids.shape().plus(features()).toArray());
        }
    }

    /** Rows of ids, (n, features). */
    public Tensor apply(long... ids) {
        check(ids, Shape.of(ids.length));
        try (Scope s = Scope.inner("embedding", weight.device())) {
            return s.keep(Indexing.gather(weight, 0, ids));
        }
    }

    private void check(long[] ids, Shape shape) {
        long count = count();
        Arrays.stream(ids).filter(id -> id < 0 || id >= count).findFirst().ifPresent(id -> {
            throw new ShapeException("embedding: id " + id + " is out of range; ids " + shape + ", weight "
                    + weight.shape() + " (count, features); "
                    + (count == 0 ? "the embedding is empty" : "use 0 to " + (count - 1)));
        });
    }
}
