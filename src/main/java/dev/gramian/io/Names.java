package dev.gramian.io;

import java.util.Collection;
import java.util.stream.Collectors;

/** Long lists in one-line errors. */
final class Names {
    private static final int SHOWN = 10;

    private Names() {}

    /** The first few, and how many there are. */
    static String list(Collection<String> all) {
        return all.stream().limit(SHOWN).collect(Collectors.joining(", "))
                + (all.size() > SHOWN ? ", ... (" + all.size() + " in all)" : "");
    }
}
