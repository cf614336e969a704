package dev.gramian.cpu;

import dev.gramian.core.Decomposition;
import dev.gramian.core.Backend;
import dev.gramian.core.Bytes;
import dev.gramian.core.DeviceException;
import dev.gramian.core.Op;
import dev.gramian.core.Profile;
import dev.gramian.core.Roofline;
import dev.gramian.core.DType;
import dev.gramian.core.Storage;
import dev.gramian.core.View;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Runs operations in native memory by one {@link CpuPath}. Thread-safe. */
public final class CpuBackend implements Backend {
    /** Most bytes that may be live on one CPU device; without it, the machine's or container's physical memory. */
    static final String MEMORY_PROPERTY = "gramian.memory";

    /**
     * 8 MiB, near what second-level caches hold: with more, attention was slower on two cores. Products of fewer than 128
     * rows pack as much as they multiply.
     */
    private static final Profile PROFILE = new Profile(8L << 20, 128, false, false);
    private static final Profile VECTOR_PROFILE = new Profile(8L << 20, 128, false, true);

    private final String name;
    private final CpuPath path;
    private final Workers workers;
    private final CpuMemory memory;
    private final Elementwise elementwise;
    private final Reductions reductions;
    private final Rows rows;
    private final AttentionRows attentionRows;
    /** Null without the vector module. */
    private final TiledAttention tiledAttention;
    private final Rotation rotation;
    private final Triangle triangle;
    private final Indexing indexing;
    private final Sorting sorting;
    private final Blas java;
    private final MatMul matMul;
    private final Decompositions decompositions;
    private final Map<DType, Roofline> rooflines = new ConcurrentHashMap<>();

    /** The path must not be {@link #missing}. */
    public CpuBackend(String name, CpuPath path) {
        this.name = name;
        this.path = path;
        workers = Workers.shared();
        long limit = limit();
        memory = new CpuMemory(limit, limit / 4);
        // without the vector module the native path still has its libraries; the rest is then plain Java
        CpuPath kernels = path == CpuPath.NATIVE && !CpuPath.vectorModule() ? CpuPath.SCALAR : path;
        elementwise = new Elementwise(kernels, workers);
        reductions = new Reductions(kernels, workers);
        rows = new Rows(kernels, workers);
        attentionRows = new AttentionRows(kernels, workers);
        tiledAttention = kernels == CpuPath.SCALAR ? null : new TiledAttention(workers);
        rotation = new Rotation(kernels, workers);
        triangle = new Triangle(kernels, workers);
        indexing = new Indexing(workers);
        sorting = new Sorting(workers);
        java = kernels == CpuPath.SCALAR ? new ScalarBlas() : new VectorBlas();
        matMul = new MatMul(path == CpuPath.NATIVE ? NativeBlas.of(NativeLibrary.openBlas(), java) : java, workers);
        decompositions = new Decompositions(
                path == CpuPath.NATIVE ? new OpenBlasLapack(NativeLibrary.openBlas()) : new JavaLapack(), workers);
    }

    /** Why a path cannot be used here, or null if it can. */
    public static String missing(CpuPath path) {
        return switch (path) {
            case NATIVE -> NativeLibrary.openBlas().reason();
            case VECTOR -> CpuPath.vectorModule()
                    ? null
                    : "the JVM runs without its vector module; start it with --add-modules jdk.incubator.vector";
            case SCALAR -> null;
        };
    }

    private static long limit() {
        String text = System.getProperty(MEMORY_PROPERTY);
        if (text == null || text.isBlank()) {
            return CpuMemory.physical();
        }
        try {
            return Bytes.parse(text);
        } catch (NumberFormatException e) {
            throw new DeviceException("memory: not a size; property " + MEMORY_PROPERTY + " is '" + text
                    + "'; give bytes, or a number with K, M, G or T", e);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String describe() {
        String how = java.describe();
        if (path == CpuPath.NATIVE) {
            NativeLibrary library = NativeLibrary.openBlas();
            how = library.config() + " (" + library.core() + "), " + how;
        }
        return how + "; threads " + workers.threads() + "; memory " + Bytes.text(memory.limit());
    }

    @Override
    public Profile profile() {
        return tiledAttention == null ? PROFILE : VECTOR_PROFILE;
    }

    @Override
    public Roofline roofline(DType type) {
        CpuPath kernels = CpuPath.vectorModule() ? path : CpuPath.SCALAR;
        return rooflines.computeIfAbsent(type.compute(), t -> Peaks.measure(kernels, workers, t));
    }

    @Override
    public Storage allocate(String op, long bytes) {
        CpuStorage s = memory.allocate(bytes);
        if (s == null) {
            throw DeviceException.outOfMemory(op + ": out of memory on " + name + "; needs " + Bytes.text(bytes) + ", "
                    + Bytes.text(memory.allocated()) + " of " + Bytes.text(memory.limit())
                    + " in use; close inner scopes sooner or work on slices");
        }
        return s;
    }

    @Override
    public Storage wrap(MemorySegment bytes, Runnable onFree) {
        memory.adopt(bytes.byteSize());
        return new CpuStorage(
                bytes.address(), bytes.byteSize(), 0, 0, new Wrapped(bytes, onFree == null ? () -> {} : onFree));
    }

    /** Keeps the segment, and with it an automatic arena, reachable until the storage is freed. */
    private record Wrapped(MemorySegment segment, Runnable onFree) implements Runnable {
        @Override
        public void run() {
            onFree.run();
        }
    }

    @Override
    public void free(Storage storage) {
        CpuStorage s = (CpuStorage) storage;
        if (s.onFree == null) {
            memory.free(s);
        } else {
            memory.release(s.bytes());
            s.onFree.run();
        }
    }

    @Override
    public void run(Op op, View[] in, View[] out) {
        switch (op) {
            case Op.Fill o -> elementwise.fill(o, out[0]);
            case Op.Sequence o -> elementwise.sequence(o, out[0]);
            case Op.Random o -> elementwise.random(o, out[0]);
            case Op.Dropout o -> elementwise.dropout(o, in[0], out[0]);
            case Op.Map o -> elementwise.map(o, in, out[0]);
            case Op.Zip o -> elementwise.zip(o, in, out[0]);
            case Op.ZipScalar o -> elementwise.zipScalar(o, in, out[0]);
            case Op.Where o -> elementwise.where(in, out[0]);
            case Op.Copy o -> elementwise.copy(in, out[0]);
            case Op.Assign o -> elementwise.assign(in, out[0]);
            case Op.Reduce o -> reductions.reduce(o, in[0], out[0]);
            case Op.CumSum o -> reductions.cumSum(o, in[0], out[0]);
            case Op.Softmax o -> rows.softmax(o, in[0], out[0]);
            case Op.AttentionWeights o -> attentionRows.run(o, in, out);
            case Op.Attention o -> tiledAttention.run(o, in, out);
            case Op.Normalize o -> rows.normalize(o, in, out[0]);
            case Op.Rotate o -> rotation.rotate(o, in, out[0]);
            case Op.Gemm o -> matMul.run(o, in[0], in[1], out[0]);
            case Op.Gather o -> indexing.gather(o, in[0], in[1], out[0]);
            case Op.TakeAlongAxis o -> indexing.takeAlongAxis(o, in[0], in[1], out[0]);
            case Op.Concat o -> indexing.concat(o, in, out[0]);
            case Op.Sort o -> sorting.sort(o, in[0], out);
            case Op.TopK o -> sorting.topK(o, in[0], out);
            case Op.Triangle o -> triangle.triangle(o, in[0], out[0]);
            case Op.FirstNonFinite o -> triangle.firstNonFinite(in[0], out[0]);
            case Decomposition.Svd o -> decompositions.svd(o, in[0], out);
            case Decomposition.Solve o -> decompositions.solve(in[0], in[1], out[0]);
            case Decomposition.Inverse o -> decompositions.inverse(in[0], out[0]);
            case Decomposition.Determinant o -> decompositions.determinant(o, in[0], out);
            case Decomposition.Eigh o -> decompositions.eigh(o, in[0], out);
            case Decomposition.Eig o -> decompositions.eig(o, in[0], out);
            case Decomposition.Qr o -> decompositions.qr(o, in[0], out);
            case Decomposition.Cholesky o -> decompositions.cholesky(in[0], out[0]);
            case Decomposition.Lu o -> decompositions.lu(in[0], out);
            case Decomposition.TriangularSolve o -> decompositions.solveTriangular(o, in[0], in[1], out[0]);
        }
    }

    @Override
    public void upload(MemorySegment from, Storage to, long offset) {
        MemorySegment.copy(from, 0, CpuMemory.segment(((CpuStorage) to).address + offset, from.byteSize()), 0,
                from.byteSize());
    }

    @Override
    public void download(Storage from, long offset, MemorySegment to) {
        MemorySegment.copy(CpuMemory.segment(((CpuStorage) from).address + offset, to.byteSize()), 0, to, 0,
                to.byteSize());
    }

    @Override
    public long liveBytes() {
        return memory.live();
    }

    @Override
    public long peakBytes() {
        return memory.peak();
    }

    @Override
    public void resetPeak() {
        memory.resetPeak();
    }
}
