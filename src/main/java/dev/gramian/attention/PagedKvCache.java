package dev.gramian.attention;

import dev.gramian.Blocks;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Bytes;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.core.FormatException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Keys and values of many sequences in one pool of blocks, each of {@code blockSize} positions: a sequence has a table of
 * the blocks it fills, takes one when it needs one and gives them back when it is closed or truncated. Forks share blocks
 * until one of them writes, which copies the one block that both had begun to fill.
 *
 * <p>Memory is {@link #bytes(DType, long, long, long, long, long)} from the beginning to the end and belongs to the scope
 * given; a sequence of length n takes {@code ceil(n / blockSize)} blocks less those it shares. What does not fit is refused
 * before anything has changed.
 *
 * <p>Attention to one sequence whose blocks lie one after another reads them in place. Otherwise the blocks of all
 * sequences in the batch are copied for the time of the call, padded to the longest: as many bytes as
 * {@code batch * ceil(longest / blockSize)} blocks have. Results are those of {@link KvCache}, to the bit.
 *
 * <p>Keys are stored as given, already rotated; with {@link #rotating} the cache rotates them, and queries, itself. Only
 * the thread of the scope may use a cache.
 */
public final class PagedKvCache implements AutoCloseable {
    private static final String KIND = "paged";
    private static final int SHOWN = 3;

    private final Blocks keys;
    private final Blocks values;
    private final int blockSize;
    /** Of each block, how many sequences have it. */
    private final int[] users;
    /** Blocks without users, the next one to be taken last. */
    private final int[] free;
    private int frees;
    private final Set<Sequence> sequences = new LinkedHashSet<>();
    private int made;
    private RopeTables rope;
    private boolean closed;

    private PagedKvCache(Blocks keys, Blocks values) {
        this.keys = keys;
        this.values = values;
        blockSize = Math.toIntExact(keys.shape().at(2));
        users = new int[Math.toIntExact(keys.shape().at(1))];
        free = new int[users.length];
        while (frees < free.length) {
            free[frees] = free.length - 1 - frees;
            frees++;
        }
    }

    /** Empty, with memory for {@code blocks} blocks of {@code blockSize} positions; keys and values of one head size. */
    public static PagedKvCache of(
            Scope scope, DType dtype, long kvHeads, long headSize, int blockSize, int blocks) {
        return of(scope, dtype, kvHeads, headSize, headSize, blockSize, blocks);
    }

    /** Empty, with memory for {@code blocks} blocks of {@code blockSize} positions. */
    public static PagedKvCache of(
            Scope scope, DType dtype, long kvHeads, long headSize, long valueSize, int blockSize, int blocks) {
        CacheRules.floats(dtype, blocks + " blocks of " + blockSize + " positions, " + kvHeads + " heads");
        if (blockSize < 1 || blocks < 0) {
            throw new ShapeException("cache: there is no such pool; " + blocks + " blocks of " + blockSize
                    + " positions; blocks of 16 to 128 positions are usual");
        }
        Blocks keys = Blocks.of(scope, dtype, kvHeads, blocks, blockSize, headSize);
        boolean done = false;
        try {
            PagedKvCache c = new PagedKvCache(keys, Blocks.of(scope, dtype, kvHeads, blocks, blockSize, valueSize));
            done = true;
            return c;
        } finally {
            if (!done) {
                keys.close();
            }
        }
    }

    /** Bytes that a pool of these sizes takes. */
    public static long bytes(
            DType dtype, long kvHeads, long headSize, long valueSize, long blockSize, long blocks) {
        return KvCache.bytes(dtype, blocks, kvHeads, headSize, valueSize, blockSize);
    }

    /**
     * This cache, from now on with keys rotated where they are appended, at the positions that follow from lengths, and
     * queries where they attend. It must be empty, and the tables must live as long as it does.
     */
    public PagedKvCache rotating(RopeTables tables) {
        open("rotating");
        CacheRules.rotates(tables, keys.dtype(), keys.shape().at(3), liveBytes() == 0, this);
        rope = tables;
        return this;
    }

    /** What rotates keys and queries; null where they come as they are to be. */
    public RopeTables rope() {
        return rope;
    }

    public Device device() {
        return keys.device();
    }

    public DType dtype() {
        return keys.dtype();
    }

    /** Bytes of the pool. */
    public long bytes() {
        return keys.bytes() + values.bytes();
    }

    /** Bytes of the blocks that sequences have. */
    public long liveBytes() {
        return bytes(keys.dtype(), keys.shape().at(0), keys.shape().at(3), values.shape().at(3), blockSize,
                users.length - frees);
    }

    /** Positions per block. */
    public int blockSize() {
        return blockSize;
    }

    /** Blocks of the pool. */
    public int blocks() {
        return users.length;
    }

    /** Blocks that no sequence has. */
    public int freeBlocks() {
        return frees;
    }

    /** The open sequences, in the order they were made. */
    public List<Sequence> sequences() {
        return List.copyOf(sequences);
    }

    private void open(String op) {
        if (closed) {
            throw new ClosedException(op + ": cache is closed; " + users.length + " blocks of " + blockSize
                    + " positions; make another");
        }
    }

    // ---- sequences ---------------------------------------------------------------------------------------------------

    /** A sequence of a pool; closing it returns its blocks. */
    public final class Sequence implements AutoCloseable {
        private final int number;
        private int[] table;
        private long length;
        private boolean gone;

        private Sequence(int[] table, long length) {
            number = made++;
            this.table = table;
            this.length = length;
            sequences.add(this);
        }

        private Sequence open(String op) {
            PagedKvCache.this.open(op);
            if (gone) {
                throw new ClosedException(op + ": sequence " + number + " is closed; it had " + length
                        + " positions; add another");
            }
            return this;
        }

        /** Positions so far, which is where the next one is. */
        public long length() {
            return length;
        }

        /** Blocks in its table, {@code ceil(length / blockSize)}, those shared with forks among them. */
        public int blocks() {
            return table.length;
        }

        /** A sequence of the same contents to go on with independently; it takes no memory until one of both appends. */
        public Sequence fork() {
            open("fork");
            for (int b : table) {
                users[b]++;
            }
            return new Sequence(table, length);
        }

        /** Drops what it has beyond {@code length}, as where guessed tokens were wrong, and returns the blocks. */
        public void truncate(long length) {
            open("truncate");
            if (length < 0 || length > this.length) {
                throw new ShapeException("truncate: sequence " + number + " cannot have length " + length + "; it has "
                        + this.length + "; give 0 to " + this.length);
            }
            int kept = blocksFor(length);
            leave(table, kept);
            table = Arrays.copyOf(table, kept);
            this.length = length;
        }

        /** A copy of its keys so far, (Hkv, length, d). */
        public Tensor keys() {
            return copy(open("keys"), keys);
        }

        /** A copy of its values so far, (Hkv, length, dv). */
        public Tensor values() {
            return copy(open("values"), values);
        }

        /** Returns its blocks to the pool. Closing twice is harmless. */
        @Override
        public void close() {
            if (!gone) {
                gone = true;
                leave(table, 0);
                table = new int[0];
                sequences.remove(this);
            }
        }

        @Override
        public String toString() {
            return "sequence " + number + (gone
                    ? ", closed"
                    : " of length " + length + " in " + table.length
                            + (table.length == 1 ? " block" : " blocks"));
        }
    }

    /** A sequence without positions. */
    public Sequence add() {
        open("add");
        return new Sequence(new int[0], 0);
    }

    /** Some sequences to go on with together, each once. */
    public Batch batch(List<Sequence> sequences) {
        batch("batch", sequences);
        return new Batch(List.copyOf(sequences));
    }

    /** Sequences of this cache by their number in a list, as layers take them. */
    public final class Batch implements CacheBatch {
        private final List<Sequence> sequences;

        private Batch(List<Sequence> sequences) {
            this.sequences = sequences;
        }

        @Override
        public int batch() {
            return sequences.size();
        }

        @Override
        public long[] lengths() {
            return PagedKvCache.lengths(sequences);
        }

        @Override
        public RopeTables rope() {
            return rope;
        }

        @Override
        public void append(Tensor k, Tensor v, long... counts) {
            PagedKvCache.this.append(sequences, k, v, counts);
        }

        @Override
        public Attention.Result attend(Attention options, Tensor q, long... starts) {
            return PagedKvCache.this.attend(options, sequences, q, starts);
        }

        @Override
        public void truncate(int sequence, long length) {
            sequences.get(sequence).truncate(length);
        }

        @Override
        public String toString() {
            return "batch of " + sequences + " of " + PagedKvCache.this;
        }
    }

    private int blocksFor(long length) {
        return Math.toIntExact((length + blockSize - 1) / blockSize);
    }

    private int take() {
        int b = free[--frees];
        users[b] = 1;
        return b;
    }

    /** Gives back the blocks of a table from entry {@code from} on, the last first, so that they are taken in order again. */
    private void leave(int[] table, int from) {
        for (int i = table.length - 1; i >= from; i--) {
            if (--users[table[i]] == 0) {
                free[frees++] = table[i];
            }
        }
    }

    private void batch(String op, List<Sequence> batch) {
        open(op);
        for (Sequence s : batch) {
            s.open(op);
            if (!sequences.contains(s)) {
                throw new GramianException(op + ": a sequence is of another cache; " + s + ", " + this
                        + "; add it here, or append its keys and values");
            }
        }
    }

    private static long[] lengths(List<Sequence> batch) {
        return batch.stream().mapToLong(Sequence::length).toArray();
    }

    // ---- writing -----------------------------------------------------------------------------------------------------

    /** Appends k (batch, Hkv, n, d) and v (batch, Hkv, n, dv), row b to the batch's sequence b. */
    public void append(List<Sequence> batch, Tensor k, Tensor v) {
        append(batch, k, v, CacheRules.all(batch.size(), k));
    }

    /**
     * Appends to the batch's sequence b the first {@code counts[b]} positions of k (batch, Hkv, n, d) and v (batch, Hkv, n,
     * dv); what follows them is padding. All or nothing: an error, {@link DeviceException} where the pool is exhausted,
     * leaves the cache as it was.
     */
    public void append(List<Sequence> batch, Tensor k, Tensor v, long... counts) {
        batch("append", batch);
        check("k", k, keys, batch.size());
        check("v", v, values, batch.size());
        CacheRules.counts(k, v, counts, batch.size());
        if (new HashSet<>(batch).size() < batch.size()) {
            throw new ShapeException("append: a sequence is there twice; " + batch + "; give each once");
        }
        int wanted = wanted(batch, counts);
        if (wanted > frees) {
            throw exhausted(wanted);
        }
        CacheRules.covered(rope, k, lengths(batch), counts);
        int[][] tables = new int[batch.size()][];
        boolean done = false;
        try {
            for (int b = 0; b < tables.length; b++) {
                Sequence to = batch.get(b);
                tables[b] = extended(to, counts[b]);
                copyBegun(to, tables[b]);
                write(keys, rope, tables[b], to.length, k.select(0, b).slice(1, 0, counts[b]));
                write(values, null, tables[b], to.length, v.select(0, b).slice(1, 0, counts[b]));
            }
            done = true;
        } finally {
            for (int b = tables.length - 1; b >= 0; b--) {
                Sequence to = batch.get(b);
                if (done) {
                    to.table = tables[b];
                    to.length += counts[b];
                } else if (tables[b] != null) {
                    undo(to.table, tables[b]);
                }
            }
        }
    }

    private void check(String name, Tensor x, Blocks to, int batch) {
        CacheRules.type(name, x, to.dtype());
        Shape s = to.shape();
        if (x.rank() != 4 || x.dim(0) != batch || x.dim(1) != s.at(0) || x.dim(3) != s.at(3)) {
            throw new ShapeException("cache: " + name + " does not fit; " + name + " " + x.shape() + ", batch of "
                    + batch + ", " + s.at(0) + " key heads of " + s.at(3) + "; give (" + batch + ", " + s.at(0)
                    + ", n, " + s.at(3) + ")");
        }
    }

    /** Blocks that an append takes: for positions beyond the tables, and instead of begun ones that stay with others. */
    private int wanted(List<Sequence> batch, long[] counts) {
        long n = 0;
        Map<Integer, Integer> left = new HashMap<>();
        for (int b = 0; b < counts.length; b++) {
            Sequence s = batch.get(b);
            n += (s.length + counts[b] + blockSize - 1) / blockSize - s.table.length;
            if (counts[b] > 0 && s.length % blockSize != 0) {
                int last = s.table[s.table.length - 1];
                int others = left.getOrDefault(last, users[last]) - 1;
                left.put(last, others);
                n += others > 0 ? 1 : 0;
            }
        }
        return (int) Math.min(Integer.MAX_VALUE, n);
    }

    private DeviceException exhausted(int wanted) {
        long blocks = users.length - frees + (long) wanted;
        Shape s = keys.shape();
        return new DeviceException("append: pool is exhausted; " + wanted + " more blocks of " + blockSize
                + " positions wanted, " + frees + " of " + users.length + " free, largest: " + largest()
                + "; close or truncate sequences, or make a pool of at least " + blocks + " blocks, "
                + Bytes.text(bytes(keys.dtype(), s.at(0), s.at(3), values.shape().at(3), blockSize, blocks)));
    }

    private String largest() {
        return sequences.stream()
                .sorted(Comparator.comparingLong(Sequence::length).reversed().thenComparingInt(q -> q.number))
                .limit(SHOWN)
                .map(Sequence::toString)
                .collect(Collectors.collectingAndThen(
                        Collectors.joining(", "), t -> t.isEmpty() ? "no sequences" : t));
    }

    /** The table with room for {@code count} more positions, all blocks to be written its own. */
    private int[] extended(Sequence s, long count) {
        int[] table = Arrays.copyOf(s.table, blocksFor(s.length + count));
        long begun = s.length % blockSize;
        int last = s.table.length - 1;
        if (count > 0 && begun != 0 && users[table[last]] > 1) {
            users[table[last]]--;
            table[last] = take();
        }
        for (int i = last + 1; i < table.length; i++) {
            table[i] = take();
        }
        return table;
    }

    private void copyBegun(Sequence s, int[] table) {
        int last = s.table.length - 1;
        if (last >= 0 && table[last] != s.table[last]) {
            for (Blocks b : List.of(keys, values)) {
                b.copy((long) s.table[last] * blockSize, (long) table[last] * blockSize, s.length % blockSize);
            }
        }
    }

    private void undo(int[] before, int[] table) {
        leave(table, before.length);
        int last = before.length - 1;
        if (last >= 0 && table[last] != before[last]) {
            users[before[last]]++;
            users[table[last]] = 0;
            free[frees++] = table[last];
        }
    }

    /**
     * Writes x (Hkv, n, size) to a sequence's positions from {@code at} on, rotated unless {@code turn} is null, blocks that
     * lie one after another at once.
     */
    private void write(Blocks to, RopeTables turn, int[] table, long at, Tensor x) {
        long n = x.dim(1);
        for (long done = 0; done < n;) {
            int block = (int) ((at + done) / blockSize);
            long offset = (at + done) % blockSize;
            int run = run(table, block);
            long m = Math.min((long) run * blockSize - offset, n - done);
            long place = (long) table[block] * blockSize + offset;
            Tensor rows = x.slice(1, done, done + m);
            if (turn == null || turn.rope().rotary() == 0) {
                to.write(place, rows);
            } else {
                long p = at + done;
                to.writeRotated(place, rows, turn.cos().slice(0, p, p + m), turn.sin().slice(0, p, p + m),
                        turn.rope().layout() == RopeLayout.INTERLEAVED);
            }
            done += m;
        }
    }

    /** Blocks from one on that lie one after another. */
    private static int run(int[] table, int from) {
        int n = 1;
        while (from + n < table.length && table[from + n] == table[from] + n) {
            n++;
        }
        return n;
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    private Tensor copy(Sequence of, Blocks from) {
        try (Scope s = Scope.inner("cache", from.device())) {
            return s.keep(padded(s, List.of(of), from).select(0, 0).copy());
        }
    }

    /** (batch, Hkv, longest, size), to be used at once; behind a sequence's end lies anything. */
    private Tensor padded(Scope s, List<Sequence> batch, Blocks from) {
        long longest = batch.stream().mapToLong(Sequence::length).max().orElse(0);
        int width = blocksFor(longest);
        if (batch.size() == 1 && (width == 0 || run(batch.get(0).table, 0) == width)) {
            long at = width == 0 ? 0 : (long) batch.get(0).table[0] * blockSize;
            return from.view(at, longest).unsqueeze(0);
        }
        long[] index = new long[batch.size() * width];
        for (int b = 0; b < batch.size(); b++) {
            int[] table = batch.get(b).table;
            for (int i = 0; i < table.length; i++) {
                index[b * width + i] = table[i];
            }
        }
        Shape shape = from.shape();
        Tensor blocks = from.gather(s.tensor(index));
        return blocks.reshape(shape.at(0), batch.size(), (long) width * blockSize, shape.at(3)).transpose(0, 1)
                .slice(2, 0, longest);
    }

    /** Causal attention of q (batch, Hq, n, d), the last n positions of each sequence: append theirs first. */
    public Tensor attend(List<Sequence> batch, Tensor q) {
        return attend(Attention.scaled(), batch, q).output();
    }

    /** As {@link #attend(List, Tensor)} with options, whose masks and biases count keys up to the longest's length. */
    public Attention.Result attend(Attention options, List<Sequence> batch, Tensor q) {
        batch("attend", batch);
        query(batch, q);
        return attend(options, batch, q, CacheRules.starts(q, lengths(batch)));
    }

    /**
     * Causal attention of q (batch, Hq, n, d), the first query of sequence b at position {@code starts[b]}: query i sees
     * the sequence's keys up to position {@code starts[b] + i}. Queries beyond a sequence's end see all of it.
     */
    public Attention.Result attend(Attention options, List<Sequence> batch, Tensor q, long... starts) {
        batch("attend", batch);
        query(batch, q);
        CacheRules.starts(options, q, starts, batch.size());
        try (Scope s = Scope.inner("attend", q.device())) {
            Attention.Result r = CacheRules.attend(options, rope, q, starts, lengths(batch), padded(s, batch, keys),
                    padded(s, batch, values));
            CacheRules.keep(s, r);
            return r;
        }
    }

    private void query(List<Sequence> batch, Tensor q) {
        if (q.rank() != 4 || q.dim(0) != batch.size()) {
            throw new ShapeException("cache: q does not fit; q " + q.shape() + ", batch of " + batch.size() + ", "
                    + keys.shape().at(0) + " key heads of " + keys.shape().at(3) + "; give (" + batch.size()
                    + ", query heads, n, " + keys.shape().at(3) + ")");
        }
    }

    // ---- copies ------------------------------------------------------------------------------------------------------

    /**
     * Everything to go on from later, in the innermost open scope of {@code to}: the blocks that sequences have, once each
     * however many share them, and the tables.
     */
    public CacheSnapshot snapshot(Device to) {
        open("snapshot");
        Map<Integer, Integer> places = new HashMap<>();
        List<Long> filled = new ArrayList<>();
        List<Long> tables = new ArrayList<>();
        for (Sequence s : sequences) {
            for (int i = 0; i < s.table.length; i++) {
                int place = places.computeIfAbsent(s.table[i], b -> filled.size());
                long n = Math.min(blockSize, s.length - (long) i * blockSize);
                if (place == filled.size()) {
                    filled.add(n);
                }
                filled.set(place, Math.max(filled.get(place), n));
                tables.add((long) place);
            }
        }
        long[] index = new long[filled.size()];
        places.forEach((block, place) -> index[place] = block);
        Map<String, Tensor> tensors = new HashMap<>();
        try (Scope s = Scope.inner("snapshot", keys.device())) {
            Tensor blocks = s.tensor(index);
            // what behind the ends is left from sequences that are gone is nobody's business
            Tensor used = s.arange(DType.I64, blockSize).lt(s.tensor(numbers(filled), index.length, 1)).unsqueeze(-1);
            Tensor zero = s.scalar(keys.dtype(), 0);
            for (Blocks b : List.of(keys, values)) {
                Tensor all = b.gather(blocks).reshape(b.shape().with(1, index.length).toArray());
                Tensor clean = used.where(all, zero);
                tensors.put(b == keys ? "keys" : "values", to == keys.device() ? s.keep(clean) : clean.to(to));
            }
        }
        Scope there = Scope.innermost("snapshot", to);
        tensors.put("tables", there.tensor(numbers(tables)));
        tensors.put("lengths", there.tensor(lengths(sequences())));
        return new CacheSnapshot(tensors, Map.of(
                CacheSnapshot.KIND, KIND, CacheSnapshot.ROPE, CacheSnapshot.describe(rope),
                "dtype", keys.dtype().name(),
                "heads", "" + keys.shape().at(0), "head size", "" + keys.shape().at(3),
                "value size", "" + values.shape().at(3), "block size", "" + blockSize, "blocks", "" + users.length,
                "used", "" + index.length));
    }

    private static long[] numbers(Collection<Long> of) {
        return of.stream().mapToLong(Long::longValue).toArray();
    }

    /**
     * As it was when the snapshot was made, in memory of {@code scope}, with {@link #sequences} in the order they had;
     * {@code rope} as given to {@link #rotating}, or null.
     */
    public static PagedKvCache restore(Scope scope, CacheSnapshot snapshot, RopeTables rope) {
        snapshot.check(KIND, rope);
        DType dtype = snapshot.dtype();
        long heads = snapshot.number("heads");
        long d = snapshot.number("head size");
        long dv = snapshot.number("value size");
        int blockSize = Math.toIntExact(snapshot.number("block size"));
        long used = snapshot.number("used");
        PagedKvCache c = of(scope, dtype, heads, d, dv, blockSize, Math.toIntExact(snapshot.number("blocks")));
        boolean done = false;
        try (Scope s = Scope.inner("restore", scope.device())) {
            Tensor k = snapshot.tensor(s, "keys", dtype, Shape.of(heads, used, blockSize, d));
            Tensor v = snapshot.tensor(s, "values", dtype, Shape.of(heads, used, blockSize, dv));
            long[] tables = snapshot.numbers(s, "tables");
            long[] lengths = snapshot.numbers(s, "lengths");
            if (used > c.users.length) {
                throw damaged(used + " blocks are used of " + c.users.length);
            }
            c.keys.write(0, k.reshape(heads, used * blockSize, d));
            c.values.write(0, v.reshape(heads, used * blockSize, dv));
            c.fill(used, tables, lengths);
            c.rope = rope;
            done = true;
        } finally {
            if (!done) {
                c.close();
            }
        }
        return c;
    }

    private void fill(long used, long[] tables, long[] lengths) {
        int at = 0;
        frees -= (int) used;
        for (long length : lengths) {
            if (length < 0 || length > (long) (tables.length - at) * blockSize) {
                throw damaged("a sequence of length " + length + " with " + (tables.length - at) + " blocks left");
            }
            int[] table = new int[blocksFor(length)];
            for (int i = 0; i < table.length; i++) {
                long block = tables[at++];
                if (block < 0 || block >= used) {
                    throw damaged("block " + block + " of " + used);
                }
                table[i] = (int) block;
                users[table[i]]++;
            }
            new Sequence(table, length);
        }
        for (int b = 0; b < used; b++) {
            if (users[b] == 0) {
                throw damaged("block " + b + " is nobody's");
            }
        }
    }

    private static FormatException damaged(String fact) {
        return new FormatException("restore: snapshot does not fit together; " + fact
                + "; is the file one that a snapshot was written to?");
    }

    /** Frees the pool before the scope does; sequences are gone with it. Closing twice is harmless. */
    @Override
    public void close() {
        closed = true;
        keys.close();
        values.close();
    }

    @Override
    public String toString() {
        return "paged cache " + keys.dtype() + ", " + keys.shape().at(0) + " key heads of " + keys.shape().at(3)
                + ", values of " + values.shape().at(3) + ", " + (users.length - frees) + " of " + users.length
                + " blocks of " + blockSize + " positions by " + sequences.size() + " sequences, "
                + Bytes.text(liveBytes()) + " of " + Bytes.text(bytes()) + (closed ? ", closed" : "");
    }
}
