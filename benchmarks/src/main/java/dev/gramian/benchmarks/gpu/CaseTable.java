package dev.gramian.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Joins the cases with what was measured of them here and by peers, and works out rates and ratios. */
final class CaseTable {
    /** Whose rate the others are compared with. */
    private static final String COPY = "copy";

    private final List<JsonNode> cases;
    private final List<JsonNode> own;
    private final List<JsonNode> peers;

    CaseTable(Path dir) {
        cases = Results.read(dir.resolve("cases.jsonl"));
        own = Results.read(dir.resolve("bench.jsonl"));
        peers = Results.read(dir.resolve("peers.jsonl"));
    }

    void into(ObjectNode report) {
        ObjectNode bench = report.putObject("bench");
        bench.put("speeds", false);
        bench.put("emulated", false);
        Map<String, JsonNode> measured = new HashMap<>();
        boolean speeds = true;
        boolean emulated = false;
        for (JsonNode line : own) {
            if (line.has("device")) {
                speeds &= line.path("speeds").asBoolean();
                emulated |= line.path("emulated").asBoolean();
                bench.put("device", line.path("device").asText()).put("description", line.path("description").asText())
                        .put("extent", line.path("extent").asText());
            } else if (line.has("id")) {
                measured.put(line.get("id").asText(), line);
            }
        }
        // one process without speeds is enough for none to be shown
        speeds &= !emulated && bench.has("device");
        bench.put("speeds", speeds).put("emulated", emulated);
        Map<String, List<JsonNode>> others = new HashMap<>();
        boolean peerSpeeds = speeds;
        for (JsonNode line : peers) {
            if (line.has("torch")) {
                bench.set("peer", line);
                peerSpeeds &= line.path("speeds").asBoolean();
            } else if (line.has("id")) {
                others.computeIfAbsent(line.get("id").asText(), id -> new ArrayList<>()).add(line);
            }
        }
        double copyRate = speeds ? copyRate(measured) : 0;
        if (copyRate > 0) {
            bench.put("copyBytesPerSecond", copyRate);
        }
        ArrayNode table = bench.putArray("cases");
        for (JsonNode c : cases) {
            ObjectNode row = c.deepCopy();
            result(row, measured.get(c.get("id").asText()), speeds, copyRate);
            ArrayNode list = row.putArray("peers");
            for (JsonNode p : others.getOrDefault(c.get("id").asText(), List.of())) {
                peer(list.addObject(), p, row, peerSpeeds);
            }
            table.add(row);
        }
    }

    /** Bytes per second of the largest copy. */
    private double copyRate(Map<String, JsonNode> measured) {
        double rate = 0;
        double most = 0;
        for (JsonNode c : cases) {
            JsonNode m = measured.get(c.get("id").asText());
            if (c.get("kind").asText().equals(COPY) && m != null && m.has("seconds")
                    && c.get("bytes").asDouble() > most) {
                most = c.get("bytes").asDouble();
                rate = most / m.get("seconds").asDouble();
            }
        }
        return rate;
    }

    private static void result(ObjectNode row, JsonNode m, boolean speeds, double copyRate) {
        if (m == null) {
            row.put("status", "not run");
            return;
        }
        for (String name : List.of("status", "message", "error", "bound")) {
            if (m.has(name)) {
                row.set(name, m.get(name));
            }
        }
        if (!speeds || !m.has("seconds")) {
            return;
        }
        for (String name : List.of("seconds", "least", "most", "repetitions", "calls", "host", "latency", "eager")) {
            if (m.has(name)) {
                row.set(name, m.get(name));
            }
        }
        double seconds = m.get("seconds").asDouble();
        if (row.get("flops").asDouble() > 0) {
            row.put("flopsPerSecond", row.get("flops").asDouble() / seconds);
        }
        if (row.get("bytes").asDouble() > 0) {
            double rate = row.get("bytes").asDouble() / seconds;
            row.put("bytesPerSecond", rate);
            boolean withinDevice = !row.get("kind").asText().matches("(up|down)load.*");
            if (copyRate > 0 && withinDevice) {
                row.put("ofCopy", rate / copyRate);
            }
        }
    }

    private static void peer(ObjectNode to, JsonNode p, ObjectNode row, boolean speeds) {
        to.put("variant", p.path("variant").asText()).put("status", p.path("status").asText());
        if (p.has("message")) {
            to.set("message", p.get("message"));
        }
        if (speeds && p.has("seconds")) {
            for (String name : List.of("seconds", "least", "most", "repetitions", "calls", "host", "latency")) {
                if (p.has(name)) {
                    to.set(name, p.get(name));
                }
            }
            if (row.has("seconds")) {
                to.put("ratio", p.get("seconds").asDouble() / row.get("seconds").asDouble());
            }
        }
    }
}
