package dev.gramian.cuda.emulated;

import static jcuda.driver.JCudaDriver.cuCtxSynchronize;
import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemsetD8Async;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleUnload;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;
import static jcuda.driver.CUresult.CUDA_ERROR_ILLEGAL_ADDRESS;
import static jcuda.driver.CUresult.CUDA_ERROR_ILLEGAL_STATE;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_HANDLE;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_IMAGE;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_VALUE;
import static jcuda.driver.CUresult.CUDA_ERROR_NOT_FOUND;
import static jcuda.driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY;
import static jcuda.driver.CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
import static jcuda.driver.CUresult.CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
import static jcuda.driver.CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
import static jcuda.nvrtc.JNvrtc.nvrtcCompileProgram;
import static jcuda.nvrtc.JNvrtc.nvrtcCreateProgram;
import static jcuda.nvrtc.JNvrtc.nvrtcDestroyProgram;
import static jcuda.nvrtc.JNvrtc.nvrtcGetCUBIN;
import static jcuda.nvrtc.JNvrtc.nvrtcGetCUBINSize;
import static jcuda.nvrtc.JNvrtc.nvrtcGetProgramLog;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.cuda.emulated.Emulation.Block;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.nvrtc.nvrtcProgram;
import jcuda.nvrtc.nvrtcResult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The emulated driver and NVRTC themselves: what a wrong kernel or call is told, and the order of work. */
final class EmulatedDriverTest {
    private static final String FILL = """
            extern "C" __global__ void fill(int first, int count, int value, int* out) {
                int i = blockIdx.x * blockDim.x + threadIdx.x;
                if (i < count) {
                    out[first + i] = value;
                }
            }
            """;

    private final List<CUmodule> modules = new ArrayList<>();
    private Emulation cuda;

    @BeforeEach
    void open() {
        cuda = Emulation.open();
        assertEquals("", cuda.errors());
    }

    @AfterEach
    void close() {
        if (cuda != null) {
            EmulatedCuda.reset();
            modules.forEach(m -> cuModuleUnload(m));
            cuda.close();
            EmulatedCuda.takeErrors();
        }
    }

    // ---- helpers -----------------------------------------------------------------------------------------------------

    /** Machine code of a program, or its log where it does not compile. */
    static Object compile(String text, String... options) {
        nvrtcProgram program = new nvrtcProgram();
        assertEquals(0, nvrtcCreateProgram(program, text, "test.cu", 0, null, null));
        try {
            String[] all = new String[options.length + 1];
            System.arraycopy(options, 0, all, 1, options.length);
            all[0] = "--gpu-architecture=sm_90";
            if (nvrtcCompileProgram(program, all.length, all) != 0) {
                String[] log = new String[1];
                nvrtcGetProgramLog(program, log);
                return log[0];
            }
            long[] size = new long[1];
            assertEquals(0, nvrtcGetCUBINSize(program, size));
            byte[] image = new byte[(int) size[0]];
            assertEquals(0, nvrtcGetCUBIN(program, image));
            return image;
        } finally {
            nvrtcDestroyProgram(program);
        }
    }

    private CUmodule module(String text) {
        Object image = compile(text);
        assertTrue(image instanceof byte[], () -> image.toString());
        CUmodule module = new CUmodule();
        assertEquals(0, cuModuleLoadData(module, (byte[]) image));
        modules.add(module);
        return module;
    }

    private CUfunction kernel(String text, String name) {
        CUfunction f = new CUfunction();
        assertEquals(0, cuModuleGetFunction(f, module(text), name));
        return f;
    }

    private int launch(CUstream stream, CUfunction f, int grid, int block, int shared, Pointer... arguments) {
        return cuLaunchKernel(f, grid, 1, 1, block, 1, 1, shared, stream, Pointer.to(arguments), null);
    }

    private int fill(CUstream stream, CUfunction f, Block out, int first, int count, int value) {
        return launch(stream, f, Math.max(1, (count + 63) / 64), 64, 0, Pointer.to(new int[] {first}),
                Pointer.to(new int[] {count}), Pointer.to(new int[] {value}), Pointer.to(out));
    }

    private int first(Block p) {
        int[] v = new int[1];
        assertEquals(0, cuMemcpyDtoH(Pointer.to(v), p, 4));
        return v[0];
    }

    private static void contains(String text, String part) {
        assertTrue(text.contains(part), () -> "'" + text + "' does not contain '" + part + "'");
    }

    // ---- memory ------------------------------------------------------------------------------------------------------

    @Test
    void writesBesideAnAllocationAreFound() {
        CUfunction f = kernel(FILL, "fill");
        Block p = cuda.bytes(40);
        assertEquals(0, fill(cuda.stream, f, p, 0, 10, 7));
        assertEquals("", cuda.errors());
        assertEquals(7, first(p));
        assertEquals(0, fill(cuda.stream, f, p, 0, 12, 7));
        String behind = cuda.errors();
        contains(behind, "memory was written behind device block 0x");
        contains(behind, " of 40 bytes, first at byte 40 of it; noticed after ");
        assertEquals(0, fill(cuda.stream, f, p, -1, 1, 7));
        contains(cuda.errors(), "memory was written before device block 0x");
        assertEquals("", cuda.errors(), "told once");
    }

    /** No zeros: as floats it is NaN. */
    @Test
    void freshMemoryHoldsAnything() {
        assertTrue(Float.isNaN(Float.intBitsToFloat(first(cuda.bytes(4)))));
    }

    @Test
    void memoryIsNotUsedAfterItWasFreed() {
        CUfunction f = kernel(FILL, "fill");
        Block p = cuda.bytes(400);
        Block hidden = cuda.array(p);
        CUfunction through = kernel("""
                extern "C" __global__ void through(int** p) { p[0][threadIdx.x] = 1; }
                """, "through");
        cuda.free(p);
        // memory is gone when all work is done that came before, on other tests' streams too
        assertEquals(0, cuCtxSynchronize());
        fill(cuda.stream, f, p, 0, 10, 7);
        contains(cuda.errors(), "cuLaunchKernel: argument 3 of kernel fill points to memory that is not allocated: 0x");
        assertEquals(0, launch(cuda.stream, through, 1, 32, 0, Pointer.to(hidden)));
        contains(cuda.errors(), "freed device block 0x");
        assertEquals(CUDA_ERROR_INVALID_VALUE, cuMemFree(p));
        contains(cuda.errors(), "cuMemFree: 0x");
    }

    @Test
    void anAddressOfNothingLosesTheDevice() {
        CUfunction f = kernel("""
                extern "C" __global__ void wild() { *(int*)(16 + threadIdx.x * 4) = 1; }
                """, "wild");
        assertEquals(0, launch(cuda.stream, f, 1, 1, 0));
        assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(cuda.stream));
        assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemAlloc(new Block(), 4), "and every call after");
        contains(String.join("\n", EmulatedCuda.takeErrors()), "touches address 0x10, which nothing is mapped to");
    }

    @Test
    void theCardHasAnEnd() {
        EmulatedCuda.memory(1 << 20);
        try {
            assertEquals(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(new Block(), 2 << 20));
        } finally {
            EmulatedCuda.memory(0);
        }
        assertEquals(CUDA_ERROR_INVALID_VALUE, cuMemAlloc(new Block(), 0));
        assertEquals("", cuda.errors());
    }

    // ---- launches ----------------------------------------------------------------------------------------------------

    @Test
    void launchesOfWrongSizesAreRefused() {
        CUfunction f = kernel(FILL, "fill");
        Block p = cuda.bytes(4);
        Pointer[] a = {
            Pointer.to(new int[1]), Pointer.to(new int[1]), Pointer.to(new int[1]), Pointer.to(p)
        };
        assertEquals(CUDA_ERROR_INVALID_VALUE, launch(cuda.stream, f, 0, 32, 0, a));
        assertEquals(CUDA_ERROR_INVALID_VALUE, launch(cuda.stream, f, 1, 0, 0, a));
        assertEquals(CUDA_ERROR_INVALID_VALUE, launch(cuda.stream, f, 1, 1025, 0, a));
        assertEquals(CUDA_ERROR_INVALID_VALUE, launch(cuda.stream, f, 1, 32, 49 << 10, a), "shared memory");
        assertEquals(CUDA_ERROR_INVALID_VALUE,
                cuLaunchKernel(f, 1, 65536, 1, 32, 1, 1, 0, cuda.stream, Pointer.to(a), null));
        CUfunction bound = kernel("""
                extern "C" __global__ void __launch_bounds__(64) few() {}
                """, "few");
        assertEquals(0, launch(cuda.stream, bound, 1, 64, 0));
        assertEquals(CUDA_ERROR_INVALID_VALUE, launch(cuda.stream, bound, 1, 65, 0), "more than __launch_bounds__");
        assertEquals("", cuda.errors());
    }

    @Test
    void symbolsThatAreMissing() {
        CUmodule m = module(FILL + "__global__ void hidden() {}");
        CUfunction f = new CUfunction();
        assertEquals(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(f, m, "absent"));
        assertEquals(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(f, m, "hidden"), "not extern C");
        assertEquals(CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(new CUmodule(), new byte[] {1, 2, 3, 0}));
        assertEquals(0, cuModuleGetFunction(f, m, "fill"));
        modules.remove(m);
        assertEquals(0, cuModuleUnload(m));
        assertEquals(CUDA_ERROR_INVALID_HANDLE, fill(cuda.stream, f, cuda.bytes(4), 0, 1, 1));
        contains(cuda.errors(), "is not a function, or one of an unloaded module");
    }

    @Test
    void barriersThatNotAllReach() {
        CUfunction left = kernel("""
                extern "C" __global__ void left() { if (threadIdx.x < 20) return; __syncthreads(); }
                """, "left");
        assertEquals(0, launch(cuda.stream, left, 2, 64, 0));
        String errors = cuda.errors();
        contains(errors, "kernel left");
        contains(errors, "has exited while");
        contains(errors, "waits at the barrier in line 1");
        CUfunction two = kernel("""
                extern "C" __global__ void two() {
                    if (threadIdx.x & 1)
                        __syncthreads();
                    else
                        __syncthreads();
                }
                """, "two");
        assertEquals(0, launch(cuda.stream, two, 1, 32, 0));
        contains(cuda.errors(), "waits at the barrier in line 5, thread");
        CUfunction shuffle = kernel("""
                extern "C" __global__ void shuffle(int* out) {
                    if (threadIdx.x < 16)
                        out[threadIdx.x] = __shfl_sync(0xffff, threadIdx.x, 20);
                }
                """, "shuffle");
        assertEquals(0, launch(cuda.stream, shuffle, 1, 32, 0, Pointer.to(cuda.bytes(64))));
        contains(cuda.errors(), "takes from lane 20 in line 3, which does not take part in the shuffle");
    }

    @Test
    void sharedMemoryHasAnEnd() {
        CUfunction f = kernel("""
                extern __shared__ int box[];
                extern "C" __global__ void over(int n) { box[n] = 1; }
                """, "over");
        assertEquals(0, launch(cuda.stream, f, 1, 1, 64, Pointer.to(new int[] {15})));
        assertEquals("", cuda.errors());
        assertEquals(0, launch(cuda.stream, f, 1, 1, 64, Pointer.to(new int[] {16})));
        contains(cuda.errors(), "shared memory was written 0 bytes behind its 64 bytes");
    }

    // ---- NVRTC -------------------------------------------------------------------------------------------------------

    @Test
    void errorsOfTheCompilerNameTheLine() {
        Object log = compile("extern \"C\" __global__ void bad() {\n    int x = undeclared;\n}\n");
        contains((String) log, "test.cu:2:");
        contains((String) log, "'undeclared' was not declared");
        contains((String) compile("#include <vector>\n"), "no include path in which to search for vector");
        contains((String) compile("#error \"wanted\"\n"), "wanted");
        contains((String) compile("extern \"C\" __global__ void p() { asm(\"membar.gl;\"); }\n"), "inline PTX");
    }

    @Test
    void optionsOfTheCompiler() {
        nvrtcProgram program = new nvrtcProgram();
        assertEquals(0, nvrtcCreateProgram(program, FILL, "test.cu", 0, null, null));
        assertEquals(nvrtcResult.NVRTC_ERROR_INVALID_OPTION,
                nvrtcCompileProgram(program, 1, new String[] {"--gpu-architecture=sm_13"}));
        assertEquals(nvrtcResult.NVRTC_ERROR_INVALID_OPTION,
                nvrtcCompileProgram(program, 1, new String[] {"--no-such-option"}));
        nvrtcDestroyProgram(program);
        assertTrue(compile("#if WANTED != 3\n#error no\n#endif\n" + FILL, "-DWANTED=3") instanceof byte[]);
    }

    // ---- streams and graphs ------------------------------------------------------------------------------------------

    private CUstream stream() {
        CUstream s = new CUstream();
        assertEquals(0, cuStreamCreate(s, CUstream_flags.CU_STREAM_NON_BLOCKING));
        return s;
    }

    /** Streams without an order between them run as late as they may: the one that is asked for runs alone. */
    @Test
    void streamsRunInTheOrderOfTheirEvents() {
        CUfunction f = kernel(FILL, "fill");
        Block p = cuda.bytes(4);
        CUstream one = stream();
        CUstream two = stream();
        try {
            assertEquals(0, fill(one, f, p, 0, 1, 1));
            assertEquals(0, fill(two, f, p, 0, 1, 2));
            assertEquals(0, cuStreamSynchronize(two));
            assertEquals(0, cuStreamSynchronize(one));
            assertEquals(1, first(p), "no order: what was put first ran last");
            CUevent e = new CUevent();
            assertEquals(0, cuEventCreate(e, 0));
            assertEquals(0, fill(one, f, p, 0, 1, 3));
            assertEquals(0, cuEventRecord(e, one));
            assertEquals(0, cuStreamWaitEvent(two, e, 0));
            assertEquals(0, fill(two, f, p, 0, 1, 4));
            assertTrue(EmulatedCuda.pending() > 0, "nothing has run yet");
            assertEquals(0, cuStreamSynchronize(two));
            assertEquals(4, first(p));
            assertEquals(0, cuStreamSynchronize(one));
            assertEquals(4, first(p), "ran before");
        } finally {
            cuStreamDestroy(one);
            cuStreamDestroy(two);
        }
        assertEquals("", cuda.errors());
    }

    @Test
    void graphsRunWhatWasCaptured() {
        CUfunction f = kernel(FILL, "fill");
        Block p = cuda.bytes(8);
        CUstream s = stream();
        CUgraph graph = new CUgraph();
        CUgraphExec exec = new CUgraphExec();
        try {
            assertEquals(0, fill(s, f, p, 0, 2, 1));
            assertEquals(0, cuStreamSynchronize(s));
            assertEquals(0, cuStreamBeginCapture(s, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
            assertEquals(CUDA_ERROR_ILLEGAL_STATE, cuStreamBeginCapture(s, 0), "twice");
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(s, graph));
            assertEquals(0, cuStreamBeginCapture(s, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
            assertEquals(0, fill(s, f, p, 0, 1, 5));
            assertEquals(0, cuMemsetD8Async(p, (byte) 0, 4, s));
            assertEquals(0, fill(s, f, p, 1, 1, 6));
            assertEquals(0, cuStreamEndCapture(s, graph));
            assertEquals(1, first(p), "captured, not run");
            assertEquals(0, cuGraphInstantiate(exec, graph, 0));
            assertEquals(0, cuGraphDestroy(graph));
            for (int i = 0; i < 2; i++) {
                assertEquals(0, cuGraphLaunch(exec, s));
            }
            assertEquals(0, cuStreamSynchronize(s));
            assertEquals(0, first(p));
            // memory that a graph uses has to stay
            cuda.free(p);
            assertEquals(0, cuGraphLaunch(exec, s));
            assertEquals(0, cuStreamSynchronize(s));
            assertNotEquals("", cuda.errors());
            assertEquals(0, cuGraphExecDestroy(exec));
            assertNotEquals(0, cuGraphLaunch(exec, s));
            contains(cuda.errors(), "is not an executable graph, or one that was destroyed");
        } finally {
            cuStreamDestroy(s);
        }
    }

    /** In a capture of the strict kind nothing may wait or allocate; what was captured is void then. */
    @Test
    void capturesThatAreBroken() {
        CUfunction f = kernel(FILL, "fill");
        Block p = cuda.bytes(4);
        CUstream s = stream();
        CUstream other = stream();
        CUgraph graph = new CUgraph();
        try {
            assertEquals(0, cuStreamBeginCapture(s, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(new Block(), 4));
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(s, graph));
            assertEquals(0, cuStreamBeginCapture(s, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(s));
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(s, graph));
            assertEquals(0, cuStreamBeginCapture(s, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuCtxSynchronize(), "of all streams");
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(s, graph));
            // another stream that joined has to come back
            CUevent e = new CUevent();
            assertEquals(0, cuEventCreate(e, 0));
            assertEquals(0, cuStreamBeginCapture(s, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
            assertEquals(0, cuEventRecord(e, s));
            assertEquals(0, cuStreamWaitEvent(other, e, 0));
            assertEquals(0, fill(other, f, p, 0, 1, 9));
            assertEquals(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(s, graph));
            assertEquals(0, fill(s, f, p, 0, 1, 8));
            assertEquals(0, cuStreamSynchronize(s));
            assertEquals(8, first(p), "the stream is of use again");
        } finally {
            cuStreamDestroy(s);
            cuStreamDestroy(other);
        }
    }
}
