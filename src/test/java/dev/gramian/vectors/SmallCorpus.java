package dev.gramian.vectors;

import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A text of simple sentences in which animals do what animals do, and machines what machines do. */
public final class SmallCorpus {
    private static final String[] ANIMALS = {"cat", "dog", "horse", "mouse"};
    private static final String[] MACHINES = {"airplane", "car", "train", "ship"};
    private static final String[] ANIMAL_DOES = {"eats the food", "sleeps in the straw", "has soft fur", "drinks water",
        "raises its young", "licks its paw"};
    private static final String[] MACHINE_DOES = {"burns fuel", "has an engine", "carries passengers", "needs a driver",
        "leaves the station", "arrives with cargo"};

    private SmallCorpus() {}

    public static List<String> lines() {
        Random random = new Random(Seed.VALUE);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            lines.add(sentence(random, ANIMALS, ANIMAL_DOES) + " " + sentence(random, MACHINES, MACHINE_DOES));
        }
        return lines;
    }

    private static String sentence(Random random, String[] who, String[] does) {
        return "The " + who[random.nextInt(who.length)] + " " + does[random.nextInt(does.length)] + ".";
    }
}
