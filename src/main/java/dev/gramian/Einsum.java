package dev.gramian;

import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.Shape;
import java.util.Arrays;

/**
 * Sums of products by index notation, as NumPy's {@code einsum}: {@code Einsum.of("bhqd,bhkd->bhqk").apply(q, k)}.
 *
 * <p>A letter labels each axis of each operand; equal labels run together, and labels that the output does not name
 * are summed. Without an arrow the output has the labels that occur once, in alphabetical order, capitals first. A
 * label twice in one operand takes the diagonal. {@code ...} stands for any further axes, aligned from the last; it
 * comes first in an implicit output and must not be dropped from an explicit one. Axes of size 1 broadcast, spaces do
 * not count.
 *
 * <p>Operands are multiplied two at a time in the order of the fewest multiply-adds (exactly for up to 8 operands, by
 * the best of several guesses beyond); {@link #explain} shows it. Labels that only one operand has are summed before.
 * A pair that shares a summed label is one batched matrix product, any other pair a broadcast multiplication; a batch
 * of short dot products (every label in both operands, at most 512 elements each) is multiplied out and then summed,
 * which is faster and takes memory for the products.
 *
 * <p>Nothing is copied but, before a matrix product, an operand whose summed labels do not step evenly in memory in an
 * order that suits both operands, or of which no group of adjacent axes is fit for the rows or columns of a product
 * (none has stride 1, or the best has under 8 elements while other axes are left over).
 *
 * <p>The result may be a strided view: of an operand where nothing is multiplied or summed, else of a product whose
 * axes the spec asks for in another order. {@link Tensor#contiguous} copies it into order.
 *
 * <p>Integers keep their type and wrap around; half types are computed in F32 and rounded once, at the end: a half
 * operand that meets an intermediate result is copied to F32 first. BOOL may be permuted, not multiplied or summed.
 */
public final class Einsum {
    private final EinsumSpec spec;
    private volatile Planned last;

    private record Planned(EinsumPlan plan, Shape[] shapes) {}

    private Einsum(EinsumSpec spec) {
        this.spec = spec;
    }

    /** Reads a spec, such as {@code "ij,jk->ik"}; {@link dev.gramian.core.ShapeException} says where it is wrong. */
    public static Einsum of(String spec) {
        return new Einsum(EinsumSpec.parse(spec));
    }

    /** The sum of products of operands of one element type and device, one per term of the spec. */
    public Tensor apply(Tensor... operands) {
        Shape[] shapes = new Shape[operands.length];
        for (int i = 0; i < operands.length; i++) {
            shapes[i] = operands[i].shape();
        }
        Planned p = last;
        if (p == null || !Arrays.equals(shapes, p.shapes)) {
            p = new Planned(new EinsumPlan(spec, shapes), shapes);
            last = p;
        }
        for (int i = 0; i < operands.length; i++) {
            check(operands, i);
        }
        return new EinsumRun(p.plan, operands).result();
    }

    private void check(Tensor[] operands, int i) {
        Tensor first = operands[0];
        Tensor t = operands[i];
        if (!t.view().storage().lifetime().isOpen()) {
            throw Scope.closed("einsum", "operand " + i, t, t.view().storage().lifetime());
        }
        if (t.dtype() != first.dtype()) {
            throw new DTypeException("einsum: element types differ: " + first.dtype() + " and " + t.dtype()
                    + "; operand 0 " + first.shape() + ", operand " + i + " " + t.shape() + ", spec \"" + spec
                    + "\"; cast one with .to(DType." + first.dtype() + ")");
        }
        if (t.device() != first.device()) {
            throw new DeviceException("einsum: operands are on two devices; operand 0 " + first.describe() + " on "
                    + first.device().name() + ", operand " + i + " " + t.describe() + " on " + t.device().name()
                    + "; move one with .to(Device.of(\"" + first.device().name() + "\"))");
        }
    }

    /**
     * How operands of these shapes are computed: each step with its labels, sizes and floating-point operations, the
     * total and the largest intermediate. Axes of size 1 are left out.
     */
    public String explain(Shape... shapes) {
        return new EinsumPlan(spec, shapes).explain();
    }

    /** The spec as given. */
    @Override
    public String toString() {
        return spec.toString();
    }
}
