package dev.gramian.cli;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.DType;
import dev.gramian.core.Roofline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Times works on this machine and sets them beside what it reaches at most. */
@Command(name = "bench",
        description = "Time products, attention, row operations and decompositions on random operands, beside the most that"
                + " the device reaches: its arithmetic and its memory.",
        footer = {
            "",
            "Works and the axes of their shapes:",
            "  gemm M,N,K   bgemm B,M,N,K   matvec M,N",
            "  attention, causal B,H,L,D   decode B,H,KV_HEADS,L,D",
            "  softmax, layernorm, add, exp, sum, transpose ROWS,N",
            "  svd B,M,N   eigh B,N   solve B,N,R"
        })
final class BenchCommand extends GramianCommand {
    private static final double GIGA = 1e9;
    private static final double MILLI = 1e6;

    @Parameters(arity = "0..*", paramLabel = "WORK", completionCandidates = Works.class,
            description = "What to time. Default: all of the below.")
    private List<String> names = List.of();

    private List<BenchWork> works;

    static final class Works implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(BenchWork.values()).map(BenchCommand::name).iterator();
        }
    }

    @Option(names = "--shape", paramLabel = "A,B,...",
            description = "The shape of one work, in the order of its axes; may be given several times. Default: some usual ones.")
    private List<String> shapes = List.of();

    @Option(names = "--sweep", paramLabel = "AXIS=A,B,...",
            description = "Of one shape, values of one axis in turn: how cost grows.")
    private String sweep;

    @Option(names = "--plot", paramLabel = "PICTURE",
            description = "Where to draw the times of a sweep: .png or .svg.")
    private Path plot;

    @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "F32",
            description = "F64, F32, F16 or BF16. Default: F32.")
    private DType dtype;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "1",
            description = "How long each is measured, after half that time to warm up. Default: 1.")
    private double seconds;

    @Option(names = "--csv", description = "Comma-separated values, in seconds, operations and bytes.")
    private boolean csv;

    private record Row(String work, String shape, Timing timing, double flops, double bytes) {}

    @Override
    public Integer call() {
        works = names.isEmpty() ? List.of(BenchWork.values()) : names.stream().map(this::named).toList();
        refuseNonsense();
        PictureFile.check(plot);
        Device device = Device.of(main().device);
        Roofline top = device.roofline(dtype);
        if (csv) {
            out().println(
                    "work,shape,dtype,device,median_s,fastest_s,runs,flop,bytes,peak_flop_per_s,peak_bytes_per_s");
        } else {
            out().println(device.name() + "  " + device.description());
            out().println("most reached: " + rate(top.flops(), "FLOP/s") + " in " + (dtype.isHalf() ? DType.F32 : dtype)
                    + (top.measured() ? "" : " by its clock, matrix units apart") + ", "
                    + rate(top.bytes(), "B/s") + (top.copied() ? " copied" : " read"));
            out().println();
        }
        List<Row> rows = new ArrayList<>();
        for (BenchWork work : works) {
            for (String shape : shapes(work)) {
                Row row = time(device, work, shape);
                rows.add(row);
                if (csv) {
                    print(device, row, top);
                }
            }
        }
        if (!csv) {
            print(rows, top);
        }
        if (plot != null) {
            draw(device, rows, top);
        }
        return 0;
    }

    private void refuseNonsense() {
        if (dtype == null || !dtype.isFloat()) {
            throw bad("--dtype: " + dtype + " is not F64, F32, F16 or BF16");
        }
        if (!(seconds > 0 && seconds <= 3600)) {
            throw bad("--seconds: " + seconds + " is not above 0 and at most 3600");
        }
        if (!shapes.isEmpty() && works.size() != 1) {
            throw bad("--shape: whose shape is meant? name one work before it");
        }
        if (sweep != null && (works.size() != 1 || shapes.size() != 1)) {
            throw bad("--sweep: needs one work and one --shape, whose axis it varies");
        }
        if (plot != null && sweep == null) {
            throw bad("--plot: needs a --sweep, whose times it draws");
        }
        works.forEach(w -> shapes(w).forEach(s -> numbers(w, s)));
    }

    private BenchWork named(String name) {
        for (BenchWork w : BenchWork.values()) {
            if (name(w).equalsIgnoreCase(name)) {
                return w;
            }
        }
        throw new ParameterException(spec.commandLine(),
                "Unknown work '" + name + "'; there are " + String.join(", ", new Works()));
    }

    private ParameterException bad(String text) {
        return new ParameterException(spec.commandLine(), "Invalid value for option '" + text.replaceFirst(":", "':"));
    }

    private List<String> shapes(BenchWork work) {
        if (shapes.isEmpty()) {
            return work.shapes();
        }
        return sweep == null ? shapes : swept(work, shapes.getFirst());
    }

    private List<String> swept(BenchWork work, String shape) {
        String[] parts = sweep.split("=", -1);
        int axis = axis(work);
        if (parts.length != 2 || axis < 0) {
            throw bad(
                    "--sweep: '" + sweep + "' is not AXIS=A,B,... with an axis of " + name(work) + ": " + work.axes());
        }
        numbers(work, shape);
        List<String> all = new ArrayList<>();
        for (String value : parts[1].split(",", -1)) {
            String[] numbers = shape.split(",");
            numbers[axis] = value.strip();
            all.add(String.join(",", numbers));
        }
        return all;
    }

    /** Which number of a shape the sweep varies, -1 for none. */
    private int axis(BenchWork work) {
        return Arrays.asList(work.axes().split(",")).indexOf(sweep.split("=", -1)[0].strip().toUpperCase(Locale.ROOT));
    }

    private long[] numbers(BenchWork work, String shape) {
        String[] parts = shape.split(",", -1);
        long[] numbers = new long[parts.length];
        boolean good = parts.length == work.rank();
        for (int i = 0; good && i < parts.length; i++) {
            try {
                numbers[i] = Long.parseLong(parts[i].strip());
                good = numbers[i] > 0;
            } catch (NumberFormatException e) {
                good = false;
            }
        }
        if (!good) {
            throw bad("--shape: '" + shape + "' is not " + work.rank() + " positive numbers " + work.axes() + " for "
                    + name(work));
        }
        return numbers;
    }

    private static String name(BenchWork work) {
        return work.name().toLowerCase(Locale.ROOT);
    }

    private Row time(Device device, BenchWork work, String shape) {
        try (Scope s = device.open(main().math)) {
            BenchWork.Case c = work.of(s, dtype, numbers(work, shape));
            Timing timing = Timing.of((long) (seconds * GIGA), () -> {
                try (Scope inner = device.open(main().math)) {
                    c.work().get();
                    device.synchronize();
                }
            });
            return new Row(name(work), shape.replace(" ", ""), timing, c.flops(), c.bytes());
        }
    }

    private void print(Device device, Row r, Roofline top) {
        out().printf(Locale.ROOT, "%s,\"%s\",%s,%s,%.9f,%.9f,%d,%.0f,%.0f,%.0f,%.0f%n", r.work, r.shape, dtype,
                device.name(), r.timing.median() / GIGA, r.timing.fastest() / GIGA, r.timing.runs(), r.flops, r.bytes,
                top.flops(), top.bytes());
        out().flush();
    }

    private void print(List<Row> rows, Roofline top) {
        List<String[]> table = new ArrayList<>();
        table.add(new String[] {"work", "shape", "median", "fastest", "GFLOP/s", "of most", "GB/s", "of most"});
        for (Row r : rows) {
            double t = r.timing.median() / GIGA;
            table.add(new String[] {r.work, r.shape, Text.time(r.timing.median()), Text.time(r.timing.fastest()),
                r.flops == 0 ? "" : Text.digits(r.flops / t / GIGA), share(r.flops / t, top.flops()),
                r.bytes == 0 ? "" : Text.digits(r.bytes / t / GIGA), share(r.bytes / t, top.bytes())});
        }
        Text.table(table, false, false, true, true, true, true, true, true).forEach(out()::println);
    }

    /** Times over the values of the axis, and the least that the device's most allows. */
    private void draw(Device device, List<Row> rows, Roofline top) {
        BenchWork work = works.getFirst();
        int axis = axis(work);
        List<Row> sorted = rows.stream().sorted(Comparator.comparingLong(r -> numbers(work, r.shape)[axis])).toList();
        double[] x = sorted.stream().mapToDouble(r -> numbers(work, r.shape)[axis]).toArray();
        Map<String, Plots.Points> series = new LinkedHashMap<>();
        series.put("measured",
                new Plots.Points(x, sorted.stream().mapToDouble(r -> r.timing.median() / MILLI).toArray(), null));
        if (sorted.stream().allMatch(r -> r.flops > 0 || r.bytes > 0)) {
            double[] least = sorted.stream()
                    .mapToDouble(r -> 1e3 * Math.max(r.flops / top.flops(), r.bytes / top.bytes())).toArray();
            series.put("least by the device's most", new Plots.Points(x, least, null));
        }
        String[] shape = shapes.getFirst().replace(" ", "").split(",");
        shape[axis] = work.axes().split(",")[axis];
        Plots.growth(plot, name(work) + " " + String.join(",", shape) + ", " + dtype + ", " + device.name(),
                shape[axis], "ms", series);
    }

    private static String share(double is, double most) {
        return is == 0 ? "" : String.format(Locale.ROOT, "%.0f%%", 100 * is / most);
    }

    private static String rate(double perSecond, String unit) {
        return Text.digits(perSecond / GIGA) + " G" + unit;
    }
}
