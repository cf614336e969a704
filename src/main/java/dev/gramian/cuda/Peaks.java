package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.Roofline;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/** What a card reaches at most: arithmetic from its clock and cores, memory by copies on the card. */
final class Peaks {
    private static final long BYTES = 256L << 20;
    private static final int ROUNDS = 3;
    private static final int COPIES = 4;

    private Peaks() {}

    static Roofline of(CudaContext context, Lane lane, DType type) {
        double hertz = 1e3 * context.attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
        double flops = 2.0 * context.multiprocessors() * cores(context.capability(), type == DType.F64) * hertz;
        return new Roofline(flops, bytes(context, lane), false, true);
    }

    /**
     * Fused multiply-adds of a multiprocessor and clock: NVIDIA's CUDA C++ Programming Guide, "Arithmetic Instructions". A card
     * that the table lacks counts as a consumer card of the present.
     */
    private static int cores(int capability, boolean f64) {
        return switch (capability) {
            case 70, 72 -> f64 ? 32 : 64;
            case 75 -> f64 ? 2 : 64;
            case 80 -> f64 ? 32 : 64;
            case 86, 87, 89 -> f64 ? 2 : 128;
            case 90, 100 -> f64 ? 64 : 128;
            default -> f64 ? 2 : 128;
        };
    }

    private static double bytes(CudaContext context, Lane lane) {
        long bytes = Math.min(BYTES, context.totalBytes() / 16);
        try (Temporaries t = new Temporaries(lane, "roofline")) {
            long from = t.device(bytes);
            long to = t.device(bytes);
            double best = 0;
            for (int round = 0; round < ROUNDS; round++) {
                lane.synchronize("roofline");
                long start = System.nanoTime();
                for (int i = 0; i < COPIES; i++) {
                    Status.driver(JCudaDriver.cuMemcpyDtoDAsync(Pointers.device(to), Pointers.device(from), bytes,
                            lane.stream()), "cuMemcpyDtoDAsync");
                }
                lane.synchronize("roofline");
                best = Math.max(best, 2.0 * COPIES * bytes / (System.nanoTime() - start) * 1e9);
            }
            return best;
        }
    }
}
