package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import java.lang.foreign.MemorySegment;

/** Elements to be written: little-endian, in C order, handed out in pieces so that any amount fits. */
record Elements(DType dtype, Shape shape, Source source) {

    @FunctionalInterface
    interface Source extends AutoCloseable {
        /** The bytes from {@code at} on, native or of a byte array; valid until the next call. */
        MemorySegment piece(long at, long length);

        /** Called after the last piece or a failure. */
        @Override
        default void close() {}
    }

    static Elements of(DType dtype, Shape shape, MemorySegment bytes) {
        return new Elements(dtype, shape, bytes::asSlice);
    }

    long bytes() {
        return shape.size() * dtype.bytes();
    }
}
