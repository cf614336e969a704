package dev.gramian.cuda.emulated;

import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;

import dev.gramian.cuda.emulated.Emulation.Block;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/** For bin/emulation-races: kernels with races or crooked vectors, which must be found, and good ones. */
public final class RacesProbe {
    private RacesProbe() {}

    public static void main(String[] args) {
        try (Emulation cuda = Emulation.open()) {
            expect(cuda, "", "box[t] = t; __syncthreads(); out[t] = box[63 - t];");
            expect(cuda, "a read of shared memory in line 3 by thread", "box[t] = t;\nout[t] = box[63 - t];");
            expect(cuda, "a write of shared memory in line 4 by thread",
                    "box[t] = t; __syncthreads();\nint x = box[63 - t];\nbox[t] = x + 1; out[t] = x;");
            expect(cuda, "", "box[t] = t; __syncwarp(); out[t] = box[t ^ 31];");
            expect(cuda, "a read of shared memory in line 3",
                    "box[t] = t; int y = __shfl_xor_sync(~0u, t, 1);\nout[t] = box[t ^ 31] + y;");
            expect(cuda, "a read of shared memory in line 3", "box[t] = t; __syncwarp();\nout[t] = box[63 - t];");
            // flags that many set, and atomic sums
            expect(cuda, "", "if (t == 0) box[0] = 0; __syncthreads(); box[0] = 7; atomicAdd(&box[1], 1); out[t] = 1;");
            expect(cuda, "", "if (*(volatile int*)out > t) return; atomicMax(out, t);");
            expect(cuda, "a write of shared memory in line 2", "box[0] = t;\n__syncthreads(); out[t] = box[0];");
            expect(cuda, "a read of global memory in line 3", "out[t] = t;\nout[64 + t] = out[63 - t];");
            expect(cuda, "a write of global memory in line 2", "out[t] = blockIdx.x + 1;", 2);
            expect(cuda, "", "atomicAdd(&out[t], 1);", 2);
            expect(cuda, "", "int* own = out + 64 * blockIdx.x; own[t] = t; __syncthreads(); int x = own[63 - t]; "
                    + "__syncthreads(); own[t] = x;", 2);
            String vector = "struct alignas(16) Four { int v[4]; };\n((Four*)(out + AT))->v[t & 3] = 0; if (t == 0) "
                    + "*(Four*)(out + AT) = Four();";
            expect(cuda, "", "if (t > 0) return; " + vector.replace("AT", "4"));
            // the last: it loses the device
            expect(cuda, ": trap", "if (t > 0) return; " + vector.replace("AT", "1"));
        }
    }

    private static void expect(Emulation cuda, String words, String text) {
        expect(cuda, words, text, 1);
    }

    private static void expect(Emulation cuda, String words, String text, int blocks) {
        byte[] image = (byte[]) EmulatedDriverTest
                .compile("extern \"C\" __global__ void probe(int* out) { __shared__ int "
                        + "box[64]; int t = threadIdx.x;\n" + text + " }\n");
        CUmodule module = new CUmodule();
        CUfunction probe = new CUfunction();
        Block out = cuda.bytes(8 * 64);
        if (cuModuleLoadData(module, image) != 0 || cuModuleGetFunction(probe, module, "probe") != 0
                || cuLaunchKernel(probe, blocks, 1, 1, 64, 1, 1, 0, cuda.stream, Pointer.to(Pointer.to(out)),
                        null) != 0) {
            throw new IllegalStateException("the probe does not run");
        }
        try {
            cuda.run();
        } catch (AssertionError e) {
            // the device is lost; why is among the errors
        }
        String errors = String.join("\n", EmulatedCuda.takeErrors());
        if (words.isEmpty() ? !errors.isEmpty() : !errors.contains(words)) {
            throw new IllegalStateException("expected '" + words + "' of " + text + "; found '" + errors + "'");
        }
    }
}
