package dev.gramian.vectors;

import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.GramianException;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.linalg.Svd;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Words as vectors, from a text alone: words that occur near the same others get similar vectors. Counts of which words are
 * within some places of each other become positive pointwise mutual information, of which the leading singular vectors,
 * scaled by the roots of their values, are the words' (Levy, Goldberg and Dagan 2015).
 *
 * <p>Words are runs of letters, with apostrophes inside them, in lower case; places do not reach over the end of a sentence
 * (. ! ? ;) or an empty line.
 */
public final class Words {
    private static final Pattern TOKEN = Pattern.compile("\\p{L}+(?:['’]\\p{L}+)*|[.!?;]");

    /** Elements of the matrix that are on the heap at a time. */
    private static final int BLOCK = 1 << 22;

    /** Contexts count with this power of their frequency, so that rare ones do not stand out too much. */
    private static final double SMOOTHING = 0.75;

    /**
     * @param words most frequent words that get a vector; a dense matrix of its square is decomposed
     * @param leastCount occurrences a word needs
     * @param window places to either side
     * @param rank length of the vectors, at most
     * @param seed of the randomised decomposition
     */
    public record Settings(int words, int leastCount, int window, int rank, long seed) {
        public Settings {
            if (words < 1 || leastCount < 1 || window < 1 || rank < 1) {
                throw new GramianException("words: settings count from 1; words " + words + ", leastCount " + leastCount
                        + ", window " + window + ", rank " + rank + "; use for example 5000, 5, 5 and 100");
            }
        }
    }

    /** A word and its cosine with what was asked for. */
    public record Near(String word, double cosine) {}

    private final List<String> vocabulary;
    private final Map<String, Integer> index = new HashMap<>();
    private final Tensor vectors;

    private Words(List<String> vocabulary, Tensor vectors) {
        this.vocabulary = vocabulary;
        this.vectors = vectors;
        for (int i = 0; i < vocabulary.size(); i++) {
            index.put(vocabulary.get(i), i);
        }
    }

    /** The words, most frequent first. */
    public List<String> vocabulary() {
        return vocabulary;
    }

    /** A row per word, F32 (words, rank). */
    public Tensor vectors() {
        return vectors;
    }

    // ---- learning ----------------------------------------------------------------------------------------------------

    /** Vectors, in {@code scope}, of the words of a text given by its lines. */
    public static Words learn(Scope scope, List<String> lines, Settings settings) {
        List<String> tokens = tokens(lines);
        List<String> vocabulary = vocabulary(tokens, settings);
        if (vocabulary.isEmpty()) {
            throw new GramianException("words: no word occurs " + settings.leastCount + " times; " + tokens.size()
                    + " words in the text; give more of it, or a smaller leastCount");
        }
        int n = vocabulary.size();
        try (Scope s = Scope.inner("words", scope.device())) {
            Tensor information = information(s, counts(tokens, vocabulary, settings.window), n);
            Svd svd = new RandomizedSvd(settings.seed).ofRank(information, Math.min(n, settings.rank)).svd()
                    .withSigns();
            return new Words(vocabulary, s.keep(svd.u().mul(svd.s().sqrt())));
        }
    }

    /** Words and, as empty ones, the ends of sentences. */
    private static List<String> tokens(List<String> lines) {
        List<String> tokens = new ArrayList<>();
        for (String line : lines) {
            if (line.isBlank()) {
                tokens.add("");
            }
            Matcher m = TOKEN.matcher(line.toLowerCase(Locale.ROOT));
            while (m.find()) {
                String t = m.group();
                tokens.add(Character.isLetter(t.codePointAt(0)) ? t : "");
            }
        }
        return tokens;
    }

    private static List<String> vocabulary(List<String> tokens, Settings settings) {
        Map<String, Integer> count = new HashMap<>();
        for (String t : tokens) {
            if (!t.isEmpty()) {
                count.merge(t, 1, Integer::sum);
            }
        }
        return count.entrySet().stream().filter(e -> e.getValue() >= settings.leastCount)
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(settings.words).map(Map.Entry::getKey).toList();
    }

    /** For each word, how often each other one is near it. */
    private static List<Map<Integer, int[]>> counts(List<String> tokens, List<String> vocabulary, int window) {
        Map<String, Integer> index = new HashMap<>();
        List<Map<Integer, int[]>> counts = new ArrayList<>();
        for (String word : vocabulary) {
            index.put(word, counts.size());
            counts.add(new HashMap<>());
        }
        int[] ids = tokens.stream().mapToInt(t -> t.isEmpty() ? -2 : index.getOrDefault(t, -1)).toArray();
        for (int i = 0; i < ids.length; i++) {
            for (int j = i + 1; ids[i] >= 0 && j < ids.length && j <= i + window && ids[j] != -2; j++) {
                if (ids[j] >= 0) {
                    counts.get(ids[i]).computeIfAbsent(ids[j], _ -> new int[1])[0]++;
                    counts.get(ids[j]).computeIfAbsent(ids[i], _ -> new int[1])[0]++;
                }
            }
        }
        return counts;
    }

    /** Positive pointwise mutual information of words and contexts, F32 (n, n). */
    private static Tensor information(Scope s, List<Map<Integer, int[]>> counts, int n) {
        double[] total = new double[n];
        double all = 0;
        double contexts = 0;
        for (int i = 0; i < n; i++) {
            total[i] = counts.get(i).values().stream().mapToDouble(c -> c[0]).sum();
            all += total[i];
            contexts += Math.pow(total[i], SMOOTHING);
        }
        List<Tensor> parts = new ArrayList<>();
        for (int first = 0; first < n; first += Math.max(1, BLOCK / n)) {
            int rows = Math.min(n - first, Math.max(1, BLOCK / n));
            float[] values = new float[rows * n];
            for (int i = 0; i < rows; i++) {
                for (Map.Entry<Integer, int[]> e : counts.get(first + i).entrySet()) {
                    int j = e.getKey();
                    double expected = total[first + i] / all * Math.pow(total[j], SMOOTHING) / contexts;
                    double pmi = Math.log(e.getValue()[0] / all / expected);
                    values[i * n + j] = (float) Math.max(0, pmi);
                }
            }
            parts.add(s.tensor(values, rows, n));
        }
        return Join.concat(0, parts.toArray(Tensor[]::new));
    }

    // ---- questions ---------------------------------------------------------------------------------------------------

    /** Cosine of two words. */
    public double similarity(String a, String b) {
        try (Scope s = Scope.inner("words", vectors.device())) {
            return Linalg.cosineSimilarity(vector(a), vector(b), -1).item();
        }
    }

    /** The k words nearest to one, without it. */
    public List<Near> near(String word, int k) {
        return near(vector(word), k, row(word));
    }

    /** The k words nearest to b - a + c, without these: b is to a as the answer to c. */
    public List<Near> analogy(String a, String b, String c, int k) {
        try (Scope s = Scope.inner("words", vectors.device())) {
            Tensor sum = Linalg.normalise(vector(b), -1).sub(Linalg.normalise(vector(a), -1))
                    .add(Linalg.normalise(vector(c), -1));
            return near(sum, k, row(a), row(b), row(c));
        }
    }

    private List<Near> near(Tensor query, int k, int... without) {
        try (Scope s = Scope.inner("words", vectors.device())) {
            long most = Math.clamp((long) k + without.length, 0, vocabulary.size());
            Neighbors n = Neighbors.of(vectors, query.unsqueeze(0), most, Metric.COSINE);
            long[] rows = n.indices().toLongArray();
            double[] cosines = n.scores().toDoubleArray();
            List<Near> found = new ArrayList<>();
            for (int i = 0; i < rows.length && found.size() < k; i++) {
                boolean wanted = true;
                for (int w : without) {
                    wanted &= rows[i] != w;
                }
                if (wanted) {
                    found.add(new Near(vocabulary.get((int) rows[i]), cosines[i]));
                }
            }
            return found;
        }
    }

    private int row(String word) {
        Integer i = index.get(word.toLowerCase(Locale.ROOT));
        if (i == null) {
            throw new GramianException("words: no vector for '" + word + "'; " + vocabulary.size()
                    + " words have one; take a more frequent word, or more words");
        }
        return i;
    }

    private Tensor vector(String word) {
        return vectors.select(0, row(word));
    }
}
