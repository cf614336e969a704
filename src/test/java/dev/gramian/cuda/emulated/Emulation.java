package dev.gramian.cuda.emulated;

import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoD;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;

/** The emulated CUDA of this process as the tests of its libraries use it: memory, a stream, what was recorded. */
final class Emulation implements AutoCloseable {
    final CUstream stream = new CUstream();
    private final CUdevice device = new CUdevice();
    private final List<Block> blocks = new ArrayList<>();

    private Emulation() {
        CUcontext context = new CUcontext();
        assertEquals(0, cuInit(0));
        assertEquals(0, cuDeviceGet(device, 0));
        assertEquals(0, cuDevicePrimaryCtxRetain(context, device));
        assertEquals(0, cuCtxSetCurrent(context));
        // not CU_STREAM_NON_BLOCKING: copies of the default stream have to come before
        assertEquals(0, cuStreamCreate(stream, CUstream_flags.CU_STREAM_DEFAULT));
    }

    /** Skips the test with a reason where CUDA is not emulated. */
    static Emulation open() {
        assumeTrue(EmulatedCuda.isActive(), () -> "CUDA is not emulated: " + EmulatedCuda.reason());
        assertTrue(Device.of("cuda:0").isAvailable());
        // the emulation computes by the OpenBLAS that the CPU backend loads
        Device.of("cpu:native").isAvailable();
        return new Emulation();
    }

    @Override
    public void close() {
        EmulatedCuda.reset();
        for (Block p : blocks) {
            cuMemFree(p);
        }
        cuStreamDestroy(stream);
        cuDevicePrimaryCtxRelease(device);
    }

    // ---- memory ----------------------------------------------------------------------------------------------------

    /** Device memory whose address can be had. */
    static final class Block extends CUdeviceptr {
        long address() {
            return getNativePointer();
        }
    }

    /** That many bytes, freed when this is closed. */
    Block bytes(long count) {
        Block p = new Block();
        assertEquals(0, cuMemAlloc(p, Math.max(1, count)));
        blocks.add(p);
        return p;
    }

    Block put(Element type, double... values) {
        ByteBuffer host = ByteBuffer.allocateDirect(values.length * type.bytes).order(ByteOrder.nativeOrder());
        for (int i = 0; i < values.length; i++) {
            type.write(host, i, values[i]);
        }
        Block p = bytes(host.capacity());
        assertEquals(0, cuMemcpyHtoD(p, Pointer.to(host), host.capacity()));
        return p;
    }

    Block doubles(double... values) {
        return put(Element.F64, values);
    }

    /** Addresses in device memory. */
    Block array(CUdeviceptr... pointers) {
        Block p = bytes(8L * pointers.length);
        assertEquals(0, cuMemcpyHtoD(p, Pointer.to(pointers), 8L * pointers.length));
        return p;
    }

    /** Native host memory, whose address JCuda passes on: for arrays and buffers it passes NULL to results. */
    static Pointer host(MemorySegment memory) {
        return new Host(memory.address());
    }

    private static final class Host extends Pointer {
        Host(long address) {
            super(address);
        }
    }

    double[] get(Element type, Pointer from, int count) {
        run();
        ByteBuffer host = ByteBuffer.allocateDirect(count * type.bytes).order(ByteOrder.nativeOrder());
        assertEquals(0, cuMemcpyDtoH(Pointer.to(host), (CUdeviceptr) from, host.capacity()));
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = type.read(host, i);
        }
        return values;
    }

    double[] doubles(CUdeviceptr from, int count) {
        return get(Element.F64, from, count);
    }

    int integer(CUdeviceptr from) {
        return (int) get(Element.I32, from, 1)[0];
    }

    void free(Block p) {
        assertEquals(0, cuMemFree(p));
        blocks.remove(p);
    }

    /** Does what is waiting on the stream. */
    void run() {
        assertEquals(0, cuStreamSynchronize(stream));
    }

    // ---- control ---------------------------------------------------------------------------------------------------

    /** What was recorded since the last call, after all that is waiting has run; a line each. */
    String errors() {
        run();
        return String.join("\n", EmulatedCuda.takeErrors());
    }

    /** The next call of that function returns the status. */
    static void inject(String function, int status) {
        EmulatedCuda.inject(function, 1, status);
    }

    /**
     * Calls a library's function with ints, longs, chars (C's char) and native memory as they are, device memory by its
     * address, and null for NULL; returns its status.
     */
    static int call(SymbolLookup library, String function, Object... arguments) {
        MemoryLayout[] types = new MemoryLayout[arguments.length];
        Object[] values = arguments.clone();
        for (int i = 0; i < values.length; i++) {
            switch (arguments[i]) {
                case Block b -> values[i] = MemorySegment.ofAddress(b.address());
                case null -> values[i] = MemorySegment.NULL;
                case Character c -> values[i] = (byte) (char) c;
                default -> {}
            }
            types[i] = switch (values[i]) {
                case Integer n -> ValueLayout.JAVA_INT;
                case Long n -> ValueLayout.JAVA_LONG;
                case Byte n -> ValueLayout.JAVA_BYTE;
                default -> ValueLayout.ADDRESS;
            };
        }
        try {
            return (int) Linker.nativeLinker()
                    .downcallHandle(library.findOrThrow(function), FunctionDescriptor.of(ValueLayout.JAVA_INT, types))
                    .invokeWithArguments(values);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** What JCuda's binding of some creating functions forgets: the address goes into the object. */
    static <T extends NativePointerObject> T created(SymbolLookup library, String function, T object) {
        MemorySegment address = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
        assertEquals(0, call(library, function, address));
        try {
            Field field = NativePointerObject.class.getDeclaredField("nativePointer");
            field.setAccessible(true);
            field.setLong(object, address.get(ValueLayout.JAVA_LONG, 0));
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
        return object;
    }
}
