package dev.gramian.cuda.emulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Norms;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Work on the card that the host does not wait for until results are read. */
final class WaitingTest {
    private static final Map<String, Function<Tensor, Tensor>> WORK = Map.of(
            "attention", q -> Attention.attend(q, q.mul(0.5), q.add(1)),
            "causal attention, heads that share keys",
            q -> Attention.scaled().causal().apply(q, q.slice(1, 0, 2), q.slice(1, 2, 4)).output(),
            "attention in slices", q -> Attention.scaled().workspace(1 << 14).apply(q, q, q).output(),
            "products, sums and a softmax", q -> q.matmul(q.transpose(2, 3)).softmax(-1).sum(0, 1).exp(),
            "a sort", q -> Indexing.sort(q, 2).values(),
            "norm, cast, running sums", q -> Norms.layerNorm(q, 1e-5).to(DType.F16).to(DType.F32).cumSum(2));

    private static long waits() {
        return EmulatedCuda.calls("cuStreamSynchronize") + EmulatedCuda.calls("cuEventSynchronize")
                + EmulatedCuda.calls("cuCtxSynchronize") + EmulatedCuda.calls("cuStreamQuery");
    }

    @Test
    void nothingWaitsUntilResultsAreRead() {
        assumeTrue(EmulatedCuda.isActive(), () -> "CUDA is not emulated: " + EmulatedCuda.reason());
        Device device = Device.of("cuda:0");
        WORK.forEach((what, work) -> {
            try (Scope s = device.open()) {
                Tensor q = s.normal(DType.F32, 1, 1, 4, 40, 16);
                float[] want = work.apply(q).toFloatArray(); // handles, kernels and memory are there from now on
                long before = waits();
                Tensor y = work.apply(q);
                assertEquals(before, waits(), what);
                assertTrue(EmulatedCuda.pending() > 0, what + ": nothing is pending");
                assertEquals(want.length, y.toFloatArray().length);
                assertTrue(waits() > before, what);
            }
        });
    }
}
