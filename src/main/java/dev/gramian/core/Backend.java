package dev.gramian.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What a device must do: hold bytes and run operations. Results are allocated before {@link #run}, and every shape,
 * element type, liveness and bounds check has been made by then.
 */
public interface Backend {
    /** Short device name: {@code cpu}, {@code cuda:0}. */
    String name();

    /** One line for people: kernels, library versions, threads, memory. */
    String describe();

    /** What suits the device. */
    Profile profile();

    /** What the device reaches at most in the arithmetic of a type; half types compute in F32. Takes some seconds, the first time. */
    Roofline roofline(DType type);

    /**
     * Uninitialised bytes, 64-byte aligned; {@link DeviceException} naming the request and what is in use when there is
     * no room. {@code op} names the operation that asks.
     */
    Storage allocate(String op, long bytes);

    /** Bytes someone else holds, made usable here: in place where the device can, else by copying. */
    Storage wrap(MemorySegment bytes, Runnable onFree);

    /** Takes back what {@link #allocate} or {@link #wrap} gave; never throws. */
    void free(Storage storage);

    /** Computes {@code out} from {@code in}; a switch over {@link Op} without default. */
    void run(Op op, View[] in, View[] out);

    /**
     * Makes operations that have run once ready to run again, many times, on the same memory, which the caller keeps. A
     * device that can hands the whole sequence over at once.
     */
    default Replay prepare(List<Step> steps) {
        return new Replay() {
            @Override
            public void run() {
                for (Step s : steps) {
                    Backend.this.run(s.op(), s.in(), s.out());
                }
            }

            @Override
            public void close() {}
        };
    }

    /** Host bytes to device bytes from {@code offset} on. */
    void upload(MemorySegment from, Storage to, long offset);

    /** Device bytes from {@code offset} on to host bytes. */
    void download(Storage from, long offset, MemorySegment to);

    /** Zeroed host memory for {@link #uploadAsync} and {@link #downloadAsync}. */
    default Pinned pin(long bytes) {
        Arena arena = Arena.ofShared();
        MemorySegment segment = arena.allocate(bytes, 64);
        return new Pinned() {
            @Override
            public MemorySegment segment() {
                return segment;
            }

            @Override
            public void await() {}

            @Override
            public void close() {
                arena.close();
            }
        };
    }

    /** The first {@code bytes} of pinned memory as fresh device memory; the copy may still be under way. */
    default Storage uploadAsync(String op, Pinned from, long bytes) {
        Storage s = allocate(op, bytes);
        upload(from.segment().asSlice(0, bytes), s, 0);
        return s;
    }

    /** Device bytes from {@code offset} on to the start of pinned memory; the copy may still be under way. */
    default void downloadAsync(Storage from, long offset, long bytes, Pinned to) {
        download(from, offset, to.segment().asSlice(0, bytes));
    }

    /** Waits until the device has done all that was asked of it, on any thread; failures of it show here. */
    default void synchronize() {}

    /** Bytes handed out and not yet freed. */
    long liveBytes();

    /** Largest {@link #liveBytes} so far or since {@link #resetPeak}. */
    long peakBytes();

    void resetPeak();
}
