package dev.gramian.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Puts what the parts of {@code gpu-check} left in a directory into {@code report.json} and, from that alone,
 * {@code report.md}: {@code Report DIRECTORY}. Whatever is missing is said to be missing. native-notes/gpu-runs/README.md
 * describes the JSON.
 */
public final class Report {
    static final int SCHEMA = 1;
    private static final int LINES = 12;

    private final Path dir;
    private final ObjectNode report = Results.JSON.createObjectNode();

    private Report(Path dir) {
        this.dir = dir;
    }

    public static void main(String[] args) throws IOException {
        Path dir = Path.of(args[0]);
        ObjectNode report = new Report(dir).collect();
        Results.JSON.writer(SerializationFeature.INDENT_OUTPUT).writeValue(dir.resolve("report.json").toFile(), report);
        Files.writeString(dir.resolve("report.md"), new Markdown(report).text());
    }

    private ObjectNode collect() throws IOException {
        report.put("schema", SCHEMA);
        report.put("made", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        properties("run.txt").forEach(report::put);
        report.set("gpu", gpu());
        report.set("host", Results.JSON.valueToTree(properties("host.txt")));
        report.put("diagnosis", text("devices.txt"));
        report.set("parts", parts());
        ObjectNode specs = report.putObject("specs");
        for (String on : List.of("cuda", "cpu")) {
            Path file = dir.resolve("specs-" + on).resolve("spec-summary.json");
            if (Files.exists(file)) {
                specs.set(on, Results.JSON.readTree(file.toFile()));
            }
        }
        report.set("sanitizer", sanitizer());
        new CaseTable(dir).into(report);
        report.put("emulated", report.path("bench").path("emulated").asBoolean()
                || report.path("diagnosis").asText().contains("CUDA emulation"));
        report.put("verdict", verdict());
        return report;
    }

    private String text(String name) throws IOException {
        Path file = dir.resolve(name);
        return Files.exists(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
    }

    /** Lines {@code name: value}. */
    private Map<String, String> properties(String name) throws IOException {
        Map<String, String> map = new LinkedHashMap<>();
        text(name).lines().forEach(line -> {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                map.put(line.substring(0, colon).strip(), line.substring(colon + 2).strip());
            }
        });
        return map;
    }

    /** An object per card, from a table with comma-separated names in its first line as nvidia-smi writes it. */
    private ArrayNode gpu() throws IOException {
        ArrayNode cards = Results.JSON.createArrayNode();
        List<String> lines = text("nvidia-smi.csv").lines().toList();
        for (int i = 1; i < lines.size(); i++) {
            String[] names = lines.get(0).split(", *");
            String[] values = lines.get(i).split(", *");
            ObjectNode card = cards.addObject();
            for (int j = 0; j < Math.min(names.length, values.length); j++) {
                card.put(names[j], values[j]);
            }
        }
        return cards;
    }

    /** Lines of name, status, seconds, limit, exit code and remark with tabs between. */
    private ArrayNode parts() throws IOException {
        ArrayNode parts = Results.JSON.createArrayNode();
        for (String line : text("parts.tsv").lines().toList()) {
            String[] f = line.split("\t", -1);
            if (f.length >= 6) {
                parts.addObject().put("part", f[0]).put("status", f[1]).put("seconds", number(f[2]))
                        .put("limit", number(f[3])).put("exit", f[4]).put("message", f[5]);
            }
        }
        return parts;
    }

    private static long number(String text) {
        return text.matches("\\d{1,9}") ? Long.parseLong(text) : -1;
    }

    /** Of each tool's log: the closing count, and the kinds of findings with how often they came. */
    private ArrayNode sanitizer() throws IOException {
        ArrayNode tools = Results.JSON.createArrayNode();
        for (String tool : List.of("memcheck", "racecheck", "initcheck", "synccheck")) {
            String log = text("sanitizer-" + tool + ".log");
            if (log.isEmpty()) {
                continue;
            }
            Map<String, Integer> findings = new TreeMap<>();
            String summary = "no summary: the run was cut off";
            String finding = null;
            for (String raw : log.lines().toList()) {
                String line = raw.startsWith("=========") ? raw.substring(9).strip() : "";
                if (line.startsWith("ERROR SUMMARY") || line.startsWith("RACECHECK SUMMARY")) {
                    summary = line;
                } else if (line
                        .matches("(Invalid|Uninitialized|Error:|Warning:|Barrier|Divergent|Program hit|Potential).*")) {
                    // the kernel comes in the next line
                    finding = line.replaceAll("0x[0-9a-f]+", "..");
                } else if (finding != null) {
                    findings.merge(finding + (line.startsWith("at ") ? " " + line.replaceAll("\\+0x.*", "") : ""), 1,
                            Integer::sum);
                    finding = null;
                }
            }
            ObjectNode node = tools.addObject().put("tool", tool).put("summary", summary);
            ObjectNode found = node.putObject("findings");
            findings.entrySet().stream().sorted((a, b) -> b.getValue() - a.getValue()).limit(LINES)
                    .forEach(e -> found.put(e.getKey(), e.getValue()));
        }
        return tools;
    }

    /** What the run comes to, by the worst of its parts. */
    private String verdict() {
        Map<String, Integer> by = new HashMap<>();
        report.get("parts").forEach(p -> by.merge(p.get("status").asText(), 1, Integer::sum));
        if (report.get("parts").isEmpty()) {
            return "nothing ran";
        }
        if (by.containsKey("no card")) {
            return by.containsKey("failed") || by.containsKey("stopped") ? "no card, and failures beside" : "no card";
        }
        if (by.containsKey("failed") || by.containsKey("stopped")) {
            return "failed";
        }
        return by.containsKey("left out") || by.containsKey("cut short") ? "passed as far as it went" : "passed";
    }
}
