package dev.gramian;

import dev.gramian.core.Backend;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Lifetime;
import dev.gramian.core.Op;
import dev.gramian.core.Pinned;
import dev.gramian.core.ShapeException;
import dev.gramian.core.Spec;
import dev.gramian.core.Storage;
import dev.gramian.core.View;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Brings a tensor's elements to host memory, row-major; needs no open scope. */
final class Host {
    /** Bytes that cross to another device at a time. */
    private static final long PIECE = 64L << 20;

    private Host() {}

    /** Takes the bytes from {@code offset} of the row-major whole on. */
    interface Sink {
        void accept(MemorySegment bytes, long offset);
    }

    private interface Reader {
        void read(Backend backend, Storage storage, long offset);
    }

    /** Copies all elements, converted to {@code dtype}, to a segment of just their size. */
    static void copy(Tensor t, DType dtype, MemorySegment to) {
        with(t, dtype, (backend, storage, offset) -> backend.download(storage, offset, to));
    }

    /** Asks for a copy of all elements to the start of pinned memory. */
    static void copyAsync(Tensor t, Pinned to) {
        long bytes = t.view().spec().bytes();
        with(t, t.dtype(), (backend, storage, offset) -> backend.downloadAsync(storage, offset, bytes, to));
    }

    /** Passes all elements, converted to {@code dtype}, to {@code sink} piece by piece. */
    static void read(Tensor t, DType dtype, Sink sink) {
        long bytes = new Spec(t.shape(), dtype).bytes();
        with(t, dtype, (backend, storage, offset) -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment piece = arena.allocate(Math.min(PIECE, Math.max(1, bytes)), 64);
                for (long at = 0; at < bytes; at += PIECE) {
                    MemorySegment part = piece.asSlice(0, Math.min(PIECE, bytes - at));
                    backend.download(storage, offset + at, part);
                    sink.accept(part, at);
                }
            }
        });
    }

    /** Size of a Java array for all elements. */
    static int count(String op, Tensor t) {
        if (t.size() > Integer.MAX_VALUE - 8) {
            throw new ShapeException(op + ": too many elements for a Java array; x " + t.describe()
                    + "; read slices, or copyTo(MemorySegment)");
        }
        return (int) t.size();
    }

    private static void with(Tensor t, DType dtype, Reader reader) {
        View v = t.view();
        Lifetime life = v.storage().lifetime();
        boolean foreign = life.thread() != Thread.currentThread();
        if (Scope.isRecording(t.device())) {
            throw new GramianException("read: values cannot be read while a recording is made; x " + t.describe()
                    + "; what depends on them would not be repeated: return x from the function instead");
        }
        if (!life.isOpen() || foreign && !life.pin()) {
            throw Scope.closed("read", "x", t, life);
        }
        Backend backend = t.device().backend();
        Storage copy = null;
        try {
            if (v.layout().isContiguous() && v.dtype() == dtype) {
                reader.read(backend, v.storage(), v.layout().offset() * dtype.bytes());
            } else {
                Spec spec = new Spec(t.shape(), dtype);
                copy = backend.allocate("read", spec.bytes());
                View out = new View(copy, Layout.contiguous(spec.shape()), dtype);
                backend.run(new Op.Copy(dtype), new View[] {v}, new View[] {out});
                reader.read(backend, copy, 0);
            }
        } finally {
            if (copy != null) {
                backend.free(copy);
            }
            if (foreign) {
                life.unpin();
            }
        }
    }
}
