package dev.gramian;

import dev.gramian.core.Backend;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.Distribution;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Lifetime;
import dev.gramian.core.MathMode;
import dev.gramian.core.Op;
import dev.gramian.core.Pinned;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.Spec;
import dev.gramian.core.Storage;
import dev.gramian.core.View;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Owns the memory of what is computed inside it: {@code try (Scope s = device.open()) { ... }} frees everything at its
 * end but what {@link #keep} handed to the enclosing scope.
 *
 * <p>A scope belongs to the thread that opened it, and only that thread may create, compute and close in it. Scopes of one
 * thread nest; operations run in the innermost open scope of their operands' device. Other threads may read a scope's
 * tensors, inside scopes of their own, for as long as it is open.
 */
public final class Scope implements AutoCloseable {
    private static final ThreadLocal<Scope> INNERMOST = new ThreadLocal<>();

    private final Device device;
    private final Backend backend;
    private final MathMode mode;
    private final Thread thread;
    private final Lifetime lifetime;
    private final OpenScopes.Holding holding;
    private final Cleaner.Cleanable cleanable;
    private final Scope outer;
    private Consumer<Trace> listener;
    private Recorder recorder;

    Scope(Device device, MathMode mode) {
        this.device = device;
        this.backend = device.backend();
        this.mode = mode;
        this.thread = Thread.currentThread();
        this.outer = INNERMOST.get();
        // the place costs a stack walk of about a microsecond, so scopes inside others name their root's
        String name = outer == null ? "scope opened at " + OpenScopes.site() : nested(outer.lifetime.name());
        this.lifetime = new Lifetime(thread, name);
        this.holding = new OpenScopes.Holding(lifetime, backend);
        this.cleanable = outer == null ? OpenScopes.register(this, holding) : null;
        this.listener = outer == null ? null : outer.listener;
        this.recorder = outer == null || outer.recorder == null || outer.device != device ? null : outer.recorder;
        INNERMOST.set(this);
    }

    private static String nested(String name) {
        return name.startsWith("inner ") ? name : "inner scope of the " + name;
    }

    /** The device whose memory this scope owns. */
    public Device device() {
        return device;
    }

    /** What products in this scope may trade for speed. */
    public MathMode mathMode() {
        return mode;
    }

    Scope outer() {
        return outer;
    }

    OpenScopes.Holding holding() {
        return holding;
    }

    /** Bytes this scope holds now. */
    public long liveBytes() {
        return holding.bytes();
    }

    /**
     * The calling thread's innermost open scope of a device: where an operation on that device's tensors runs.
     * {@link ClosedException} that speaks for {@code op} if there is none.
     */
    public static Scope innermost(String op, Device device) {
        Scope s = INNERMOST.get();
        while (s != null && s.device != device) {
            s = s.outer;
        }
        if (s == null) {
            throw new ClosedException(op + ": no scope is open on this thread; device " + device.name()
                    + "; compute inside try (Scope s = Device.of(\"" + device.name() + "\").open()) { ... }");
        }
        return s;
    }

    /** Opens a scope inside the one that {@code op} would run in, for intermediate results; {@link #keep} what remains. */
    public static Scope inner(String op, Device device) {
        Scope s = innermost(op, device);
        return new Scope(device, s.mode);
    }

    /** Tells {@code listener} of every operation of this scope and of scopes opened inside it from now on. */
    public void trace(Consumer<Trace> listener) {
        own("trace");
        this.listener = listener;
    }

    /** Hands a tensor to the enclosing scope of the same device, so that it outlives this one; returns it. */
    public Tensor keep(Tensor t) {
        own("keep");
        Storage storage = t.view().storage();
        if (storage.lifetime() != lifetime) {
            check("keep", "x", t);
            if (storage.lifetime().owner() == lifetime) {
                throw new ClosedException("keep: x is a view of a buffer, which stays where it is; x " + t.describe()
                        + ", " + lifetime.name() + "; keep x.copy()");
            }
            return t;
        }
        Scope to = outer;
        while (to != null && to.device != device) {
            to = to.outer;
        }
        if (to == null) {
            throw new ClosedException("keep: no scope encloses this one; x " + t.describe() + ", " + lifetime.name()
                    + "; open an outer scope on " + device.name() + ", or read the values with toFloatArray()");
        }
        if (recorder != null && to.recorder == null) {
            throw new ClosedException("keep: x would leave the recording that is being made; x " + t.describe() + ", "
                    + lifetime.name() + "; return x from the recorded function");
        }
        storage.ownedBy(to.lifetime);
        to.holding.add(storage);
        return t;
    }

    /** Frees what was not kept. Closing twice is harmless; scopes close in the reverse order of their opening. */
    @Override
    public void close() {
        if (!lifetime.isOpen()) {
            return;
        }
        if (Thread.currentThread() != thread) {
            throw new ClosedException("close: scope belongs to thread " + thread.getName() + "; called on "
                    + Thread.currentThread().getName() + ", " + lifetime.name() + "; close it where it was opened");
        }
        if (INNERMOST.get() != this) {
            throw new ClosedException("close: a scope opened later is still open; " + lifetime.name()
                    + "; close inner scopes first");
        }
        if (outer == null) {
            INNERMOST.remove();
            OpenScopes.remove(holding);
        } else {
            INNERMOST.set(outer);
        }
        holding.free(this::free);
        if (cleanable != null) {
            cleanable.clean();
        }
    }

    /** Closes the scopes opened inside this one that are still open, then this one. */
    void closeAll() {
        while (lifetime.isOpen() && INNERMOST.get() != this) {
            INNERMOST.get().close();
        }
        close();
    }

    private void own(String op) {
        if (!lifetime.isOpen()) {
            throw new ClosedException(op + ": scope is closed; " + lifetime.name() + "; open another");
        }
        if (Thread.currentThread() != thread) {
            throw new ClosedException(op + ": scope belongs to thread " + thread.getName() + "; called on "
                    + Thread.currentThread().getName() + ", " + lifetime.name()
                    + "; open a scope on each thread that computes");
        }
    }

    // ---- the funnel --------------------------------------------------------------------------------------------------

    /** Runs an operation in this scope and returns its only, or first, result. */
    public Tensor run(Op op, Tensor... in) {
        return runAll(op, in)[0];
    }

    /**
     * Runs an operation in this scope: every computation passes here. Checks that the operands are alive and on this
     * device and that they fit the operation, allocates the results, calls the device.
     */
    public Tensor[] runAll(Op op, Tensor... in) {
        own(op.name());
        View[] views = new View[in.length];
        boolean foreign = false;
        for (int i = 0; i < in.length; i++) {
            foreign |= check(op.name(), in.length == 1 ? "x" : "operand " + i, in[i]);
            views[i] = in[i].view();
        }
        Spec[] specs = op.results(views);
        Lifetime[] pins = foreign ? pin(op, in) : null;
        View[] copies = null;
        View[] out = new View[specs.length];
        long start = listener == null ? 0 : System.nanoTime();
        boolean done = false;
        try {
            View[] operands = views;
            if (op instanceof Op.Gemm) {
                copies = copiesForBlas(op, views);
                operands = copies == null ? views : copies;
            }
            for (int i = 0; i < specs.length; i++) {
                out[i] = fresh(op.name(), specs[i]);
            }
            compute(op, operands, out);
            done = true;
        } finally {
            if (copies != null) {
                for (int i = 0; i < copies.length; i++) {
                    if (copies[i] != views[i] && copies[i] != null) {
                        free(copies[i].storage());
                    }
                }
            }
            if (pins != null) {
                unpin(pins);
            }
            if (!done) {
                for (View v : out) {
                    if (v != null) {
                        backend.free(v.storage());
                    }
                }
            }
        }
        Tensor[] results = new Tensor[out.length];
        for (int i = 0; i < out.length; i++) {
            results[i] = adopt(out[i]);
        }
        if (listener != null) {
            listener.accept(new Trace(
                    op.name(), specs(views), specs(out), System.nanoTime() - start, op.flops(views, out)));
        }
        return results;
    }

    private static List<Spec> specs(View[] views) {
        List<Spec> list = new ArrayList<>();
        for (View v : views) {
            list.add(v.spec());
        }
        return list;
    }

    /** Contiguous copies of the operands BLAS cannot read in place; null if it can read both. */
    private View[] copiesForBlas(Op op, View[] in) {
        if (GemmPlan.fits(in[0].layout()) && GemmPlan.fits(in[1].layout())) {
            return null;
        }
        View[] r = in.clone();
        for (int i = 0; i < 2; i++) {
            if (!GemmPlan.fits(in[i].layout())) {
                r[i] = fresh(op.name(), in[i].spec());
                compute(new Op.Copy(in[i].dtype()), new View[] {in[i]}, new View[] {r[i]});
            }
        }
        return r;
    }

    /** Uninitialised bytes of this scope that can be freed before it closes; for {@link Buffer} alone. */
    Tensor block(Spec spec) {
        own("buffer");
        return block("buffer", spec);
    }

    /** As {@link #block(Spec)} for another {@code owner} than a buffer. */
    Tensor block(String owner, Spec spec) {
        View v = fresh(owner, spec);
        hold(v.storage(), owner);
        return new Tensor(v, device);
    }

    /** Frees what {@link #block} gave, unless the scope's end has. */
    void release(Tensor block) {
        Storage s = block.view().storage();
        if (s.lifetime().isOpen()) {
            own("buffer");
            release(s);
        }
    }

    /** Writes elements into memory that exists already, part of a {@link #block}, of the same shape and type. */
    void assign(Tensor to, Tensor from) {
        write(new Op.Assign(), to, from);
    }

    /** Writes the result of an operation that can do so into memory that exists already, part of a {@link #block}. */
    void write(Op op, Tensor to, Tensor... from) {
        own(op.name());
        check(op.name(), "target", to);
        boolean foreign = false;
        View[] in = new View[from.length];
        for (int i = 0; i < from.length; i++) {
            foreign |= check(op.name(), i == 0 ? "x" : "operand " + i, from[i]);
            in[i] = from[i].view();
        }
        View[] out = {to.view()};
        assert op.results(in)[0].equals(out[0].spec());
        Lifetime[] pins = foreign ? pin(op, from) : null;
        long start = listener == null ? 0 : System.nanoTime();
        try {
            compute(op, in, out);
        } finally {
            if (pins != null) {
                unpin(pins);
            }
        }
        if (listener != null) {
            listener.accept(new Trace(
                    op.name(), specs(in), specs(out), System.nanoTime() - start, op.flops(in, out)));
        }
    }

    private void compute(Op op, View[] in, View[] out) {
        try {
            backend.run(op, in, out);
        } catch (DeviceException e) {
            throw named(e);
        }
        if (recorder != null) {
            recorder.ran(op, in, out);
        }
    }

    /** Frees memory of this scope, or leaves it to a recording whose operations will use it again. */
    private void free(Storage s) {
        if (recorder != null) {
            recorder.retain(s);
        } else {
            backend.free(s);
        }
    }

    /** Passes every operation and every storage freed from here on, in scopes inside too, to {@code recorder}; null ends it. */
    void record(Recorder recorder) {
        this.recorder = recorder;
    }

    Backend backend() {
        return backend;
    }

    /** The thread's innermost scope of a device if a {@link Recording} is being made in it. */
    static boolean isRecording(Device device) {
        Scope s = INNERMOST.get();
        while (s != null && s.device != device) {
            s = s.outer;
        }
        return s != null && s.recorder != null;
    }

    /** Takes a storage that nobody owns, to be freed by {@link #release} or at the scope's end. */
    void hold(Storage s, String what) {
        s.ownedBy(new Lifetime(lifetime, what + " in the " + lifetime.name()));
        holding.add(s);
    }

    /** Frees what {@link #hold} took, unless the scope's end has. */
    void release(Storage s) {
        if (s.lifetime().isOpen()) {
            s.lifetime().end();
            free(s);
        }
    }

    private View fresh(String op, Spec spec) {
        Storage s = room(() -> backend.allocate(op, spec.bytes()));
        return new View(s, Layout.contiguous(spec.shape()), spec.dtype());
    }

    /** Runs what needs memory; where there is none the error names the scopes that hold most. */
    <T> T room(Supplier<T> allocation) {
        try {
            return allocation.get();
        } catch (DeviceException e) {
            throw named(e);
        }
    }

    private DeviceException named(DeviceException e) {
        return e.isOutOfMemory()
                ? new DeviceException(e.getMessage() + "; " + OpenScopes.largest(backend, INNERMOST.get()), e)
                : e;
    }

    private Tensor adopt(View v) {
        v.storage().ownedBy(lifetime);
        holding.add(v.storage());
        return new Tensor(v, device);
    }

    /** True if the tensor belongs to another thread's scope, which must be pinned while it is read. */
    private boolean check(String op, String what, Tensor t) {
        if (t.device() != device) {
            throw new DeviceException(op + ": " + what + " is on another device; " + t.describe() + " is on "
                    + t.device().name() + ", this scope on " + device.name() + "; move it with .to(Device.of(\""
                    + device.name() + "\"))");
        }
        Lifetime life = t.view().storage().lifetime();
        if (!life.isOpen()) {
            throw closed(op, what, t, life);
        }
        return life.thread() != thread;
    }

    static ClosedException closed(String op, String what, Tensor t, Lifetime life) {
        return new ClosedException(op + ": " + what + " is used after its scope closed; " + t.describe() + ", "
                + life.name() + "; hand it to the enclosing scope with scope.keep(t)");
    }

    /** Holds the scopes of other threads open; null where an operand is this thread's own. */
    private Lifetime[] pin(Op op, Tensor[] in) {
        Lifetime[] pins = new Lifetime[in.length];
        for (int i = 0; i < in.length; i++) {
            Lifetime life = in[i].view().storage().lifetime();
            if (life.thread() != thread) {
                if (!life.pin()) {
                    unpin(pins);
                    throw closed(op.name(), "operand " + i, in[i], life);
                }
                pins[i] = life;
            }
        }
        return pins;
    }

    private static void unpin(Lifetime[] pins) {
        for (Lifetime life : pins) {
            if (life != null) {
                life.unpin();
            }
        }
    }

    // ---- creation ----------------------------------------------------------------------------------------------------

    /** F32 from row-major values; no sizes given means one axis. The array is copied. */
    public Tensor tensor(float[] values, long... shape) {
        return upload(MemorySegment.ofArray(values), DType.F32, values.length, shape);
    }

    /** F64 from row-major values; no sizes given means one axis. The array is copied. */
    public Tensor tensor(double[] values, long... shape) {
        return upload(MemorySegment.ofArray(values), DType.F64, values.length, shape);
    }

    /** I64 from row-major values; no sizes given means one axis. The array is copied. */
    public Tensor tensor(long[] values, long... shape) {
        return upload(MemorySegment.ofArray(values), DType.I64, values.length, shape);
    }

    /** I32 from row-major values; no sizes given means one axis. The array is copied. */
    public Tensor tensor(int[] values, long... shape) {
        return upload(MemorySegment.ofArray(values), DType.I32, values.length, shape);
    }

    /** U8 from row-major values; no sizes given means one axis. The array is copied. */
    public Tensor tensor(byte[] values, long... shape) {
        return upload(MemorySegment.ofArray(values), DType.U8, values.length, shape);
    }

    /** BOOL from row-major values; no sizes given means one axis. The array is copied. */
    public Tensor tensor(boolean[] values, long... shape) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (values[i] ? 1 : 0);
        }
        return upload(MemorySegment.ofArray(bytes), DType.BOOL, values.length, shape);
    }

    /** F32 matrix from rows of equal length. */
    public Tensor tensor(float[][] rows) {
        int cols = rows.length == 0 ? 0 : rows[0].length;
        float[] flat = new float[Math.multiplyExact(rows.length, cols)];
        for (int i = 0; i < rows.length; i++) {
            equalRows(cols, i, rows[i].length);
            System.arraycopy(rows[i], 0, flat, i * cols, cols);
        }
        return tensor(flat, rows.length, cols);
    }

    /** F64 matrix from rows of equal length. */
    public Tensor tensor(double[][] rows) {
        int cols = rows.length == 0 ? 0 : rows[0].length;
        double[] flat = new double[Math.multiplyExact(rows.length, cols)];
        for (int i = 0; i < rows.length; i++) {
            equalRows(cols, i, rows[i].length);
            System.arraycopy(rows[i], 0, flat, i * cols, cols);
        }
        return tensor(flat, rows.length, cols);
    }

    private static void equalRows(int cols, int row, int length) {
        if (length != cols) {
            throw new ShapeException(
                    "tensor: rows differ in length; row 0 has " + cols + " values, row " + row + " has "
                            + length + "; give every row the same number");
        }
    }

    /** A tensor of rank 0. */
    public Tensor scalar(DType dtype, double value) {
        return full(dtype, value);
    }

    /**
     * A tensor over memory the caller owns, without a copy where the device can read host memory, else with one.
     * {@code onFree} (may be null) is called when the scope that owns the tensor closes; until then the memory must stay
     * valid and, being shared, unchanged.
     */
    public Tensor wrap(MemorySegment bytes, Runnable onFree, DType dtype, Layout layout) {
        own("wrap");
        if (!bytes.isNative()) {
            throw new GramianException("wrap: memory lies on the Java heap, where it may move; " + bytes.byteSize()
                    + " bytes; take it from an Arena, or copy it with tensor(bytes, dtype, shape)");
        }
        Storage storage = room(() -> backend.wrap(bytes, onFree));
        boolean done = false;
        try {
            Tensor t = adopt(new View(storage, layout, dtype));
            done = true;
            return t;
        } finally {
            if (!done) {
                backend.free(storage);
            }
        }
    }

    /** Contiguous, from the bytes of its elements in row-major order and the machine's byte order; copied. */
    public Tensor tensor(MemorySegment bytes, DType dtype, long... shape) {
        if (bytes.byteSize() % dtype.bytes() != 0) {
            throw new ShapeException("tensor: the last element is cut off; " + bytes.byteSize() + " bytes, " + dtype
                    + " takes " + dtype.bytes() + " each; give whole elements");
        }
        return upload(bytes, dtype, bytes.byteSize() / dtype.bytes(), shape);
    }

    private Tensor upload(MemorySegment from, DType dtype, long count, long[] sizes) {
        own("tensor");
        Shape shape = sizes.length == 0 ? Shape.of(count) : Shape.of(sizes);
        if (shape.size() * dtype.bytes() != from.byteSize()) {
            throw new ShapeException(
                    "tensor: values do not fill the shape; " + count + " values of " + dtype + ", shape "
                            + shape + " has " + shape.size() + "; the counts must be equal");
        }
        View v = fresh("tensor", new Spec(shape, dtype));
        boolean done = false;
        try {
            backend.upload(from, v.storage(), 0);
            done = true;
        } finally {
            if (!done) {
                backend.free(v.storage());
            }
        }
        return adopt(v);
    }

    /** F32 zeros. */
    public Tensor zeros(long... shape) {
        return full(DType.F32, 0, shape);
    }

    public Tensor zeros(DType dtype, long... shape) {
        return full(dtype, 0, shape);
    }

    /** F32 ones. */
    public Tensor ones(long... shape) {
        return full(DType.F32, 1, shape);
    }

    public Tensor ones(DType dtype, long... shape) {
        return full(dtype, 1, shape);
    }

    /** Every element {@code value}; integer types take whole values only, BOOL takes any non-zero value for true. */
    public Tensor full(DType dtype, double value, long... shape) {
        return run(new Op.Fill(Shape.of(shape), dtype, value));
    }

    /** Ones on the main diagonal, zeros elsewhere. */
    public Tensor eye(DType dtype, long rows, long columns) {
        Shape.of(rows, columns);
        try (Scope s = inner("eye", device)) {
            Tensor r = s.arange(DType.I64, rows).unsqueeze(1);
            return s.keep(r.eq(s.arange(DType.I64, columns)).to(dtype));
        }
    }

    /** The identity matrix. */
    public Tensor eye(DType dtype, long n) {
        return eye(dtype, n, n);
    }

    /** 0, 1, ... below {@code stop}. */
    public Tensor arange(DType dtype, long stop) {
        return arange(dtype, 0, stop, 1);
    }

    /** {@code start, start + step, ...} before {@code stop}: ceil((stop - start) / step) elements, as NumPy's. */
    public Tensor arange(DType dtype, double start, double stop, double step) {
        double count = Math.ceil((stop - start) / step);
        if (step == 0 || Double.isNaN(count) || count > Long.MAX_VALUE / 16) {
            throw new ShapeException("arange: no such range; start " + start + ", stop " + stop + ", step " + step
                    + "; use finite bounds and a step other than 0");
        }
        long n = (long) Math.max(0, count);
        if (dtype.isInteger() && (start != Math.rint(start) || step != Math.rint(step))) {
            throw new DTypeException("arange: start and step are not whole numbers; start " + start + ", step " + step
                    + ", dtype " + dtype + "; use a float type");
        }
        return run(new Op.Sequence(n, dtype, start, step, start + (n - 1) * step));
    }

    /** {@code count} values evenly from {@code start} to {@code stop}, both included. */
    public Tensor linspace(DType dtype, double start, double stop, long count) {
        if (!dtype.isFloat()) {
            throw new DTypeException("linspace: needs a float type; dtype " + dtype + "; use arange for whole steps");
        }
        return run(new Op.Sequence(count, dtype, start, count > 1 ? (stop - start) / (count - 1) : 0,
                count > 1 ? stop : start));
    }

    /** Random values evenly from [low, high); one seed gives the same values on every device and thread count. */
    public Tensor uniform(DType dtype, long seed, double low, double high, long... shape) {
        floating("uniform", dtype);
        if (!(low <= high && high - low < Double.POSITIVE_INFINITY)) {
            throw new ShapeException("uniform: no such range; low " + low + ", high " + high
                    + "; use finite bounds, low not above high");
        }
        return run(new Op.Random(Shape.of(shape), dtype, Distribution.UNIFORM, seed, low, high));
    }

    /** Random values of mean 0 and standard deviation 1; one seed gives the same values everywhere. */
    public Tensor normal(DType dtype, long seed, long... shape) {
        floating("normal", dtype);
        return run(new Op.Random(Shape.of(shape), dtype, Distribution.NORMAL, seed, 0, 1));
    }

    /** Random whole numbers evenly from [low, high); one seed gives the same values everywhere. */
    public Tensor integers(DType dtype, long seed, long low, long high, long... shape) {
        if (low >= high) {
            throw new ShapeException(
                    "integers: range is empty; low " + low + ", high " + high + "; low must be below high");
        }
        return run(new Op.Random(Shape.of(shape), dtype, Distribution.INTEGERS, seed, low, high));
    }

    private static void floating(String op, DType dtype) {
        if (!dtype.isFloat()) {
            throw new DTypeException(op + ": needs a float type; dtype " + dtype + "; use integers(...)");
        }
    }

    /** Copies a tensor of another device into this scope. */
    Tensor receive(Tensor from) {
        own("to");
        View v = fresh("to", new Spec(from.shape(), from.dtype()));
        boolean done = false;
        try {
            Host.read(from, from.dtype(), (host, offset) -> backend.upload(host, v.storage(), offset));
            done = true;
        } finally {
            if (!done) {
                backend.free(v.storage());
            }
        }
        return adopt(v);
    }

    /** A tensor of what pinned memory begins with, to be used at once though the copy may be under way. */
    Tensor receive(Pinned from, Spec spec) {
        own("upload");
        Storage s = room(() -> backend.uploadAsync("upload", from, spec.bytes()));
        return adopt(new View(s, Layout.contiguous(spec.shape()), spec.dtype()));
    }
}
