package dev.gramian.vectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.GramianException;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.VectorNorm;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.vectors.Words.Near;
import dev.gramian.vectors.Words.Settings;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordsTest {
    private static final Settings SETTINGS = new Settings(100, 5, 4, 8, 1);

    @DeviceSpec
    void aCatIsMoreOfADogThanOfAnAirplane(Device device) {
        try (Scope s = device.open()) {
            Words w = Words.learn(s, SmallCorpus.lines(), SETTINGS);
            assertEquals("the", w.vocabulary().getFirst());
            assertEquals(w.vocabulary().size(), w.vectors().dim(0));
            assertEquals(8, w.vectors().dim(1));
            double dog = w.similarity("cat", "dog");
            double airplane = w.similarity("cat", "airplane");
            assertTrue(dog > 0.8 && airplane < 0.5, dog + ", " + airplane);
            assertEquals(1, w.similarity("Cat", "cat"), 1e-6);
            List<String> near = w.near("ship", 3).stream().map(Near::word).sorted().toList();
            assertEquals(List.of("airplane", "car", "train"), near);
            List<Near> answers = w.analogy("cat", "fur", "car", 5);
            assertEquals(5, answers.size());
            assertTrue(answers.stream().noneMatch(a -> List.of("cat", "fur", "car").contains(a.word())));
            assertTrue(answers.get(0).cosine() >= answers.get(1).cosine());
            assertEquals(w.vocabulary().size() - 1, w.near("cat", 1_000_000).size());
            assertEquals(List.of(), w.near("cat", 0));
        }
    }

    /** Vectors of full rank reproduce the information: u diag(s) uᵀ up to the signs of negative eigenvalues. */
    @DeviceSpec
    void informationByHand(Device device) {
        try (Scope s = device.open()) {
            // a and b each next to x, y next to nothing it is not expected near
            Words w = Words.learn(s, List.of("a x. b x; A X! b", "", "x? B x"), new Settings(10, 1, 1, 10, 0));
            assertEquals(List.of("x", "b", "a"), w.vocabulary());
            // x: a 2, b 2; b: x 2; a: x 2, out of 8
            double contexts = Math.pow(4, 0.75) + 2 * Math.pow(2, 0.75);
            double ofX = Math.log(2 / 8.0 / (2 / 8.0 * Math.pow(4, 0.75) / contexts));
            double xOf = Math.log(2 / 8.0 / (4 / 8.0 * Math.pow(2, 0.75) / contexts));
            double[] squares = Linalg.norm(w.vectors(), VectorNorm.TWO, false, 0).square().toDoubleArray();
            double[] singular = {Math.sqrt(2) * Math.max(ofX, xOf), Math.sqrt(2) * Math.min(ofX, xOf), 0};
            assertArrayEquals(singular, squares, 1e-5);
            assertEquals(1, w.similarity("a", "b"), 1e-5);
        }
    }

    @DeviceSpec
    void onlyVectorsStay(Device device) {
        try (Scope s = device.open()) {
            Words w = Words.learn(s, SmallCorpus.lines(), SETTINGS);
            long bytes = w.vectors().size() * 4;
            assertEquals(bytes, device.liveBytes());
            w.near("cat", 3);
            w.similarity("cat", "dog");
            w.analogy("cat", "dog", "car", 2);
            assertEquals(bytes, device.liveBytes());
        }
    }

    private static void refused(String text, Runnable what) {
        assertEquals(text, assertThrows(GramianException.class, what::run).getMessage());
    }

    @Test
    void refusals() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            refused("words: settings count from 1; words 5, leastCount 0, window 5, rank 3; use for example 5000, 5, 5 and"
                    + " 100", () -> new Settings(5, 0, 5, 3, 0));
            refused("words: no word occurs 5 times; 3 words in the text; give more of it, or a smaller leastCount",
                    () -> Words.learn(s, List.of("a b c"), SETTINGS));
            refused("words: no word occurs 5 times; 0 words in the text; give more of it, or a smaller leastCount",
                    () -> Words.learn(s, List.of(), SETTINGS));
            Words w = Words.learn(s, SmallCorpus.lines(), SETTINGS);
            refused("words: no vector for 'elephant'; " + w.vocabulary().size()
                    + " words have one; take a more frequent"
                    + " word, or more words", () -> w.near("elephant", 3));
        }
    }
}
