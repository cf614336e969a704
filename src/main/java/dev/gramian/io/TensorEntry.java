package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import java.nio.ByteOrder;

/**
 * One tensor of a file, as listed without reading its elements.
 *
 * @param name in its container; empty for an {@code .npy} file
 * @param type element type as the file spells it: {@code <f4}, {@code BF16}
 * @param dtype element type here; null where there is none, see {@link #problem}
 * @param shape sizes of the axes; null where the member is not a tensor
 * @param fortranOrder true if the first axis runs fastest
 * @param byteOrder of one element
 * @param offset byte of the file where the elements begin; -1 if they are compressed
 * @param bytes of all elements, uncompressed; -1 if unknown
 * @param problem null, or why this tensor cannot be read, as one line
 */
public record TensorEntry(
        String name,
        String type,
        DType dtype,
        Shape shape,
        boolean fortranOrder,
        ByteOrder byteOrder,
        long offset,
        long bytes,
        String problem) {

    /** The entry of an npy file or member whose bytes begin at {@code start}, -1 if they are compressed. */
    static TensorEntry of(String name, NpyHeader h, long start, Place place) {
        boolean readable = h.type().problem() == null;
        return new TensorEntry(
                name,
                h.type().descr(),
                h.type().dtype(),
                h.shape(),
                h.fortranOrder(),
                h.type().order(),
                start < 0 ? -1 : start + h.dataOffset(),
                h.type().itemBytes() < 0 ? -1 : h.dataBytes(),
                readable ? null : h.unsupported(place).getMessage());
    }

    /** A member of a container that is listed but is no tensor. */
    static TensorEntry unreadable(String name, long offset, long bytes, String problem) {
        return new TensorEntry(name, "?", null, null, false, ByteOrder.nativeOrder(), offset, bytes, problem);
    }
}
