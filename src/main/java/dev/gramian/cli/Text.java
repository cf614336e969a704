package dev.gramian.cli;

import dev.gramian.Tensor;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Numbers and tables as the commands print them. */
final class Text {
    private Text() {}

    /** {@code 840 ns}, {@code 12.3 µs}, {@code 4.56 ms}, {@code 7.89 s}: three digits. */
    static String time(long nanos) {
        if (nanos < 1_000) {
            return nanos + " ns";
        }
        String[] units = {"µs", "ms", "s"};
        double value = nanos / 1e3;
        int unit = 0;
        while (unit < 2 && value >= 999.5) {
            value /= 1000;
            unit++;
        }
        return digits(value) + " " + units[unit];
    }

    static String gflops(long flops, long nanos) {
        return digits((double) flops / Math.max(1, nanos)) + " GFLOP/s";
    }

    /** Three digits, of small numbers two, without an exponent. */
    static String digits(double value) {
        if (value < 0.0995 && value > 0) {
            return new BigDecimal(value).round(new MathContext(2)).toPlainString();
        }
        String format = value >= 99.95 ? "%,.0f" : value >= 9.995 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }

    /** An error: two digits, zero as 0. */
    static String error(double value) {
        return value == 0 ? "0" : String.format(Locale.ROOT, "%.1e", value);
    }

    static String count(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }

    static String of(Tensor t) {
        return t.dtype() + " " + t.shape();
    }

    /** Columns of equal width, two spaces apart; {@code right} says which are aligned to the right. */
    static List<String> table(List<String[]> rows, boolean... right) {
        int columns = rows.get(0).length;
        int[] width = new int[columns];
        for (String[] row : rows) {
            for (int c = 0; c < columns; c++) {
                width[c] = Math.max(width[c], row[c].length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < columns; c++) {
                String space = " ".repeat(width[c] - row[c].length());
                line.append(c == 0 ? "" : "  ");
                line.append(c < right.length && right[c] ? space + row[c] : row[c] + space);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
