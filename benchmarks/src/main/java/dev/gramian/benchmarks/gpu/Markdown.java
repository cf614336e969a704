package dev.gramian.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report as a page for people, from its JSON alone. */
final class Markdown {
    private static final int MOST_FAILURES = 60;

    private final JsonNode report;
    private final StringBuilder out = new StringBuilder();

    Markdown(JsonNode report) {
        this.report = report;
    }

    String text() {
        String verdict = report.path("verdict").asText();
        JsonNode first = report.path("gpu").path(0);
        String subject = report.path("emulated").asBoolean()
                ? "Emulated CUDA"
                : verdict.startsWith("no card")
                        ? "No usable NVIDIA card"
                        : first.has("name")
                                ? first.get("name").asText()
                                : report.path("bench").path("device").asText("no device");
        line("# " + subject + ": " + verdict);
        line("");
        summary();
        parts();
        line("## Host");
        line("");
        report.path("host").properties().forEach(e -> line("- " + e.getKey() + ": " + e.getValue().asText()));
        for (JsonNode card : report.path("gpu")) {
            List<String> facts = new ArrayList<>();
            card.properties().forEach(e -> facts.add(e.getKey() + " " + e.getValue().asText()));
            line("- card: " + String.join("; ", facts));
        }
        line("");
        block(report.path("diagnosis").asText());
        specs();
        sanitizer();
        bench();
        return out.toString();
    }

    private void line(String text) {
        out.append(text).append('\n');
    }

    private void block(String text) {
        if (!text.isBlank()) {
            line("```");
            line(text.stripTrailing());
            line("```");
            line("");
        }
    }

    private void summary() {
        line("Made " + report.path("made").asText() + " by `" + report.path("command").asText() + "` of "
                + report.path("version").asText() + ".");
        line("");
        if (report.path("verdict").asText().startsWith("no card")) {
            line("**There was no usable CUDA device.** Nothing below says anything about a GPU: the specs ran on the CPU, and "
                    + "the benchmark only rehearsed its cases there.");
            line("");
        }
        if (report.path("emulated").asBoolean()) {
            line("**CUDA was emulated on the CPU.** What passed shows that the host's side and the arithmetic are right; it "
                    + "says nothing about speed, and no time is given.");
            line("");
        }
    }

    private void parts() {
        line("| part | result | seconds | limit | remark |");
        line("|---|---|---|---|---|");
        for (JsonNode p : report.path("parts")) {
            line("| " + p.path("part").asText() + " | " + p.path("status").asText() + " | " + p.path("seconds").asText()
                    + " | " + (p.path("limit").asInt() < 0 ? "" : p.path("limit").asText()) + " | "
                    + cell(p.path("message").asText()) + " |");
        }
        line("");
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("\n", " ");
    }

    private void specs() {
        line("## Specs");
        line("");
        if (report.path("specs").isEmpty()) {
            line("None ran to a summary.");
            line("");
            return;
        }
        line("| run | device | passed | failed | skipped |");
        line("|---|---|---|---|---|");
        report.path("specs").properties().forEach(run -> run.getValue().path("devices").properties().forEach(
                d -> line("| " + run.getKey() + " | " + d.getKey() + " | " + d.getValue().path("passed").asInt() + " | "
                        + d.getValue().path("failed").asInt() + " | " + d.getValue().path("skipped").asInt() + " |")));
        line("");
        report.path("specs").properties().forEach(run -> run.getValue().path("devices").properties().forEach(
                d -> d.getValue().path("skipReasons").properties().forEach(reason -> line("- " + d.getKey() + ", "
                        + reason.getValue().asInt() + " skipped: " + reason.getKey()))));
        report.path("specs").properties().forEach(run -> {
            List<String> lines = new ArrayList<>();
            for (JsonNode f : run.getValue().path("failures")) {
                lines.add(f.path("device").asText() + "  " + f.path("class").asText() + "." + f.path("test").asText()
                        + "\n    "
                        + f.path("message").asText().replace("\n", "\n    "));
            }
            for (JsonNode s : run.getValue().path("stopped")) {
                lines.add(s.path("status").asText() + "  " + s.path("class").asText()
                        + (s.has("test") ? "." + s.path("test").asText() : "") + "\n    " + s.path("message").asText());
            }
            if (!lines.isEmpty()) {
                line("");
                line("Failed or not run, " + run.getKey() + " (" + lines.size() + "):");
                line("");
                block(String.join("\n", lines.subList(0, Math.min(lines.size(), MOST_FAILURES)))
                        + (lines.size() > MOST_FAILURES ? "\n... all " + lines.size() + " are in report.json" : ""));
            }
        });
        line("");
    }

    private void sanitizer() {
        if (report.path("sanitizer").isEmpty()) {
            return;
        }
        line("## compute-sanitizer");
        line("");
        for (JsonNode tool : report.path("sanitizer")) {
            line("- " + tool.path("tool").asText() + ": " + tool.path("summary").asText());
            tool.path("findings").properties()
                    .forEach(f -> line("  - " + f.getValue().asInt() + " × " + f.getKey()));
        }
        line("");
    }

    // ---- benchmarks --------------------------------------------------------------------------------------------------

    private void bench() {
        JsonNode bench = report.path("bench");
        line("## Benchmarks");
        line("");
        if (!bench.has("device")) {
            line("None ran.");
            return;
        }
        line(bench.path("device").asText() + ": " + bench.path("description").asText());
        line("");
        if (!bench.path("speeds").asBoolean()) {
            line("No times were taken: the cases ran at small sizes to show that they agree with their references.");
            line("");
        } else {
            line("Times are medians of several turns of many calls, the device synchronised around each turn. \"Of copy\" is the "
                    + "rate of bytes over that of the largest copy within the device. A ratio is the peer's time over ours: above 1 "
                    + "Gramian is faster. Every case agreed with a float64 reference before it was timed, unless it says otherwise.");
            line("");
            if (bench.has("peer")) {
                JsonNode p = bench.get("peer");
                line("Peer: PyTorch " + p.path("torch").asText() + ", CUDA " + p.path("cuda").asText() + ", cuDNN "
                        + p.path("cudnn").asText("none") + ".");
            } else {
                line("No PyTorch was found: there are no ratios.");
            }
            line("");
        }
        Map<String, List<JsonNode>> groups = new LinkedHashMap<>();
        for (JsonNode c : bench.path("cases")) {
            groups.computeIfAbsent(c.path("group").asText(), g -> new ArrayList<>()).add(c);
        }
        groups.forEach((name, cases) -> {
            line("### " + name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1));
            line("");
            if (bench.path("speeds").asBoolean()) {
                times(cases);
            }
            problems(cases, bench.path("speeds").asBoolean());
        });
    }

    private void times(List<JsonNode> cases) {
        line("| case | time | rate | of copy | spread | error | PyTorch | ratio | other variants |");
        line("|---|---|---|---|---|---|---|---|---|");
        for (JsonNode c : cases) {
            if (!c.has("seconds")) {
                continue;
            }
            double s = c.get("seconds").asDouble();
            String rate = c.has("flopsPerSecond")
                    ? String.format(Locale.ROOT, "%.1f TFLOP/s", 1e-12 * c.get("flopsPerSecond").asDouble())
                    : c.has("bytesPerSecond")
                            ? String.format(Locale.ROOT, "%.0f GB/s", 1e-9 * c.get("bytesPerSecond").asDouble())
                            : extra(c);
            String ofCopy = c.has("ofCopy")
                    ? String.format(Locale.ROOT, "%.0f%%", 100 * c.get("ofCopy").asDouble())
                    : "";
            String spread = String.format(Locale.ROOT, "%.0f%%",
                    100 * (c.get("most").asDouble() - c.get("least").asDouble()) / s);
            String error = String.format(Locale.ROOT, "%.0e", c.get("error").asDouble());
            String peer = "";
            String ratio = "";
            List<String> others = new ArrayList<>();
            for (JsonNode p : c.path("peers")) {
                if (!p.has("seconds")) {
                    continue;
                }
                String time = time(p.get("seconds").asDouble()) + extra(p);
                String r = p.has("ratio") ? String.format(Locale.ROOT, "%.2f", p.get("ratio").asDouble()) : "";
                if (p.path("variant").asText().equals("default")) {
                    peer = time;
                    ratio = r;
                } else {
                    others.add(p.path("variant").asText() + " " + time + " (" + r + ")");
                }
            }
            line("| " + c.get("id").asText() + " | " + time(s) + " | " + rate.strip() + " | " + ofCopy + " | " + spread
                    + " | "
                    + error + " | " + peer + " | " + ratio + " | " + String.join(", ", others) + " |");
        }
        line("");
    }

    /** Further figures of a line: host time, latency, the same without a graph. */
    private static String extra(JsonNode n) {
        StringBuilder text = new StringBuilder();
        for (String name : List.of("host", "latency", "eager")) {
            if (n.has(name)) {
                text.append(text.isEmpty() ? " " : ", ").append(name).append(' ').append(time(n.get(name).asDouble()));
            }
        }
        return text.toString();
    }

    /** Three digits and a unit. */
    static String time(double seconds) {
        String[] units = {"s", "ms", "µs", "ns"};
        int unit = 0;
        double x = seconds;
        while (x < 0.9995 && unit < units.length - 1) {
            x *= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, x >= 99.95 ? "%.0f %s" : x >= 9.995 ? "%.1f %s" : "%.2f %s", x, units[unit]);
    }

    /** What has no time, and why; how many agreed where none was to be taken. */
    private void problems(List<JsonNode> cases, boolean speeds) {
        int agreed = 0;
        Map<String, List<String>> by = new LinkedHashMap<>();
        for (JsonNode c : cases) {
            String status = c.path("status").asText();
            if (status.equals("ok")) {
                agreed++;
            } else {
                by.computeIfAbsent(status + ": " + c.path("message").asText(), k -> new ArrayList<>())
                        .add(c.get("id").asText());
            }
        }
        if (!speeds) {
            line(agreed + " of " + cases.size() + " cases ran and agree with their references.");
            line("");
        }
        by.forEach((why, ids) -> line("- " + cell(why) + " (" + String.join(", ", ids) + ")"));
        if (!by.isEmpty()) {
            line("");
        }
    }
}
