package dev.gramian.cuda;

import dev.gramian.core.View;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * One kernel launch on a lane's stream: arguments in the kernel's order, then {@link #run}. One object per lane, reused.
 *
 * <p>The arguments lie in one native block whose table of pointers is made once; the call is a java.lang.foreign call of
 * the driver library that JCuda uses too. JCuda's own cuLaunchKernel walks nested Pointer objects: 1.5 to 10 µs by the
 * number of arguments, against about 20 ns this way.
 */
final class Launch {
    /** Most arguments of a kernel. */
    private static final int SLOTS = 40;
    /** Most bytes of all arguments of a kernel: the driver's own limit. */
    private static final int BYTES = 4096;
    /** Threads of a block where a kernel names none. */
    static final int BLOCK = 256;

    /** In a class of its own: it must not be looked up before the driver is loaded. */
    private static final class Driver {
        static final MethodHandle LAUNCH = Linker.nativeLinker().downcallHandle(
                CudaPlatform.get().driver().findOrThrow("cuLaunchKernel"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG, // function
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, // grid
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, // block
                        ValueLayout.JAVA_INT, // shared bytes
                        ValueLayout.JAVA_LONG, // stream
                        ValueLayout.JAVA_LONG, // kernelParams
                        ValueLayout.JAVA_LONG)); // extra
    }

    private final Lane lane;
    private final long table;
    private final long values;
    private int count;
    private int used;

    Launch(Lane lane) {
        this.lane = lane;
        MemorySegment block = Arena.global().allocate(8L * SLOTS + BYTES, 64);
        table = block.address();
        values = table + 8L * SLOTS;
    }

    Launch reset() {
        count = 0;
        used = 0;
        return this;
    }

    /** Address of the next argument of that size and alignment, to be written by the caller. */
    private long next(int bytes, int align) {
        int at = (used + align - 1) & -align;
        if (count == SLOTS || at + bytes > BYTES) {
            throw new IllegalStateException("too many kernel arguments: " + count + ", " + used + " bytes");
        }
        used = at + bytes;
        long address = values + at;
        HostMemory.i64(table + 8L * count++, address);
        return address;
    }

    /** Address of a view's element at all-zero coordinates. */
    Launch pointer(View v) {
        return i64(CudaStorage.address(v));
    }

    /** A device address, or 0. */
    Launch pointer(long address) {
        return i64(address);
    }

    Launch i64(long v) {
        HostMemory.i64(next(8, 8), v);
        return this;
    }

    Launch i32(int v) {
        HostMemory.i32(next(4, 4), v);
        return this;
    }

    Launch f64(double v) {
        HostMemory.f64(next(8, 8), v);
        return this;
    }

    Launch f32(float v) {
        HostMemory.f32(next(4, 4), v);
        return this;
    }

    /**
     * A struct Axes of axes.cuh by value: rank, then {@link Axes#MAX} sizes, as many divisors, as many strides for each
     * operand, all long long.
     */
    Launch axes(Axes a) {
        a.write(next(a.bytes(), 8));
        return this;
    }

    /** Address of an argument that is a struct of so many bytes, by value, for the caller to write. */
    long struct(int bytes) {
        return next(bytes, 8);
    }

    /** Enough blocks of {@link #BLOCK} threads for one thread per item; kernels loop by the grid's stride beyond. */
    void over(Kernel k, long items) {
        long blocks = (items + BLOCK - 1) / BLOCK;
        run(k, Math.min(blocks, lane.context.maxBlocks()), 1, 1, BLOCK, 0);
    }

    /** Grid x by y by z blocks of {@code block} threads with so many bytes of dynamic shared memory. */
    void run(Kernel k, long gridX, long gridY, long gridZ, int block, int sharedBytes) {
        if (gridX == 0 || gridY == 0 || gridZ == 0) {
            return;
        }
        int status;
        try {
            status = (int) Driver.LAUNCH.invokeExact(k.function(), Math.toIntExact(gridX), Math.toIntExact(gridY),
                    Math.toIntExact(gridZ), block, 1, 1, sharedBytes, lane.streamAddress(), table, 0L);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        Status.driver(status, "cuLaunchKernel, kernel " + k.name());
    }
}
