package dev.gramian.cpu;

/**
 * Plane rotations of rows, noted down and applied many at a time to a band of columns that stays in cache, instead of
 * each at once to whole rows.
 */
final class RotationLog {
    /** Notes nothing: for singular values without vectors. */
    static final RotationLog NONE = new RotationLog(null);

    /** Bytes of a band: well inside a second-level cache. */
    private static final int BAND_BYTES = 256 << 10;

    private final double[][] rows;
    private final int[] first;
    private final int[] second;
    private final double[] cosine;
    private final double[] sine;
    private int count;

    RotationLog(double[][] rows) {
        this.rows = rows;
        int capacity = rows == null ? 0 : Math.max(256, 16 * rows.length);
        first = new int[capacity];
        second = new int[capacity];
        cosine = new double[capacity];
        sine = new double[capacity];
    }

    /** Rows (p, q) become (c p + s q, c q - s p). */
    void add(int p, int q, double c, double s) {
        if (rows == null) {
            return;
        }
        if (count == first.length) {
            flush();
        }
        first[count] = p;
        second[count] = q;
        cosine[count] = c;
        sine[count++] = s;
    }

    void flush() {
        if (count == 0) {
            return;
        }
        int width = rows[0].length;
        int band = Math.max(32, BAND_BYTES / 8 / rows.length & -16);
        for (int from = 0; from < width; from += band) {
            apply(from, Math.min(width, from + band));
        }
        count = 0;
    }

    private void apply(int from, int to) {
        int i = 0;
        while (i < count) {
            // a sweep's rotations share a row with their neighbours: two at a time save a third of the traffic; where
            // sweeps change direction two rotations may share both rows
            if (i + 1 < count && second[i] == first[i + 1] && first[i] != second[i + 1]) {
                RowOps.rotate2(
                        cosine[i], sine[i], cosine[i + 1], sine[i + 1],
                        rows[first[i]], rows[second[i]], rows[second[i + 1]], from, to);
                i += 2;
            } else {
                RowOps.rotate(cosine[i], sine[i], rows[first[i]], rows[second[i]], from, to);
                i++;
            }
        }
    }
}
