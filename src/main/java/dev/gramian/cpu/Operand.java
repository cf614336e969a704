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
    /** Rows and columns from which tiles repay their copying. */
    private static final int LEAST = 8;

    /** Most elements of a band that is gathered at once: it should stay in the second-level cache. */
    private static final int LARGEST = 256 << 10;

    private final DType type;
    private final int width;
    private final int tile;
    private final long address;
    private final int rank;
    private final long[] dims;
    /** In bytes. */
    private final long[] strides;
    /** The last axis but one steps by one element, the last one further: a transposed matrix, or a stack of them. */
    private final boolean transposed;

    private Operand(DType type, long address, int rank, long[] dims, long[] strides) {
        this.type = type;
        this.width = type.bytes();
        this.address = address;
        this.rank = rank;
        this.dims = dims;
        this.strides = strides;
        this.tile = Tiles.side(width);
        this.transposed = rank > 1
                && Math.abs(strides[rank - 2]) == width
                && Math.abs(strides[rank - 1]) > width
                && dims[rank - 1] >= LEAST
                && dims[rank - 1] * tile <= LARGEST;
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

    /** Elements to gather at a time: whole rows of tiles of a transposed operand. */
    int blockSize() {
        return transposed ? (int) Math.max(Elementwise.BLOCK, dims[rank - 1] * tile) : Elementwise.BLOCK;
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
            if (transposed && at[inner] == 0 && n >= 4 * dims[inner]) {
                long rows = Math.min(tile, Math.min(n / dims[inner], dims[inner - 1] - at[inner - 1]));
                run = dims[inner];
                Tiles.band(width, x, strides[inner - 1], out, run * width, rows, run, strides[inner]);
                // now at the end of the band's last row
                at[inner - 1] += rows - 1;
                x += (rows - 1) * strides[inner - 1];
                out += (rows - 1) * run * width;
                n -= (rows - 1) * run;
            } else {
                line(x, strides[inner], out, run);
            }
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
        Moves.elements(width, x, stride, out, width, n);
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
        if (fast < 0 || Math.abs(strides[inner]) <= width || dims[fast] < LEAST || dims[inner] < LEAST) {
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
        long bands = (rows + tile - 1) / tile;
        long planes = 1;
        for (int i = 0; i < inner; i++) {
            planes *= i == fast ? 1 : dims[i];
        }
        workers.parallelFor(planes * bands, Math.max(1, Elementwise.GRAIN / (tile * columns)), (from, to) -> {
            for (long k = from; k < to; k++) {
                long plane = k / bands;
                long row = k % bands * tile;
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
                long high = Math.min(tile, rows - row);
                Tiles.band(width, x, strides[axis], y, rowStep, high, columns, strides[inner]);
            }
        });
        return true;
    }
}
