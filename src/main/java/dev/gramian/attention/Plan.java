package dev.gramian.attention;

import dev.gramian.Tensor;
import dev.gramian.core.Bytes;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a call of attention will do and take.
 *
 * @param held bytes that are taken before the first product and until the end: operands and masks in another form
 * @param together bytes of the output's second copy where heads lie in the last axis
 * @param results bytes of output, log-sum-exp and weights
 * @param bytes the most that is taken at any time, results included
 */
record Plan(
        Problem p, Pipeline pipeline, Pipeline.Tally tally, long held, long together, long results, long bytes) {
    String explain(Attention a, Tensor q, Tensor k, Tensor v) {
        List<String> lines = new ArrayList<>();
        lines.add("attend on " + q.device().name() + ": " + p.type() + " " + Problem.shapes(q, k, v));
        lines.add("options  " + a.toString().substring("attention: ".length()));
        if (pipeline.tiled()) {
            lines.add("path     q kᵀ, softmax with scale and masks, weights times v in one pass over tiles, in "
                    + p.compute());
            lines.add("heads    " + heads());
            lines.add("scores   none in memory; tiles that no query sees are left out");
        } else {
            lines.add("path     q kᵀ in " + p.compute() + ", softmax with scale and masks in one pass, "
                    + (a.dropout > 0 ? "dropout, " : "") + "weights times v in " + pipeline.second());
            lines.add("heads    " + heads());
            lines.add("pieces   " + pieces());
            lines.add("largest  scores " + tally.largest
                    + " (batch axes, key head, query head of it, query, key), "
                    + Bytes.text(tally.largest.size() * p.compute().bytes()));
            lines.add("scores   " + scores());
        }
        lines.add("copies   " + copies());
        lines.add("memory   " + bytes(bytes - results) + " at most beyond operands and results; results "
                + bytes(results));
        return String.join("\n  ", lines);
    }

    private String heads() {
        Shape q = p.operands().q().shape();
        long keyHeads = q.at(q.rank() - 4);
        long groups = q.at(q.rank() - 3);
        return groups == 1
                ? count(keyHeads) + ", each with keys and values of its own"
                : count(p.queryHeads()) + " of queries, " + count(keyHeads) + " of keys: each serves " + count(groups)
                        + ", nothing is copied for it";
    }

    private String pieces() {
        if (tally.cuts.isEmpty()) {
            return "1, all at once";
        }
        List<String> by = new ArrayList<>();
        tally.cuts.forEach((axis, piece) -> by.add(count(piece) + " of " + axis(axis)));
        return count(tally.pieces) + ", one after another, by " + String.join(", then ", by) + ", with a workspace of "
                + Bytes.text(pipeline.workspace());
    }

    private static String axis(int fromEnd) {
        return switch (fromEnd) {
            case -2 -> "the queries";
            case -3 -> "a key head's query heads";
            case -4 -> "the key heads";
            case -5 -> "the batch";
            default -> "batch axis " + (fromEnd + 3);
        };
    }

    private String scores() {
        Shape lead = p.operands().q().shape();
        long all = Shape.broadcast("attend", lead.slice(0, lead.rank() - 2), leading(p.operands().k()))
                .plus(p.queries(), p.keys()).size();
        return count(tally.scores) + " of " + count(all) + (tally.scores == all
                ? ""
                : String.format(Locale.ROOT, " (%.1f%%), as no query of a piece sees the other keys",
                        100.0 * tally.scores / all));
    }

    private static Shape leading(Tensor k) {
        return k.shape().slice(0, k.rank() - 2);
    }

    private String copies() {
        List<String> all = new ArrayList<>();
        if (held > 0) {
            all.add("operands, masks or numbers per head and sequence in another form, " + bytes(held));
        }
        if (pipeline.copiesKeys(p.operands())) {
            all.add("k, as no product reads its layout in place");
        }
        if (pipeline.copiesValues(p.operands())) {
            all.add(p.type() == pipeline.second()
                    ? "v, as no product reads its layout in place"
                    : "v as " + pipeline.second());
        }
        if (together > 0) {
            all.add("the output, to put its heads beside each other, " + bytes(together));
        }
        return all.isEmpty() ? "none" : String.join("; ", all);
    }

    static String bytes(long n) {
        return count(n) + " bytes" + (n < 1024 ? "" : " (" + Bytes.text(n) + ")");
    }

    static String count(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }
}
