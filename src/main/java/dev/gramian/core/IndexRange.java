package dev.gramian.core;

import java.util.Arrays;

/** What every device says of an index that names no entry of the axis it is for. */
public final class IndexRange {
    private IndexRange() {}

    /** {@code position}: row-major place of {@code value} in the index, -1 where it is not known. */
    public static ShapeException outside(String op, Shape x, int axis, Shape index, long value, long position) {
        long entries = x.at(axis);
        return new ShapeException(op + ": index " + value + " is out of range; x " + x + " has " + entries
                + (entries == 1 ? " entry" : " entries") + " on axis " + axis + ", index " + index
                + (position < 0 ? "" : " at position " + place(index, position)) + "; "
                + (entries == 0 ? "an empty axis has none to name" : "use " + -entries + " to " + (entries - 1)));
    }

    /** Coordinates of a row-major position: a number for one axis, a list otherwise. */
    private static String place(Shape index, long position) {
        long[] c = new long[index.rank()];
        for (int i = c.length - 1; i >= 0; i--) {
            c[i] = position % index.at(i);
            position /= index.at(i);
        }
        return c.length == 1 ? Long.toString(c[0]) : Arrays.toString(c);
    }
}
