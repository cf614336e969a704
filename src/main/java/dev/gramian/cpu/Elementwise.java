package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.Arrays;

/**
 * Elementwise operations, copies and fills over any layout. Kernels see contiguous elements only: an operand that lies
 * otherwise is gathered, and a half type converted to F32, block by block in cache. Results are contiguous and overlap no
 * input.
 */
final class Elementwise {
    /** Fewest elements a thread is worth waking for. */
    static final long GRAIN = 32 << 10;

    /** Elements in a block: operands, conversions and result of one stay in the first-level cache together. */
    static final int BLOCK = 1024;

    private final FnKernels kernels;
    private final Workers workers;
    private final boolean vector;

    Elementwise(CpuPath path, Workers workers) {
        this.vector = path.vector();
        this.kernels = new FnKernels(vector);
        this.workers = workers;
    }

    /** In: x. */
    void map(Op.Map op, View[] in, View out) {
        View x = in[0];
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        DType type = x.dtype();
        MapKernel kernel = kernels.map(op.fn(), type.compute());
        double p = op.p();
        double q = op.q();
        long to = CpuStorage.address(out);
        if (x.layout().isContiguous() && !type.isHalf()) {
            long from = CpuStorage.address(x);
            if (n <= GRAIN) {
                kernel.run(from, to, n, p, q);
                return;
            }
            int w = type.bytes();
            int v = out.dtype().bytes();
            workers.parallelFor(n, GRAIN, (i, end) -> kernel.run(from + i * w, to + i * v, end - i, p, q));
            return;
        }
        Operand a = Operand.of(x, out.shape());
        Result result = new Result(type, out);
        int block = a.blockSize();
        workers.parallelFor(n, GRAIN, (begin, end) -> {
            for (long i = begin; i < end; i += block) {
                long m = Math.min(block, end - i);
                long y = result.block(i, m);
                kernel.run(compute(a, i, m, Scratch.Slot.X), y, m, p, q);
                result.done(i, m, y);
            }
        });
    }

    /** In: x, y, which broadcast. */
    void zip(Op.Zip op, View[] in, View out) {
        View x = in[0];
        View y = in[1];
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        DType type = x.dtype();
        ZipKernel kernel = kernels.zip(op.fn(), type.compute());
        if (x.layout().isContiguous()
                && y.layout().isContiguous()
                && x.layout().size() == n
                && y.layout().size() == n
                && !type.isHalf()) {
            long a = CpuStorage.address(x);
            long b = CpuStorage.address(y);
            long to = CpuStorage.address(out);
            if (n <= GRAIN) {
                kernel.run(a, b, to, n);
                return;
            }
            int w = type.bytes();
            int v = out.dtype().bytes();
            workers.parallelFor(n, GRAIN, (i, end) -> kernel.run(a + i * w, b + i * w, to + i * v, end - i));
            return;
        }
        Operand a = Operand.of(x, out.shape());
        Operand b = Operand.of(y, out.shape());
        Result result = new Result(type, out);
        int block = Math.max(a.blockSize(), b.blockSize());
        workers.parallelFor(n, GRAIN, (begin, end) -> {
            for (long i = begin; i < end; i += block) {
                long m = Math.min(block, end - i);
                long to = result.block(i, m);
                kernel.run(compute(a, i, m, Scratch.Slot.X), compute(b, i, m, Scratch.Slot.Y), to, m);
                result.done(i, m, to);
            }
        });
    }

    /** In: x. The scalar fills one block, which every block of x meets. */
    void zipScalar(Op.ZipScalar op, View[] in, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        DType type = in[0].dtype();
        ZipKernel kernel = kernels.zip(op.fn(), type.compute());
        Operand a = Operand.of(in[0], out.shape());
        Result result = new Result(type, out);
        boolean first = op.scalarFirst();
        int block = a.blockSize();
        workers.parallelFor(n, GRAIN, (begin, end) -> {
            long s = Scratch.take(Scratch.Slot.Y, 8L * block);
            // rounded to x's type first: "the scalar takes x's type"
            double value = type.isHalf() ? Casts.rounded(type, op.scalar()) : op.scalar();
            Fills.fill(type.compute(), s, Math.min(block, end - begin), value);
            for (long i = begin; i < end; i += block) {
                long m = Math.min(block, end - i);
                long to = result.block(i, m);
                long x = compute(a, i, m, Scratch.Slot.X);
                kernel.run(first ? s : x, first ? x : s, to, m);
                result.done(i, m, to);
            }
        });
    }

    /** In: condition, x, y, which broadcast. */
    void where(View[] in, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        Shape shape = out.shape();
        Operand c = Operand.of(in[0], shape);
        Operand a = Operand.of(in[1], shape);
        Operand b = Operand.of(in[2], shape);
        int w = out.dtype().bytes();
        long to = CpuStorage.address(out);
        int block = Math.max(c.blockSize(), Math.max(a.blockSize(), b.blockSize()));
        workers.parallelFor(n, GRAIN, (begin, end) -> {
            for (long i = begin; i < end; i += block) {
                long m = Math.min(block, end - i);
                Fills.select(
                        w,
                        c.block(i, m, Scratch.take(Scratch.Slot.Z, block)),
                        a.block(i, m, Scratch.take(Scratch.Slot.X, 8L * block)),
                        b.block(i, m, Scratch.take(Scratch.Slot.Y, 8L * block)),
                        to + i * w,
                        m);
            }
        });
    }

    /** In: x, any type to any type; see {@link Casts} for the rules. */
    void copy(View[] in, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        View x = in[0];
        DType from = x.dtype();
        DType to = out.dtype();
        int v = to.bytes();
        long y = CpuStorage.address(out);
        Operand a = Operand.of(x, out.shape());
        if (from != to) {
            int block = a.blockSize();
            workers.parallelFor(n, GRAIN, (begin, end) -> {
                for (long i = begin; i < end; i += block) {
                    long m = Math.min(block, end - i);
                    Casts.run(vector, from, to, a.block(i, m, Scratch.take(Scratch.Slot.X, 8L * block)), y + i * v, m);
                }
            });
        } else if (!a.transpose(y, workers)) {
            workers.parallelFor(n, GRAIN, (begin, end) -> a.gather(begin, end - begin, y + begin * v));
        }
    }

    /** In: x of out's type. Writes run by run, a run being what lies in the result without a gap. */
    void assign(View[] in, View out) {
        Layout layout = out.layout();
        if (layout.isContiguous()) {
            copy(in, out);
            return;
        }
        long run = 1;
        int outer = layout.rank();
        for (; layout.shape().at(outer - 1) == 1 || layout.stride(outer - 1) == run; outer--) {
            run *= layout.shape().at(outer - 1);
        }
        int[] axes = new int[outer];
        Arrays.setAll(axes, i -> i);
        Walk lines = Walk.of(out, axes);
        Operand a = Operand.of(in[0], out.shape());
        long y = CpuStorage.address(out);
        long n = run;
        workers.parallelFor(lines.size, Math.max(1, GRAIN / n), (begin, end) -> {
            for (long i = begin; i < end; i++) {
                a.gather(i * n, n, y + lines.offset(i));
            }
        });
    }

    void fill(Op.Fill op, View out) {
        DType type = out.dtype();
        long y = CpuStorage.address(out);
        workers.parallelFor(
                out.layout().size(),
                GRAIN,
                (begin, end) -> Fills.fill(type, y + begin * type.bytes(), end - begin, op.value()));
    }

    void sequence(Op.Sequence op, View out) {
        long y = CpuStorage.address(out);
        workers.parallelFor(out.layout().size(), GRAIN, (begin, end) -> Fills.sequence(op, y, begin, end));
    }

    void random(Op.Random op, View out) {
        long y = CpuStorage.address(out);
        workers.parallelFor(out.layout().size(), GRAIN / 8, (begin, end) -> Fills.random(op, y, begin, end));
    }

    /** Row by row of the last axis, along which numbers step evenly. */
    void dropout(Op.Dropout op, View x, View out) {
        long n = out.layout().size();
        if (n == 0) {
            return;
        }
        Layout numbers = op.numbers();
        int last = numbers.rank() - 1;
        long width = last < 0 ? 1 : numbers.shape().at(last);
        long step = last < 0 ? 0 : numbers.stride(last);
        DType type = out.dtype();
        Operand a = Operand.of(x, out.shape());
        long y = CpuStorage.address(out);
        workers.parallelFor(n / width, Math.max(1, GRAIN / 8 / width), (begin, end) -> {
            long room = Scratch.take(Scratch.Slot.X, 8L * BLOCK);
            for (long row = begin; row < end; row++) {
                long first = numbers.offset();
                long rest = row;
                for (int axis = last - 1; axis >= 0; axis--) {
                    first += rest % numbers.shape().at(axis) * numbers.stride(axis);
                    rest /= numbers.shape().at(axis);
                }
                for (long i = 0; i < width; i += BLOCK) {
                    int m = (int) Math.min(BLOCK, width - i);
                    long from = row * width + i;
                    Fills.dropout(op, type, first + i * step, step, a.block(from, m, room), y + from * type.bytes(), m);
                }
            }
        });
    }

    /** Address of the block's elements in their compute type. */
    private long compute(Operand x, long from, long n, Scratch.Slot slot) {
        boolean half = x.type().isHalf();
        if (!half && x.isContiguous()) {
            return x.block(from, n, 0);
        }
        long room = Scratch.take(slot, 10L * n);
        long raw = x.block(from, n, room);
        if (!half) {
            return raw;
        }
        long wide = room + 2L * n;
        Casts.run(vector, x.type(), DType.F32, raw, wide, n);
        return wide;
    }

    /** Where kernels write: straight to the result, or to a block in F32 that is then rounded to a half type. */
    private final class Result {
        private final DType type;
        private final boolean convert;
        private final long address;

        /** {@code operand}: type of the inputs, which decides the compute type. */
        Result(DType operand, View out) {
            this.type = out.dtype();
            this.convert = operand.isHalf() && type.isHalf();
            this.address = CpuStorage.address(out);
        }

        long block(long from, long n) {
            return convert ? Scratch.take(Scratch.Slot.OUT, 4L * n) : address + from * type.bytes();
        }

        void done(long from, long n, long block) {
            if (convert) {
                Casts.run(vector, DType.F32, type, block, address + from * type.bytes(), n);
            }
        }
    }
}
