package dev.gramian;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.ClosedException;
import dev.gramian.core.Spec;
import java.util.Arrays;

/**
 * Sequences that grow at their end in place: memory (rows, planes, capacity, width) whose row b is filled up to a length
 * of its own. The one thing that is written after it was made, and still no tensor changes: what {@link #row} has handed
 * out is never written again, neither by later appends, nor after truncating, which moves to new memory first, nor by
 * forks, which share memory until one of them writes.
 *
 * <p>Memory belongs to the scope given; only that scope's thread may use the buffer. Growth doubles and frees what it
 * leaves, unless a view of it was handed out: that stays valid until the scope closes.
 */
public final class Buffer implements AutoCloseable {
    /** Memory with the number of buffers that use it and what was handed out, per row up to which length. */
    private static final class Block {
        final Tensor whole;
        final long[] shown;
        boolean handedOut;
        int users = 1;

        Block(Tensor whole) {
            this.whole = whole;
            this.shown = new long[(int) whole.dim(0)];
        }
    }

    private final Scope scope;
    private final long[] lengths;
    private Block block;

    private Buffer(Scope scope, Block block, long[] lengths) {
        this.scope = scope;
        this.block = block;
        this.lengths = lengths;
    }

    /** Empty rows with memory for {@code capacity} positions each. */
    public static Buffer of(Scope scope, DType dtype, long rows, long planes, long capacity, long width) {
        if (rows > Integer.MAX_VALUE) {
            throw new ShapeException("buffer: too many rows; " + rows + " rows; give at most " + Integer.MAX_VALUE);
        }
        Spec spec = new Spec(Shape.of(rows, planes, capacity, width), dtype);
        return new Buffer(scope, new Block(scope.block(spec)), new long[(int) rows]);
    }

    private Block open(String op) {
        if (block == null) {
            throw new ClosedException(op + ": buffer is closed; " + lengths.length + " rows; make another");
        }
        return block;
    }

    public DType dtype() {
        return open("buffer").whole.dtype();
    }

    /** (rows, planes, capacity, width) as of now. */
    public Shape shape() {
        return open("buffer").whole.shape();
    }

    /** Positions for which there is memory. */
    public long capacity() {
        return shape().at(2);
    }

    /** Positions filled in one row. */
    public long length(int row) {
        return lengths[at("length", row)];
    }

    /** Positions filled per row. */
    public long[] lengths() {
        return lengths.clone();
    }

    /** Positions filled in the longest row. */
    public long longest() {
        return Arrays.stream(lengths).max().orElse(0);
    }

    /** Bytes of the memory in use, whole capacity; forks that share it count it each. */
    public long bytes() {
        return new Spec(shape(), dtype()).bytes();
    }

    private int at(String op, int row) {
        if (row < 0 || row >= lengths.length) {
            throw new ShapeException(op + ": row " + row + " does not exist; buffer has " + lengths.length
                    + " rows; use 0 to " + (lengths.length - 1));
        }
        return row;
    }

    // ---- writing -----------------------------------------------------------------------------------------------------

    /** Appends x (rows, planes, n, width) to every row. */
    public void append(Tensor x) {
        append(x, all(x.rank() == 4 ? x.dim(2) : 0));
    }

    /** Appends to row b the first {@code counts[b]} of x (rows, planes, n, width). */
    public void append(Tensor x, long... counts) {
        append(x, null, counts);
    }

    /**
     * As {@link #append(Tensor, long...)}, each position turned on the way by its row of cos and sin (positions, pairs), which
     * cover all that is filled: pairs of the first channels as {@link Op.Rotate} turns them. Nothing in between is stored.
     */
    public void appendRotated(Tensor x, Tensor cos, Tensor sin, boolean interleaved, long... counts) {
        append(x, new Turn(new Op.Rotate(interleaved), cos, sin), counts);
    }

    private record Turn(Op.Rotate op, Tensor cos, Tensor sin) {}

    private void append(Tensor x, Turn turn, long[] counts) {
        Shape s = open("append").whole.shape();
        if (x.dtype() != dtype()) {
            throw new DTypeException("append: element types differ; x " + x.describe() + ", buffer " + dtype() + " " + s
                    + "; cast with .to(DType." + dtype() + ")");
        }
        if (x.rank() != 4 || !x.shape().with(2, s.at(2)).equals(s)) {
            throw new ShapeException("append: x does not fit; x " + x.shape() + ", buffer " + s
                    + " (rows, planes, capacity, width); all axes but the third must be equal");
        }
        for (long n : checked("append", counts)) {
            if (n > x.dim(2)) {
                throw new ShapeException("append: " + n + " positions wanted of " + x.dim(2) + "; x " + x.shape()
                        + ", counts " + Arrays.toString(counts) + "; each may be at most " + x.dim(2));
            }
        }
        reserve(counts);
        if (same(lengths) && same(counts)) {
            if (counts.length > 0) {
                put(block.whole, x, turn, lengths[0], counts[0]);
            }
        } else {
            for (int b = 0; b < counts.length; b++) {
                put(block.whole.slice(0, b, b + 1), x.slice(0, b, b + 1), turn, lengths[b], counts[b]);
            }
        }
        for (int b = 0; b < counts.length; b++) {
            lengths[b] += counts[b];
        }
    }

    private void put(Tensor to, Tensor x, Turn turn, long at, long n) {
        if (n > 0) {
            Tensor target = to.slice(2, at, at + n);
            Tensor rows = x.slice(2, 0, n);
            if (turn == null) {
                scope.assign(target, rows);
            } else {
                scope.write(turn.op, target, rows, turn.cos.slice(0, at, at + n), turn.sin.slice(0, at, at + n));
            }
        }
    }

    /**
     * Makes the memory for {@code counts[b]} more positions of row b this buffer's own, growing to twice the capacity at
     * least where it does not suffice: the next append of no more cannot run out of memory.
     */
    public void reserve(long... counts) {
        long capacity = capacity();
        checked("reserve", counts);
        long needed = 0;
        boolean free = block.users == 1;
        for (int b = 0; b < counts.length; b++) {
            needed = Math.max(needed, Math.addExact(lengths[b], counts[b]));
            free &= counts[b] == 0 || lengths[b] >= block.shown[b];
        }
        if (needed > capacity) {
            move(Math.max(needed, 2 * capacity));
        } else if (!free && Arrays.stream(counts).anyMatch(n -> n > 0)) {
            move(capacity);
        }
    }

    private void move(long capacity) {
        Tensor old = block.whole;
        Tensor now = scope.block(new Spec(old.shape().with(2, capacity), old.dtype()));
        // rows shorter than the longest take along what lies behind their end
        put(now, old, null, 0, longest());
        leave();
        block = new Block(now);
    }

    private void leave() {
        if (--block.users == 0 && !block.handedOut) {
            scope.release(block.whole);
        }
    }

    private long[] all(long n) {
        long[] counts = new long[lengths.length];
        Arrays.fill(counts, n);
        return counts;
    }

    private long[] checked(String op, long[] counts) {
        if (counts.length != lengths.length) {
            throw new ShapeException(op + ": " + counts.length + " counts for " + lengths.length + " rows; counts "
                    + Arrays.toString(counts) + "; give one per row");
        }
        for (long n : counts) {
            if (n < 0) {
                throw new ShapeException(op + ": a count is negative; counts " + Arrays.toString(counts)
                        + "; give 0 or more, or truncate");
            }
        }
        return counts;
    }

    private static boolean same(long[] all) {
        for (long n : all) {
            if (n != all[0]) {
                return false;
            }
        }
        return true;
    }

    /** Drops what row b has beyond {@code length}; capacity stays. */
    public void truncate(int row, long length) {
        open("truncate");
        if (length < 0 || length > lengths[at("truncate", row)]) {
            throw new ShapeException("truncate: row " + row + " cannot have length " + length + "; it has "
                    + lengths[row] + "; give 0 to " + lengths[row]);
        }
        lengths[row] = length;
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    /** What row b has now: (planes, length, width), a view that stays as it is until the scope closes. */
    public Tensor row(int row) {
        Block b = open("row");
        long n = lengths[at("row", row)];
        b.handedOut = true;
        b.shown[row] = Math.max(b.shown[row], n);
        return b.whole.select(0, row).slice(1, 0, n);
    }

    /**
     * All rows up to the longest's length, (rows, planes, longest, width), to be used at once: behind the end of a shorter
     * row lies anything, NaN included, and the next change to the buffer may overwrite or free it.
     */
    public Tensor padded() {
        return open("padded").whole.slice(2, 0, longest());
    }

    // ---- copies ------------------------------------------------------------------------------------------------------

    /** The same contents to go on with independently, in the same scope; memory is copied when either first appends. */
    public Buffer fork() {
        open("fork").users++;
        return new Buffer(scope, block, lengths.clone());
    }

    /** The rows named, in that order and with repetitions, in memory of their own of the same capacity. */
    public Buffer select(int... rows) {
        Shape s = open("select").whole.shape();
        for (int r : rows) {
            at("select", r);
        }
        Buffer to = of(scope, dtype(), rows.length, s.at(1), s.at(2), s.at(3));
        for (int i = 0; i < rows.length; i++) {
            put(to.block.whole.slice(0, i, i + 1), block.whole.slice(0, rows[i], rows[i] + 1), null, 0,
                    lengths[rows[i]]);
            to.lengths[i] = lengths[rows[i]];
        }
        return to;
    }

    /** Frees memory that no fork uses and no handed-out view shows, before the scope does. Closing twice is harmless. */
    @Override
    public void close() {
        if (block != null) {
            leave();
            block = null;
        }
    }

    @Override
    public String toString() {
        return block == null
                ? "buffer, closed"
                : "buffer " + dtype() + " " + shape() + " with lengths " + Arrays.toString(lengths);
    }
}
