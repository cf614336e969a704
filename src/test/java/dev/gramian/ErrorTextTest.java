package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.function.Executable;

/** What the public methods say about bad input: word for word, and nothing is left behind. */
final class ErrorTextTest {
    private final List<String> wrong = new ArrayList<>();

    /** The call must throw one of the library's exceptions with just this text. */
    private void says(String text, Executable call) {
        String got;
        try {
            call.execute();
            got = "no error";
        } catch (GramianException e) {
            got = e.getMessage();
        } catch (Throwable t) {
            got = t.toString();
        }
        if (!got.equals(text)) {
            wrong.add("said: " + got + "\nnot:  " + text);
        }
    }

    private void verdict() {
        assertEquals("", String.join("\n", wrong));
    }

    @DeviceSpec
    void views(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3);
            Tensor one = s.scalar(DType.F32, 1);
            says("dim: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.dim(2));
            says("dim: axis 0 does not exist; x [] has 0 axes; a scalar has none to name", () -> one.dim(0));
            says("reshape: 6 elements do not fill the target; x [2, 3], target [4]; the products of the sizes "
                    + "must be equal",
                    () -> x.reshape(4));
            says("reshape: two sizes are -1; x [2, 3], target [-1, -1]; at most one size can be worked out",
                    () -> x.reshape(-1, -1));
            says("reshape: size -2 is negative; x [2, 3], target [-2, 3]; use -1 for one size to be worked out",
                    () -> x.reshape(-2, 3));
            says("reshape: 6 elements do not fill the target; x [2, 3], target [-1, 4]; the products of the "
                    + "sizes must be equal",
                    () -> x.reshape(-1, 4));
            says("reshape: 0 elements do not fill the target; x [0], target [-1, 0]; the products of the "
                    + "sizes must be equal",
                    () -> s.zeros(0).reshape(-1, 0));
            says("transpose: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.transpose(0, 2));
            says("transpose: axis -1 does not exist; x [] has 0 axes; a scalar has none to name",
                    () -> one.transpose(-1, -2));
            says("permute: 1 axes named for 2; order [0], x [2, 3]; name each axis once", () -> x.permute(0));
            says("permute: axis 0 is named twice; axes [0, 0] of x [2, 3]; name each axis once", () -> x.permute(0, 0));
            says("permute: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.permute(0, 2));
            says("slice: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.slice(2, 0, 1));
            says("slice: step is 0; axis 0 of x [2, 3]; use a step other than 0, negative to run backwards",
                    () -> x.slice(0, 0, 1, 0));
            says("slice: axis 5 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.flip(5));
            says("select: index 2 is out of range; axis 0 of x [2, 3] has size 2; use -2 to 1", () -> x.select(0, 2));
            says("select: index -3 is out of range; axis 0 of x [2, 3] has size 2; use -2 to 1", () -> x.select(0, -3));
            says("select: index 0 is out of range; axis 0 of x [0] has size 0; an empty axis has none",
                    () -> s.zeros(0).select(0, 0));
            says("select: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.select(2, 0));
            says("squeeze: axis 0 has size 2; x [2, 3]; only axes of size 1 can go", () -> x.squeeze(0));
            says("squeeze: axis 7 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.squeeze(7));
            says("unsqueeze: position 3 does not exist; x [2, 3]; use -3 to 2", () -> x.unsqueeze(3));
            says("unsqueeze: position -4 does not exist; x [2, 3]; use -3 to 2", () -> x.unsqueeze(-4));
            says("expand: x does not expand; x [2, 3], target [3]; only axes of size 1 repeat, aligned from "
                    + "the last axis",
                    () -> x.expand(3));
            says("expand: x does not expand; x [2, 3], target [4, 3]; only axes of size 1 repeat, aligned "
                    + "from the last axis",
                    () -> x.expand(4, 3));
            says("expand: -1 stands for no axis of x; x [2, 3], target [-1, 2, 3]; give new leading axes a size",
                    () -> x.expand(-1, 2, 3));
            says("shape: size of axis 1 is negative; [2, -2]; sizes are 0 or more", () -> x.expand(2, -2));
            says("diagonal: axis -2 does not exist; x [3] has 1 axis; use -1 to 0", () -> x.select(0, 0).diagonal());
            says("diagonal: both axes are 1; x [2, 3]; name two different axes", () -> x.diagonal(0, 1, 1));
            says("diagonal: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.diagonal(0, 0, 2));
        }
        verdict();
    }

    @DeviceSpec
    void reading(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3);
            Tensor i = s.ones(DType.I32, 2, 3);
            says("toFloatArray: F64 values may not fit a float; x [2]; use toDoubleArray() or .to(DType.F32)",
                    () -> s.ones(DType.F64, 2).toFloatArray());
            says("toFloatArray: I32 values may not fit a float; x [2, 3]; use toLongArray() or .to(DType.F32)",
                    () -> i.toFloatArray());
            says("toLongArray: F32 values are not whole; x [2, 3]; use toDoubleArray() or .to(DType.I64)",
                    () -> x.toLongArray());
            says("toBooleanArray: x is F32 [2, 3]; compare first, e.g. x.ne(0)", () -> x.toBooleanArray());
            says("copyTo: segment has 23 bytes; x F32 [2, 3] has 24; the sizes must be equal",
                    () -> x.copyTo(MemorySegment.ofArray(new byte[23])));
            says("item: x has 6 elements; x F32 [2, 3]; select one, or use toDoubleArray()", () -> x.item());
            says("itemLong: x has 6 elements; x F32 [2, 3]; select one, or use toDoubleArray()", () -> x.itemLong());
            says("item: x has 0 elements; x F32 [0]; select one, or use toDoubleArray()", () -> s.zeros(0).item());
            says("itemLong: F32 values are not whole; x []; use item() or .to(DType.I64)", () -> x.sum().itemLong());
            says("get: 1 coordinates for 2 axes; x [2, 3]; name one per axis", () -> x.get(0));
            says("get: index 5 is out of range; axis 1 of x [2, 3] has size 3; use -3 to 2", () -> x.get(0, 5));
            says("get: 3 coordinates for 2 axes; x [2, 3]; name one per axis", () -> x.get(0, 0, 0));
            says("toLongArray: too many elements for a Java array; x U8 [2147483648]; read slices, or "
                    + "copyTo(MemorySegment)",
                    () -> s.zeros(DType.U8, 1).expand(1L << 31).toLongArray());
        }
        verdict();
    }

    @DeviceSpec
    void elementwise(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3);
            Tensor i = s.ones(DType.I32, 2, 3);
            Tensor b = s.ones(DType.BOOL, 2, 3);
            Tensor u = s.ones(DType.U8, 2, 3);
            Tensor l = s.ones(DType.I64, 2, 3);
            says("sqrt: needs a float type; x is I32; cast with .to(DType.F32)", () -> i.sqrt());
            says("neg: needs numbers; x is BOOL; cast with .to(DType.I32)", () -> b.neg());
            says("not: needs BOOL or integers; x is F32; compare first, e.g. x.gt(0)", () -> x.not());
            says("floor: needs a float type; x is I32; cast with .to(DType.F32)", () -> i.floor());
            says("clamp: needs numbers; x is BOOL; cast with .to(DType.I32)", () -> b.clamp(0, 1));
            says("clamp: a bound is NaN, which no integer is; I32 [2, 3]; leave a side open by an infinity",
                    () -> i.clamp(Double.NaN, 1));
            says("add: element types differ: F32 and I32; a [2, 3], b [2, 3]; cast one with .to(DType.F32)",
                    () -> x.add(i));
            says("add: shapes do not broadcast: axis -1 is 3 and 4; a [2, 3], b [4]; sizes must be equal or "
                    + "1, aligned from the last axis",
                    () -> x.add(s.ones(4)));
            says("div: needs a float type; x is I32; divide after casting with .to(DType.F64)", () -> i.div(i));
            says("add: needs numbers; x is BOOL; cast with .to(DType.I32)", () -> b.add(b));
            says("lt: element types differ: BOOL and F32; a [2, 3], b [2, 3]; cast one with .to(DType.F32)",
                    () -> b.lt(x));
            says("and: needs BOOL or integers; x is F32; compare first, e.g. x.gt(0)", () -> x.and(x));
            says("and: element types differ: I32 and BOOL; a [2, 3], b [2, 3]; cast one with .to(DType.I32)",
                    () -> i.and(b));
            says("add: scalar 0.5 is not a whole number; I32 [2, 3]; use a float type", () -> i.add(0.5));
            says("add: scalar 10000000000 does not fit I32; I32 [2, 3]; use I64 or a float type", () -> i.add(1e10));
            says("add: scalar NaN is not a whole number; I32 [2, 3]; use a float type", () -> i.add(Double.NaN));
            says("add: scalar Infinity is not a whole number; I64 [2, 3]; use a float type",
                    () -> l.add(Double.POSITIVE_INFINITY));
            says("add: scalar 1.0E300 is beyond 2^53, where doubles skip whole numbers; I64 [2, 3]; give it "
                    + "in a tensor of long values",
                    () -> l.add(1e300));
            says("add: scalar -1 does not fit U8; U8 [2, 3]; use I64 or a float type", () -> u.add(-1));
            says("mul: scalar 256 does not fit U8; U8 [2, 3]; use I64 or a float type", () -> u.mul(256));
            says("eq: scalar 2 does not fit BOOL; BOOL [2, 3]; use I64 or a float type", () -> b.eq(2));
            says("add: needs numbers; x is BOOL; cast with .to(DType.I32)", () -> b.add(1));
            says("div: needs a float type; x is I32; divide after casting with .to(DType.F64)", () -> i.div(2));
            says("div: needs a float type; x is I32; divide after casting with .to(DType.F64)", () -> i.rdiv(2));
            says("sub: scalar 0.5 is not a whole number; I32 [2, 3]; use a float type", () -> i.rsub(0.5));
            says("pow: negative exponent -1; integers have no such power; cast with .to(DType.F64)", () -> i.pow(-1));
            says("pow: negative exponent -1; integers have no such power; cast with .to(DType.F64)",
                    () -> i.pow(i.neg()));
            says("where: condition is F32; condition [2, 3]; compare first, e.g. x.gt(0)", () -> x.where(x, x));
            says("where: element types differ: F32 and I32; a [2, 3], b [2, 3]; cast one with .to(DType.F32)",
                    () -> b.where(x, i));
            says("where: shapes do not broadcast: axis -1 is 4 and 3; a [4], b [2, 3]; sizes must be equal or "
                    + "1, aligned from the last axis",
                    () -> b.where(s.ones(4), x));
            says("where: shapes do not broadcast: axis -3 is 5 and 4; a [5, 2, 3], b [4, 1, 1]; sizes must be "
                    + "equal or 1, aligned from the last axis",
                    () -> b.where(s.ones(5, 2, 3), s.ones(4, 1, 1)));
        }
        verdict();
    }

    @DeviceSpec
    void reductionsRowsAndProducts(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3);
            Tensor i = s.ones(DType.I32, 2, 3);
            Tensor b = s.ones(DType.BOOL, 2, 3);
            Tensor one = s.scalar(DType.F32, 1);
            says("sum: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.sum(2));
            says("mean: axis -3 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.mean(true, -3));
            says("sum: axis 0 is named twice; axes [0, -2] of x [2, 3]; name each axis once", () -> x.sum(0, -2));
            says("sum: axis 0 does not exist; x [] has 0 axes; a scalar has none to name", () -> one.sum(0));
            says("mean: needs a float type; x is I32; cast with .to(DType.F32)", () -> i.mean());
            says("var: needs a float type; x is BOOL; cast with .to(DType.F32)", () -> b.var());
            says("logSumExp: needs a float type; x is I32; cast with .to(DType.F32)", () -> i.logSumExp());
            says("max: nothing to reduce; x [0] is empty along the reduced axes; an empty slice has no max",
                    () -> s.zeros(0).max());
            says("argMin: nothing to reduce; x [2, 0] is empty along the reduced axes; an empty slice has no argMin",
                    () -> s.zeros(2, 0).argMin(1));
            says("cumSum: axis 5 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.cumSum(5));
            says("cumSum: axis 0 does not exist; x [] has 0 axes; a scalar has none to name", () -> one.cumSum(0));
            says("softmax: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> x.softmax(2));
            says("softmax: needs a float type; x is I32 [2, 3]; cast with .to(DType.F32)", () -> i.softmax(0));
            says("logSoftmax: needs a float type; x is I32 [2, 3]; cast with .to(DType.F32)", () -> i.logSoftmax(0));
            says("softmax: axis 0 does not exist; x [] has 0 axes; a scalar has none to name", () -> one.softmax(0));
            says("matmul: inner sizes differ: a [2, 3] has 3 columns, b [2, 3] has 2 rows; b.transpose(-2, "
                    + "-1) would fit",
                    () -> x.matmul(x));
            says("matmul: inner sizes differ: a [2, 3] sums over 3, b [4] over 4; a's last axis must equal "
                    + "b's only one",
                    () -> x.matmul(s.ones(4)));
            says("matmul: inner sizes differ: a [4] sums over 4, b [2, 3] over 2; a's last axis must equal "
                    + "b's second to last",
                    () -> s.ones(4).matmul(x));
            says("matmul: a scalar has no axis to sum over; a [2, 3], b []; use mul", () -> x.matmul(one));
            says("matmul: batch axes do not broadcast; a [2, 2, 3], b [3, 3, 1]; all axes before the last two "
                    + "must be equal or 1",
                    () -> s.ones(2, 2, 3).matmul(s.ones(3, 3, 1)));
            says("matmul: BOOL has no product; a [2, 3], b [2, 3]; cast with .to(DType.F32)", () -> b.matmul(b));
            says("matmul: element types differ: F32 and I32; a [2, 3], b [3, 2]; cast one with .to(DType.F32)",
                    () -> x.matmul(i.transpose(0, 1)));
            says("layerNorm: x has too few axes; x [], normalised axes 1; x needs the weight's axes last",
                    () -> Norms.layerNorm(one, 1e-5));
            says("layerNorm: needs a float type; x is I32 [2, 3]; cast with .to(DType.F32)",
                    () -> Norms.layerNorm(i, 1e-5));
            says("layerNorm: weight does not fit the normalised axes; x [2, 3], weight [2]; give it shape [3]",
                    () -> Norms.layerNorm(x, s.ones(2), null, 1e-5));
            says("layerNorm: bias does not fit the normalised axes; x [2, 3], bias [2]; give it shape [3]",
                    () -> Norms.layerNorm(x, s.ones(3), s.ones(2), 1e-5));
            says("layerNorm: x has too few axes; x [2, 3], normalised axes 3; x needs the weight's axes last",
                    () -> Norms.layerNorm(x, s.ones(1, 2, 3), null, 1e-5));
            says("layerNorm: weight is a scalar; x [2, 3], weight []; give it the shape of x's last axes",
                    () -> Norms.layerNorm(x, one, null, 1e-5));
            says("layerNorm: element types differ: F32 and F64; a [2, 3], b [3]; cast one with .to(DType.F64)",
                    () -> Norms.layerNorm(x, s.ones(DType.F64, 3), null, 1e-5));
            says("rmsNorm: weight does not fit the normalised axes; x [2, 3], weight [2]; give it shape [3]",
                    () -> Norms.rmsNorm(x, s.ones(2), 1e-5));
            says("rmsNorm: needs a float type; x is BOOL [2, 3]; cast with .to(DType.F32)",
                    () -> Norms.rmsNorm(b, 1e-5));
        }
        verdict();
    }

    @DeviceSpec
    void creation(Device device) {
        try (Scope s = device.open();
                Arena arena = Arena.ofConfined()) {
            says("tensor: values do not fill the shape; 3 values of F32, shape [2, 2] has 4; the counts must be equal",
                    () -> s.tensor(new float[3], 2, 2));
            says("shape: size of axis 0 is negative; [-3]; sizes are 0 or more", () -> s.tensor(new float[3], -3));
            says("tensor: rows differ in length; row 0 has 2 values, row 1 has 1; give every row the same number",
                    () -> s.tensor(new double[][] {{1, 2}, {3}}));
            says("tensor: the last element is cut off; 7 bytes, F32 takes 4 each; give whole elements",
                    () -> s.tensor(MemorySegment.ofArray(new byte[7]), DType.F32));
            says("tensor: values do not fill the shape; 2 values of F32, shape [3] has 3; the counts must be equal",
                    () -> s.tensor(MemorySegment.ofArray(new byte[8]), DType.F32, 3));
            says("shape: size of axis 0 is negative; [-1]; sizes are 0 or more", () -> s.zeros(-1));
            says("shape: too many elements; [1099511627776, 1099511627776]; at most 2^59 fit",
                    () -> s.zeros(1L << 40, 1L << 40));
            says("full: value 0.5 is not a whole number; I32 [2]; use a float type", () -> s.full(DType.I32, 0.5, 2));
            says("full: value NaN is not a whole number; I32 [2]; use a float type",
                    () -> s.full(DType.I32, Double.NaN, 2));
            says("full: value 300 does not fit U8; U8 [2]; use I64 or a float type", () -> s.full(DType.U8, 300, 2));
            says("full: value 1.0E20 does not fit I32; I32 [2]; use I64 or a float type",
                    () -> s.full(DType.I32, 1e20, 2));
            says("full: value 1.0E300 is beyond 2^53, where doubles skip whole numbers; I64 [2]; give it in a "
                    + "tensor of long values",
                    () -> s.full(DType.I64, 1e300, 2));
            says("shape: size of axis 0 is negative; [-1, -1]; sizes are 0 or more", () -> s.eye(DType.F32, -1));
            says("shape: size of axis 1 is negative; [2, -3]; sizes are 0 or more", () -> s.eye(DType.F32, 2, -3));
            says("arange: no such range; start 0.0, stop 5.0, step 0.0; use finite bounds and a step other than 0",
                    () -> s.arange(DType.F32, 0, 5, 0));
            says("arange: no such range; start 0.0, stop NaN, step 1.0; use finite bounds and a step other than 0",
                    () -> s.arange(DType.F32, 0, Double.NaN, 1));
            says("arange: no such range; start 0.0, stop Infinity, step 1.0; use finite bounds and a step other than 0",
                    () -> s.arange(DType.F32, 0, Double.POSITIVE_INFINITY, 1));
            says("arange: start and step are not whole numbers; start 0.5, step 1.0, dtype I32; use a float type",
                    () -> s.arange(DType.I32, 0.5, 3, 1));
            says("arange: value 299 does not fit U8; U8 [300]; use I64 or a float type",
                    () -> s.arange(DType.U8, 0, 300, 1));
            says("arange: value -1 does not fit U8; U8 [5]; use I64 or a float type",
                    () -> s.arange(DType.U8, 3, -2, -1));
            says("arange: BOOL has no sequence; 3 values; use I64 and compare", () -> s.arange(DType.BOOL, 3));
            says("linspace: needs a float type; dtype I32; use arange for whole steps",
                    () -> s.linspace(DType.I32, 0, 1, 3));
            says("shape: size of axis 0 is negative; [-1]; sizes are 0 or more", () -> s.linspace(DType.F32, 0, 1, -1));
            says("uniform: needs a float type; dtype I32; use integers(...)", () -> s.uniform(DType.I32, 1, 0, 1, 2));
            says("uniform: no such range; low 1.0, high 0.0; use finite bounds, low not above high",
                    () -> s.uniform(DType.F32, 1, 1, 0, 2));
            says("uniform: no such range; low 0.0, high Infinity; use finite bounds, low not above high",
                    () -> s.uniform(DType.F32, 1, 0, Double.POSITIVE_INFINITY, 2));
            says("normal: needs a float type; dtype BOOL; use integers(...)", () -> s.normal(DType.BOOL, 1, 2));
            says("integers: range is empty; low 5, high 5; low must be below high",
                    () -> s.integers(DType.I32, 1, 5, 5, 2));
            says("integers: value 999 does not fit U8; U8 [2]; use I64 or a float type",
                    () -> s.integers(DType.U8, 1, 0, 1000, 2));
            says("integers: value 2 does not fit BOOL; BOOL [2]; use I64 or a float type",
                    () -> s.integers(DType.BOOL, 1, 0, 3, 2));
            Layout two = Layout.contiguous(Shape.of(2));
            says("view: layout leaves its storage; [2] strides [1] offset 0 of F32, storage 7 bytes; check "
                    + "offset and strides",
                    () -> s.wrap(arena.allocate(7), null, DType.F32, two));
            says("wrap: memory lies on the Java heap, where it may move; 8 bytes; take it from an Arena, or "
                    + "copy it with tensor(bytes, dtype, shape)",
                    () -> s.wrap(MemorySegment.ofArray(new byte[8]), null, DType.F32, two));
        }
        verdict();
    }

    @DeviceSpec
    void joiningAndIndexing(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3);
            Tensor i = s.ones(DType.I32, 2, 3);
            Tensor one = s.scalar(DType.F32, 1);
            says("concat: no tensors given; nothing to join; give one or more", () -> Join.concat(0));
            says("concat: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> Join.concat(2, x, x));
            says("concat: axis 0 does not exist; x [] has 0 axes; a scalar has none to name",
                    () -> Join.concat(0, one));
            says("concat: element types differ: F32 and I32; a [2, 3], b [2, 3]; cast one with .to(DType.F32)",
                    () -> Join.concat(0, x, i));
            says("concat: tensor 1 does not match the first off axis 0; first [2, 3], tensor 1 [2, 2]; all "
                    + "other axes must be equal",
                    () -> Join.concat(0, x, s.ones(2, 2)));
            says("concat: tensor 1 does not match the first off axis 0; first [2, 3], tensor 1 [3]; all other "
                    + "axes must be equal",
                    () -> Join.concat(0, x, s.ones(3)));
            says("stack: no tensors given; nothing to join; give one or more", () -> Join.stack(0));
            says("stack: position 3 does not exist; tensor 0 [2, 3]; use -3 to 2", () -> Join.stack(3, x));
            says("stack: shapes differ; tensor 0 [2, 3], tensor 1 [3, 2]; all must be equal",
                    () -> Join.stack(0, x, s.ones(3, 2)));
            says("stack: element types differ; tensor 0 F32 [2, 3], tensor 1 I32 [2, 3]; cast one with .to(DType.F32)",
                    () -> Join.stack(0, x, i));
            says("split: sizes do not add up to the axis; x [2, 3] has 3 on axis 1, sizes [1, 1]; they must "
                    + "be 0 or more and sum to 3",
                    () -> Join.split(x, 1, 1, 1));
            says("split: sizes do not add up to the axis; x [2, 3] has 3 on axis 1, sizes [4, -1]; they must "
                    + "be 0 or more and sum to 3",
                    () -> Join.split(x, 1, 4, -1));
            says("split: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> Join.split(x, 2, 1));
            says("chunk: axis does not divide; x [2, 3] has 3 on axis 1, count 2; use split with a size per part",
                    () -> Join.chunk(x, 1, 2));
            says("chunk: axis does not divide; x [2, 3] has 3 on axis 1, count 0; use split with a size per part",
                    () -> Join.chunk(x, 1, 0));
            says("chunk: axis -3 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> Join.chunk(x, -3, 1));
            says("gather: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> Indexing.gather(x, 2, 0));
            says("gather: index 2 is out of range; x [2, 3] has 2 entries on axis 0, index [1] at position 0; "
                    + "use -2 to 1",
                    () -> Indexing.gather(x, 0, 2));
            says("gather: index -4 is out of range; x [2, 3] has 3 entries on axis 1, index [2] at position "
                    + "1; use -3 to 2",
                    () -> Indexing.gather(x, -1, 0, -4));
            says("gather: index is F32; index [2, 3]; use I64 or I32", () -> Indexing.gather(x, 0, x));
            says("gather: index needs one axis; x [2, 3], index [2, 3]; use takeAlongAxis for an index per element",
                    () -> Indexing.gather(x, 0, i));
            says("gather: index 0 is out of range; x [0, 3] has 0 entries on axis 0, index [1] at position 0; "
                    + "an empty axis has none to name",
                    () -> Indexing.gather(s.zeros(0, 3), 0, 0));
            says("takeAlongAxis: index does not match x off axis 0; x [2, 3], index [1]; all other axes must be equal",
                    () -> Indexing.takeAlongAxis(x, 0, s.zeros(DType.I64, 1)));
            says("takeAlongAxis: index does not match x off axis 0; x [2, 3], index [5, 2]; all other axes "
                    + "must be equal",
                    () -> Indexing.takeAlongAxis(x, 0, s.zeros(DType.I64, 5, 2)));
            says("takeAlongAxis: index is F32; index [2, 3]; use I64 or I32", () -> Indexing.takeAlongAxis(x, 0, x));
            says("takeAlongAxis: index 7 is out of range; x [2, 3] has 2 entries on axis 0, index [2, 3] at "
                    + "position [0, 0]; use -2 to 1",
                    () -> Indexing.takeAlongAxis(x, 0, s.full(DType.I64, 7, 2, 3)));
            says("sort: axis 2 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> Indexing.sort(x, 2));
            says("sort: axis 0 does not exist; x [] has 0 axes; a scalar has none to name",
                    () -> Indexing.sort(one, 0));
            says("topK: k is 4; axis 1 of x [2, 3] has size 3; use 0 to 3", () -> Indexing.topK(x, 4, 1));
            says("topK: k is -1; axis 1 of x [2, 3] has size 3; use 0 to 3", () -> Indexing.topK(x, -1, 1));
            says("topK: axis 9 does not exist; x [2, 3] has 2 axes; use -2 to 1", () -> Indexing.topK(x, 1, 9));
            says("tril: needs a matrix; x [3]; give (..., rows, columns)", () -> Indexing.tril(s.ones(3), 0));
            says("triu: needs a matrix; x []; give (..., rows, columns)", () -> Indexing.triu(one, 0));
            says("shape: size of axis 0 is negative; [-2, 3]; sizes are 0 or more",
                    () -> Indexing.lowerMask(s, -2, 3, 0));
        }
        verdict();
    }
}
