package dev.gramian.cli;

import dev.gramian.Indexing;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import dev.gramian.linalg.LowRank;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.Svd;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Help.Ansi;

/**
 * From word vectors to attention and low rank, each step with its shape; compared with what NumPy made of the same
 * files.
 */
final class Demo {
    private static final String[] TOKENS = {"cat", "dog", "airplane", "car", "apple", "bread", "red", "blue"};
    private static final int RANK = 6;
    private static final double TOLERANCE = 1e-5;
    private static final long TIMING_NANOS = 1_000_000_000L;

    private final Session session;
    private final Scope scope;
    private final PrintWriter out;
    private final Ansi ansi;
    private int headings;
    private int compared;
    private final List<String> wrong = new ArrayList<>();

    Demo(Session session, PrintWriter out, Ansi ansi) {
        this.session = session;
        this.scope = session.scope();
        this.out = out;
        this.ansi = ansi;
    }

    int run() {
        out.println("Gramian on " + scope.device().name() + " (" + scope.device().description() + ")");
        try (DemoFiles files = new DemoFiles()) {
            similarity(files);
            attention(files);
            decomposition(files);
        }
        full();
        out.println();
        out.println(wrong.isEmpty()
                ? "All " + compared + " results agree with NumPy's or with float64."
                : wrong.size() + " of " + compared + " results are WRONG: " + String.join(", ", wrong));
        session.close("F32 q, k, v [1, 12, 512, 64] → [1, 12, 512, 64]");
        return wrong.isEmpty() ? 0 : Main.CHECK_FAILED;
    }

    // ---- the walk ---------------------------------------------------------------------------------------------------

    private void similarity(DemoFiles files) {
        heading("Similar words point the same way");
        Tensor x = session.read(files.path("embeddings.npy"));
        step("embeddings", x, "a row per token: " + String.join(" ", TOKENS));
        Tensor unit = x.div(x.square().sum(true, -1).sqrt());
        step("rows / their length", unit, "so that length does not count, only direction");
        Tensor cosine = unit.matmul(unit.transpose(0, 1));
        step("cosine similarity", cosine, "cat-dog " + number(cosine.get(0, 1)) + ", cat-airplane "
                + number(cosine.get(0, 2)));
        agrees(cosine, files, "cosine");
    }

    private void attention(DemoFiles files) {
        heading("Scores: each query against each key");
        Tensor q = session.read(files.path("q.npy"));
        Tensor k = session.read(files.path("k.npy"));
        Tensor v = session.read(files.path("v.npy"));
        step("Q", q, "what each token looks for");
        step("Kᵀ", k.transpose(0, 1), "what each token offers; transposed as a view, not copied");
        Tensor scores = q.matmul(k.transpose(0, 1));
        step("Q·Kᵀ", scores, "a number per pair of tokens: why the cost of attention is quadratic");
        agrees(scores, files, "scores");

        heading("Softmax: scores become weights");
        double d = q.dim(-1);
        Tensor scaled = scores.div(Math.sqrt(d));
        step("Q·Kᵀ / √" + (int) d, scaled, "keeps the spread of the scores from growing with the head size");
        Tensor weights = scaled.softmax(-1);
        double off = weights.sum(-1).sub(1).abs().max().item();
        step("softmax", weights, "each row sums to 1" + (off == 0 ? "" : ", within " + Text.error(off)));
        agrees(weights, files, "weights");
        row("cat looks at", "", shares(weights.select(0, 0)));
        row("without the scale", "", shares(scores.softmax(-1).select(0, 0)) + ": nearly all on one token");

        heading("Output: weighted sums of the values");
        step("V", v, "what each token passes on");
        Tensor output = weights.matmul(v);
        step("weights·V", output, "each token's mix of what it looked at");
        agrees(output, files, "attention");
        Attention.Result r = Attention.scaled().apply(q, k, v);
        step("the same in one call", r.output(), "Attention.scaled().apply(q, k, v)");
        agrees(r.output(), files, "attention");

        heading("Causal mask: no token sees a later one");
        Tensor mask = Indexing.lowerMask(scope, 8, 8, 0);
        step("mask", mask, "true = may attend: " + (int) mask.to(DType.I64).sum().item() + " of 64");
        Attention.Result causal = Attention.scaled().causal().weights(true).apply(q, k, v);
        step("weights", causal.weights(),
                "the first token sees itself, the second " + shares(causal.weights().select(0, 1)));
        step("output", causal.output(), "Attention.scaled().causal().apply(q, k, v)");
        agrees(causal.output(), files, "causal");
    }

    private void decomposition(DemoFiles files) {
        heading("SVD: the few directions that matter");
        Tensor w = session.read(files.path("weight.npy"));
        double norm = Linalg.norm(w).item();
        step("W", w, "a weight matrix, nearly of rank " + RANK + "; ‖W‖ = " + number(norm));
        Svd svd = Linalg.svd(w);
        step("U", svd.u(), "orthonormal columns");
        step("Σ", svd.s(), leading(svd.s()));
        step("Vᵀ", svd.vt(), "orthonormal rows");
        agrees(svd.s(), files, "singular_values");
        LowRank low = svd.truncate(RANK);
        step("left factor", low.left(), "U Σ cut to " + RANK + " columns");
        step("right factor", low.right(), Text.count(low.left().size() + low.right().size()) + " numbers in place of "
                + Text.count(w.size()) + ", as LoRA stores its updates");
        Tensor product = low.product();
        double error = Linalg.norm(w.sub(product)).item();
        step("rank-" + RANK + " approximation", product, String.format(Locale.ROOT,
                "‖W - approximation‖ = %.4f, %.2f%% of ‖W‖", error, 100 * error / norm));
        double least = low.error().item();
        row("least possible", "", String.format(Locale.ROOT,
                "%.4f = √(sum of the squares of the dropped Σ), by Eckart and Young", least));
        compare("Eckart-Young", Math.abs(error - least) / norm);
    }

    private void full() {
        heading("At the size of BERT-base: 12 heads, 512 tokens, head size 64");
        Tensor q = scope.normal(DType.F32, 1, 1, 12, 512, 64);
        Tensor k = scope.normal(DType.F32, 2, 1, 12, 512, 64);
        Tensor v = scope.normal(DType.F32, 3, 1, 12, 512, 64);
        step("Q, K, V", q, "F32, random, normally distributed");
        row("scores, weights", "[1, 12, 512, 512]", "12 · 512² numbers each, never all in memory");
        int runs = session.repeat(TIMING_NANOS, () -> attend(q, k, v));
        Attention.Result r = Attention.scaled().apply(q, k, v);
        step("output", r.output(), "two products with the softmax between them");
        row("time", "", Text.time(session.nanos()) + ", " + Text.gflops(session.flops(), session.nanos())
                + " (median of " + runs + " runs, after a warm-up)");
        Check check = new AttentionReference(q, k, v, new AttentionReference.Rules()).check(r, false).get(0);
        row("error", "", "at most " + Text.error(check.maxError()) + " against float64, of values up to "
                + number(check.maxError() / check.relativeError()));
        compared++;
        if (!check.passed()) {
            wrong.add("attention against float64");
        }
    }

    private Object attend(Tensor q, Tensor k, Tensor v) {
        try (Scope s = scope.device().open(scope.mathMode())) {
            return Attention.attend(q, k, v);
        }
    }

    // ---- comparing and printing -------------------------------------------------------------------------------------

    private void agrees(Tensor x, DemoFiles files, String name) {
        double[] expected = session.read(files.path("expected.npz") + ":" + name).toDoubleArray();
        double[] actual = x.toDoubleArray();
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            double d = Math.abs(actual[i] - expected[i]);
            difference = Math.max(difference, Double.isNaN(d) ? Double.POSITIVE_INFINITY : d);
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        compare(name + " against NumPy", difference / largest);
        row("", "", "agrees with NumPy: largest difference " + Text.error(difference));
    }

    private void compare(String what, double relative) {
        compared++;
        if (!(relative <= TOLERANCE)) {
            wrong.add(what);
        }
    }

    private void heading(String text) {
        out.println();
        out.println(ansi.string("@|bold " + ++headings + "  " + text + "|@"));
    }

    private void step(String name, Tensor t, String note) {
        row(name, t.shape().toString(), note);
    }

    private void row(String name, String shape, String note) {
        out.println(String.format(Locale.ROOT, "   %-22s %-18s %s", name, shape, note).stripTrailing());
    }

    private static String number(double x) {
        return String.format(Locale.ROOT, "%.2f", x);
    }

    /** The two largest weights of a row of weights. */
    private static String shares(Tensor weights) {
        double[] w = weights.toDoubleArray();
        Integer[] order = new Integer[w.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> -w[i]));
        return TOKENS[order[0]] + " " + number(w[order[0]]) + ", " + TOKENS[order[1]] + " " + number(w[order[1]]);
    }

    private static String leading(Tensor s) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i <= RANK; i++) {
            text.append(i == 0 ? "" : ", ").append(number(s.get(i)));
        }
        return text + ", ...";
    }
}
