package dev.gramian.cli;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.analysis.Pca;
import dev.gramian.core.FormatException;
import dev.gramian.io.PlainFile;
import dev.gramian.vectors.Words;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Vectors of words. */
@Command(
        name = "words",
        description = "Vectors of the words of a text, by which other words they occur near to, and questions to them.")
final class WordsCommand extends ComputeCommand {
    /** Most frequent words that are too common to show anything in a picture, and how many after them are drawn. */
    private static final int COMMON = 50;

    private static final int DRAWN = 250;

    @Parameters(index = "0", paramLabel = "TEXT", description = "A UTF-8 text.")
    private Path text;

    @Option(names = "--near", paramLabel = "WORD", split = ",", description = "Print the words nearest to each WORD.")
    private List<String> near = List.of();

    @Option(names = "--similarity", paramLabel = "A,B", description = "Print the cosine of two words.")
    private List<String> similarity = List.of();

    @Option(names = "--analogy", paramLabel = "A,B,C", description = "Print the words that are to C as B is to A.")
    private List<String> analogy = List.of();

    @Option(names = "-k", paramLabel = "K", defaultValue = "5", description = "How many words to print. Default: 5.")
    private int k;

    @Option(names = {"-o", "--output"}, paramLabel = "EMB", description = "Where to write the vectors, (words, rank).")
    private String output;

    @Option(names = "--vocabulary", paramLabel = "FILE",
            description = "Where to write the words, a line per row of EMB.")
    private Path vocabulary;

    @Option(names = "--words", paramLabel = "N", defaultValue = "3000",
            description = "Most frequent words that get a vector. Default: 3000.")
    private int words;

    @Option(names = "--min-count", paramLabel = "N", defaultValue = "5",
            description = "Occurrences a word needs. Default: 5.")
    private int leastCount;

    @Option(names = "--window", paramLabel = "N", defaultValue = "5",
            description = "Places to either side that count as near. Default: 5.")
    private int window;

    @Option(names = "--rank", paramLabel = "R", defaultValue = "100",
            description = "Length of the vectors. Default: 100.")
    private int rank;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Of the decomposition. Default: 0.")
    private long seed;

    @Option(names = "--plot", paramLabel = "FILE",
            description = "Where to draw frequent words along the first two principal components: .png or .svg.")
    private Path plot;

    @Override
    public Integer call() {
        List<String[]> pairs = parts("--similarity", similarity, 2);
        List<String[]> triples = parts("--analogy", analogy, 3);
        PictureFile.check(plot);
        try (Session s = session()) {
            List<String> lines = PlainFile.lines(text);
            Words.Settings settings = new Words.Settings(words, leastCount, window, rank, seed);
            Words found = s.compute("words", 0, () -> Words.learn(s.scope(), lines, settings));
            for (String word : near) {
                out().println("near " + word + ": " + list(found.near(word, k)));
            }
            for (String[] p : pairs) {
                out().println(String.format(
                        Locale.ROOT, "similarity %s, %s: %.3f", p[0], p[1], found.similarity(p[0], p[1])));
            }
            for (String[] p : triples) {
                out().println(p[0] + " is to " + p[1] + " as " + p[2] + " to: "
                        + list(found.analogy(p[0], p[1], p[2], k)));
            }
            s.writeIfGiven(output, found.vectors());
            if (vocabulary != null) {
                PlainFile.write(vocabulary,
                        (String.join("\n", found.vocabulary()) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            if (plot != null) {
                draw(found);
            }
            s.closeUncounted(Text.count(found.vocabulary().size()) + " words → " + found.vectors().shape());
            return 0;
        }
    }

    private List<String[]> parts(String option, List<String> values, int count) {
        List<String[]> all = new ArrayList<>();
        for (String v : values) {
            String[] parts = v.split(",");
            if (parts.length != count) {
                throw new ParameterException(spec.commandLine(), "Invalid value for option '" + option + "': '" + v
                        + "' is not " + count + " words between commas");
            }
            all.add(parts);
        }
        return all;
    }

    private static String list(List<Words.Near> words) {
        List<String> texts = new ArrayList<>();
        for (Words.Near n : words) {
            texts.add(String.format(Locale.ROOT, "%s %.2f", n.word(), n.cosine()));
        }
        return String.join(", ", texts);
    }

    private void draw(Words found) {
        int n = found.vocabulary().size();
        int from = n > 2 * COMMON ? COMMON : 0;
        int to = Math.min(n, from + DRAWN);
        if (to - from < 2 || found.vectors().dim(1) < 2) {
            throw new FormatException("plot: too few words; " + text + " gives vectors " + found.vectors().shape()
                    + "; give more text");
        }
        Tensor rows = found.vectors().slice(0, from, to);
        try (Scope s = Scope.inner("plot", rows.device())) {
            Tensor y = Pca.exact(rows, 2).transform(rows);
            Plots.scatter(plot, "Words of " + text.getFileName(), "component 1", "component 2",
                    Map.of("words", new Plots.Points(y.select(1, 0).toDoubleArray(), y.select(1, 1).toDoubleArray(),
                            found.vocabulary().subList(from, to))));
        }
    }
}
