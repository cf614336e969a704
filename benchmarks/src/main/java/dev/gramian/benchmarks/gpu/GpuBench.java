package dev.gramian.benchmarks.gpu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Times of one CUDA device, each after a comparison with a float64 reference:
 *
 * <pre>GpuBench [--quick | --smoke] [--until TIME] [--group NAME] [-o results.jsonl] DEVICE
 * GpuBench [--quick | --smoke] --list cases.jsonl</pre>
 *
 * <p>With {@code --smoke} the sizes are a few elements, any device will do and no speed is written; on an emulated device
 * none ever is. TIME is in seconds since 1970: cases that have not begun by then are left out. The file is appended to: cases that are in it already are not run again, so a run that was cut off goes on
 * where it ended. {@code --list} writes the cases themselves, for other libraries.
 *
 * <p>Exit codes: 0 all agree; 1 some failed; 2 usage; 3 the device is unavailable; 75 the device was lost or a case did not
 * end: to be started again, the rest is still to be done.
 */
public final class GpuBench {
    private static final int AGAIN = 75;

    private final Meter meter;
    private final Results results;
    private final Suite.Extent extent;
    /** Milliseconds since 1970. */
    private final long deadline;
    private volatile String running;
    private volatile long since;
    private int failures;

    private GpuBench(Device device, boolean speeds, Suite.Extent extent, long deadline, Path file) {
        this.meter = new Meter(device, speeds);
        this.results = new Results(file);
        this.extent = extent;
        this.deadline = deadline;
    }

    public static void main(String[] args) throws IOException {
        Suite.Extent extent = Suite.Extent.FULL;
        double until = 1e12;
        Path out = Path.of("results.jsonl");
        Path list = null;
        String device = null;
        String group = "";
        for (int i = 0; i < args.length; i++) {
            boolean last = i == args.length - 1;
            switch (args[i]) {
                case "--quick" -> extent = Suite.Extent.QUICK;
                case "--smoke" -> extent = Suite.Extent.SMOKE;
                case "--until" -> until = last ? usage() : Double.parseDouble(args[++i]);
                case "--group" -> group = last ? "" + usage() : args[++i];
                case "-o" -> out = Path.of(last ? "" + usage() : args[++i]);
                case "--list" -> list = Path.of(last ? "" + usage() : args[++i]);
                default -> {
                    if (args[i].startsWith("-") || device != null) {
                        usage();
                    }
                    device = args[i];
                }
            }
        }
        if (list != null) {
            list(Suite.cases(extent), list);
            return;
        }
        if (device == null) {
            usage();
        }
        Device on = Device.of(device);
        if (!on.isAvailable()) {
            System.err.println(on.name() + " unavailable: " + on.reason());
            System.exit(3);
        }
        boolean emulated = isEmulated(on);
        if (extent != Suite.Extent.SMOKE && (emulated || !on.name().startsWith("cuda"))) {
            System.err.println(on.name() + (emulated ? " is emulated" : " is no GPU")
                    + ": only --smoke makes sense there, and takes no times");
            System.exit(2);
        }
        GpuBench bench = new GpuBench(on, extent != Suite.Extent.SMOKE, extent, (long) (1e3 * until), out);
        System.exit(bench.run(on, emulated, group));
    }

    private static double usage() {
        System.err.println("usage: GpuBench [--quick | --smoke] [--until TIME] [--group NAME] [-o results.jsonl] DEVICE"
                + " | --list cases.jsonl");
        System.exit(2);
        return 0;
    }

    /** Whether the CUDA of this process is the one that stands in where there is no card. */
    static boolean isEmulated(Device device) {
        return device.description().toLowerCase(Locale.ROOT).contains("emulat");
    }

    private static void list(List<Case> cases, Path file) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Case c : cases) {
            ObjectNode node = Results.JSON.createObjectNode().put("id", c.id());
            node.put("group", c.group()).put("kind", c.kind()).put("type", c.type()).put("causal", c.causal());
            ArrayNode shape = node.putArray("shape");
            for (long n : c.shape()) {
                shape.add(n);
            }
            node.put("bytes", c.bytes()).put("flops", c.flops());
            text.append(Results.JSON.writeValueAsString(node)).append('\n');
        }
        Files.writeString(file, text);
    }

    private int run(Device on, boolean emulated, String group) {
        results.write(Results.JSON.createObjectNode().put("device", on.name()).put("description", on.description())
                .put("emulated", emulated).put("speeds", meter.takesTimes()).put("extent", extent.name()));
        watch(meter.takesTimes() ? 40 : 180);
        if (!meter.takesTimes() && group.isEmpty()) {
            System.out.println("no times are taken: " + (emulated ? "CUDA is emulated" : "--smoke"));
        }
        for (Case c : Suite.cases(extent)) {
            if (!results.isDone(c.id()) && (group.isEmpty() || c.group().equals(group))) {
                if (System.currentTimeMillis() > deadline) {
                    results.ended(c.id(), "left out", "no time left");
                } else {
                    one(c);
                }
            }
        }
        return failures > 0 ? 1 : 0;
    }

    private void one(Case c) {
        results.begin(c.id());
        since = System.nanoTime();
        running = c.id();
        String line;
        try {
            Measured m;
            try (Scope scope = c.open(meter.device)) {
                m = c.body().run(c, meter, scope);
                meter.device.synchronize();
            }
            results.measured(c, m);
            failures += m.agrees() ? 0 : 1;
            line = m.agrees() ? text(c, m) : "WRONG: error " + m.error() + ", allowed " + m.bound();
        } catch (DeviceException e) {
            boolean room = e.getMessage().contains("out of memory");
            results.ended(c.id(), room ? "no room" : "failed", e.getMessage());
            failures += room ? 0 : 1;
            line = e.getMessage();
        } catch (RuntimeException | Error e) {
            results.ended(c.id(), "failed", e.toString());
            failures++;
            line = "FAILED: " + e;
        }
        running = null;
        System.out.printf("%-44s %s%n", c.id(), line.lines().findFirst().orElse(""));
        if (line.startsWith("FAILED") && isLost()) {
            System.out.println("the device is lost; this process can do no more on it");
            Runtime.getRuntime().halt(AGAIN);
        }
    }

    private static String text(Case c, Measured m) {
        String error = String.format(Locale.ROOT, "error %.1e", m.error());
        if (m.times() == null) {
            return error;
        }
        double s = m.times().median();
        String rate = c.flops() > 0
                ? String.format(Locale.ROOT, "  %.1f TFLOP/s", 1e-12 * c.flops() / s)
                : c.bytes() > 0 ? String.format(Locale.ROOT, "  %.0f GB/s", 1e-9 * c.bytes() / s) : "";
        return String.format(Locale.ROOT, "%.4g ms%s  %s", 1e3 * s, rate, error);
    }

    private boolean isLost() {
        try (Scope s = meter.device.open()) {
            Tensor x = s.full(DType.F32, 2, 3);
            return x.add(x).toFloatArray()[2] != 4;
        } catch (RuntimeException e) {
            return true;
        }
    }

    /** Ends the process where a case takes too long: nothing else can stop a kernel that hangs. */
    private void watch(long seconds) {
        Thread watch = new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    return;
                }
                String id = running;
                if (id != null && System.nanoTime() - since > seconds * 1_000_000_000L) {
                    results.ended(id, "stopped", "no end after " + seconds + " s");
                    System.out.println(id + ": no end after " + seconds + " s");
                    Runtime.getRuntime().halt(AGAIN);
                }
            }
        }, "watch");
        watch.setDaemon(true);
        watch.start();
    }
}
