package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class EinsumErrorTest {
    private static void spec(String spec, String message) {
        assertEquals(message, assertThrows(ShapeException.class, () -> Einsum.of(spec)).getMessage());
    }

    private static void shapes(String spec, String message, Shape... shapes) {
        assertEquals(message,
                assertThrows(ShapeException.class, () -> Einsum.of(spec).explain(shapes)).getMessage());
    }

    @Test
    void specs() {
        String letters = "labels are letters a to z and A to Z";
        spec("ij1->i", "einsum: character '1' at position 2 is no label; spec \"ij1->i\"; " + letters);
        spec("ij-i", "einsum: character '-' at position 2 is no label; spec \"ij-i\"; " + letters);
        spec("ij>i", "einsum: character '>' at position 2 is no label; spec \"ij>i\"; " + letters);
        spec("i\u00e9", "einsum: character '\u00e9' at position 1 is no label; spec \"i\u00e9\"; " + letters);
        spec("ij->i->j", "einsum: second arrow at position 5; spec \"ij->i->j\"; "
                + "write inputs->output, such as \"ij,jk->ik\"");
        spec("ij->i,j", "einsum: comma in the output at position 5; spec \"ij->i,j\"; there is one output");
        spec("i..j", "einsum: dots at position 1 are not an ellipsis; spec \"i..j\"; write three dots together");
        spec(". . .i", "einsum: dots at position 0 are not an ellipsis; spec \". . .i\"; write three dots together");
        spec("...i...", "einsum: second ellipsis in one term at position 4; spec \"...i...\"; a term has at most one");
        spec("i->......", "einsum: second ellipsis in one term at position 6; spec \"i->......\"; "
                + "a term has at most one");
        spec("ij->iji", "einsum: output names 'i' twice; spec \"ij->iji\"; name each output label once");
        spec("ij->K", "einsum: output label 'K' is in no input; spec \"ij->K\"; every output label needs a size");
    }

    @Test
    void operandsThatDoNotFit() {
        shapes("ij,jk->ik", "einsum: 2 terms for 1 operand; spec \"ij,jk->ik\", operand 0 [2, 3]; "
                + "give one tensor per term", Shape.of(2, 3));
        shapes("ij", "einsum: 1 term for 2 operands; spec \"ij\", operand 0 [2, 3], operand 1 []; "
                + "give one tensor per term", Shape.of(2, 3), Shape.SCALAR);
        shapes("i", "einsum: 1 term for 0 operands; spec \"i\", no operands; give one tensor per term");
        shapes("i,ij", "einsum: operand 1 has 3 axes, its term names 2; spec \"i,ij\", operand 1 \"ij\" [2, 3, 4]; "
                + "name every axis, or write ... for the others", Shape.of(2), Shape.of(2, 3, 4));
        shapes("ij", "einsum: operand 0 has 1 axis, its term names 2; spec \"ij\", operand 0 \"ij\" [2]; "
                + "name one label per axis", Shape.of(2));
        shapes("...ij", "einsum: operand 0 has 1 axis, its term names 2; spec \"...ij\", operand 0 \"...ij\" [2]; "
                + "name one label per axis", Shape.of(2));
        shapes("ij,jk->ik",
                "einsum: label 'j' has sizes 3 and 4; spec \"ij,jk->ik\", axis 1 of operand 0 \"ij\" [2, 3], "
                        + "axis 0 of operand 1 \"jk\" [4, 5]; sizes must be equal or 1",
                Shape.of(2, 3), Shape.of(4, 5));
        shapes("j,j,j", "einsum: label 'j' has sizes 3 and 0; spec \"j,j,j\", axis 0 of operand 1 \"j\" [3], "
                + "axis 0 of operand 2 \"j\" [0]; sizes must be equal or 1", Shape.of(1), Shape.of(3), Shape.of(0));
        shapes("...i,...i",
                "einsum: ellipsis axis -1 has sizes 2 and 4; spec \"...i,...i\", axis 0 of operand 0 \"...i\" "
                        + "[2, 3], axis 1 of operand 1 \"...i\" [5, 4, 3]; sizes must be equal or 1",
                Shape.of(2, 3), Shape.of(5, 4, 3));
        shapes("iji->j",
                "einsum: label 'i' has sizes 1 and 3 in one operand; spec \"iji->j\", axes 0 and 2 of operand 0 "
                        + "\"iji\" [1, 2, 3]; a diagonal needs equal sizes",
                Shape.of(1, 2, 3));
        shapes("...i->i",
                "einsum: output drops the ellipsis, which stands for 1 axis; spec \"...i->i\", operand 0 [2, 3]; "
                        + "write ... in the output too, or name the axes to sum over",
                Shape.of(2, 3));
        shapes("...", "einsum: ellipsis stands for 13 axes; spec \"...\", operand 0 \"...\" "
                + Shape.of(new long[13]) + "; at most 12 fit, merge some with reshape", Shape.of(new long[13]));
    }

    @DeviceSpec
    void typesAndLifetimes(Device device) {
        try (Scope s = device.open()) {
            Tensor f = s.ones(2, 3);
            Tensor d = s.ones(DType.F64, 3, 4);
            Einsum product = Einsum.of("ij,jk");
            assertEquals(
                    "einsum: element types differ: F32 and F64; operand 0 [2, 3], operand 1 [3, 4], spec \"ij,jk\"; "
                            + "cast one with .to(DType.F32)",
                    assertThrows(DTypeException.class, () -> product.apply(f, d)).getMessage());
            Tensor b = f.gt(0);
            String hint = "; cast with .to(DType.I64) or .to(DType.F32)";
            assertEquals("einsum: BOOL has no sum or product; operand 0 [2, 3]" + hint,
                    assertThrows(DTypeException.class, () -> Einsum.of("ij->i").apply(b)).getMessage());
            assertTrue(Einsum.of("ij->ji").apply(b).toBooleanArray()[0]);
            Tensor gone;
            try (Scope inner = device.open()) {
                gone = inner.ones(3);
            }
            ClosedException e = assertThrows(ClosedException.class, () -> Einsum.of("i->i").apply(gone));
            assertTrue(e.getMessage().startsWith("einsum: operand 0 is used after its scope closed; F32 [3]"),
                    e.getMessage());
            long live = s.liveBytes();
            assertThrows(GramianException.class, () -> product.apply(f, f));
            assertEquals(live, s.liveBytes());
        }
    }

    @Test
    void twoDevices() {
        Device one = Device.of("cpu:scalar");
        Device two = Device.of("cpu");
        if (one == two) {
            two = Device.of("cpu:vector");
        }
        try (Scope a = one.open(); Scope b = two.open()) {
            Tensor x = a.ones(3);
            Tensor y = b.ones(3);
            assertEquals("einsum: operands are on two devices; operand 0 F32 [3] on cpu:scalar, operand 1 F32 [3] on "
                    + two.name() + "; move one with .to(Device.of(\"cpu:scalar\"))",
                    assertThrows(DeviceException.class, () -> Einsum.of("i,i").apply(x, y)).getMessage());
        }
    }

    /** Whatever the text: a spec or the library's own exception. */
    @Test
    void randomTexts() {
        long seed = Seed.VALUE;
        Random random = new Random(seed);
        int good = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder s = new StringBuilder();
            for (int n = random.nextInt(10); n > 0; n--) {
                s.append(random.nextInt(4) == 0
                        ? random.nextBoolean() ? "..." : "->"
                        : "" + "ijKL,, .->0(".charAt(
                                random.nextInt(12)));
            }
            try {
                Einsum.of(s.toString());
                good++;
            } catch (ShapeException e) {
                assertTrue(e.getMessage().startsWith("einsum: ") && e.getMessage().contains(s), "seed " + seed);
            }
        }
        assertTrue(good > 1000, "seed " + seed + ", good " + good);
    }
}
