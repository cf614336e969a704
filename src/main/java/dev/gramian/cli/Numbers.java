package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.core.DTypeException;
import java.util.Arrays;
import java.util.regex.Pattern;

/** Numbers of an option: written out with commas between, or in a file. */
final class Numbers {
    private static final Pattern WHOLE = Pattern.compile("-?\\d{1,18}(,-?\\d{1,18})*");
    private static final String REAL = "[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?";
    private static final Pattern REALS = Pattern.compile(REAL + "(," + REAL + ")*");

    private Numbers() {}

    /** Whole numbers {@code 5,7,0} or a file of I64 or I32, in row-major order. */
    static long[] whole(Session s, String option, String text) {
        if (areWhole(text)) {
            return Arrays.stream(text.split(",")).mapToLong(Long::parseLong).toArray();
        }
        Tensor t = s.read(text);
        if (!t.dtype().isInteger()) {
            throw new DTypeException(option + ": numbers are " + t.dtype() + "; " + text + " " + t.shape()
                    + "; give a file of I64 or I32, or whole numbers with commas between");
        }
        return t.toLongArray();
    }

    /** Whether the text is numbers and no file. */
    static boolean areWhole(String text) {
        return WHOLE.matcher(text).matches();
    }

    /** Numbers {@code 1,1.5,2e3} or a file of any float type. */
    static double[] real(Session s, String text) {
        return REALS.matcher(text).matches()
                ? Arrays.stream(text.split(",")).mapToDouble(Double::parseDouble).toArray()
                : s.read(text).toDoubleArray();
    }
}
