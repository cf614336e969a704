package dev.gramian;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.Spec;

/**
 * Memory in blocks of equal size that are filled and used again in any order, (planes, blocks, positions, width). As with
 * {@link Buffer} no tensor changes by what is written here: what outlives a call is copied.
 *
 * <p>Places count through all blocks: position p of block b is place {@code b * positions + p}. Memory belongs to the scope
 * given; only that scope's thread may use it. Which places are filled is the caller's to know.
 */
public final class Blocks implements AutoCloseable {
    private final Scope scope;
    private final Spec spec;
    private Tensor whole;

    private Blocks(Scope scope, Spec spec) {
        this.scope = scope;
        this.spec = spec;
        whole = scope.block("blocks", spec);
    }

    /** Memory for {@code blocks} blocks, its contents undefined. */
    public static Blocks of(Scope scope, DType dtype, long planes, long blocks, long positions, long width) {
        return new Blocks(scope, new Spec(Shape.of(planes, blocks, positions, width), dtype));
    }

    /** (planes, blocks, positions, width). */
    public Shape shape() {
        return spec.shape();
    }

    public DType dtype() {
        return spec.dtype();
    }

    public Device device() {
        return scope.device();
    }

    public long bytes() {
        return spec.bytes();
    }

    private Tensor places(String op) {
        if (whole == null) {
            throw new ClosedException(op + ": blocks are closed; " + spec.dtype() + " " + shape() + "; make others");
        }
        return whole.reshape(shape().at(0), shape().at(1) * shape().at(2), shape().at(3));
    }

    /** Writes x (planes, n, width) to the places from {@code at} on. */
    public void write(long at, Tensor x) {
        scope.assign(target(at, x), x);
    }

    /** As {@link #write}, row i turned on the way by row i of cos and sin (n, pairs), as {@link Op.Rotate} does. */
    public void writeRotated(long at, Tensor x, Tensor cos, Tensor sin, boolean interleaved) {
        scope.write(new Op.Rotate(interleaved), target(at, x), x, cos, sin);
    }

    private Tensor target(long at, Tensor x) {
        Tensor to = places("write");
        if (x.rank() != 3 || x.dtype() != spec.dtype() || x.dim(0) != to.dim(0) || x.dim(2) != to.dim(2)) {
            throw new ShapeException("write: x does not fit; x " + x.describe() + ", blocks " + spec.dtype() + " "
                    + shape() + " (planes, blocks, positions, width); give (planes, n, width)");
        }
        return part("write", to, at, x.dim(1));
    }

    /** Copies {@code n} places to others. */
    public void copy(long from, long to, long n) {
        Tensor all = places("copy");
        scope.assign(part("copy", all, to, n), part("copy", all, from, n));
    }

    private Tensor part(String op, Tensor places, long from, long n) {
        if (from < 0 || n < 0 || n > places.dim(1) - from) {
            throw new ShapeException(op + ": places " + from + " to " + (from + n - 1) + " do not exist; blocks "
                    + spec.dtype() + " " + shape() + " (planes, blocks, positions, width); there are 0 to "
                    + (places.dim(1) - 1));
        }
        return places.slice(1, from, from + n);
    }

    /** A copy of the blocks named by {@code index} (n), I64 or I32, one after another: (planes, n * positions, width). */
    public Tensor gather(Tensor index) {
        places("gather");
        Tensor blocks = Indexing.gather(whole, 1, index);
        return blocks.reshape(shape().at(0), index.dim(0) * shape().at(2), shape().at(3));
    }

    /** {@code n} places, (planes, n, width), to be used at once: the next write may change them. */
    public Tensor view(long from, long n) {
        return part("view", places("view"), from, n);
    }

    /** Frees the memory before the scope does. Closing twice is harmless. */
    @Override
    public void close() {
        if (whole != null) {
            scope.release(whole);
            whole = null;
        }
    }

    @Override
    public String toString() {
        return "blocks " + spec.dtype() + " " + shape() + (whole == null ? ", closed" : "");
    }
}
