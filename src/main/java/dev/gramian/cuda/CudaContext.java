package dev.gramian.cuda;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * One card: its primary context, which it shares with other CUDA users of the process, its {@link Lane}s, memory and
 * kernels. Lives as long as the process.
 *
 * <p>Threads are spread over a fixed number of lanes and stay on theirs, so the operations of one thread run in order; a
 * lane is locked for the host's share of one operation, not for the device's.
 */
final class CudaContext {
    /** Number of streams that threads share; -Dgramian.cuda.streams=N. */
    private static final int LANES = Math.clamp(Integer.getInteger("gramian.cuda.streams", 8), 1, 62);

    private static final AtomicInteger NEXT_SLOT = new AtomicInteger();
    private static final ThreadLocal<Integer> SLOT = ThreadLocal.withInitial(NEXT_SLOT::getAndIncrement);

    /** In a class of its own: it must not be looked up before the driver is loaded. JCuda's call takes 90 ns more. */
    private static final class Driver {
        static final MethodHandle SET_CURRENT = Linker.nativeLinker().downcallHandle(
                CudaPlatform.get().driver().findOrThrow("cuCtxSetCurrent"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
    }

    final int ordinal;
    private final CUdevice device = new CUdevice();
    private final Pointers.Context context = new Pointers.Context();
    private final String cardName;
    private final int major;
    private final int minor;
    private final int multiprocessors;
    private final int sharedOptIn;
    private final long totalBytes;
    private final CudaMemory memory;
    private final Kernels kernels;
    private final Lane[] lanes = new Lane[LANES + 2];
    private final Object ordering = new Object();

    /** The card must exist: {@link CudaPlatform} has initialised the driver and counted the cards. */
    CudaContext(int ordinal) {
        this.ordinal = ordinal;
        Status.driver(JCudaDriver.cuDeviceGet(device, ordinal), "cuDeviceGet, card " + ordinal);
        Status.driver(JCudaDriver.cuDevicePrimaryCtxRetain(context, device),
                "cuDevicePrimaryCtxRetain, card " + ordinal);
        makeCurrent();
        byte[] name = new byte[256];
        Status.driver(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
        int end = 0;
        while (end < name.length && name[end] != 0) {
            end++;
        }
        cardName = new String(name, 0, end, StandardCharsets.UTF_8);
        major = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        minor = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        multiprocessors = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        sharedOptIn = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
        long[] bytes = new long[1];
        Status.driver(JCudaDriver.cuDeviceTotalMem(bytes, device), "cuDeviceTotalMem");
        totalBytes = bytes[0];
        memory = new CudaMemory(this);
        kernels = new Kernels(this);
    }

    int attribute(int which) {
        int[] v = new int[1];
        Status.driver(JCudaDriver.cuDeviceGetAttribute(v, which, device), "cuDeviceGetAttribute " + which);
        return v[0];
    }

    /** Driver calls of this thread go to this card from here on. */
    void makeCurrent() {
        int status;
        try {
            status = (int) Driver.SET_CURRENT.invokeExact(context.address());
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        if (status != 0) {
            Status.driver(status, "cuCtxSetCurrent, card " + ordinal);
        }
    }

    /** The calling thread's lane: always the same one. The context must be current. */
    Lane lane() {
        return lane(SLOT.get() % LANES);
    }

    /** The lane of asynchronous copies to the card. */
    Lane uploads() {
        return lane(LANES);
    }

    /** The lane of asynchronous copies from the card. */
    Lane downloads() {
        return lane(LANES + 1);
    }

    private Lane lane(int index) {
        Lane lane = lanes[index];
        if (lane == null) {
            synchronized (lanes) {
                lane = lanes[index];
                if (lane == null) {
                    lane = new Lane(this, index);
                    lanes[index] = lane;
                }
            }
        }
        return lane;
    }

    /** Null where no thread has needed that lane yet. */
    Lane existingLane(int index) {
        return lanes[index];
    }

    /** The lanes whose bits are set, which exist. */
    void forEachLane(long bits, java.util.function.Consumer<Lane> action) {
        for (long b = bits; b != 0; b &= b - 1) {
            action.accept(lane(Long.numberOfTrailingZeros(b)));
        }
    }

    /** Waits for all that is on the lanes by now. Not by cuCtxSynchronize: it breaks captures that are under way. */
    void synchronize(String what) {
        for (int i = 0; i < lanes.length; i++) {
            Lane lane = lanes[i];
            if (lane != null) {
                lane.drain(what);
            }
        }
    }

    /** Held while streams are made to wait for each other, and at both ends of a capture. */
    Object ordering() {
        return ordering;
    }

    CudaMemory memory() {
        return memory;
    }

    Kernels kernels() {
        return kernels;
    }

    String cardName() {
        return cardName;
    }

    /** Compute capability times ten: 90 for 9.0. */
    int capability() {
        return 10 * major + minor;
    }

    int multiprocessors() {
        return multiprocessors;
    }

    /** Blocks of a grid-stride kernel: enough to fill the card several times over. */
    int maxBlocks() {
        return 32 * multiprocessors;
    }

    /** Threads for a grid-stride kernel that takes so many items at a time, if that leaves enough to fill the card. */
    long unrolled(long items, int atOnce) {
        return items >= 2048L * multiprocessors * atOnce ? Math.ceilDiv(items, (long) atOnce) : items;
    }

    /** Most dynamic shared memory of a block, after {@link Kernels} has opted in. */
    int sharedOptIn() {
        return sharedOptIn;
    }

    long totalBytes() {
        return totalBytes;
    }
}
