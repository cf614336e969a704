package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import dev.gramian.io.PlainFile;
import java.awt.Font;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of {@code attend} that draw weights, and the drawing. */
final class HeadPlot {
    /** Heads drawn where none are named. */
    private static final int SHOWN = 12;
    private static final int MOST = 64;

    /** How weights become colours. */
    enum Scale {
        LINEAR,
        SQRT
    }

    static final class Scales extends Choices<Scale> {
        Scales() {
            super(Scale.values());
        }
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--plot", paramLabel = "PNG", description = "Where to draw the weights, a heat map per head.")
    private Path file;

    @Option(names = "--plot-heads", paramLabel = "N",
            description = "Heads to draw, like 0,3,8-11. Default: the first " + SHOWN + ".")
    private String heads;

    @Option(names = "--plot-batch", paramLabel = "N", description = "Sequence to draw. Default: 0.")
    private Long batch;

    @Option(names = "--plot-scale", paramLabel = "SCALE", completionCandidates = Scales.class, converter = Scales.class,
            description = "How colours follow weights: ${COMPLETION-CANDIDATES}, which shows small ones. Default: linear.")
    private Scale scale;

    @Option(names = "--labels", paramLabel = "FILE", description = "Tokens of the keys in --plot, one a line.")
    private Path keyLabels;

    @Option(names = "--query-labels", paramLabel = "FILE",
            description = "Tokens of the queries. Default: those of the keys they stand at.")
    private Path queryLabels;

    boolean isWanted() {
        return file != null;
    }

    /** Refuses what cannot be meant. */
    void check() {
        if (file == null) {
            for (OptionGiven o : List.of(
                    new OptionGiven("--plot-heads", heads), new OptionGiven("--plot-batch", batch),
                    new OptionGiven("--plot-scale", scale), new OptionGiven("--labels", keyLabels),
                    new OptionGiven("--query-labels", queryLabels))) {
                if (o.value != null) {
                    throw usage(o.name + " needs --plot");
                }
            }
            return;
        }
        if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw usage(
                    "Invalid value for option '--plot': expected a name that ends with .png but was '" + file + "'");
        }
        if (heads != null && !heads.matches("\\d{1,9}(-\\d{1,9})?(,\\d{1,9}(-\\d{1,9})?)*")) {
            throw usage(
                    "Invalid value for option '--plot-heads': expected heads like 0,3,8-11 but was '" + heads + "'");
        }
        PictureFile.checkRuntime(file);
    }

    private record OptionGiven(String name, Object value) {}

    /** Draws weights (..., heads, queries, keys); query i of sequence b stands at key i + offset(b). */
    void draw(Tensor weights, AttendOptions.Call call, PrintWriter err) {
        long all = weights.rank() > 2 ? weights.dim(-3) : 1;
        long sequences = weights.rank() > 3 ? weights.shape().slice(0, weights.rank() - 3).size() : 1;
        long sequence = batch == null ? 0 : batch;
        if (sequence < 0 || sequence >= sequences) {
            throw new ShapeException("plot: no such sequence; --plot-batch " + sequence + ", weights " + weights.shape()
                    + " (batch, head, query, key); use 0 to " + (sequences - 1));
        }
        Tensor own = call.isPacked()
                ? call.own(weights, Math.toIntExact(sequence))
                : weights.reshape(sequences, all, weights.dim(-2), weights.dim(-1)).select(0, sequence);
        long queries = own.dim(1);
        long keys = own.dim(2);
        if (queries == 0 || keys == 0 || all == 0) {
            throw new ShapeException("plot: there are no weights; " + (call.isPacked()
                    ? "weights of packed sequence " + sequence + " " + own.shape()
                            + " (head, query, key); draw another by --plot-batch"
                    : "weights " + weights.shape() + " (batch, head, query, key); leave --plot out"));
        }
        List<HeatMaps.Map> maps = new ArrayList<>();
        for (long head : chosen(all, weights)) {
            String title = (sequences > 1 ? "batch " + sequence + ", " : "") + "head " + head;
            maps.add(new HeatMaps.Map(title, Math.toIntExact(queries), Math.toIntExact(keys),
                    own.select(0, head).toDoubleArray()));
        }
        List<String> columns = labels(keyLabels, "keys", keys, weights);
        List<String> rows = queryLabels != null
                ? labels(queryLabels, "queries", queries, weights)
                : columns == null ? null : standing(columns, queries, call.rules().offset(Math.toIntExact(sequence)));
        Font font = HeatMaps.font();
        if (font == null) {
            err.println("gramian: plot: no fonts can be drawn here; " + file
                    + " has no labels; install fontconfig and a font such as DejaVu");
        }
        Picture.save(file, new HeatMaps(maps, rows, columns, scale == Scale.SQRT, font).draw());
    }

    private long[] chosen(long all, Tensor weights) {
        if (heads == null) {
            return LongStream.range(0, Math.min(SHOWN, all)).toArray();
        }
        List<Long> chosen = new ArrayList<>();
        for (String part : heads.split(",")) {
            String[] ends = part.split("-");
            long first = Long.parseLong(ends[0]);
            long last = ends.length == 1 ? first : Long.parseLong(ends[1]);
            if (first > last || last >= all) {
                throw new ShapeException("plot: no such heads; --plot-heads " + heads + ", weights " + weights.shape()
                        + " (batch, head, query, key); use 0 to " + (all - 1));
            }
            for (long h = first; h <= last; h++) {
                chosen.add(h);
            }
        }
        if (chosen.size() > MOST) {
            throw new ShapeException("plot: too many heads for one picture; --plot-heads " + heads + ", weights "
                    + weights.shape() + "; draw " + MOST + " or fewer");
        }
        return chosen.stream().mapToLong(Long::longValue).toArray();
    }

    private static List<String> labels(Path from, String what, long count, Tensor weights) {
        if (from == null) {
            return null;
        }
        List<String> lines = PlainFile.lines(from);
        if (lines.size() != count) {
            throw new ShapeException("plot: " + lines.size() + " labels for " + count + " " + what + "; " + from
                    + ", weights " + weights.shape() + " (batch, head, query, key); give one a line");
        }
        return lines;
    }

    /** Labels of the keys that queries stand at; null where some stand at none. */
    private static List<String> standing(List<String> keys, long queries, long offset) {
        return offset >= 0 && offset + queries <= keys.size()
                ? keys.subList((int) offset, (int) (offset + queries))
                : null;
    }

    private ParameterException usage(String text) {
        return new ParameterException(spec.commandLine(), text);
    }
}
