package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.linalg.Linalg;
import dev.gramian.spec.DeviceSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Devices by name, by property, and in JVMs that lack what a device needs. */
final class DeviceTest {
    private static final String PROPERTY = "gramian.cpu";
    private final String before = System.getProperty(PROPERTY);

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(PROPERTY);
        } else {
            System.setProperty(PROPERTY, before);
        }
    }

    @Test
    void allAreNamedAndOfFindsThem() {
        List<String> names = Device.all().stream().map(Device::name).toList();
        assertEquals(List.of("cpu:native", "cpu:vector", "cpu:scalar", "cuda:0"), names.subList(0, 4));
        for (int i = 3; i < names.size(); i++) {
            assertEquals("cuda:" + (i - 3), names.get(i));
        }
        for (Device d : Device.all()) {
            assertSame(d, Device.of(d.name()));
            assertSame(d, Device.of("  " + d.name().toUpperCase(java.util.Locale.ROOT) + " "));
            assertEquals(d.name(), d.toString());
            assertEquals(d.isAvailable(), d.reason() == null);
        }
        assertSame(Device.cpu(), Device.of("cpu"));
        assertSame(Device.of("cuda:0"), Device.of("cuda"));
        assertSame(Device.best(), Device.of("auto"));
        assertTrue(Device.best().isAvailable());
        assertTrue(Device.of("cpu:scalar").isAvailable());
    }

    @Test
    void unknownNamesAreRefused() {
        for (String name : List.of("gpu", "cpu:", "cuda:", "cuda:x", "", "cpu:fast")) {
            DeviceException e = assertThrows(DeviceException.class, () -> Device.of(name));
            assertEquals("device: no such device; '" + name
                    + "'; use auto, cpu, cpu:native, cpu:vector, cpu:scalar, cuda or cuda:N", e.getMessage());
        }
        int cards = Device.all().size() - 3;
        DeviceException e = assertThrows(DeviceException.class, () -> Device.of("cuda:" + cards));
        String hint = !Device.of("cuda").isAvailable()
                ? "CUDA cannot be used: " + Device.of("cuda").reason()
                : cards == 1 ? "there is 1 card, cuda:0" : "there are " + cards + ", cuda:0 to cuda:" + (cards - 1);
        assertEquals("device: no such card; 'cuda:" + cards + "'; " + hint, e.getMessage());
    }

    @Test
    void propertyDecidesWhatCpuMeans() {
        for (String wish : List.of("scalar", "vector", "native", " Scalar ")) {
            System.setProperty(PROPERTY, wish);
            assertEquals("cpu:" + wish.strip().toLowerCase(java.util.Locale.ROOT), Device.cpu().name());
            assertSame(Device.cpu(), Device.of("cpu"));
        }
        System.setProperty(PROPERTY, " ");
        assertTrue(Device.cpu().isAvailable());
        System.setProperty(PROPERTY, "gpu");
        DeviceException e = assertThrows(DeviceException.class, Device::cpu);
        assertEquals("device: no such device; property gramian.cpu is 'gpu'; use auto, cpu, cpu:native, cpu:vector, "
                + "cpu:scalar, cuda or cuda:N", e.getMessage());
    }

    @DeviceSpec
    void synchronizeWaitsAndKeepsResults(Device device) {
        device.synchronize();
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F64, 3, 40, 50);
            Tensor y = x.matmul(x.transpose(0, 1));
            device.synchronize();
            double squares = 0;
            for (double v : x.toDoubleArray()) {
                squares += v * v;
            }
            double trace = 0;
            for (int i = 0; i < 40; i++) {
                trace += y.toDoubleArray()[41 * i];
            }
            assertEquals(squares, trace, 1e-12 * squares);
            device.synchronize();
        }
        device.synchronize();
    }

    @Test
    void nothingToWaitForWithoutADevice() {
        for (Device d : Device.all()) {
            if (!d.isAvailable()) {
                DeviceException e = assertThrows(DeviceException.class, d::synchronize);
                assertEquals(d.name() + " unavailable: " + d.reason() + "; use device cpu", e.getMessage());
            }
        }
    }

    @DeviceSpec
    void describesItself(Device device) {
        assertNull(device.reason());
        assertTrue(device.description().matches(".*(threads|CUDA) \\d+; memory \\d+\\.\\d [KMGT]iB.*"),
                device.description());
        assertEquals(0, device.liveBytes());
        device.resetPeak();
        try (Scope s = device.open()) {
            s.ones(1000).add(1);
        }
        assertEquals(0, device.liveBytes());
        assertEquals(8000, device.peakBytes());
    }

    @Test
    void unavailableDeviceSaysWhyWhenOpened() {
        for (Device d : Device.all()) {
            if (!d.isAvailable()) {
                DeviceException e = assertThrows(DeviceException.class, d::open);
                assertEquals(d.name() + " unavailable: " + d.reason() + "; use device cpu", e.getMessage());
                assertEquals("unavailable: " + d.reason(), d.description());
                assertEquals(0, d.liveBytes());
            }
        }
    }

    /** Neither vector module nor OpenBLAS: plain Java is left, says so, and answers as NumPy does. */
    @Test
    void withoutVectorModuleAndOpenBlasPlainJavaIsLeft() throws Exception {
        String said = child("--enable-native-access=ALL-UNNAMED", "-Dgramian.openblas=none");
        assertEquals("""
                cpu:native unavailable: libopenblas: switched off by gramian.openblas=none or GRAMIAN_OPENBLAS
                cpu:vector unavailable: the JVM runs without its vector module; start it with --add-modules \
                jdk.incubator.vector
                cpu is cpu:scalar
                best is cpu:scalar
                all results agree
                """, said);
    }

    @Test
    void withoutOpenBlasVectorKernelsAreLeft() throws Exception {
        String said = child("--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector",
                "-Dgramian.openblas=none");
        assertTrue(said.contains("cpu is cpu:vector\nbest is cpu:vector\nall results agree\n"), said);
    }

    @Test
    void withoutVectorModuleOpenBlasStillWorks() throws Exception {
        if (Device.of("cpu:native").isAvailable()) {
            String said = child("--enable-native-access=ALL-UNNAMED");
            assertTrue(said.endsWith("cpu is cpu:native\nbest is cpu:native\nall results agree\n"), said);
        }
    }

    private static String child(String... flags) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flags));
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(Child.class.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("GRAMIAN_OPENBLAS");
        Process p = builder.start();
        try (InputStream out = p.getInputStream()) {
            String said = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(p.waitFor(1, TimeUnit.MINUTES), "child does not end");
            // the JVM's own word about the module
            return said.replaceAll("WARNING: Using incubator modules: .*\\R", "");
        } finally {
            p.destroyForcibly();
        }
    }

    /** Runs in a JVM of its own. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            for (Device d : Device.all()) {
                if (!d.isAvailable() && !d.name().startsWith("cuda")) {
                    System.out.println(d + " " + d.description());
                }
            }
            System.out.println("cpu is " + Device.cpu());
            System.out.println("best is " + Device.best());
            for (String file : List.of("arithmetic", "unary", "reduce_edges", "rows", "sort", "matmul", "casts")) {
                TensorGoldenTest.check(Device.cpu(), file);
            }
            try (Scope s = Device.cpu().open()) {
                Tensor a = s.normal(DType.F64, 1, 9, 5);
                Tensor gram = a.transpose(0, 1).matmul(a);
                Tensor off = Linalg.inv(gram).matmul(gram).sub(s.eye(DType.F64, 5)).abs().max();
                Tensor energy = Linalg.svdValues(a).square().sum().sub(a.square().sum()).abs();
                if (off.item() > 1e-12 || energy.item() > 1e-12) {
                    throw new AssertionError("inverse off by " + off + ", singular values by " + energy);
                }
            }
            System.out.println("all results agree");
        }
    }
}
