package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.View;
import java.util.concurrent.atomic.AtomicLong;

/** Lower and upper triangles of the last two axes, and the scan for NaN and infinities that decompositions begin with. */
final class Triangle {
    private final CpuPath path;
    private final Workers workers;

    Triangle(CpuPath path, Workers workers) {
        this.path = path;
        this.workers = workers;
    }

    void triangle(Op.Triangle op, View x, View out) {
        int rank = x.shape().rank();
        long rows = x.shape().at(rank - 2);
        long cols = x.shape().at(rank - 1);
        if (x.shape().size() == 0) {
            return;
        }
        int width = x.dtype().bytes();
        Walk lines = Walk.of(x, Reductions.others(rank, rank - 1));
        long step = x.layout().stride(rank - 1) * width;
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        workers.parallelFor(lines.size, Math.max(1, Reductions.GRAIN / cols), (l0, l1) -> {
            for (long l = l0; l < l1; l++) {
                long i = l % rows;
                // the first column above diagonal k, k + 1 for row 0; kept clear of overflow for any k
                long cut = op.lower() ? sum(i, op.k(), 1) : sum(i, op.k(), 0);
                cut = Math.max(0, Math.min(cols, cut));
                long a = from + lines.offset(l);
                long b = to + l * cols * width;
                if (op.lower()) {
                    copy(width, a, step, cut, b);
                    Mem.zero(b + cut * width, (cols - cut) * width);
                } else {
                    Mem.zero(b, cut * width);
                    copy(width, a + cut * step, step, cols - cut, b + cut * width);
                }
            }
        });
    }

    private static long sum(long i, long k, long one) {
        return k > Long.MAX_VALUE / 2 ? Long.MAX_VALUE : i + k + one;
    }

    private static void copy(int width, long a, long step, long n, long b) {
        if (step == width) {
            Mem.copy(a, b, n * width);
            return;
        }
        switch (width) {
            case 8 -> {
                for (long j = 0; j < n; j++) {
                    Mem.i64(b + 8 * j, Mem.i64(a + j * step));
                }
            }
            case 4 -> {
                for (long j = 0; j < n; j++) {
                    Mem.i32(b + 4 * j, Mem.i32(a + j * step));
                }
            }
            case 2 -> {
                for (long j = 0; j < n; j++) {
                    Mem.i16(b + 2 * j, Mem.i16(a + j * step));
                }
            }
            default -> {
                for (long j = 0; j < n; j++) {
                    Mem.u8(b + j, Mem.u8(a + j * step));
                }
            }
        }
    }

    /** Writes the row-major index of the first NaN or infinity, or -1; integers have none. */
    void firstNonFinite(View x, View out) {
        AtomicLong first = new AtomicLong(Long.MAX_VALUE);
        DType type = x.dtype();
        if (type.isFloat() && x.shape().size() > 0) {
            Walk all = Walk.of(x, Reductions.others(x.shape().rank()));
            DType block = Gather.block(type);
            boolean direct = all.isEven() && all.step() == type.bytes() && type == block;
            RowKernels k = RowKernels.of(path, block);
            long from = CpuStorage.address(x);
            long blocks = (all.size + Reductions.BLOCK - 1) / Reductions.BLOCK;
            workers.parallelFor(blocks, Reductions.GRAIN / Reductions.BLOCK, (b0, b1) -> {
                for (long b = b0; b < b1 && b * Reductions.BLOCK < first.get(); b++) {
                    long i = b * Reductions.BLOCK;
                    long n = Math.min(Reductions.BLOCK, all.size - i);
                    long a = from + all.offset(i);
                    if (!direct) {
                        a = Scratch.take(Scratch.Slot.X, (long) Reductions.BLOCK * block.bytes());
                        all.read(path.vector(), type, from, i, n, a);
                    }
                    if (!(k.maxAbs(a, n) < Double.POSITIVE_INFINITY)) {
                        long at = firstBad(block, a, n);
                        first.accumulateAndGet(i + at, Math::min);
                        return;
                    }
                }
            });
        }
        long found = first.get();
        Mem.i64(CpuStorage.address(out), found == Long.MAX_VALUE ? -1 : found);
    }

    private static long firstBad(DType block, long a, long n) {
        long i = 0;
        if (block == DType.F64) {
            while (i < n && Double.isFinite(Mem.f64(a + 8 * i))) {
                i++;
            }
        } else {
            while (i < n && Float.isFinite(Mem.f32(a + 4 * i))) {
                i++;
            }
        }
        return i;
    }
}
