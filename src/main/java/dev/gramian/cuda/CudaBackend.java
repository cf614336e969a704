package dev.gramian.cuda;

import dev.gramian.core.Backend;
import dev.gramian.core.Bytes;
import dev.gramian.core.DType;
import dev.gramian.core.Decomposition;
import dev.gramian.core.NativeException;
import dev.gramian.core.Op;
import dev.gramian.core.Pinned;
import dev.gramian.core.Profile;
import dev.gramian.core.Roofline;
import dev.gramian.core.Replay;
import dev.gramian.core.Step;
import dev.gramian.core.Storage;
import dev.gramian.core.View;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/**
 * Runs operations on one NVIDIA card. Thread-safe: every call takes the calling thread's {@link Lane} for its duration.
 * Operations return when their work is on the lane's stream; reading results, and the few operations whose errors depend
 * on values, wait for it.
 */
public final class CudaBackend implements Backend {
    private final String name;
    private final CudaContext context;
    private final Elementwise elementwise;
    private final Creation creation;
    private final Reductions reductions;
    private final Rows rows;
    private final Rotation rotation;
    private final Triangle triangle;
    private final Indexing indexing;
    private final Concat concat;
    private final Sorting sorting;
    private final MatMul matMul;
    private final Decompositions decompositions;

    private CudaBackend(int ordinal) {
        name = "cuda:" + ordinal;
        context = new CudaContext(ordinal);
        elementwise = new Elementwise(context);
        creation = new Creation(context);
        reductions = new Reductions(context);
        rows = new Rows(context, reductions);
        rotation = new Rotation(context);
        triangle = new Triangle(context);
        indexing = new Indexing(context);
        concat = new Concat(context, elementwise);
        sorting = new Sorting(context);
        matMul = new MatMul(context);
        decompositions = new Decompositions(context);
    }

    /** Why CUDA cannot be used here, or null if it can. */
    public static String missing() {
        return CudaPlatform.get().reason();
    }

    /** Whether the cards are the emulation that tests run on: never the best device there is. */
    public static boolean emulated() {
        return CudaPlatform.get().emulated();
    }

    /** Number of cards. */
    public static int count() {
        return CudaPlatform.get().deviceCount();
    }

    /** What was found of CUDA, line by line, for people. */
    public static List<String> diagnosis() {
        return CudaPlatform.get().diagnosis();
    }

    /** The card of that number, 0 to {@link #count} - 1. */
    public static CudaBackend of(int ordinal) {
        return new CudaBackend(ordinal);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String describe() {
        int cc = context.capability();
        return context.cardName() + ", compute capability " + cc / 10 + "." + cc % 10 + ", "
                + context.multiprocessors() + " multiprocessors; CUDA " + CudaPlatform.get().major() + "; memory "
                + Bytes.text(context.totalBytes());
    }

    /** Runs {@code action} holding the calling thread's lane, with this card current. */
    private <T> T onLane(Function<Lane, T> action) {
        context.makeCurrent();
        Lane lane = context.lane();
        lane.lock.lock();
        try {
            return action.apply(lane);
        } finally {
            lane.lock.unlock();
        }
    }

    /** A sixteenth of the card at a time, and blocks whose products fill it: a launch costs what 10 MiB of traffic do. */
    @Override
    public Profile profile() {
        return new Profile(context.totalBytes() / 16, 1024, true, false);
    }

    @Override
    public Roofline roofline(DType type) {
        return onLane(lane -> Peaks.of(context, lane, type));
    }

    @Override
    public Storage allocate(String op, long bytes) {
        context.makeCurrent();
        return context.memory().allocate(op, context.lane(), bytes);
    }

    @Override
    public Storage wrap(MemorySegment bytes, Runnable onFree) {
        return onLane(lane -> {
            CudaStorage s = context.memory().allocate("wrap", lane, bytes.byteSize(), onFree);
            try {
                lane.transfers().upload(bytes, s.address);
                return s;
            } catch (RuntimeException e) {
                context.memory().discard(s);
                throw e;
            }
        });
    }

    @Override
    public void free(Storage storage) {
        try {
            try {
                context.makeCurrent();
            } finally {
                context.memory().free((CudaStorage) storage);
            }
        } catch (NativeException e) {
            // the context is lost: its memory is gone with it, and the next operation says so
        }
    }

    @Override
    public void run(Op op, View[] in, View[] out) {
        context.makeCurrent();
        Lane lane = context.lane();
        lane.lock.lock();
        try {
            lane.await(in);
            lane.await(out);
            dispatch(lane, op, in, out);
        } finally {
            lane.lock.unlock();
        }
    }

    private void dispatch(Lane lane, Op op, View[] in, View[] out) {
        switch (op) {
            case Op.Fill o -> creation.fill(lane, o, out[0]);
            case Op.Sequence o -> creation.sequence(lane, o, out[0]);
            case Op.Random o -> creation.random(lane, o, out[0]);
            case Op.Dropout o -> creation.dropout(lane, o, in[0], out[0]);
            case Op.Map o -> elementwise.map(lane, o, in[0], out[0]);
            case Op.Zip o -> elementwise.zip(lane, o, in[0], in[1], out[0]);
            case Op.ZipScalar o -> elementwise.zipScalar(lane, o, in[0], out[0]);
            case Op.Where o -> elementwise.where(lane, in, out[0]);
            case Op.Copy o -> elementwise.copy(lane, in[0], out[0]);
            case Op.Assign o -> elementwise.copy(lane, in[0], out[0]);
            case Op.Reduce o -> reductions.reduce(lane, o, in[0], out[0]);
            case Op.CumSum o -> reductions.cumSum(lane, o, in[0], out[0]);
            case Op.Softmax o -> rows.softmax(lane, o, in[0], out[0]);
            case Op.AttentionWeights o -> rows.attentionWeights(lane, o, in, out);
            case Op.Attention o -> throw new IllegalStateException(o.name() + ": the profile says it is not here");
            case Op.Normalize o -> rows.normalize(lane, o, in, out[0]);
            case Op.Rotate o -> rotation.rotate(lane, o, in, out[0]);
            case Op.Gemm o -> matMul.run(lane, o, in[0], in[1], out[0]);
            case Op.Gather o -> indexing.gather(lane, o, in[0], in[1], out[0]);
            case Op.TakeAlongAxis o -> indexing.takeAlongAxis(lane, o, in[0], in[1], out[0]);
            case Op.Concat o -> concat.concat(lane, o, in, out[0]);
            case Op.Sort o -> sorting.sort(lane, o, in[0], out);
            case Op.TopK o -> sorting.topK(lane, o, in[0], out);
            case Op.Triangle o -> triangle.triangle(lane, o, in[0], out[0]);
            case Op.FirstNonFinite o -> triangle.firstNonFinite(lane, in[0], out[0]);
            case Decomposition.Svd o -> decompositions.svd(lane, o, in[0], out);
            case Decomposition.Solve o -> decompositions.solve(lane, in[0], in[1], out[0]);
            case Decomposition.Inverse o -> decompositions.inverse(lane, in[0], out[0]);
            case Decomposition.Determinant o -> decompositions.determinant(lane, o, in[0], out);
            case Decomposition.Eigh o -> decompositions.eigh(lane, o, in[0], out);
            case Decomposition.Eig o -> throw decompositions.noEig(name, o, in[0]);
            case Decomposition.Qr o -> decompositions.qr(lane, o, in[0], out);
            case Decomposition.Cholesky o -> decompositions.cholesky(lane, in[0], out[0]);
            case Decomposition.Lu o -> decompositions.lu(lane, in[0], out);
            case Decomposition.TriangularSolve o -> decompositions.solveTriangular(lane, o, in[0], in[1], out[0]);
        }
    }

    /** Runs an operation on a lane that the caller holds, with no regard to other lanes. */
    void runAlone(Lane lane, Step s) {
        dispatch(lane, s.op(), s.in(), s.out());
    }

    @Override
    public Replay prepare(List<Step> steps) {
        return onLane(lane -> new CudaReplay(this, context, lane, steps));
    }

    @Override
    public void upload(MemorySegment from, Storage to, long offset) {
        onLane(lane -> {
            CudaStorage s = (CudaStorage) to;
            lane.await(s);
            lane.transfers().upload(from, s.address + offset);
            return null;
        });
    }

    @Override
    public void download(Storage from, long offset, MemorySegment to) {
        onLane(lane -> {
            CudaStorage s = (CudaStorage) from;
            lane.await(s);
            lane.transfers().download(s.address + offset, to);
            return null;
        });
    }

    @Override
    public Pinned pin(long bytes) {
        return new PinnedMemory(context, bytes);
    }

    @Override
    public Storage uploadAsync(String op, Pinned from, long bytes) {
        return ((PinnedMemory) from).upload(op, bytes);
    }

    @Override
    public void downloadAsync(Storage from, long offset, long bytes, Pinned to) {
        context.makeCurrent();
        ((PinnedMemory) to).download(context.lane(), (CudaStorage) from, offset, bytes);
    }

    @Override
    public void synchronize() {
        context.makeCurrent();
        context.synchronize("waiting for all work");
    }

    @Override
    public long liveBytes() {
        return context.memory().live();
    }

    @Override
    public long peakBytes() {
        return context.memory().peak();
    }

    @Override
    public void resetPeak() {
        context.memory().resetPeak();
    }
}
