package dev.gramian.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** What shapes, layouts and views say when something does not fit. */
class ShapeErrorTest {
    private static final Layout X = Layout.contiguous(Shape.of(2, 3, 4));

    private static void says(String text, org.junit.jupiter.api.function.Executable call) {
        assertEquals(text, assertThrows(ShapeException.class, call).getMessage());
    }

    @Test
    void sizes() {
        says("shape: size of axis 1 is negative; [2, -3]; sizes are 0 or more", () -> Shape.of(2, -3));
        says("shape: too many elements; [4294967296, 4294967296]; at most 2^59 fit",
                () -> Shape.of(1L << 32, 1L << 32));
        // strides are products too, so an empty axis does not excuse the others
        says("shape: too many elements; [4294967296, 0, 4294967296]; at most 2^59 fit",
                () -> Shape.of(1L << 32, 0, 1L << 32));
        assertEquals(1, Shape.SCALAR.size());
    }

    @Test
    void axes() {
        says("sum: axis 3 does not exist; x [2, 3, 4] has 3 axes; use -3 to 2", () -> X.shape().axis("sum", 3));
        says("sum: axis -2 does not exist; x [5] has 1 axis; use -1 to 0", () -> Shape.of(5).axis("sum", -2));
        says("sum: axis 0 does not exist; x [] has 0 axes; a scalar has none to name",
                () -> Shape.SCALAR.axis("sum", 0));
        says("sum: axis 1 is named twice; axes [1, -2] of x [2, 3, 4]; name each axis once",
                () -> X.shape().axes("sum", 1, -2));
    }

    @Test
    void broadcasting() {
        says("add: shapes do not broadcast: axis -2 is 3 and 2; a [3, 4], b [2, 2, 4]; sizes must be equal or 1, aligned from "
                + "the last axis", () -> Shape.broadcast("add", Shape.of(3, 4), Shape.of(2, 2, 4)));
        says("expand: x does not expand; x [2, 3, 4], target [2, 6, 4]; only axes of size 1 repeat, aligned from the last "
                + "axis", () -> X.expand("expand", Shape.of(2, 6, 4)));
    }

    @Test
    void views() {
        says("permute: 2 axes named for 3; order [0, 1], x [2, 3, 4]; name each axis once", () -> X.permute(0, 1));
        says("permute: axis 1 is named twice; axes [0, 1, 1] of x [2, 3, 4]; name each axis once",
                () -> X.permute(0, 1, 1));
        says("slice: step is 0; axis 1 of x [2, 3, 4]; use a step other than 0, negative to run backwards",
                () -> X.slice(1, 0, 2, 0));
        says("select: index 3 is out of range; axis 1 of x [2, 3, 4] has size 3; use -3 to 2", () -> X.select(1, 3));
        says("select: index 0 is out of range; axis 0 of x [0] has size 0; an empty axis has none",
                () -> Layout.contiguous(Shape.of(0)).select(0, 0));
        says("squeeze: axis 1 has size 3; x [2, 3, 4]; only axes of size 1 can go", () -> X.squeeze(1));
        says("unsqueeze: position 5 does not exist; x [2, 3, 4]; use -4 to 3", () -> X.unsqueeze(5));
        says("diagonal: both axes are 1; x [2, 3, 4]; name two different axes", () -> X.diagonal(0, 1, -2));
        says("get: 2 coordinates for 3 axes; x [2, 3, 4]; name one per axis", () -> X.index(0, 1));
    }

    @Test
    void reshaping() {
        says("reshape: two sizes are -1; x [2, 3, 4], target [-1, -1]; at most one size can be worked out",
                () -> Layout.reshapeTarget(X.shape(), -1, -1));
        says("reshape: size -2 is negative; x [2, 3, 4], target [-2, 12]; use -1 for one size to be worked out",
                () -> Layout.reshapeTarget(X.shape(), -2, 12));
        says("reshape: 24 elements do not fill the target; x [2, 3, 4], target [5, -1]; the products of the sizes must be "
                + "equal", () -> Layout.reshapeTarget(X.shape(), 5, -1));
        says("reshape: 24 elements do not fill the target; x [2, 3, 4], target [25]; the products of the sizes must be equal",
                () -> Layout.reshapeTarget(X.shape(), 25));
        assertEquals(Shape.of(6, 4), Layout.reshapeTarget(X.shape(), 6, -1));
    }

    @Test
    void viewsOfStorage() {
        Storage bytes = new Storage(95) {};
        says("view: layout leaves its storage; [2, 3, 4] strides [12, 4, 1] offset 0 of F32, storage 95 bytes; check offset "
                + "and strides", () -> new View(bytes, X, DType.F32));
        assertEquals(DType.U8, new View(bytes, X, DType.U8).dtype());
    }
}
