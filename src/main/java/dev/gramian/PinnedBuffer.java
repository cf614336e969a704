package dev.gramian;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.Pinned;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.Spec;
import java.lang.foreign.MemorySegment;

/**
 * Host memory for copies that overlap with computing: page-locked on CUDA, plain native memory on the CPU, where copies
 * are done when they are asked for. {@link #upload} and {@link #download} return at once; before the host reads or writes
 * the memory again it must {@link #await}. Operations on an uploaded tensor may follow at once: the device orders them.
 *
 * <p>Two buffers that take turns keep a card computing on one batch while the next is on its way.
 */
public final class PinnedBuffer implements AutoCloseable {
    private final Device device;
    private final long bytes;
    private Pinned memory;

    private PinnedBuffer(Device device, long bytes) {
        this.device = device;
        this.bytes = bytes;
        this.memory = device.backend().pin(bytes);
    }

    /** {@code bytes} of zeroed memory for copies from and to {@code device}; close it to give it back. */
    public static PinnedBuffer of(Device device, long bytes) {
        return new PinnedBuffer(device, bytes);
    }

    private Pinned open(String op) {
        if (memory == null) {
            throw new ClosedException(op + ": pinned buffer is closed; " + bytes + " bytes on " + device.name()
                    + "; make another");
        }
        return memory;
    }

    /** The memory, valid until {@link #close}. */
    public MemorySegment segment() {
        return open("pinned buffer").segment();
    }

    /** A tensor of {@code scope} from the first bytes of the buffer, row-major, in the machine's byte order. */
    public Tensor upload(Scope scope, DType dtype, long... shape) {
        Spec spec = new Spec(Shape.of(shape), dtype);
        fits("upload", spec);
        return scope.receive(open("upload"), spec);
    }

    /** The tensor's elements to the first bytes of the buffer, row-major. */
    public void download(Tensor from) {
        fits("download", new Spec(from.shape(), from.dtype()));
        Host.copyAsync(from, open("download"));
    }

    private void fits(String op, Spec spec) {
        if (spec.bytes() > bytes) {
            throw new ShapeException(op + ": buffer is too small; " + spec + " takes " + spec.bytes()
                    + " bytes, the buffer has " + bytes + "; make a larger one");
        }
    }

    /** Waits until all copies asked for are done; failures of them show here. */
    public void await() {
        open("await").await();
    }

    /** Waits, then frees the memory. Closing twice is harmless. */
    @Override
    public void close() {
        if (memory != null) {
            memory.close();
            memory = null;
        }
    }
}
