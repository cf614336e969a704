package dev.gramian.io;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import java.util.function.Function;

/**
 * A tensor that is made when it is written: {@code make} is called with a scope of its own, which closes when the elements
 * are in the file, and gives a tensor of this type and shape.
 */
public record LazyTensor(DType dtype, Shape shape, Function<Scope, Tensor> make) {}
