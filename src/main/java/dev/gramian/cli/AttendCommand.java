package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.Causal;
import dev.gramian.core.ShapeException;
import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.Command;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Scaled dot-product attention of three files. */
@Command(
        name = "attend",
        description = "Scaled dot-product attention: softmax(scale Q Kᵀ, masked) V.")
final class AttendCommand extends GramianCommand {
    @Parameters(index = "0", paramLabel = "Q", description = "Queries, (..., Hq, Lq, d).")
    private String queries;

    @Parameters(index = "1", paramLabel = "K", description = "Keys, (..., Hkv, Lk, d); Hq is a multiple of Hkv.")
    private String keys;

    @Parameters(index = "2", paramLabel = "V", description = "Values, (..., Hkv, Lk, dv).")
    private String values;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            description = "Where to write the result, (..., Hq, Lq, dv). Default: print it.")
    private String output;

    @Option(names = "--mask", paramLabel = "M",
            description = "BOOL, true = may attend; broadcasts to (..., Hq, Lq, Lk).")
    private String mask;

    @Option(names = "--bias", paramLabel = "B",
            description = "Added to the scaled scores; broadcasts to (..., Hq, Lq, Lk).")
    private String bias;

    @Option(
            names = "--causal",
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "ALIGN",
            preprocessor = AfterEqualsSign.class,
            description = "Query i sees keys up to its own. With other than Lq keys name the alignment: top-left (keys 0"
                    + " to i) or bottom-right (the last query sees all keys).")
    private String causal;

    @Option(names = "--scale", paramLabel = "X", description = "Factor of the scores. Default: 1/sqrt(d).")
    private Double scale;

    @Option(names = "--softcap", paramLabel = "X", description = "Scores become X tanh(score / X).")
    private double softcap;

    @Option(names = "--weights", paramLabel = "W", description = "Where to write the weights, (..., Hq, Lq, Lk).")
    private String weights;

    @Option(names = "--lse", paramLabel = "L",
            description = "Where to write the log-sum-exp of the scores, (..., Hq, Lq).")
    private String logSumExp;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if the result is wrong.")
    private boolean check;

    /** {@code --causal q.npy} would otherwise take the file for the alignment. */
    static final class AfterEqualsSign implements IParameterPreprocessor {
        @Override
        public boolean preprocess(Stack<String> args, CommandSpec command, ArgSpec option, Map<String, Object> info) {
            if (" ".equals(info.get("separator"))) { // and not "="
                args.push(((OptionSpec) option).fallbackValue());
            }
            return false;
        }
    }

    @Override
    public Integer call() {
        Causal alignment = alignment();
        try (Session s = session()) {
            Tensor q = s.read(queries);
            Tensor k = s.read(keys);
            Tensor v = s.read(values);
            Tensor m = s.readIfGiven(mask);
            Tensor b = s.readIfGiven(bias);
            if (causal != null && alignment == null && q.rank() > 1 && k.rank() > 1 && q.dim(-2) != k.dim(-2)) {
                throw new ShapeException("attend: causal, but " + q.dim(-2) + " queries and " + k.dim(-2)
                        + " keys can be aligned two ways; q " + q.shape() + ", k " + k.shape()
                        + "; use --causal=top-left or --causal=bottom-right");
            }
            Attention plain = Attention.scaled().mask(m).bias(b).softcap(softcap).weights(weights != null);
            Attention scaled = scale == null ? plain : plain.scale(scale);
            Attention attention = causal == null
                    ? scaled
                    : alignment == null ? scaled.causal() : scaled.causal(alignment);
            long rows = q.size() / Math.max(1, q.dim(-1));
            Attention.Result r = s.compute("attend", rows, () -> attention.apply(q, k, v));
            s.result(output, r.output());
            s.writeIfGiven(weights, r.weights());
            s.writeIfGiven(logSumExp, r.logSumExp());
            int code = 0;
            if (check) {
                long offset = alignment == Causal.TOP_LEFT ? 0 : k.dim(-2) - q.dim(-2);
                AttentionReference reference = new AttentionReference(q, k, v, scale, softcap, causal != null, offset,
                        m, b);
                code = s.report(reference.check(r, logSumExp != null).stream().map(Check::verdict).toList());
            }
            s.close(shapes(q, k, v) + " → " + r.output().shape());
            return code;
        }
    }

    private static String shapes(Tensor q, Tensor k, Tensor v) {
        boolean same = q.shape().equals(k.shape()) && k.shape().equals(v.shape());
        return q.dtype() + " " + (same
                ? "q, k, v " + q.shape()
                : "q " + q.shape() + ", k " + k.shape() + ", v " + v.shape());
    }

    /** Null where none is named. */
    private Causal alignment() {
        return switch (causal) {
            case null -> null;
            case "" -> null;
            case "top-left" -> Causal.TOP_LEFT;
            case "bottom-right" -> Causal.BOTTOM_RIGHT;
            default ->
                throw new ParameterException(spec.commandLine(),
                        "Invalid value for option '--causal': expected top-left or"
                                + " bottom-right but was '" + causal + "'");
        };
    }
}
