package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.View;

/**
 * One input of an elementwise operation, read in the result's row-major order: axes of size 1 dropped, axes that step
 * evenly merged. Immutable, so any number of threads may read blocks of it.
 */
final class Operand {
    private final DType type;
    private final int width;
    private final long address;
    private final int rank;
    private final long[] dims;
    /** In bytes. */
    private final long[] strides;

    private Operand(DType type, long address, int rank, long[] dims, long[] strides) {
        this.type = type;
        this.width = type.bytes();
        this.address = address;
        this.rank = rank;
        this.dims = dims;
        this.strides = strides;
    }

    /** {@code view} broadcast to {@code target}. */
    static Operand of(View view, Shape target) {
        Layout layout = view.layout();
        int lead = target.rank() - layout.rank();
        int width = view.dtype().bytes();
        long[] dims = new long[Math.max(1, target.rank())];
        long[] strides = new long[dims.length];
        int r = 0;
        for (int i = 0; i < target.rank(); i++) {
            long d = target.at(i);
            if (d == 1) {
                continue;
            }
            long s = i < lead || layout.shape().at(i - lead) == 1 ? 0 : layout.stride(i - lead) * width;
            if (r > 0 && strides[r - 1] == s * d) {
                dims[r - 1] *= d;
                strides[r - 1] = s;
            } else {
                dims[r] = d;
                strides[r++] = s;
            }
        }
        if (r == 0) {
            dims[0] = 1;
            strides[0] = width;
            r = 1;
        }
        return new Operand(view.dtype(), CpuStorage.address(view), r, dims, strides);
    }

    DType type() {
        return type;
    }

    /** True if the elements lie one after another in the result's order. */
    boolean isContiguous() {
        return rank == 1 && strides[0] == width;
    }

    /** Address of elements {@code from} to {@code from + n} in a row: where they are, or gathered at {@code room}. */
    long block(long from, long n, long room) {
        if (isContiguous()) {
            return address + from * width;
        }
        gather(from, n, room);
        return room;
    }

    /** Writes elements {@code from} to {@code from + n} to {@code out}, one after another. */
    void gather(long from, long n, long out) {
        int inner = rank - 1;
        long[] at = new long[rank];
        long x = address;
        long rest = from;
        for (int i = inner; i >= 0; i--) {
            at[i] = rest % dims[i];
            rest /= dims[i];
            x += at[i] * strides[i];
        }
        while (true) {
            long run = Math.min(n, dims[inner] - at[inner]);
            line(x, strides[inner], out, run);
            n -= run;
            if (n == 0) {
                return;
            }
            out += run * width;
            x += run * strides[inner];
            at[inner] = dims[inner];
            for (int i = inner; at[i] == dims[i]; i--) {
                x -= dims[i] * strides[i];
                at[i] = 0;
                at[i - 1]++;
                x += strides[i - 1];
            }
        }
    }

    private void line(long x, long stride, long out, long n) {
        if (stride == width) {
            Mem.copy(x, out, n * width);
            return;
        }
        switch (width) {
            case 8 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i64(out + 8 * i, Mem.i64(x + i * stride));
                }
            }
            case 4 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i32(out + 4 * i, Mem.i32(x + i * stride));
                }
            }
            case 2 -> {
                for (long i = 0; i < n; i++) {
                    Mem.i16(out + 2 * i, Mem.i16(x + i * stride));
                }
            }
            default -> {
                for (long i = 0; i < n; i++) {
                    Mem.u8(out + i, Mem.u8(x + i * stride));
                }
            }
        }
    }

    /**
     * Copies the whole operand by tiles where some other axis than the last is the one that steps by one element, so that
     * every cache line read is used up before it is evicted; false where that does not apply.
     */
    boolean transpose(long out, Workers workers) {
        int inner = rank - 1;
        int fast = -1;
        for (int i = 0; i < inner; i++) {
            if (Math.abs(strides[i]) == width) {
                fast = i;
            }
        }
        if (fast < 0 || Math.abs(strides[inner]) <= width || dims[fast] < TILE / 2 || dims[inner] < TILE / 2) {
            return false;
        }
        int axis = fast;
        long rows = dims[fast];
        long columns = dims[inner];
        long step = 1;
        for (int i = fast + 1; i < rank; i++) {
            step *= dims[i];
        }
        long rowStep = step * width;
        long bands = (rows + TILE - 1) / TILE;
        long planes = 1;
        for (int i = 0; i < inner; i++) {
            planes *= i == fast ? 1 : dims[i];
        }
        workers.parallelFor(planes * bands, Math.max(1, Elementwise.GRAIN / (TILE * columns)), (from, to) -> {
            for (long k = from; k < to; k++) {
                long plane = k / bands;
                long row = k % bands * TILE;
                long x = address + row * strides[axis];
                long y = out + row * rowStep;
                long unit = columns * width;
                for (int i = inner - 1; i >= 0; i--) {
                    if (i != axis) {
                        long c = plane % dims[i];
                        plane /= dims[i];
                        x += c * strides[i];
                        y += c * unit;
                    }
                    unit *= dims[i];
                }
                band(x, strides[axis], y, rowStep, Math.min(TILE, rows - row), columns, strides[inner]);
            }
        });
        return true;
    }

    private static final int TILE = 16;

    private void band(long x, long xRow, long out, long outRow, long rows, long columns, long xColumn) {
        for (long c = 0; c < columns; c += TILE) {
            long n = Math.min(TILE, columns - c);
            for (long r = 0; r < rows; r++) {
                line(x + r * xRow + c * xColumn, xColumn, out + r * outRow + c * width, n);
            }
        }
    }
}
