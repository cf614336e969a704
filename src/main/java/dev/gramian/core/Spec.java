package dev.gramian.core;

/** Shape and element type: what an operation's result will be, before any memory exists. */
public record Spec(Shape shape, DType dtype) {

    /** Bytes of a contiguous tensor of this kind. */
    public long bytes() {
        return shape.size() * dtype.bytes();
    }

    @Override
    public String toString() {
        return dtype + " " + shape;
    }
}
