package dev.gramian.cuda.emulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two cards in one process, which GRAMIAN_EMULATED_DEVICES=2 gives: tensors stay on theirs, results do not depend on it. */
final class TwoDevicesTest {
    @Test
    void tensorsStayOnTheirCard() throws Exception {
        assumeTrue(EmulatedCuda.isActive(), () -> "CUDA is not emulated: " + EmulatedCuda.reason());
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        for (String p : new String[] {EmulationBuild.LIBRARIES, "gramian.cache"}) {
            command.add("-D" + p + "=" + System.getProperty(p));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), TwoDevicesTest.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("GRAMIAN_EMULATED_DEVICES", "2");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.endsWith("all well\n"), output);
    }

    /** In a process with two cards. */
    public static void main(String[] args) throws Exception {
        Device zero = Device.of("cuda:0");
        Device one = Device.of("cuda:1");
        check(zero.isAvailable() && one.isAvailable(), "two cards");
        try (Scope a = zero.open()) {
            Tensor x = a.normal(DType.F32, 5, 60, 50);
            float[] want = work(x);
            try (Scope b = one.open()) {
                Tensor y = b.normal(DType.F32, 5, 60, 50);
                refused("add: operand 1 is on another device; F32 [60, 50] is on cuda:1, this scope on cuda:0; move it with"
                        + " .to(Device.of(\"cuda:0\"))", () -> x.add(y));
                refused("matmul: operand 1 is on another device; F32 [50, 60] is on cuda:0, this scope on cuda:1; move it"
                        + " with .to(Device.of(\"cuda:1\"))", () -> y.matmul(x.transpose(0, 1)));
                check(Arrays.equals(want, work(y)), "the same bits on both cards");
                check(Arrays.equals(want, work(x.to(one))), "moved to the other card");
                check(Arrays.equals(want, work(y.to(zero))), "and back");
                check(one.liveBytes() > 0, "live on the second card");
            }
            check(one.liveBytes() == 0, "nothing left on the second card");
        }
        check(zero.liveBytes() == 0, "nothing left on the first card");
        // threads that change between cards
        Thread[] threads = new Thread[4];
        boolean[] good = new boolean[threads.length];
        for (int i = 0; i < threads.length; i++) {
            int n = i;
            threads[i] = new Thread(() -> {
                for (int turn = 0; turn < 6; turn++) {
                    try (Scope s = (turn + n & 1) == 0 ? zero.open() : one.open()) {
                        check(s.ones(n + 1, 1000).sum().item() == 1000 * (n + 1), "a thread's own sum");
                    }
                }
                good[n] = true;
            });
            threads[i].start();
        }
        for (int i = 0; i < threads.length; i++) {
            threads[i].join();
            check(good[i], "thread " + i);
        }
        check(EmulatedCuda.takeErrors().isEmpty(), "nothing was done wrong");
        System.out.println("all well");
    }

    private static float[] work(Tensor x) {
        return x.matmul(x.transpose(0, 1)).softmax(-1).sum(0).toFloatArray();
    }

    private static void refused(String text, Runnable call) {
        try {
            call.run();
        } catch (DeviceException e) {
            check(e.getMessage().equals(text), e.getMessage());
            return;
        }
        check(false, "not refused: " + text);
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new IllegalStateException(what);
        }
    }
}
