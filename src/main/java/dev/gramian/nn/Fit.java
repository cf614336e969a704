package dev.gramian.nn;

import dev.gramian.Tensor;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;

/** What every layer asks of its weights and operands, with the errors that say so. */
final class Fit {
    private Fit() {}

    static void given(String op, String what, Object part, String hint) {
        if (part == null) {
            throw new GramianException(op + ": no " + what + "; it is null; " + hint);
        }
    }

    /** A float tensor with so many axes. */
    static void weight(String op, String name, Tensor t, int rank, String form) {
        given(op, name, t, "give " + form);
        if (!t.dtype().isFloat()) {
            throw new DTypeException(op + ": " + name + " is " + t.dtype() + "; " + name + " " + t.shape()
                    + "; cast with .to(DType.F32)");
        }
        if (t.rank() != rank) {
            throw new ShapeException(op + ": " + name + " has " + t.rank() + (t.rank() == 1 ? " axis" : " axes") + "; "
                    + name + " " + t.shape() + "; give " + form);
        }
    }

    /** Of one device and element type. */
    static void alike(String op, String nameA, Tensor a, String nameB, Tensor b) {
        if (a.device() != b.device()) {
            throw new DeviceException(op + ": " + nameA + " and " + nameB + " are on different devices; " + nameA + " "
                    + a.shape() + " on " + a.device().name() + ", " + nameB + " " + b.shape() + " on "
                    + b.device().name() + "; move one with .to(device)");
        }
        if (a.dtype() != b.dtype()) {
            throw new DTypeException(op + ": element types differ; " + nameA + " " + a.dtype() + " " + a.shape() + ", "
                    + nameB + " " + b.dtype() + " " + b.shape() + "; cast one with .to(DType." + b.dtype() + ")");
        }
    }

    static void eps(String op, double eps) {
        if (!(eps >= 0 && eps < Double.POSITIVE_INFINITY)) {
            throw new GramianException(op + ": eps is " + eps + "; it keeps the root of the variance from 0; "
                    + "give 0 or more, 1e-5 is usual");
        }
    }

    /** Where one part's results are the next one's operands. */
    static void chain(String op, String nameA, Linear a, String nameB, Linear b) {
        if (a.out() != b.in()) {
            throw new ShapeException(op + ": " + nameA + " gives " + a.out() + " features, " + nameB + " takes "
                    + b.in() + "; " + nameA + " " + a.weight().shape() + ", " + nameB + " " + b.weight().shape()
                    + " (out, in); they must be equal");
        }
        alike(op, nameA, a.weight(), nameB, b.weight());
    }

    /** Where two parts take the same operand. */
    static void sameOperand(String op, String nameA, Linear a, String nameB, Linear b) {
        if (a.in() != b.in()) {
            throw new ShapeException(op + ": " + nameA + " and " + nameB + " take different features; " + nameA + " "
                    + a.weight().shape() + ", " + nameB + " " + b.weight().shape()
                    + " (out, in); their last axes must be equal");
        }
        alike(op, nameA, a.weight(), nameB, b.weight());
    }

    /** Where a sum needs what a part gives to be as wide as what it takes. */
    static void residual(String op, String name, long in, long out) {
        if (in != out) {
            throw new ShapeException(op + ": " + name + " gives " + out + " features, x has " + in + "; " + name
                    + " takes (..., " + in + ") and gives (..., " + out + "); their sum needs equal widths");
        }
    }

    /** A norm of the rows that a part takes or gives. */
    static void norm(String op, String name, Norm norm, String part, Tensor weight, long features) {
        given(op, name, norm, "give a LayerNorm or an RmsNorm");
        if (norm.weight().dim(0) != features) {
            throw new ShapeException(op + ": " + name + " is for " + norm.weight().dim(0) + " features, " + part
                    + " for " + features + "; " + name + " " + norm.weight().shape() + ", " + part + " "
                    + weight.shape() + "; they must be equal");
        }
        alike(op, name, norm.weight(), part, weight);
    }
}
