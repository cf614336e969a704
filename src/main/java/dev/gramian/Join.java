package dev.gramian;

import dev.gramian.core.DTypeException;
import dev.gramian.core.Op;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Puts tensors together and takes them apart along an axis. */
public final class Join {
    private Join() {}

    /** Tensors one after another along an axis they already have; all other axes equal. Copies. */
    public static Tensor concat(int axis, Tensor... parts) {
        if (parts.length == 0) {
            throw new ShapeException("concat: no tensors given; nothing to join; give one or more");
        }
        int a = parts[0].shape().axis("concat", axis);
        return Scope.innermost("concat", parts[0].device()).run(new Op.Concat(a), parts);
    }

    /** Tensors of one shape side by side along a new axis. Copies. */
    public static Tensor stack(int axis, Tensor... parts) {
        if (parts.length == 0) {
            throw new ShapeException("stack: no tensors given; nothing to join; give one or more");
        }
        int rank = parts[0].rank();
        if (axis < -rank - 1 || axis > rank) {
            throw new ShapeException(
                    "stack: position " + axis + " does not exist; tensor 0 " + parts[0].shape() + "; use "
                            + (-rank - 1) + " to " + rank);
        }
        Tensor[] wider = new Tensor[parts.length];
        for (int i = 0; i < parts.length; i++) {
            if (!parts[i].shape().equals(parts[0].shape())) {
                throw new ShapeException("stack: shapes differ; tensor 0 " + parts[0].shape() + ", tensor " + i + " "
                        + parts[i].shape() + "; all must be equal");
            }
            if (parts[i].dtype() != parts[0].dtype()) {
                throw new DTypeException(
                        "stack: element types differ; tensor 0 " + parts[0].describe() + ", tensor " + i
                                + " " + parts[i].describe() + "; cast one with .to(DType." + parts[0].dtype() + ")");
            }
            wider[i] = parts[i].unsqueeze(axis);
        }
        return concat(axis, wider);
    }

    /** Views of the given sizes along an axis; the sizes must add up to its length. */
    public static List<Tensor> split(Tensor x, int axis, long... sizes) {
        long n = x.shape().at(x.shape().axis("split", axis));
        long sum = 0;
        boolean negative = false;
        for (long s : sizes) {
            sum += s;
            negative |= s < 0;
        }
        if (sum != n || negative) {
            throw new ShapeException(
                    "split: sizes do not add up to the axis; x " + x.shape() + " has " + n + " on axis "
                            + axis + ", sizes " + Arrays.toString(sizes) + "; they must be 0 or more and sum to " + n);
        }
        List<Tensor> parts = new ArrayList<>();
        long at = 0;
        for (long s : sizes) {
            parts.add(x.slice(axis, at, at + s));
            at += s;
        }
        return parts;
    }

    /** {@code count} views of equal size along an axis. */
    public static List<Tensor> chunk(Tensor x, int axis, int count) {
        long n = x.shape().at(x.shape().axis("chunk", axis));
        if (count <= 0 || n % count != 0) {
            throw new ShapeException("chunk: axis does not divide; x " + x.shape() + " has " + n + " on axis " + axis
                    + ", count " + count + "; use split with a size per part");
        }
        long[] sizes = new long[count];
        Arrays.fill(sizes, n / count);
        return split(x, axis, sizes);
    }
}
