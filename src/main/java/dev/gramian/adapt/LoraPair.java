package dev.gramian.adapt;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.ShapeException;

/**
 * An adapter of one layer (Hu and others 2021): the update scale · b a of a weight (out, in), with a (r, in) and b (out, r).
 * The layer gives x wᵀ.
 */
public record LoraPair(Tensor a, Tensor b, double scale) {

    public LoraPair {
        if (a.rank() != 2 || b.rank() != 2 || a.dim(0) != b.dim(1)) {
            throw new ShapeException("lora: factors do not fit; a " + a.shape() + ", b " + b.shape()
                    + "; a is (r, in), b is (out, r)");
        }
        if (!a.dtype().isFloat() || a.dtype() != b.dtype()) {
            throw new DTypeException("lora: factors need one float type; a " + a.dtype() + " " + a.shape() + ", b "
                    + b.dtype() + " " + b.shape() + "; cast with .to(DType.F32)");
        }
    }

    public long rank() {
        return a.dim(0);
    }

    /** scale · b a, (out, in); F64 of F64 factors, else F32. */
    public Tensor delta() {
        return delta(wide(a.dtype()));
    }

    private Tensor delta(DType t) {
        try (Scope s = Scope.inner("lora", a.device())) {
            return s.keep(b.to(t).mul(scale).matmul(a.to(t)));
        }
    }

    /** The same update of the transposed weight (in, out). */
    public LoraPair transposed() {
        try (Scope s = Scope.inner("lora", a.device())) {
            return new LoraPair(s.keep(b.transpose(0, 1).copy()), s.keep(a.transpose(0, 1).copy()), scale);
        }
    }

    private static DType wide(DType t) {
        return t == DType.F64 ? DType.F64 : DType.F32;
    }

    /** x wᵀ + scale · (x aᵀ) bᵀ for x (..., in): the adapter as a side path, w untouched. In x's type, which is w's. */
    public Tensor apply(Tensor x, Tensor w) {
        check(w);
        try (Scope s = Scope.inner("lora", x.device())) {
            return s.keep(x.matmul(w.transpose(0, 1)).add(side(x)));
        }
    }

    /** scale · (x aᵀ) bᵀ, (..., out). */
    Tensor side(Tensor x) {
        DType t = x.dtype();
        return x.matmul(a.to(t).transpose(0, 1)).matmul(b.to(t).transpose(0, 1)).mul(scale);
    }

    /** w + scale · b a, computed in F32 (F64 of F64) and rounded once to w's type. */
    public Tensor merge(Tensor w) {
        return sum(w, 1);
    }

    /**
     * w - scale · b a, computed likewise: what {@link #merge} was given, but for rounding. Sums of floating-point numbers
     * forget digits, so the exact way back is to keep the weight that was merged.
     */
    public Tensor unmerge(Tensor w) {
        return sum(w, -1);
    }

    private Tensor sum(Tensor w, int sign) {
        check(w);
        DType t = wide(w.dtype());
        try (Scope s = Scope.inner("lora", w.device())) {
            Tensor delta = delta(t);
            Tensor x = w.to(t);
            return s.keep((sign > 0 ? x.add(delta) : x.sub(delta)).to(w.dtype()));
        }
    }

    private void check(Tensor w) {
        if (w.rank() != 2 || w.dim(0) != b.dim(0) || w.dim(1) != a.dim(1)) {
            throw new ShapeException(
                    "lora: weight does not fit; w " + w.shape() + ", a " + a.shape() + ", b " + b.shape()
                            + "; w is (out, in), a (r, in), b (out, r)");
        }
        if (!w.dtype().isFloat()) {
            throw new DTypeException(
                    "lora: needs a float type; w is " + w.dtype() + " " + w.shape() + "; cast with .to(DType.F32)");
        }
    }
}
