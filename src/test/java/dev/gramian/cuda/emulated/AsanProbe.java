package dev.gramian.cuda.emulated;

import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;

import dev.gramian.cuda.emulated.Emulation.Block;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/** For bin/emulation-asan: a kernel that reads one element behind its memory, which a sanitizer must find. */
public final class AsanProbe {
    private AsanProbe() {}

    public static void main(String[] args) {
        try (Emulation cuda = Emulation.open()) {
            byte[] image = (byte[]) EmulatedDriverTest.compile("""
                    extern "C" __global__ void probe(const int* x, int n, int* out) { out[0] = x[n]; }
                    """);
            CUmodule module = new CUmodule();
            CUfunction probe = new CUfunction();
            Block x = cuda.bytes(40);
            Block out = cuda.bytes(4);
            if (cuModuleLoadData(module, image) != 0 || cuModuleGetFunction(probe, module, "probe") != 0
                    || cuLaunchKernel(probe, 1, 1, 1, 1, 1, 1, 0, cuda.stream, Pointer.to(Pointer.to(x),
                            Pointer.to(new int[] {Integer.parseInt(args[0])}), Pointer.to(out)), null) != 0) {
                throw new IllegalStateException("the probe does not run");
            }
            cuda.run();
        }
    }
}
