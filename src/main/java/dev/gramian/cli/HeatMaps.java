package dev.gramian.cli;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Weights of attention as a picture: a heat map per head with queries downwards and keys to the right, all on one scale
 * of colours. Needs no screen; without any font it draws what has no text.
 */
final class HeatMaps {
    /** Beyond so many cells along an axis several share a pixel, which shows the largest. */
    private static final int MOST_CELLS = 1024;
    private static final int PAD = 16;
    private static final int TICK = 4;
    private static final int LEGEND = 14;
    private static final int LONGEST_LABEL = 16;
    private static final int FRAME = 0x9aa0a6;
    private static final int TEXT = 0x202124;
    private static final int NOT_A_NUMBER = 0xd93025;
    /** From 0 to the largest weight; lightness falls evenly. */
    private static final int[] SCALE = {0xffffff, 0xe1ecf7, 0xb9d5ea, 0x82b8dc, 0x4a94c7, 0x2470b0, 0x0c4d92, 0x082d66};

    /** Weights (rows, columns) of one head. */
    record Map(String title, int rows, int columns, double[] weights) {
        /** With no more than {@link #MOST_CELLS} along an axis. */
        private Map pooled() {
            int by = Math.ceilDiv(Math.max(rows, columns), MOST_CELLS);
            if (by <= 1) {
                return this;
            }
            int r = Math.ceilDiv(rows, by);
            int c = Math.ceilDiv(columns, by);
            double[] most = new double[r * c];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    int at = i / by * c + j / by;
                    most[at] = Math.max(most[at], weights[i * columns + j]);
                }
            }
            return new Map(title + ", largest of each " + by + " × " + by, r, c, most);
        }
    }

    static {
        System.setProperty("java.awt.headless", "true");
    }

    private final List<Map> maps;
    private final Axis queries;
    private final Axis keys;
    private final boolean root;
    private final Font font;
    private final double largest;
    private final boolean numbers;

    private BufferedImage image;
    private Graphics2D g;
    private FontMetrics metrics;

    /** Of {@code count} tokens, labels null for numbers; {@code by} of them share a cell of {@code cell} pixels. */
    private record Axis(int count, List<String> labels, int by, int cell) {
        int cells() {
            return Math.ceilDiv(count, by);
        }

        int pixels() {
            return cells() * cell;
        }

        int center(int token) {
            return token / by * cell + cell / 2;
        }

        String label(int token) {
            return labels == null ? Integer.toString(token) : shown(labels.get(token));
        }

        /** Tokens between two that are named, so that names take {@code room} pixels each. */
        int step(int room) {
            double least = (double) room * by / cell;
            if (labels != null) {
                return Math.max(1, (int) Math.ceil(least));
            }
            for (int step = 1;; step *= 10) {
                for (int times : new int[] {1, 2, 5}) {
                    if (step * times >= least) {
                        return step * times;
                    }
                }
            }
        }
    }

    /**
     * Maps of one size, at least one; {@code queries} and {@code keys} name the tokens, null for their numbers. Where
     * {@code root} colours follow the square root of weights, which shows small ones. {@code font} null draws no text.
     */
    HeatMaps(List<Map> maps, List<String> queries, List<String> keys, boolean root, Font font) {
        this.maps = maps.stream().map(Map::pooled).toList();
        this.root = root;
        this.font = font;
        int rows = maps.get(0).rows;
        int columns = maps.get(0).columns;
        int by = Math.max(1, Math.ceilDiv(Math.max(rows, columns), MOST_CELLS));
        int room = maps.size() == 1 ? 560 : maps.size() <= 4 ? 420 : 300;
        int high = cell(rows, by, room, queries != null);
        int wide = cell(columns, by, room, keys != null);
        if (Math.max(rows, columns) <= 3 * Math.min(rows, columns)) {
            high = Math.min(high, wide);
            wide = high;
        }
        this.queries = new Axis(rows, queries, by, high);
        this.keys = new Axis(columns, keys, by, wide);
        double most = 0;
        boolean whole = true;
        for (Map m : this.maps) {
            for (double w : m.weights) {
                whole &= !Double.isNaN(w);
                most = Math.max(most, Double.isNaN(w) ? 0 : w);
            }
        }
        largest = most == 0 ? 1 : most;
        numbers = whole;
    }

    private static int cell(int count, int by, int room, boolean labels) {
        int cells = Math.max(1, Math.ceilDiv(count, by));
        int least = labels && cells <= 64 ? 16 : 1;
        return Math.max(least, Math.min(28, room / cells));
    }

    /** A font for the labels, or null where this machine has none. */
    static Font font() {
        try {
            Font f = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
            Graphics2D g = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
            boolean writes = g.getFontMetrics(f).stringWidth("query") > 0;
            g.dispose();
            return writes ? f : null;
        } catch (RuntimeException | LinkageError | InternalError e) {
            return null; // what Java throws where fontconfig or all fonts are missing
        }
    }

    /** As a label can be drawn: on one line, not too long. */
    private static String shown(String label) {
        String s = label.isBlank() ? "'" + label + "'" : label;
        StringBuilder b = new StringBuilder();
        s.codePoints().limit(LONGEST_LABEL).forEach(c -> b.appendCodePoint(Character.isISOControl(c) ? '·' : c));
        return s.codePointCount(0, s.length()) > LONGEST_LABEL ? b.append('…').toString() : b.toString();
    }

    // ---- drawing ----------------------------------------------------------------------------------------------------

    BufferedImage draw() {
        prepare(1, 1);
        int line = font == null ? 0 : metrics.getHeight();
        int rowLabels = widest(queries, line);
        boolean upright = keys.labels == null;
        int columnLabels = font == null ? 0 : upright ? line : widest(keys, line);
        int left = PAD + (font == null ? 0 : line + 6) + rowLabels + TICK + 2;
        int top = PAD + line + 2;
        int bottom = TICK + 2 + columnLabels + (font == null ? 0 : line + 4);
        int width = Math.max(keys.pixels(), titles());
        int high = top + queries.pixels() + bottom;
        int across = (int) Math.ceil(Math.sqrt(maps.size()));
        int down = Math.ceilDiv(maps.size(), across);
        String[] ticks = ticks();
        int legend = PAD + LEGEND + TICK + 4 + widest(List.of(ticks)) + PAD;
        int legendWidth = Math.max(legend, font == null ? 0 : PAD + metrics.stringWidth(legendTitle()) + PAD);
        dispose();

        prepare(across * (left + width) + legendWidth, Math.max(down * high, top + 120 + bottom) + PAD);
        for (int n = 0; n < maps.size(); n++) {
            map(maps.get(n), n % across * (left + width) + left, n / across * high + top, line, rowLabels,
                    columnLabels);
        }
        legend(across * (left + width) + PAD, top, ticks);
        dispose();
        return image;
    }

    private void prepare(int width, int height) {
        image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        fill(0, 0, width, height, 0xffffff);
        if (font != null) {
            g = image.createGraphics();
            g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            g.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
            g.setFont(font);
            g.setColor(new Color(TEXT));
            metrics = g.getFontMetrics();
        }
    }

    private void dispose() {
        if (g != null) {
            g.dispose();
            g = null;
        }
    }

    private void map(Map m, int x, int y, int line, int rowLabels, int columnLabels) {
        int high = queries.pixels();
        int wide = keys.pixels();
        // a line between cells that are large enough for it
        int gap = Math.min(queries.cell, keys.cell) >= 10 ? 1 : 0;
        fill(x - 1, y - 1, wide + 2, high + 2, FRAME);
        fill(x, y, wide, high, gap > 0 ? 0xeceff1 : 0xffffff);
        for (int i = 0; i < m.rows; i++) {
            for (int j = 0; j < m.columns; j++) {
                fill(x + j * keys.cell, y + i * queries.cell, keys.cell - gap, queries.cell - gap,
                        color(m.weights[i * m.columns + j]));
            }
        }
        text(m.title, x, y - 5);
        int step = queries.step(font == null ? 14 : queries.labels == null ? line + line / 2 : line);
        for (int t = 0; t < queries.count; t += step) {
            int at = y + queries.center(t);
            fill(x - 1 - TICK, at, TICK, 1, FRAME);
            if (font != null) {
                String s = queries.label(t);
                text(s, x - TICK - 4 - metrics.stringWidth(s), at + metrics.getAscent() / 2 - 1);
            }
        }
        boolean upright = keys.labels == null;
        step = keys.step(font == null ? 30 : upright ? widest(List.of(Integer.toString(keys.count))) + 12 : line);
        for (int t = 0; t < keys.count; t += step) {
            int at = x + keys.center(t);
            fill(at, y + high + 1, 1, TICK, FRAME);
            if (font != null) {
                String s = keys.label(t);
                int w = metrics.stringWidth(s);
                if (upright) {
                    text(s, at - w / 2, y + high + TICK + 2 + metrics.getAscent());
                } else {
                    upwards(s, at + metrics.getAscent() / 2 - 1, y + high + TICK + 4 + w);
                }
            }
        }
        if (font != null) {
            text("key", x + (wide - metrics.stringWidth("key")) / 2,
                    y + high + TICK + 4 + columnLabels + metrics.getAscent());
            upwards("query", x - TICK - 8 - rowLabels - metrics.getDescent(),
                    y + (high + metrics.stringWidth("query")) / 2);
        }
    }

    private String legendTitle() {
        return root ? "weight (√)" : "weight";
    }

    private void legend(int x, int top, String[] ticks) {
        text(legendTitle(), x, top - 5);
        int y = top + 8;
        int high = Math.max(100, Math.min(260, queries.pixels() - 8));
        fill(x - 1, y - 1, LEGEND + 2, high + 2, FRAME);
        for (int i = 0; i < high; i++) {
            fill(x, y + i, LEGEND, 1, shade(1 - (double) i / (high - 1)));
        }
        for (String tick : ticks) {
            double w = Double.parseDouble(tick) / largest;
            int at = y + (int) Math.round((high - 1) * (1 - (root ? Math.sqrt(w) : w)));
            fill(x + LEGEND + 1, at, TICK, 1, FRAME);
            text(tick, x + LEGEND + TICK + 4, at + (font == null ? 0 : metrics.getAscent() / 2 - 1));
        }
        if (!numbers) {
            fill(x, y + high + 10, LEGEND, LEGEND, NOT_A_NUMBER);
            text("NaN", x + LEGEND + TICK + 4, y + high + 10 + LEGEND - 2);
        }
    }

    /** Round numbers from 0 up to the largest weight, four to six of them. */
    private String[] ticks() {
        double step = Math.pow(10, Math.floor(Math.log10(largest)));
        double[] parts = {5, 2, 1, 0.5, 0.2};
        double by = step;
        for (double p : parts) {
            by = step * p;
            if (largest / by >= 3) {
                break;
            }
        }
        List<String> all = new ArrayList<>();
        int digits = Math.max(0, (int) -Math.floor(Math.log10(by) + 1e-9));
        for (int i = 0; i * by <= largest * (1 + 1e-9); i++) {
            all.add(i == 0
                    ? "0"
                    : digits > 6
                            ? String.format(Locale.ROOT, "%.0e", i * by)
                            : BigDecimal.valueOf(i * by).setScale(digits, RoundingMode.HALF_UP)
                                    .toPlainString());
        }
        return all.toArray(new String[0]);
    }

    private int color(double weight) {
        return Double.isNaN(weight) ? NOT_A_NUMBER : shade(root ? Math.sqrt(weight / largest) : weight / largest);
    }

    private static int shade(double part) {
        double at = Math.clamp(part, 0.0, 1.0) * (SCALE.length - 1);
        int i = Math.min(SCALE.length - 2, (int) at);
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int from = SCALE[i] >> shift & 255;
            int to = SCALE[i + 1] >> shift & 255;
            rgb |= (int) Math.round(from + (to - from) * (at - i)) << shift;
        }
        return rgb;
    }

    /** Not by Graphics2D, which may want fonts. */
    private void fill(int x, int y, int width, int height, int rgb) {
        int toX = Math.min(image.getWidth(), x + width);
        int toY = Math.min(image.getHeight(), y + height);
        for (int j = Math.max(0, y); j < toY; j++) {
            for (int i = Math.max(0, x); i < toX; i++) {
                image.setRGB(i, j, rgb);
            }
        }
    }

    private void text(String s, int x, int baseline) {
        if (font != null) {
            g.drawString(s, x, baseline);
        }
    }

    /** From (x, y) upwards. */
    private void upwards(String s, int x, int y) {
        AffineTransform before = g.getTransform();
        g.translate(x, y);
        g.rotate(-Math.PI / 2);
        g.drawString(s, 0, 0);
        g.setTransform(before);
    }

    private int widest(Axis axis, int line) {
        int step = axis.step(Math.max(1, line));
        List<String> shown = new ArrayList<>();
        for (int t = 0; t < axis.count; t += step) {
            shown.add(axis.label(t));
        }
        return widest(shown);
    }

    private int titles() {
        return widest(maps.stream().map(m -> m.title).toList()) + PAD / 2;
    }

    private int widest(List<String> texts) {
        return font == null ? 0 : texts.stream().mapToInt(metrics::stringWidth).max().orElse(0);
    }
}
