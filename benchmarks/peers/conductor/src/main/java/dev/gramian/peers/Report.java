package dev.gramian.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Tables of what came of all works, as Markdown and CSV, and a picture per number of threads. */
final class Report {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm");
    private static final String NATIVE = "cpu:native";
    private static final String VECTOR = "cpu:vector";

    /** All works with one number of threads. */
    private static final class Run {
        final Map<String, String> present = new LinkedHashMap<>();
        final Map<String, String> absent = new LinkedHashMap<>();
        final Map<Work, Map<String, Cell>> rows = new LinkedHashMap<>();
        String before;
        String after = "";
    }

    private final String arguments;
    private final String started = LocalDateTime.now().format(TIME);
    private final Map<Integer, Run> runs = new LinkedHashMap<>();

    Report(String arguments) {
        this.arguments = arguments;
    }

    void begin(int threads, List<Player> players) {
        Run r = new Run();
        r.before = load();
        for (Player p : players) {
            (p.absent ? r.absent : r.present).put(p.peer.name(), p.description);
        }
        runs.put(threads, r);
    }

    void row(int threads, Work w, Map<String, Cell> cells) {
        runs.get(threads).rows.put(w, cells);
    }

    void end(int threads) {
        runs.get(threads).after = LocalDateTime.now().format(TIME) + ", load " + load();
    }

    private static String load() {
        return file("/proc/loadavg").replaceAll("^(\\S+ \\S+ \\S+).*", "$1").strip();
    }

    private static String file(String path) {
        try {
            return Files.readString(Path.of(path));
        } catch (IOException e) {
            return "";
        }
    }

    /** A line for the terminal. */
    static String line(int threads, Work w, Map<String, Cell> row) {
        return threads + " " + String.format("%-26s", w.id()) + row.entrySet().stream()
                .map(e -> e.getKey() + " " + (e.getValue().timed() ? time(e.getValue())
                        : e.getValue().why() == null ? "agrees" : "(" + e.getValue().why() + ")"))
                .collect(Collectors.joining("  "));
    }

    /** Three digits, in the unit that suits, and ~ where it is only a hint. */
    private static String time(Cell c) {
        String[] units = {"s", "ms", "µs", "ns"};
        double x = c.ms() * 1e-3;
        int unit = 0;
        while (x < 0.9995 && unit < units.length - 1) {
            x *= 1000;
            unit++;
        }
        String format = x >= 99.95 ? "%.0f %s" : x >= 9.995 ? "%.1f %s" : "%.2f %s";
        return (c.disturbed() ? "~" : "") + String.format(Locale.ROOT, format, x, units[unit]);
    }

    private static boolean ours(String name) {
        return name.equals(NATIVE) || name.equals(VECTOR);
    }

    private static Map.Entry<String, Cell> best(Map<String, Cell> row) {
        return row.entrySet().stream().filter(e -> !ours(e.getKey()) && e.getValue().timed())
                .min((a, b) -> Double.compare(a.getValue().ms(), b.getValue().ms())).orElse(null);
    }

    /** The best peer's time over ours; NaN where one of them is missing. */
    static double ratio(Map<String, Cell> row, String device) {
        Map.Entry<String, Cell> best = best(row);
        Cell c = row.get(device);
        return best == null || c == null ? Double.NaN : best.getValue().ms() / c.ms();
    }

    private static String text(Map<String, Cell> row, String device) {
        double r = ratio(row, device);
        if (Double.isNaN(r)) {
            return "";
        }
        boolean hint = best(row).getValue().disturbed() || row.get(device).disturbed();
        return (hint ? "~" : "") + String.format(Locale.ROOT, r < 9.995 ? "%.2f" : r < 99.95 ? "%.1f" : "%.0f", r);
    }

    /** {@code file} is the name of all that is written, without an ending. */
    void write(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(Path.of(file + ".csv"), csv());
        StringBuilder s = new StringBuilder(head());
        for (Map.Entry<Integer, Run> e : runs.entrySet()) {
            Path picture = Path.of(file + "-" + e.getKey() + ".png");
            boolean drawn = Picture.draw(picture, e.getKey(), e.getValue().rows);
            table(s, e.getKey(), e.getValue(), drawn ? picture.getFileName().toString() : null);
        }
        Files.writeString(Path.of(file + ".md"), s);
        System.err.println("written: " + file + ".md");
    }

    private String head() {
        StringBuilder s = new StringBuilder("# Gramian and its peers\n\n");
        s.append("Made ").append(started).append(" by `benchmarks/peers.sh").append(arguments.isEmpty() ? "" : " ")
                .append(arguments).append("` of commit ").append(System.getProperty("peers.commit", "?"))
                .append(".\n\n");
        s.append("- machine: ").append(Machine.describe()).append('\n');
        s.append("- JDK: ").append(System.getProperty("java.vm.vendor")).append(' ')
                .append(Runtime.version()).append('\n');
        runs.forEach((t, r) -> s.append("- ").append(threads(t)).append(": load ").append(r.before)
                .append(" before; ").append(r.after.isEmpty() ? "not finished" : "ended " + r.after).append('\n'));
        s.append('\n').append("""
                Float32; each library in a JVM of its own, on the same operands. Results were first held against float64;
                what did not agree was not timed. The peers take turns of some 50 ms; times are medians of the turns. On one
                thread that is processor time of the process without its JIT; on more it is wall time of turns in which
                nothing else had the cores, and `~` marks medians where there was no such turn: hints, not figures. A ratio
                is the best peer's time over Gramian's: above 1 Gramian is faster.

                """);
        Set<String> names = new LinkedHashSet<>();
        runs.values().forEach(r -> {
            names.addAll(r.present.keySet());
            names.addAll(r.absent.keySet());
        });
        s.append("| peer | what it says it is |\n|---|---|\n");
        for (String n : names) {
            String text = runs.values().stream().filter(r -> r.present.containsKey(n)).map(r -> r.present.get(n))
                    .findFirst().orElse(null);
            if (text == null) {
                text = "**did not play**: " + runs.values().stream().filter(r -> r.absent.containsKey(n))
                        .map(r -> r.absent.get(n)).findFirst().orElse("");
            }
            s.append("| ").append(n).append(" | ").append(escape(text)).append(" |\n");
        }
        return s.append('\n').toString();
    }

    private static String threads(int n) {
        return n == 1 ? "1 thread" : n + " threads";
    }

    private static String escape(String text) {
        return text.replace("|", "\\|");
    }

    private void table(StringBuilder s, int threads, Run run, String picture) {
        s.append("## ").append(threads == 1 ? "One thread" : threads + " threads").append("\n\n");
        if (picture != null) {
            s.append("![Times of the peers over Gramian's, ").append(threads(threads)).append("](").append(picture)
                    .append(")\n\n");
        }
        s.append("| work | cpu:native | cpu:vector | best peer | ratio native | ratio vector | target | others |\n");
        s.append("|---|---|---|---|---|---|---|---|\n");
        int met = 0;
        int judged = 0;
        for (Map.Entry<Work, Map<String, Cell>> e : run.rows.entrySet()) {
            Map<String, Cell> row = e.getValue();
            Map.Entry<String, Cell> best = best(row);
            double target = e.getKey().target(threads);
            double ratio = ratio(row, NATIVE);
            String verdict = String.format(Locale.ROOT, "%.2f", target);
            if (!Double.isNaN(ratio)) {
                judged++;
                met += ratio >= target ? 1 : 0;
                verdict += ratio >= target ? " met" : " **missed**";
            }
            String others = row.entrySet().stream()
                    .filter(c -> !ours(c.getKey()) && (best == null || !c.getKey().equals(best.getKey())))
                    .filter(c -> c.getValue().timed())
                    .sorted((a, b) -> Double.compare(a.getValue().ms(), b.getValue().ms()))
                    .map(c -> c.getKey() + " " + time(c.getValue())).collect(Collectors.joining(", "));
            s.append("| ").append(e.getKey().id()).append(" | ").append(cell(row.get(NATIVE))).append(" | ")
                    .append(cell(row.get(VECTOR))).append(" | ")
                    .append(best == null ? "" : best.getKey() + " " + time(best.getValue())).append(" | ")
                    .append(text(row, NATIVE)).append(" | ").append(text(row, VECTOR)).append(" | ").append(verdict)
                    .append(" | ").append(others).append(" |\n");
        }
        s.append("\nTargets met by cpu:native: ").append(met).append(" of ").append(judged).append(".\n\n");
        List<String> remarks = new ArrayList<>();
        Set<String> untimed = new LinkedHashSet<>();
        run.rows.forEach((w, row) -> row.forEach((p, c) -> {
            if (Cell.LEFT_OUT.equals(c.why()) && row.values().stream().noneMatch(Cell::timed)) {
                untimed.add(w.id());
            } else if (c.why() != null) {
                remarks.add("- " + w.id() + ", " + p + ": " + c.why());
            } else if (c.timed() && !c.disturbed() && c.good() < c.tried() && c.good() < 3) {
                remarks.add("- " + w.id() + ", " + p + ": " + c.good() + " of " + c.tried() + " turns count");
            }
        }));
        if (!untimed.isEmpty()) {
            remarks.add("- " + String.join(", ", untimed) + ": " + Cell.LEFT_OUT);
        }
        if (!remarks.isEmpty()) {
            s.append("Not timed, or of few turns:\n\n").append(String.join("\n", remarks)).append("\n\n");
        }
    }

    private static String cell(Cell c) {
        return c == null ? "" : c.timed() ? time(c) : "–";
    }

    private String csv() {
        StringBuilder s = new StringBuilder("threads,work,peer,ms,turns,tried,disturbed,error_share,remark\n");
        runs.forEach((t, r) -> r.rows.forEach((w, row) -> row.forEach((p, c) -> s.append(String.format(Locale.ROOT,
                "%d,%s,%s,%s,%d,%d,%s,%s,\"%s\"%n", t, w.id(), p,
                c.timed() ? String.format(Locale.ROOT, "%.6f", c.ms()) : "", c.good(), c.tried(), c.disturbed(),
                Double.isNaN(c.share()) ? "" : c.share(), c.why() == null ? "" : c.why().replace('"', '\''))))));
        return s.toString();
    }
}
