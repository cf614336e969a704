package dev.gramian.attention;

import dev.gramian.Indexing;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Op;
import dev.gramian.core.ShapeException;
import java.util.Arrays;

/**
 * Cosines and sines by position, which rotate queries and keys; made by {@link Rope#tables} and alive as long as the scope
 * given there. Half types compute in F32 and round once.
 */
public final class RopeTables {
    private final Rope rope;
    private final long length;
    private final Tensor cos;
    private final Tensor sin;

    RopeTables(Rope rope, long length, Tensor cos, Tensor sin) {
        this.rope = rope;
        this.length = length;
        this.cos = cos;
        this.sin = sin;
    }

    public Rope rope() {
        return rope;
    }

    /** Number of positions, from 0 on. */
    public long length() {
        return length;
    }

    /** (length, rotary / 2), attention factor included. */
    public Tensor cos() {
        return cos;
    }

    /** (length, rotary / 2), attention factor included. */
    public Tensor sin() {
        return sin;
    }

    /** Rotates x (..., L, headSize), its first row at position {@code start}. */
    public Tensor apply(Tensor x, long start) {
        check(x);
        long rows = x.dim(-2);
        range(start, Math.addExact(start, Math.max(0, rows - 1)), rows);
        return rotate(x, cos.slice(0, start, start + rows), sin.slice(0, start, start + rows));
    }

    /** Rotates x (..., B, H, L, headSize), the first row of sequence b at position {@code starts[b]}. */
    public Tensor apply(Tensor x, long... starts) {
        check(x);
        if (x.rank() < 4 || x.dim(-4) != starts.length) {
            throw new ShapeException("rope: " + starts.length + " starts; x " + x.shape() + (x.rank() < 4
                    ? " has no batch axis"
                    : " has batch " + x.dim(-4)) + "; give one per sequence of (..., batch, heads, length, channels)");
        }
        if (starts.length > 0 && Arrays.stream(starts).allMatch(p -> p == starts[0])) {
            return apply(x, starts[0]);
        }
        long rows = x.dim(-2);
        for (long p : starts) {
            range(p, Math.addExact(p, Math.max(0, rows - 1)), rows);
        }
        try (Scope s = Scope.inner("rope", x.device())) {
            Tensor positions = s.tensor(starts, starts.length, 1).add(s.arange(DType.I64, rows));
            return s.keep(gathered(x, positions));
        }
    }

    /**
     * Rotates x (..., H, L, headSize) at the positions named: I64 or I32, (L) for all alike or (..., L), broadcast to the
     * axes before the heads.
     */
    public Tensor apply(Tensor x, Tensor positions) {
        check(x);
        if (positions.dtype() != DType.I64 && positions.dtype() != DType.I32) {
            throw new DTypeException("rope: positions are " + positions.dtype() + "; positions " + positions.shape()
                    + ", x " + x.shape() + "; they must be I64 or I32");
        }
        int batch = Math.max(0, x.rank() - 3);
        boolean fits = positions.rank() >= 1
                && positions.rank() <= batch + 1
                && positions.dim(-1) == x.dim(-2)
                && positions.shape().slice(0, positions.rank() - 1).broadcastsTo(x.shape().slice(0, batch));
        if (!fits) {
            throw new ShapeException("rope: positions do not fit; positions " + positions.shape() + ", x " + x.shape()
                    + " (..., heads, length, channels); give (length) or (..., length) without heads");
        }
        try (Scope s = Scope.inner("rope", x.device())) {
            if (positions.size() > 0) {
                range(positions.min().itemLong(), positions.max().itemLong(), positions.size());
            }
            return s.keep(gathered(x, positions));
        }
    }

    private Tensor gathered(Tensor x, Tensor positions) {
        Tensor flat = positions.flatten();
        long[] shape = positions.shape().plus(rope.rotary() / 2).toArray();
        Tensor c = Indexing.gather(cos, 0, flat).reshape(shape);
        Tensor s = Indexing.gather(sin, 0, flat).reshape(shape);
        return positions.rank() == 1 ? rotate(x, c, s) : rotate(x, c.unsqueeze(-3), s.unsqueeze(-3));
    }

    private void check(Tensor x) {
        if (x.rank() < 2 || x.dim(-1) != rope.headSize()) {
            throw new ShapeException("rope: x does not end in (length, channels); x " + x.shape() + ", head size "
                    + rope.headSize() + "; split the heads first: (..., heads, length, " + rope.headSize() + ")");
        }
        if (!x.dtype().isFloat() || x.dtype().compute() != cos.dtype()) {
            throw new DTypeException("rope: tables do not fit the element type; x " + x.dtype() + " " + x.shape()
                    + ", tables " + cos.dtype() + "; make them with rope.tables(scope, DType." + x.dtype()
                    + ", length)");
        }
    }

    private void range(long first, long last, long rows) {
        if (first < 0 || rows > 0 && last >= length) {
            throw new ShapeException("rope: positions " + first + " to " + last + " are out of range; tables cover "
                    + length + " from 0 on; " + (first < 0
                            ? "positions start at 0"
                            : "make tables of at least " + (last + 1)));
        }
    }

    /** {@code c} and {@code s} broadcast to x's pairs (..., L, rotary / 2). */
    private Tensor rotate(Tensor x, Tensor c, Tensor s) {
        if (rope.rotary() == 0) {
            return x;
        }
        return Scope.innermost("rope", x.device())
                .run(new Op.Rotate(rope.layout() == RopeLayout.INTERLEAVED), x, c, s);
    }

    @Override
    public String toString() {
        return rope + ", " + length + " positions";
    }
}
