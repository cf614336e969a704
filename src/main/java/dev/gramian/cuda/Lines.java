package dev.gramian.cuda;

import dev.gramian.core.Layout;
import dev.gramian.core.View;

/**
 * Two tensors of one shape as lines along one axis, in the order of the second, which is row-major: where lines begin and
 * how their elements lie in both.
 */
final class Lines {
    private final View x;
    /** Number of lines. */
    final long count;
    /** Elements of a line. */
    final long n;
    /** Over the lines; operand 0 is x, operand 1 the result. */
    final Axes kept;
    /** Elements of x from one element of a line to the next. */
    final long stepX;
    /** The same in the result: 1 where lines have no gaps there. */
    final long stepOut;

    private Lines(View x, long count, long n, Axes kept, long stepX, long stepOut) {
        this.x = x;
        this.count = count;
        this.n = n;
        this.kept = kept;
        this.stepX = stepX;
        this.stepOut = stepOut;
    }

    static Lines of(String op, View x, View out, int axis) {
        Layout from = x.layout();
        Layout to = out.layout();
        int rank = from.rank();
        long[] sizes = new long[rank - 1];
        long[][] strides = new long[2][rank - 1];
        for (int i = 0, k = 0; i < rank; i++) {
            if (i != axis) {
                sizes[k] = from.shape().at(i);
                strides[0][k] = from.stride(i);
                strides[1][k++] = to.stride(i);
            }
        }
        long n = from.shape().at(axis);
        Axes kept = Axes.of(op, sizes, strides);
        return new Lines(x, from.size() / n, n, kept, from.stride(axis), n == 1 ? 1 : to.stride(axis));
    }

    /** Elements that can be read and written at once along lines: 16 bytes of them, or 1. */
    int width() {
        int bytes = x.dtype().bytes();
        int width = 16 / bytes;
        boolean vectors = stepX == 1 && stepOut == 1 && n % width == 0 && CudaStorage.address(x) % 16 == 0
                && kept.multiples(0, kept.rank(), width);
        return vectors ? width : 1;
    }
}
