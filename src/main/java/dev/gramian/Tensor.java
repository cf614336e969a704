package dev.gramian;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;

/**
 * Numbers of one element type in a shape, on one device: a view of bytes that a {@link Scope} owns. Immutable.
 *
 * <p>Views (reshape, transpose, slice, ...) share the bytes and cost nothing; everything else computes at once, in the
 * innermost open scope of the tensor's device, into a fresh contiguous result. Operands broadcast as NumPy's do and must
 * be of one element type; nothing is promoted or moved between devices silently. Axes may be negative, counting from the
 * end. Einsum, indexing, joining and norms have classes of their own: {@link Einsum}, {@link Indexing}, {@link Join},
 * {@link Norms}.
 */
public final class Tensor {
    private final View view;
    private final Device device;

    Tensor(View view, Device device) {
        this.view = view;
        this.device = device;
    }

    View view() {
        return view;
    }

    public Shape shape() {
        return view.shape();
    }

    public DType dtype() {
        return view.dtype();
    }

    public Device device() {
        return device;
    }

    /** Shape, strides and offset in elements. */
    public Layout layout() {
        return view.layout();
    }

    public int rank() {
        return view.layout().rank();
    }

    /** Number of elements. */
    public long size() {
        return view.layout().size();
    }

    /** Size of one axis. */
    public long dim(int axis) {
        return view.shape().dim(axis);
    }

    /** Element type and shape, as errors name an operand: {@code F32 [2, 3]}. */
    String describe() {
        return dtype() + " " + shape();
    }

    // ---- views: no copy ----------------------------------------------------------------------------------------------

    private Tensor with(Layout layout) {
        return layout == view.layout() ? this : new Tensor(new View(view.storage(), layout, view.dtype()), device);
    }

    /** The same elements in another shape, one size may be -1; copies only where no strides describe it. */
    public Tensor reshape(long... shape) {
        Shape target = Shape.of(Layout.reshapeTarget(shape(), shape).toArray());
        Layout l = layout().reshape(target);
        return l != null ? with(l) : contiguous().with(Layout.contiguous(target));
    }

    /** One axis with all elements, row-major. */
    public Tensor flatten() {
        return reshape(-1);
    }

    /** Exchanges two axes. */
    public Tensor transpose(int axis1, int axis2) {
        return with(layout().transpose(axis1, axis2));
    }

    /** Axis i of the result is axis {@code order[i]} of this. */
    public Tensor permute(int... order) {
        return with(layout().permute(order));
    }

    /** Elements {@code start} up to {@code stop} of one axis, by Python's rule. */
    public Tensor slice(int axis, long start, long stop) {
        return slice(axis, start, stop, 1);
    }

    /**
     * Elements {@code start, start + step, ...} before {@code stop} of one axis, by Python's rule: negative bounds count
     * from the end, bounds beyond the axis are clamped, a negative step runs backwards.
     */
    public Tensor slice(int axis, long start, long stop, long step) {
        return with(layout().slice(axis, start, stop, step));
    }

    /** The axis in reverse order. */
    public Tensor flip(int axis) {
        return slice(axis, Long.MAX_VALUE, Long.MIN_VALUE, -1);
    }

    /** The sub-tensor at one index of an axis, which disappears. */
    public Tensor select(int axis, long index) {
        return with(layout().select(axis, index));
    }

    /** Drops an axis of size 1. */
    public Tensor squeeze(int axis) {
        return with(layout().squeeze(axis));
    }

    /** Drops every axis of size 1. */
    public Tensor squeeze() {
        return with(layout().squeeze());
    }

    /** Inserts an axis of size 1 before {@code axis}; -1 appends it. */
    public Tensor unsqueeze(int axis) {
        return with(layout().unsqueeze(axis));
    }

    /** Repeats axes of size 1, and new leading ones, by stride 0; -1 keeps an axis as it is. */
    public Tensor expand(long... shape) {
        long[] target = shape.clone();
        for (int i = 0; i < target.length - rank(); i++) {
            if (target[i] == -1) {
                throw new ShapeException("expand: -1 stands for no axis of x; x " + shape() + ", target "
                        + Arrays.toString(shape) + "; give new leading axes a size");
            }
        }
        for (int i = 1; i <= Math.min(target.length, rank()); i++) {
            if (target[target.length - i] == -1) {
                target[target.length - i] = shape().at(rank() - i);
            }
        }
        return with(layout().expand("expand", Shape.of(target)));
    }

    /** The main diagonal of the last two axes, as the last axis. */
    public Tensor diagonal() {
        return diagonal(0, -2, -1);
    }

    /** Diagonal {@code k} (above the main one if positive) of two axes, appended as the last axis. */
    public Tensor diagonal(long k, int axis1, int axis2) {
        return with(layout().diagonal(k, axis1, axis2));
    }

    /** Splits, merges and reorders axes by einops' notation: {@code "b l (h d) -> b h l d"} with the size of h or d. */
    public Tensor rearrange(String pattern, Map<String, ? extends Number> sizes) {
        return Einops.rearrange(this, pattern, sizes);
    }

    /** As {@link #rearrange(String, Map)} where every size follows from the shape. */
    public Tensor rearrange(String pattern) {
        return Einops.rearrange(this, pattern, Map.of());
    }

    // ---- copies ------------------------------------------------------------------------------------------------------

    /** This, if its elements lie row-major without gaps, else a copy that does. */
    public Tensor contiguous() {
        return layout().isContiguous() ? this : copy();
    }

    /** The same values in fresh memory, contiguous. */
    public Tensor copy() {
        return run("copy", new Op.Copy(dtype()));
    }

    /**
     * The same values in another element type: rounded once to nearest even; float to integer toward zero, saturating,
     * NaN to 0; to BOOL, whatever is not zero is true. This, if it has that type already.
     */
    public Tensor to(DType dtype) {
        return dtype == dtype() ? this : run("to", new Op.Copy(dtype));
    }

    /** A copy on another device, in that device's innermost open scope; this, if it is there already. */
    public Tensor to(Device device) {
        return device == this.device ? this : Scope.innermost("to", device).receive(this);
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    /** All values of a float tensor of at most 32 bits, row-major. */
    public float[] toFloatArray() {
        if (dtype() != DType.F32 && !dtype().isHalf()) {
            throw new DTypeException("toFloatArray: " + dtype() + " values may not fit a float; x " + shape()
                    + "; use " + (dtype().isFloat() ? "toDoubleArray()" : "toLongArray()") + " or .to(DType.F32)");
        }
        float[] r = new float[Host.count("toFloatArray", this)];
        Host.copy(this, DType.F32, MemorySegment.ofArray(r));
        return r;
    }

    /** All values, row-major; I64 beyond 2^53 is rounded. */
    public double[] toDoubleArray() {
        double[] r = new double[Host.count("toDoubleArray", this)];
        Host.copy(this, DType.F64, MemorySegment.ofArray(r));
        return r;
    }

    /** All values of an integer or BOOL tensor, row-major. */
    public long[] toLongArray() {
        if (dtype().isFloat()) {
            throw new DTypeException("toLongArray: " + dtype() + " values are not whole; x " + shape()
                    + "; use toDoubleArray() or .to(DType.I64)");
        }
        long[] r = new long[Host.count("toLongArray", this)];
        Host.copy(this, DType.I64, MemorySegment.ofArray(r));
        return r;
    }

    /** All values of a BOOL tensor, row-major. */
    public boolean[] toBooleanArray() {
        if (dtype() != DType.BOOL) {
            throw new DTypeException("toBooleanArray: x is " + describe() + "; compare first, e.g. x.ne(0)");
        }
        byte[] bytes = new byte[Host.count("toBooleanArray", this)];
        Host.copy(this, DType.BOOL, MemorySegment.ofArray(bytes));
        boolean[] r = new boolean[bytes.length];
        for (int i = 0; i < r.length; i++) {
            r[i] = bytes[i] != 0;
        }
        return r;
    }

    /** Copies all elements, row-major in this element type, to a segment of exactly their size. */
    public void copyTo(MemorySegment host) {
        if (host.byteSize() != size() * dtype().bytes()) {
            throw new ShapeException("copyTo: segment has " + host.byteSize() + " bytes; x " + describe() + " has "
                    + size() * dtype().bytes() + "; the sizes must be equal");
        }
        if (host.isReadOnly()) {
            throw new GramianException(
                    "copyTo: segment is read-only; x " + describe() + "; give one that can be written");
        }
        Host.copy(this, dtype(), host);
    }

    /** The value of a tensor with one element. */
    public double item() {
        one("item");
        return toDoubleArray()[0];
    }

    /** The value of an integer or BOOL tensor with one element. */
    public long itemLong() {
        one("itemLong");
        if (dtype().isFloat()) {
            throw new DTypeException("itemLong: " + dtype() + " values are not whole; x " + shape()
                    + "; use item() or .to(DType.I64)");
        }
        return toLongArray()[0];
    }

    private void one(String op) {
        if (size() != 1) {
            throw new ShapeException(op + ": x has " + size() + " elements; x " + describe()
                    + "; select one, or use toDoubleArray()");
        }
    }

    /** The value at one position, an index per axis. */
    public double get(long... index) {
        long at = layout().index(index);
        Layout l = layout();
        for (int i = 0; i < index.length; i++) {
            l = l.select(0, index[i]);
        }
        assert l.offset() == at;
        return with(l).item();
    }

    /** As NumPy prints, after a line with shape, strides, element type and device. */
    @Override
    public String toString() {
        return TensorPrinter.print(this);
    }

    // ---- elementwise, one operand ------------------------------------------------------------------------------------

    private Tensor run(String op, Op o) {
        return Scope.innermost(op, device).run(o, this);
    }

    private Tensor map(MapFn fn) {
        return run(fn.label(), new Op.Map(fn, 0, 0));
    }

    public Tensor neg() {
        return map(MapFn.NEG);
    }

    public Tensor abs() {
        return map(MapFn.ABS);
    }

    /** -1, 0 or 1; NaN stays NaN. */
    public Tensor sign() {
        return map(MapFn.SIGN);
    }

    public Tensor sqrt() {
        return map(MapFn.SQRT);
    }

    /** 1 / sqrt(x). */
    public Tensor rsqrt() {
        return map(MapFn.RSQRT);
    }

    /** 1 / x. */
    public Tensor reciprocal() {
        return map(MapFn.RECIPROCAL);
    }

    public Tensor square() {
        return map(MapFn.SQUARE);
    }

    public Tensor exp() {
        return map(MapFn.EXP);
    }

    /** exp(x) - 1, exact near 0. */
    public Tensor expm1() {
        return map(MapFn.EXPM1);
    }

    /** Natural logarithm. */
    public Tensor log() {
        return map(MapFn.LOG);
    }

    /** log(1 + x), exact near 0. */
    public Tensor log1p() {
        return map(MapFn.LOG1P);
    }

    public Tensor log2() {
        return map(MapFn.LOG2);
    }

    public Tensor sin() {
        return map(MapFn.SIN);
    }

    public Tensor cos() {
        return map(MapFn.COS);
    }

    public Tensor tan() {
        return map(MapFn.TAN);
    }

    public Tensor tanh() {
        return map(MapFn.TANH);
    }

    public Tensor erf() {
        return map(MapFn.ERF);
    }

    /** 1 / (1 + exp(-x)). */
    public Tensor sigmoid() {
        return map(MapFn.SIGMOID);
    }

    /** max(x, 0); NaN stays NaN. */
    public Tensor relu() {
        return map(MapFn.RELU);
    }

    /** x times the normal distribution function of x. */
    public Tensor gelu() {
        return map(MapFn.GELU);
    }

    /** {@link #gelu}'s approximation by tanh. */
    public Tensor geluTanh() {
        return map(MapFn.GELU_TANH);
    }

    /** x * sigmoid(x). */
    public Tensor silu() {
        return map(MapFn.SILU);
    }

    public Tensor floor() {
        return map(MapFn.FLOOR);
    }

    public Tensor ceil() {
        return map(MapFn.CEIL);
    }

    /** To the nearest whole number, halves to even. */
    public Tensor round() {
        return map(MapFn.ROUND);
    }

    public Tensor trunc() {
        return map(MapFn.TRUNC);
    }

    public Tensor isNan() {
        return map(MapFn.IS_NAN);
    }

    public Tensor isInf() {
        return map(MapFn.IS_INF);
    }

    public Tensor isFinite() {
        return map(MapFn.IS_FINITE);
    }

    /** Logical for BOOL, bitwise for integers. */
    public Tensor not() {
        return map(MapFn.NOT);
    }

    /** Limits values to [min, max]; NaN stays NaN. */
    public Tensor clamp(double min, double max) {
        return run("clamp", new Op.Map(MapFn.CLAMP, min, max));
    }

    // ---- elementwise, two operands -----------------------------------------------------------------------------------

    private Tensor zip(ZipFn fn, Tensor y) {
        return Scope.innermost(fn.label(), device).run(new Op.Zip(fn), this, y);
    }

    private Tensor zip(ZipFn fn, double y) {
        return run(fn.label(), new Op.ZipScalar(fn, y, false));
    }

    public Tensor add(Tensor y) {
        return zip(ZipFn.ADD, y);
    }

    public Tensor add(double y) {
        return zip(ZipFn.ADD, y);
    }

    public Tensor sub(Tensor y) {
        return zip(ZipFn.SUB, y);
    }

    public Tensor sub(double y) {
        return zip(ZipFn.SUB, y);
    }

    public Tensor mul(Tensor y) {
        return zip(ZipFn.MUL, y);
    }

    public Tensor mul(double y) {
        return zip(ZipFn.MUL, y);
    }

    /** Of floats; integers are cast first. */
    public Tensor div(Tensor y) {
        return zip(ZipFn.DIV, y);
    }

    public Tensor div(double y) {
        return zip(ZipFn.DIV, y);
    }

    public Tensor pow(Tensor y) {
        return zip(ZipFn.POW, y);
    }

    public Tensor pow(double y) {
        return zip(ZipFn.POW, y);
    }

    /** The larger of both; NaN if either is. */
    public Tensor maximum(Tensor y) {
        return zip(ZipFn.MAXIMUM, y);
    }

    public Tensor maximum(double y) {
        return zip(ZipFn.MAXIMUM, y);
    }

    /** The smaller of both; NaN if either is. */
    public Tensor minimum(Tensor y) {
        return zip(ZipFn.MINIMUM, y);
    }

    public Tensor minimum(double y) {
        return zip(ZipFn.MINIMUM, y);
    }

    /** With the divisor's sign, as Python's %. */
    public Tensor remainder(Tensor y) {
        return zip(ZipFn.REMAINDER, y);
    }

    public Tensor remainder(double y) {
        return zip(ZipFn.REMAINDER, y);
    }

    public Tensor eq(Tensor y) {
        return zip(ZipFn.EQ, y);
    }

    public Tensor eq(double y) {
        return zip(ZipFn.EQ, y);
    }

    public Tensor ne(Tensor y) {
        return zip(ZipFn.NE, y);
    }

    public Tensor ne(double y) {
        return zip(ZipFn.NE, y);
    }

    public Tensor lt(Tensor y) {
        return zip(ZipFn.LT, y);
    }

    public Tensor lt(double y) {
        return zip(ZipFn.LT, y);
    }

    public Tensor le(Tensor y) {
        return zip(ZipFn.LE, y);
    }

    public Tensor le(double y) {
        return zip(ZipFn.LE, y);
    }

    public Tensor gt(Tensor y) {
        return zip(ZipFn.GT, y);
    }

    public Tensor gt(double y) {
        return zip(ZipFn.GT, y);
    }

    public Tensor ge(Tensor y) {
        return zip(ZipFn.GE, y);
    }

    public Tensor ge(double y) {
        return zip(ZipFn.GE, y);
    }

    /** The angle whose tangent is this / x, in the quadrant of the point (x, this), in radians. */
    public Tensor atan2(Tensor x) {
        return zip(ZipFn.ATAN2, x);
    }

    /** Logical for BOOL, bitwise for integers. */
    public Tensor and(Tensor y) {
        return zip(ZipFn.AND, y);
    }

    /** Logical for BOOL, bitwise for integers. */
    public Tensor or(Tensor y) {
        return zip(ZipFn.OR, y);
    }

    /** Logical for BOOL, bitwise for integers. */
    public Tensor xor(Tensor y) {
        return zip(ZipFn.XOR, y);
    }

    /** {@code x - this}. */
    public Tensor rsub(double x) {
        return run("sub", new Op.ZipScalar(ZipFn.SUB, x, true));
    }

    /** {@code x / this}. */
    public Tensor rdiv(double x) {
        return run("div", new Op.ZipScalar(ZipFn.DIV, x, true));
    }

    /** Where this (BOOL) holds, the element of {@code x}, else that of {@code y}; all three broadcast. */
    public Tensor where(Tensor x, Tensor y) {
        return Scope.innermost("where", device).run(new Op.Where(), this, x, y);
    }

    // ---- reductions: over the named axes, or all of them where none is named -----------------------------------------

    private Tensor reduce(ReduceFn fn, double param, boolean keepDims, int... axes) {
        return run(fn.label(), new Op.Reduce(fn, shape().axes(fn.label(), axes), keepDims, param));
    }

    /** Sum; integers and BOOL give I64. */
    public Tensor sum(int... axes) {
        return reduce(ReduceFn.SUM, 0, false, axes);
    }

    /** As {@link #sum(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor sum(boolean keepDims, int... axes) {
        return reduce(ReduceFn.SUM, 0, keepDims, axes);
    }

    /** Product; integers and BOOL give I64. */
    public Tensor prod(int... axes) {
        return reduce(ReduceFn.PROD, 0, false, axes);
    }

    /** As {@link #prod(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor prod(boolean keepDims, int... axes) {
        return reduce(ReduceFn.PROD, 0, keepDims, axes);
    }

    /** Mean of a float tensor. */
    public Tensor mean(int... axes) {
        return reduce(ReduceFn.MEAN, 0, false, axes);
    }

    /** As {@link #mean(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor mean(boolean keepDims, int... axes) {
        return reduce(ReduceFn.MEAN, 0, keepDims, axes);
    }

    /** Smallest element; NaN if there is one. */
    public Tensor min(int... axes) {
        return reduce(ReduceFn.MIN, 0, false, axes);
    }

    /** As {@link #min(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor min(boolean keepDims, int... axes) {
        return reduce(ReduceFn.MIN, 0, keepDims, axes);
    }

    /** Largest element; NaN if there is one. */
    public Tensor max(int... axes) {
        return reduce(ReduceFn.MAX, 0, false, axes);
    }

    /** As {@link #max(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor max(boolean keepDims, int... axes) {
        return reduce(ReduceFn.MAX, 0, keepDims, axes);
    }

    /** Index (I64) of the first smallest element, or of the first NaN. */
    public Tensor argMin(int... axes) {
        return reduce(ReduceFn.ARGMIN, 0, false, axes);
    }

    /** As {@link #argMin(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor argMin(boolean keepDims, int... axes) {
        return reduce(ReduceFn.ARGMIN, 0, keepDims, axes);
    }

    /** Index (I64) of the first largest element, or of the first NaN. */
    public Tensor argMax(int... axes) {
        return reduce(ReduceFn.ARGMAX, 0, false, axes);
    }

    /** As {@link #argMax(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor argMax(boolean keepDims, int... axes) {
        return reduce(ReduceFn.ARGMAX, 0, keepDims, axes);
    }

    /** True where any element is not zero. */
    public Tensor any(int... axes) {
        return reduce(ReduceFn.ANY, 0, false, axes);
    }

    /** As {@link #any(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor any(boolean keepDims, int... axes) {
        return reduce(ReduceFn.ANY, 0, keepDims, axes);
    }

    /** True where no element is zero. */
    public Tensor all(int... axes) {
        return reduce(ReduceFn.ALL, 0, false, axes);
    }

    /** As {@link #all(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor all(boolean keepDims, int... axes) {
        return reduce(ReduceFn.ALL, 0, keepDims, axes);
    }

    /** log(sum(exp(x))) without overflow. */
    public Tensor logSumExp(int... axes) {
        return reduce(ReduceFn.LOGSUMEXP, 0, false, axes);
    }

    /** As {@link #logSumExp(int...)}; reduced axes stay with size 1 where {@code keepDims}. */
    public Tensor logSumExp(boolean keepDims, int... axes) {
        return reduce(ReduceFn.LOGSUMEXP, 0, keepDims, axes);
    }

    /** Mean squared distance from the mean, divided by n as NumPy does; {@link #var(int, boolean, int...)} takes a ddof. */
    public Tensor var(int... axes) {
        return reduce(ReduceFn.VAR, 0, false, axes);
    }

    /** Mean squared distance from the mean, divided by n - ddof: 1 for a sample's estimate; NaN where that is 0. */
    public Tensor var(int ddof, boolean keepDims, int... axes) {
        return reduce(ReduceFn.VAR, ddof, keepDims, axes);
    }

    /** Square root of the mean squared distance from the mean, divided by n as NumPy does; {@link #std(int, boolean, int...)} takes a ddof. */
    public Tensor std(int... axes) {
        return reduce(ReduceFn.STD, 0, false, axes);
    }

    /** Square root of the mean squared distance from the mean, divided by n - ddof: 1 for a sample's estimate; NaN where that is 0. */
    public Tensor std(int ddof, boolean keepDims, int... axes) {
        return reduce(ReduceFn.STD, ddof, keepDims, axes);
    }

    /** Running sum along an axis; integers and BOOL give I64. */
    public Tensor cumSum(int axis) {
        return run("cumSum", new Op.CumSum(shape().axis("cumSum", axis)));
    }

    /** exp(x) / sum(exp(x)) along an axis, without overflow. */
    public Tensor softmax(int axis) {
        return run("softmax", new Op.Softmax(shape().axis("softmax", axis), false));
    }

    /** Logarithm of {@link #softmax}, without loss. */
    public Tensor logSoftmax(int axis) {
        return run("logSoftmax", new Op.Softmax(shape().axis("logSoftmax", axis), true));
    }

    // ---- products ----------------------------------------------------------------------------------------------------

    /**
     * Matrix product over the last two axes, batch axes broadcast, as NumPy's {@code matmul}: a vector on the left is a
     * row, on the right a column, and that axis is gone from the result. Half types sum in F32 and round once.
     */
    public Tensor matmul(Tensor b) {
        if (rank() == 0 || b.rank() == 0) {
            throw new ShapeException("matmul: a scalar has no axis to sum over; a " + shape() + ", b " + b.shape()
                    + "; use mul");
        }
        Scope s = Scope.innermost("matmul", device);
        boolean row = rank() == 1;
        boolean column = b.rank() == 1;
        if ((row || column) && dim(-1) != b.dim(column ? -1 : -2)) {
            throw new ShapeException(
                    "matmul: inner sizes differ: a " + shape() + " sums over " + dim(-1) + ", b " + b.shape()
                            + " over " + b.dim(column ? -1 : -2) + "; a's last axis must equal b's "
                            + (column ? "only one" : "second to last"));
        }
        Tensor c = s.run(
                new Op.Gemm(s.mathMode(), 1, dtype(), false), row ? unsqueeze(0) : this, column ? b.unsqueeze(1) : b);
        if (column) {
            c = c.squeeze(-1);
        }
        return row ? c.squeeze(column ? -1 : -2) : c;
    }
}
