package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Scaled dot-product attention of three files. */
@Command(
        name = "attend",
        description = "Scaled dot-product attention: softmax(scale Q Kᵀ, masked) V.")
final class AttendCommand extends ComputeCommand {
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

    @Mixin
    private AttendOptions options;

    @Option(names = "--weights", paramLabel = "W", description = "Where to write the weights, (..., Hq, Lq, Lk).")
    private String weights;

    @Option(names = "--lse", paramLabel = "L",
            description = "Where to write the log-sum-exp of the scores, (..., Hq, Lq).")
    private String logSumExp;

    @Option(names = "--scores", paramLabel = "OUT", description = "Where to write the scores, (..., Hq, Lq, Lk).")
    private String scores;

    @Option(names = "--scores-stage", paramLabel = "STAGE", completionCandidates = Stages.class,
            converter = Stages.class,
            description = "How far --scores have come, as in ONNX: ${COMPLETION-CANDIDATES}. Default: raw.")
    private Attention.Stage stage;

    @Option(names = "--present-k", paramLabel = "OUT",
            description = "Where to write the keys with the past ones before them, (B, Hkv, P + Lk, d).")
    private String presentKeys;

    @Option(names = "--present-v", paramLabel = "OUT",
            description = "Where to write the values with the past ones before them, (B, Hkv, P + Lk, dv).")
    private String presentValues;

    @Mixin
    private HeadPlot plot;

    @Option(names = "--explain", description = "Print how the call is computed and what memory it takes.")
    private boolean explain;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if the result is wrong.")
    private boolean check;

    static final class Stages extends Choices<Attention.Stage> {
        Stages() {
            super(Attention.Stage.values());
        }
    }

    @Override
    public Integer call() {
        if (stage != null && scores == null) {
            throw new ParameterException(spec.commandLine(), "--scores-stage needs --scores");
        }
        plot.check();
        options.check(presentKeys != null ? "--present-k" : presentValues != null ? "--present-v" : null);
        try (Session s = session()) {
            Tensor q = s.read(queries);
            Tensor k = s.read(keys);
            Tensor v = s.read(values);
            AttendOptions.Call call = options.of(s, q, k, v, weights != null || plot.isWanted());
            if (explain) {
                out().println(call.explain());
            }
            long rows = q.size() / Math.max(1, q.dim(-1));
            Attention.Result r = s.compute("attend", rows, call::apply);
            Attention.Stage last = stage == null ? Attention.Stage.RAW : stage;
            Tensor at = scores == null
                    ? null
                    : s.compute("attend", 0, () -> call.scores(last));
            s.result(output, r.output());
            s.writeIfGiven(weights, r.weights());
            s.writeIfGiven(logSumExp, r.logSumExp());
            s.writeIfGiven(scores, at);
            if (plot.isWanted()) {
                plot.draw(r.weights(), call, err());
            }
            if (presentKeys != null) {
                s.writeIfGiven(presentKeys, call.ofKeys("k", call.k()));
            }
            if (presentValues != null) {
                s.writeIfGiven(presentValues, call.ofKeys("v", call.v()));
            }
            int code = check ? s.report(verdicts(s, call, r, at, last)) : 0;
            s.close(shapes(q, call.k(), call.v()) + " → " + r.output().shape());
            return code;
        }
    }

    private List<Verdict> verdicts(
            Session s, AttendOptions.Call call, Attention.Result r, Tensor scores, Attention.Stage stage) {
        AttentionReference.Checks checks = call.isPacked()
                ? packed(s, call, r, scores, stage)
                : whole(s, call, r, scores, stage);
        List<Check> all = new ArrayList<>(checks.used());
        all.addAll(call.presents());
        return all.stream().map(Check::verdict).toList();
    }

    private AttentionReference.Checks whole(
            Session s, AttendOptions.Call call, Attention.Result r, Tensor scores, Attention.Stage stage) {
        Tensor q = call.ofQueries("q", call.q());
        Tensor k = call.ofKeys("k", call.k());
        Tensor y = call.ofQueries("output", r.output());
        long rows = y.size() / Math.max(1, y.dim(-1));
        AttentionReference.Rules rules = call.rules();
        if (rules.dropout > 0) {
            rules.uniform = s.scope().uniform(DType.F32, options.seed(), 0, 1,
                    y.shape().with(y.rank() - 1, k.dim(-2)).toArray());
        }
        AttentionReference reference = new AttentionReference(q, k, call.ofKeys("v", call.v()), rules);
        AttentionReference.Checks checks = new AttentionReference.Checks(
                q.dtype(), AttentionReference.coverage(rows, reference.rowsWithin(1)));
        reference.check(y, r.weights(), logSumExp == null ? null : r.logSumExp(), scores, stage, 1, checks);
        return checks;
    }

    /** Each sequence by itself. */
    private AttentionReference.Checks packed(
            Session s, AttendOptions.Call call, Attention.Result r, Tensor scores, Attention.Stage stage) {
        Tensor q = call.ofQueries("q", call.q());
        Tensor k = call.ofKeys("k", call.k());
        Tensor v = call.ofKeys("v", call.v());
        Tensor y = call.ofQueries("output", r.output());
        long[] qs = call.queryOffsets();
        long[] ks = call.keyOffsets();
        int n = qs.length - 1;
        if (call.rules().dropout > 0) {
            call.rules().uniform = s.scope().uniform(DType.F32, options.seed(), 0, 1,
                    n, q.dim(1), longest(qs), longest(ks));
        }
        List<AttentionReference> references = new ArrayList<>();
        long rows = 0;
        long within = 0;
        for (int b = 0; b < n; b++) {
            AttentionReference a = new AttentionReference(
                    q.slice(0, qs[b], qs[b + 1]).transpose(0, 1), k.slice(0, ks[b], ks[b + 1]).transpose(0, 1),
                    v.slice(0, ks[b], ks[b + 1]).transpose(0, 1), call.rules().of(b));
            references.add(a);
            long own = (qs[b + 1] - qs[b]) * q.dim(1);
            rows += own;
            within += Math.min(own, a.rowsWithin(n));
        }
        AttentionReference.Checks checks = new AttentionReference.Checks(
                q.dtype(), AttentionReference.coverage(rows, within));
        for (int b = 0; b < n; b++) {
            references.get(b).check(
                    y.slice(0, qs[b], qs[b + 1]).transpose(0, 1), call.own(r.weights(), b),
                    logSumExp == null ? null : r.logSumExp().slice(1, qs[b], qs[b + 1]), call.own(scores, b), stage, n,
                    checks);
        }
        return checks;
    }

    private static long longest(long[] offsets) {
        return IntStream.range(0, offsets.length - 1).mapToLong(b -> offsets[b + 1] - offsets[b]).max().orElse(0);
    }

    private static String shapes(Tensor q, Tensor k, Tensor v) {
        boolean same = q.shape().equals(k.shape()) && k.shape().equals(v.shape());
        return q.dtype() + " " + (same
                ? "q, k, v " + q.shape()
                : "q " + q.shape() + ", k " + k.shape() + ", v " + v.shape());
    }
}
