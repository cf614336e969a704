package dev.gramian.cuda.emulated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.Device;
import dev.gramian.Recording;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.NativeException;
import dev.gramian.linalg.Linalg;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The CUDA backend when CUDA fails: each call of a piece of work that has a bit of everything fails once. The error is the
 * documented one, nothing stays allocated, and the same work gives the same bits afterwards.
 */
final class FaultsTest {
    private static final int OUT_OF_MEMORY = 2;
    private static final int ILLEGAL_ADDRESS = 700;

    private static final Pattern NO_ROOM = Pattern
            .compile("(in )?[^;]*: out of memory on cuda:0; needs [0-9.]+ [KMG]?i?B,"
                    + " [0-9.]+ \\w+ of [0-9.]+ GiB in use and [0-9.]+ \\w+ free; close inner scopes sooner or work on slices;"
                    + " largest scopes: [0-9.]+ \\w+ in scope opened at .*", Pattern.DOTALL);
    private static final Pattern STATUS = Pattern
            .compile("[^;]*cuda: (driver|cuBLAS|cuSOLVER|NVRTC) says \\w+ \\([0-9]+\\);"
                    + " [^;]+; see `gramian devices` for driver and libraries(; in \\w+)?");
    private static final String LOST = "; the device's context is lost: this process can compute on it no more";

    private Device device;
    private boolean odd;

    @BeforeEach
    void open() {
        assumeTrue(EmulatedCuda.isActive(), () -> "CUDA is not emulated: " + EmulatedCuda.reason());
        device = Device.of("cuda:0");
        assertTrue(device.isAvailable());
        assertEquals(List.of(), EmulatedCuda.takeErrors());
    }

    @AfterEach
    void close() {
        if (EmulatedCuda.isActive()) {
            EmulatedCuda.reset();
            EmulatedCuda.takeErrors();
        }
    }

    /** Attention, a decomposition, products, a sort and a recording; {@code n} is how large. */
    private float[] work(int n) {
        try (Scope s = device.open()) {
            Tensor q = s.normal(DType.F32, 1, 1, 2, n, 64);
            Tensor x = s.normal(DType.F32, 2, n, n + 3);
            Tensor attended = Attention.attend(q, q.mul(0.5), q.add(1));
            Tensor values = Linalg.svd(x).s();
            Tensor product = x.matmul(x.transpose(0, 1));
            float[] result;
            try (Recording r = Recording.of(s, in -> new Tensor[] {in[0].matmul(in[0]).softmax(-1).mul(2).sum(0)},
                    product)) {
                result = r.run(product.mul(0.01))[0].toFloatArray();
            }
            float[] sums = {attended.sum().to(DType.F32).toFloatArray()[0], product.abs().max().toFloatArray()[0]};
            float[] all = Arrays.copyOf(values.toFloatArray(), n + n + 2);
            System.arraycopy(result, 0, all, n, n);
            System.arraycopy(sums, 0, all, 2 * n, 2);
            return all;
        }
    }

    /** Gives what lies idle in the pool back to the driver, so that the next work asks for its memory anew. */
    private void flush() {
        EmulatedCuda.inject("cuMemAlloc", 1, OUT_OF_MEMORY);
        try (Scope s = device.open()) {
            odd = !odd;
            s.zeros(odd ? 40 << 20 : 20 << 20);
        }
        EmulatedCuda.reset();
    }

    private void nothingLeft(String what) {
        assertEquals(0, device.liveBytes(), what);
        assertEquals(List.of(), EmulatedCuda.takeErrors(), what);
        EmulatedCuda.reset();
    }

    // ---- memory ------------------------------------------------------------------------------------------------------

    /** What lies idle is given back and the allocation tried once more. */
    @Test
    void anAllocationThatFailsOnceIsTriedAgain() {
        float[] want = work(300);
        for (int n = 1;; n++) {
            flush();
            long before = EmulatedCuda.calls("cuMemAlloc");
            EmulatedCuda.inject("cuMemAlloc", n, OUT_OF_MEMORY);
            assertArrayEquals(want, work(300), "allocation " + n + " failed once");
            nothingLeft("allocation " + n);
            if (EmulatedCuda.calls("cuMemAlloc") - before < n) {
                assertTrue(n > 8, n + " allocations");
                return;
            }
        }
    }

    @Test
    void noRoomAnywhereInTheWork() {
        float[] want = work(300);
        int failed = 0;
        for (int n = 1;; n++) {
            flush();
            long before = EmulatedCuda.calls("cuMemAlloc");
            EmulatedCuda.inject("cuMemAlloc", n, OUT_OF_MEMORY);
            EmulatedCuda.inject("cuMemAlloc", n, OUT_OF_MEMORY);
            boolean all = false;
            try {
                assertArrayEquals(want, work(300));
                all = true;
            } catch (DeviceException e) {
                assertTrue(NO_ROOM.matcher(e.getMessage()).matches(), e.getMessage());
                assertTrue(e.isOutOfMemory());
                failed++;
            }
            nothingLeft("allocation " + n);
            if (all && EmulatedCuda.calls("cuMemAlloc") - before < n) {
                assertTrue(failed > 8, failed + " allocations failed");
                assertArrayEquals(want, work(300));
                return;
            }
        }
    }

    @Test
    void noRoomNamesRequestUseAndScopes() {
        try (Scope s = device.open()) {
            s.zeros(1 << 20);
            EmulatedCuda.inject("cuMemAlloc", 0, OUT_OF_MEMORY);
            DeviceException e = assertThrows(DeviceException.class, () -> s.zeros(300 << 20));
            assertTrue(
                    e.getMessage()
                            .startsWith("full: out of memory on cuda:0; needs 1.2 GiB, 4.0 MiB of 8.0 GiB in use and "),
                    e.getMessage());
            assertTrue(e.getMessage()
                    .contains(" free; close inner scopes sooner or work on slices; largest scopes: 4.0 MiB"
                            + " in scope opened at dev.gramian.cuda.emulated.FaultsTest."),
                    e.getMessage());
            EmulatedCuda.reset();
            assertEquals(300 << 20, s.zeros(300 << 20).size());
        }
        nothingLeft("after a request without room");
    }

    // ---- statuses ----------------------------------------------------------------------------------------------------

    @Test
    void anyCallFails() {
        float[] want = work(12);
        work(12);
        long start = EmulatedCuda.calls(null);
        work(12);
        int calls = (int) (EmulatedCuda.calls(null) - start);
        int failed = 0;
        for (int n = 1; n <= calls; n++) {
            String what = "call " + n + " of " + calls;
            EmulatedCuda.inject("*", n, 1);
            try {
                assertArrayEquals(want, work(12), what);
            } catch (GramianException e) {
                assertTrue(STATUS.matcher(e.getMessage()).matches(), what + ": " + e.getMessage());
                failed++;
            }
            nothingLeft(what);
        }
        // those that give something back fail without consequence
        assertTrue(failed > calls * 2 / 3, failed + " of " + calls);
        assertArrayEquals(want, work(12));
    }

    @Test
    void errorsNameLibraryStatusAndPurpose() {
        Object[][] faults = {
            {"cublasGemmEx_64", 13,
                "cuda: cuBLAS says CUBLAS_STATUS_EXECUTION_FAILED (13); matmul 20 x 30 x 20 of F32;"},
            {"cuLaunchKernel", 701, "cuda: driver says CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701); cuLaunchKernel, kernel"
                    + " elementwise:packed" + LOST},
            {"cuMemcpyHtoDAsync", 1, "cuda: driver says CUDA_ERROR_INVALID_VALUE (1); cuMemcpyHtoDAsync;"},
            {"cuMemAlloc", 1, "cuda: driver says CUDA_ERROR_INVALID_VALUE (1); cuMemAlloc of 4.0 MiB;"},
        };
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, 1, 20, 30);
            x.matmul(x.transpose(0, 1));
            flush();
            Runnable[] calls = {
                () -> x.matmul(x.transpose(0, 1)), () -> x.neg(), () -> s.tensor(new float[] {1, 2}),
                () -> s.zeros(1 << 20)
            };
            for (int i = 0; i < faults.length; i++) {
                EmulatedCuda.inject((String) faults[i][0], 1, (int) faults[i][1]);
                NativeException e = assertThrows(NativeException.class, calls[i]::run);
                assertTrue(e.getMessage().startsWith((String) faults[i][2]), e.getMessage());
                EmulatedCuda.reset();
                calls[i].run();
            }
        }
        nothingLeft("after failed calls");
    }

    @Test
    void aDecompositionFails() {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, 1, 300, 280);
            Linalg.svd(x);
            long before = EmulatedCuda.calls(null);
            Linalg.svd(x);
            int calls = (int) (EmulatedCuda.calls(null) - before);
            long live = device.liveBytes();
            for (int n = 1; n <= calls; n += 3) {
                EmulatedCuda.inject("*", n, 7);
                try (Scope inner = device.open()) {
                    Linalg.svd(x);
                } catch (GramianException e) {
                    assertTrue(STATUS.matcher(e.getMessage()).matches(), e.getMessage());
                }
                EmulatedCuda.reset();
                assertEquals(live, device.liveBytes(), "call " + n);
            }
        }
        nothingLeft("after failed decompositions");
    }

    // ---- a lost device -----------------------------------------------------------------------------------------------

    /** Work that fails on the device shows at a later call, and every call from then on says so. */
    @Test
    void workFailsOnTheDevice() {
        float[] want = work(12);
        int failed = 0;
        for (int n = 1;; n++) {
            EmulatedCuda.inject("run", n, ILLEGAL_ADDRESS);
            boolean all = false;
            try {
                assertArrayEquals(want, work(12));
                all = true;
            } catch (NativeException e) {
                assertTrue(e.getMessage().contains("cuda: driver says CUDA_ERROR_ILLEGAL_ADDRESS (700); ")
                        || e.getMessage().contains("cuda: cuBLAS says ")
                        || e.getMessage().contains("cuda: cuSOLVER says "),
                        e.getMessage());
                NativeException again = assertThrows(NativeException.class, () -> {
                    try (Scope s = device.open()) {
                        s.zeros(3).toFloatArray();
                    }
                });
                assertTrue(again.getMessage().endsWith(LOST), again.getMessage());
                failed++;
            }
            assertEquals(0, device.liveBytes(), "work " + n);
            EmulatedCuda.reset();
            assertEquals(List.of(), EmulatedCuda.takeErrors(), "work " + n);
            if (all) {
                assertTrue(failed > 30, failed + " pieces of work");
                assertArrayEquals(want, work(12), "where the device comes back, so does its memory");
                return;
            }
        }
    }

    @Test
    void scopesCloseOnALostDevice() {
        try (Scope s = device.open()) {
            Tensor x = s.ones(1000);
            Recording r = Recording.of(s, in -> new Tensor[] {in[0].add(1)}, x);
            EmulatedCuda.loseDevice(719);
            for (Runnable call : new Runnable[] {
                () -> x.add(1), () -> x.toFloatArray(), () -> r.run(x), () -> s.tensor(new float[] {1}),
                device::synchronize
            }) {
                NativeException e = assertThrows(NativeException.class, call::run);
                assertTrue(e.getMessage().startsWith("cuda: driver says CUDA_ERROR_LAUNCH_FAILED (719); ")
                        && e.getMessage().endsWith(LOST), e.getMessage());
            }
            try (Scope other = Device.of("cpu:scalar").open()) {
                assertEquals(2, other.ones(2).sum().item(), "other devices go on");
            }
        }
        assertEquals(0, device.liveBytes());
    }
}
