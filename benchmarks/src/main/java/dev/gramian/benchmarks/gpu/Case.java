package dev.gramian.benchmarks.gpu;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.DType;
import dev.gramian.core.MathMode;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * One thing to measure. {@code kind}, {@code type}, {@code shape} and {@code causal} say all that another library needs to
 * do the same work; {@link Suite} says what the sizes of a kind mean.
 *
 * @param type element type, or TF32: F32 whose products may be rounded so
 * @param bytes bytes that must be read and written, 0 where that says nothing of the speed
 * @param flops multiplications and additions, 0 likewise
 */
record Case(
        String group,
        String kind,
        String type,
        long[] shape,
        boolean causal,
        double bytes,
        double flops,
        Body body) {

    /** Prepares operands in {@code scope}, checks a result, takes the time. */
    interface Body {
        Measured run(Case c, Meter meter, Scope scope);
    }

    /** {@code softmax/F32/49152x512}, with {@code /causal} behind it. */
    String id() {
        return kind + "/" + type + "/" + sizes() + (causal ? "/causal" : "");
    }

    String sizes() {
        return Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining("x"));
    }

    DType dtype() {
        return type.equals("TF32") ? DType.F32 : DType.valueOf(type);
    }

    MathMode math() {
        return type.equals("TF32") ? MathMode.TF32 : MathMode.IEEE;
    }

    Scope open(Device device) {
        return device.open(math());
    }

    long size() {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }
}
