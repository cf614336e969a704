package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The C functions that this package calls through JCuda. Its natives bind a function at the first call and end the process
 * where there is none, so all are looked up when the libraries are loaded.
 */
final class Functions {
    private static final String RESOURCE = "functions.txt";

    private Functions() {}

    /** Those of {@code libcuda}, {@code libcublas}, {@code libcusolver} or {@code libnvrtc}. */
    static List<String> of(String library) {
        try (InputStream in = Functions.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new NativeException("a part of gramian is missing: " + RESOURCE + "; the jar is incomplete");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(l -> l.startsWith(library + " "))
                    .map(l -> l.substring(library.length() + 1))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@link NativeException} naming what the library, loaded from {@code file}, lacks. */
    static void check(String library, SymbolLookup symbols, String file, String hint) {
        List<String> missing = of(library).stream().filter(f -> symbols.find(f).isEmpty()).toList();
        if (!missing.isEmpty()) {
            int shown = Math.min(3, missing.size());
            throw new NativeException(file + " lacks " + String.join(", ", missing.subList(0, shown))
                    + (missing.size() > shown ? " and " + (missing.size() - shown) + " more functions" : "")
                    + "; " + hint);
        }
    }
}
