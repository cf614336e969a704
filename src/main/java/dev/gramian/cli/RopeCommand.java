package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.attention.Rope;
import dev.gramian.attention.RopeLayout;
import dev.gramian.attention.RopeTables;
import dev.gramian.core.ShapeException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Rotary position embedding of a file. */
@Command(
        name = "rope",
        description = "Rotary position embedding: turns pairs of channels of queries or keys by their position. The options"
                + " of scaling have the names of Hugging Face's configuration.")
final class RopeCommand extends ComputeCommand {
    private static final long FARTHEST = 1L << 40;

    @Parameters(index = "0", paramLabel = "X", description = "Queries or keys, (..., H, L, d).")
    private String x;

    @Option(names = {"-o", "--output"}, paramLabel = "Y", description = "Where to write the result. Default: print it.")
    private String output;

    @Option(names = "--layout", paramLabel = "LAYOUT",
            description = "Which channels form a pair: half (i and i + d/2, Hugging Face) or interleaved (2i and 2i + 1,"
                    + " Meta and GGUF). No default: the wrong one gives wrong results without an error.")
    private String layout;

    @Option(names = "--heads", paramLabel = "N", description = "X has N heads in the last axis: (B, L, N*d).")
    private Long heads;

    @Option(names = "--dim", paramLabel = "R",
            description = "The first R channels of a head rotate, the rest pass. Default: all.")
    private Long dim;

    @Option(names = "--positions", paramLabel = "P",
            description = "Position of each row: numbers like 0,1,5, or a file of I64 or I32, (L) or (..., L) without heads.")
    private String positions;

    @Option(names = "--offset", paramLabel = "N", description = "Position of the first row. Default: 0.")
    private Long offset;

    @Option(names = {"--base", "--rope-theta"}, paramLabel = "B",
            description = "Base of the frequencies. Default: 10000.")
    private Double base;

    @Option(names = "--length", paramLabel = "N",
            description = "Length that dynamic and longrope choose frequencies for. Default: the largest position + 1.")
    private Long length;

    @Mixin
    private RopeOptions options;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if the result is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        RopeLayout pairs = layout();
        if (positions != null && offset != null) {
            throw new ParameterException(spec.commandLine(), "--positions and --offset do not go together");
        }
        options.check();
        try (Session s = session()) {
            Tensor given = s.read(x);
            Tensor apart = apart(given);
            Tensor at = positions == null ? null : positions(s);
            long rows = apart.dim(-2);
            long first = offset == null ? 0 : offset;
            long covered = covered(at, first, rows);
            long rotary = dim == null ? apart.dim(-1) : dim;
            Rope rope = new Rope(pairs, apart.dim(-1), rotary, base == null ? 10000 : base, options.scaling(s));
            Tensor y = s.compute("rope", 0, () -> {
                RopeTables tables = rope.tables(s.scope(), apart.dtype(), covered);
                return at == null ? tables.apply(apart, first) : tables.apply(apart, at);
            });
            Tensor result = heads == null ? y : y.transpose(1, 2).reshape(given.shape().toArray());
            s.result(output, result);
            int code = 0;
            if (check) {
                RopeReference reference = new RopeReference(pairs == RopeLayout.INTERLEAVED, rotary,
                        options.frequencies(s, rotary, rope.base(), covered), options.attentionFactor());
                code = s.report(List.of(reference.check(apart, at, first, y).verdict()));
            }
            s.close(Text.of(given) + " → " + result.shape());
            return code;
        }
    }

    private RopeLayout layout() {
        return switch (layout) {
            case "half" -> RopeLayout.HALF_SPLIT;
            case "interleaved" -> RopeLayout.INTERLEAVED;
            case null, default ->
                throw new ParameterException(spec.commandLine(), (layout == null
                        ? "Missing option '--layout'"
                        : "Invalid value for option '--layout': '" + layout + "'")
                        + "; give half (channels i and i + d/2 are a pair, as in Hugging Face's files) or interleaved (2i"
                        + " and 2i + 1, as in Meta's and GGUF)");
        };
    }

    /** Positions that tables must have. */
    private long covered(Tensor at, long first, long rows) {
        long last = at == null ? first : largest(at);
        if (last > FARTHEST || length != null && length > FARTHEST) {
            throw new ShapeException("rope: there are no tables that long; " + (last > FARTHEST
                    ? "position " + last
                    : "--length " + length) + "; give " + FARTHEST + " or less");
        }
        long end = at == null ? first + rows : last + 1;
        return Math.max(0, length == null ? end : Math.max(end, length));
    }

    private Tensor positions(Session s) {
        return Numbers.areWhole(positions)
                ? s.scope().tensor(Numbers.whole(s, "--positions", positions))
                : s.read(positions);
    }

    /** -1 where there are none, or of a type that the library refuses. */
    private static long largest(Tensor at) {
        return at.dtype().isInteger() && at.size() > 0 ? at.max().itemLong() : -1;
    }

    private Tensor apart(Tensor t) {
        if (t.rank() < 2) {
            throw new ShapeException(
                    "rope: x has too few axes; x " + t.shape() + "; give (..., head, length, channel) or,"
                            + " for one head, (length, channel)");
        }
        if (heads == null) {
            return t;
        }
        if (heads < 1 || t.rank() != 3 || t.dim(2) % heads != 0) {
            throw new ShapeException("rope: x does not divide into " + heads + " heads (axis -1); x " + t.shape()
                    + "; with --heads it is (batch, length, heads * channels)");
        }
        return t.reshape(t.dim(0), t.dim(1), heads, t.dim(2) / heads).transpose(1, 2);
    }
}
