package dev.gramian.core;

import java.util.Locale;

/** Byte counts for people. */
public final class Bytes {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Bytes() {}

    /** {@code 1536} as {@code 1.5 KiB}. */
    public static String text(long bytes) {
        double v = bytes;
        int unit = 0;
        while (v >= 1024 && unit < UNITS.length - 1) {
            v /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", v, UNITS[unit]);
    }

    /** Bytes of {@code 1536}, {@code 1.5K}, {@code 8G}, {@code 8GiB}; {@link NumberFormatException} otherwise. */
    public static long parse(String text) {
        String t = text.strip().toUpperCase(Locale.ROOT);
        t = t.endsWith("IB") ? t.substring(0, t.length() - 2) : t.endsWith("B") ? t.substring(0, t.length() - 1) : t;
        int unit = t.isEmpty() ? -1 : "KMGT".indexOf(t.charAt(t.length() - 1));
        double v = Double.parseDouble(unit >= 0 ? t.substring(0, t.length() - 1) : t) * Math.pow(1024, unit + 1);
        if (!(v >= 0 && v < Long.MAX_VALUE)) {
            throw new NumberFormatException(text);
        }
        return (long) v;
    }
}
