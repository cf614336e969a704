package dev.gramian.benchmarks.gpu;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a case gave.
 *
 * @param times null where no speed is taken
 * @param error largest deviation from the float64 reference, over the largest magnitude of the reference
 * @param bound what the error may be
 * @param extra further figures by name, in seconds
 */
record Measured(Times times, double error, double bound, Map<String, Double> extra) {
    Measured(Times times, Agreement agreement) {
        this(times, agreement.error(), agreement.bound(), new LinkedHashMap<>());
    }

    boolean agrees() {
        return error <= bound;
    }
}
