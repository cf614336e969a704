package dev.gramian.attention;

import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;

/**
 * Rotary position embedding (Su et al. 2021): each pair of a head's channels is turned by position times the pair's
 * frequency, so that the inner product of a query and a key depends on their distance alone. Immutable; {@link #tables}
 * gives what rotates.
 *
 * @param layout which channels form a pair
 * @param headSize channels of a head
 * @param rotary the first so many of them rotate, an even number; the rest pass unchanged
 * @param base of the frequencies, 10000 where none is set
 * @param scaling for lengths beyond those of training
 */
public record Rope(RopeLayout layout, long headSize, long rotary, double base, RopeScaling scaling) {
    public Rope {
        if (layout == null) {
            throw new GramianException("rope: no layout is named; head size " + headSize
                    + "; HALF_SPLIT for Hugging Face's files, INTERLEAVED for Meta's and GGUF");
        }
        if (rotary < 0 || rotary > headSize || rotary % 2 != 0) {
            throw new ShapeException("rope: " + rotary + " channels cannot rotate; head size " + headSize
                    + "; give an even number of at most the head size");
        }
        if (!(base > 1 && base < Double.POSITIVE_INFINITY)) {
            throw new GramianException("rope: base is " + base + "; frequencies are its negative powers; "
                    + "it must be above 1 and finite");
        }
        if (scaling == null) {
            scaling = new RopeScaling.None();
        }
    }

    /** All channels rotate, base 10000, no scaling. */
    public static Rope of(RopeLayout layout, long headSize) {
        return new Rope(layout, headSize, headSize, 10000, new RopeScaling.None());
    }

    public Rope rotary(long channels) {
        return new Rope(layout, headSize, channels, base, scaling);
    }

    public Rope base(double base) {
        return new Rope(layout, headSize, rotary, base, scaling);
    }

    public Rope scaling(RopeScaling scaling) {
        return new Rope(layout, headSize, rotary, base, scaling);
    }

    /** Radians per position of each pair, for sequences of up to {@code length} positions. */
    public double[] frequencies(long length) {
        return scaling.frequencies(rotary, base, length);
    }

    /** Bytes of the tables for {@code length} positions. */
    public long bytes(DType dtype, long length) {
        return 2 * length * (rotary / 2) * dtype.compute().bytes();
    }

    /**
     * Cosines and sines of positions 0 to {@code length - 1} for tensors of {@code dtype}: F64 for F64, F32 for the others,
     * rounded once from angles in F64. They live in {@code scope}, so make them once in the scope of the model. Dynamic NTK
     * and longrope choose their frequencies for {@code length}.
     */
    public RopeTables tables(Scope scope, DType dtype, long length) {
        if (!dtype.isFloat()) {
            throw new DTypeException("rope: " + dtype + " does not rotate; length " + length + "; use a float type");
        }
        if (length < 0) {
            throw new ShapeException("rope: length is negative; " + length + " positions; give 0 or more");
        }
        double[] f = frequencies(length);
        try (Scope s = Scope.inner("rope", scope.device())) {
            Tensor angles = s.arange(DType.F64, length).unsqueeze(1).mul(s.tensor(f, 1, f.length));
            Tensor cos = angles.cos();
            Tensor sin = angles.sin();
            if (scaling.attentionFactor() != 1) {
                cos = cos.mul(scaling.attentionFactor());
                sin = sin.mul(scaling.attentionFactor());
            }
            return new RopeTables(this, length, into(scope, cos, dtype.compute()), into(scope, sin, dtype.compute()));
        }
    }

    private static Tensor into(Scope scope, Tensor t, DType dtype) {
        return scope.run(new Op.Copy(dtype), t);
    }

    /**
     * The weight (heads * headSize, ...) or bias (heads * headSize) of a projection made for the layout {@code from}, in the
     * channel order of this one's; the tensor itself where both are the same. {@code heads} counts the projection's own
     * heads: query heads for queries, key-value heads for keys. Values are never rotated and stay as they are.
     */
    public Tensor convert(Tensor weight, long heads, RopeLayout from) {
        if (heads < 1 || weight.rank() < 1 || weight.dim(0) != heads * headSize) {
            throw new ShapeException("rope: weight does not divide into heads; weight " + weight.shape() + ", " + heads
                    + " heads of size " + headSize + "; its first axis must be their product"
                    + (weight.rank() > 0 && weight.dim(0) % headSize == 0
                            ? ", " + weight.dim(0) / headSize + " heads would fit"
                            : ""));
        }
        if (from == layout || rotary == 0) {
            return weight;
        }
        Shape rest = weight.shape().slice(1, weight.rank());
        try (Scope s = Scope.inner("rope", weight.device())) {
            Tensor x = weight.reshape(Shape.of(heads, headSize, rest.size()).toArray());
            Tensor turned = x.slice(1, 0, rotary);
            long[] wide = {heads, rotary, rest.size()};
            turned = from == RopeLayout.INTERLEAVED
                    ? turned.reshape(heads, rotary / 2, 2, rest.size()).transpose(1, 2).reshape(wide)
                    : turned.reshape(heads, 2, rotary / 2, rest.size()).transpose(1, 2).reshape(wide);
            Tensor y = Join.concat(1, turned, x.slice(1, rotary, headSize));
            return s.keep(y).reshape(weight.shape().toArray());
        }
    }
}
