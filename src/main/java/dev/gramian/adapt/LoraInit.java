package dev.gramian.adapt;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.Qr;
import dev.gramian.linalg.Svd;

/** Ways to begin training an adapter of a weight w (out, in). At the start each computes what w alone did. */
public enum LoraInit {
    /** a uniform within ±1 / √in (Kaiming's rule with slope √5, as PEFT), b zero. */
    KAIMING,
    /** a normal with deviation 1 / r, b zero. */
    GAUSSIAN,
    /** a and b carry the r largest singular values, half of each; the base keeps the rest (Meng and others 2024). */
    PISSA,
    /** b the first r columns of q, a the first r rows of r, of w = q r; the base keeps the rest (Büyükakyüz 2024). */
    OLORA;

    /** An adapter to begin with, and the base it belongs to: w itself, or what is left of it, in w's type. */
    public record Start(LoraPair pair, Tensor base) {}

    /** Whether the base loses the part that the adapter starts with. */
    public boolean changesBase() {
        return this == PISSA || this == OLORA;
    }

    /**
     * The start for a rank of 1 to min(out, in) and a scale, F32 factors (F64 of an F64 weight). The same seed gives the same
     * numbers; PISSA and OLORA draw none.
     */
    public Start start(Tensor w, long rank, double scale, long seed) {
        if (w.rank() != 2 || rank < 1 || rank > Math.min(w.dim(0), w.dim(1))) {
            throw new ShapeException("lora: no such rank; rank " + rank + ", w " + w.shape()
                    + "; w is a matrix, use 1 to the smaller of its sides");
        }
        if (!w.dtype().isFloat()) {
            throw new DTypeException(
                    "lora: needs a float type; w is " + w.dtype() + " " + w.shape() + "; cast with .to(DType.F32)");
        }
        if (!(Math.abs(scale) > 0 && Math.abs(scale) < Double.POSITIVE_INFINITY)) {
            throw new GramianException("lora: scale is " + scale + "; w " + w.shape() + "; use a finite number but 0");
        }
        DType t = w.dtype() == DType.F64 ? DType.F64 : DType.F32;
        try (Scope s = Scope.inner("lora", w.device())) {
            LoraPair pair = switch (this) {
                case KAIMING -> {
                    double bound = 1 / Math.sqrt(w.dim(1));
                    yield new LoraPair(s.uniform(t, seed, -bound, bound, rank, w.dim(1)), s.zeros(t, w.dim(0), rank),
                            scale);
                }
                case GAUSSIAN -> new LoraPair(
                        s.normal(t, seed, rank, w.dim(1)).mul(1.0 / rank), s.zeros(t, w.dim(0), rank), scale);
                case PISSA -> pissa(w.to(t), rank, scale);
                case OLORA -> {
                    Qr qr = Linalg.qr(w.to(t));
                    yield new LoraPair(qr.r().slice(0, 0, rank).copy(), qr.q().slice(1, 0, rank).copy(), scale);
                }
            };
            Tensor base = changesBase() ? s.keep(pair.unmerge(w)) : w;
            return new Start(new LoraPair(s.keep(pair.a()), s.keep(pair.b()), scale), base);
        }
    }

    private static LoraPair pissa(Tensor w, long rank, double scale) {
        if (scale < 0) {
            throw new GramianException("lora: scale is " + scale + "; w " + w.shape() + "; PISSA needs one above 0");
        }
        Svd svd = Linalg.svd(w);
        Tensor root = svd.s().slice(0, 0, rank).div(scale).sqrt();
        return new LoraPair(
                root.unsqueeze(1).mul(svd.vt().slice(0, 0, rank)), svd.u().slice(1, 0, rank).mul(root.unsqueeze(0)),
                scale);
    }
}
