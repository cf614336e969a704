package dev.gramian.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A file of one JSON object per line, written as results come, so that nothing is lost where the process dies. A line
 * {@code {"begin": id}} precedes each case; one that nothing follows did not finish, which the next process writes down.
 */
final class Results {
    static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Set<String> done = new LinkedHashSet<>();

    /** Reads what earlier processes have written. */
    Results(Path file) {
        this.file = file;
        Set<String> begun = new LinkedHashSet<>();
        for (JsonNode line : read(file)) {
            if (line.has("begin")) {
                begun.add(line.get("begin").asText());
            } else if (line.has("id")) {
                done.add(line.get("id").asText());
            }
        }
        begun.removeAll(done);
        for (String id : begun) {
            ended(id, "unfinished", "the process ended while this ran");
        }
    }

    /** The objects of such a file; none where it is missing, and lines that were cut off are left out. */
    static java.util.List<JsonNode> read(Path file) {
        java.util.List<JsonNode> lines = new java.util.ArrayList<>();
        if (!Files.isRegularFile(file)) {
            return lines;
        }
        try {
            for (String line : Files.readAllLines(file)) {
                try {
                    JsonNode node = JSON.readTree(line);
                    if (node != null && node.isObject()) {
                        lines.add(node);
                    }
                } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                    // the process was stopped in the middle of it
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return lines;
    }

    boolean isDone(String id) {
        return done.contains(id);
    }

    void begin(String id) {
        write(JSON.createObjectNode().put("begin", id));
    }

    void ended(String id, String status, String message) {
        write(JSON.createObjectNode().put("id", id).put("status", status).put("message", message));
        done.add(id);
    }

    void measured(Case c, Measured m) {
        ObjectNode node = JSON.createObjectNode().put("id", c.id());
        node.put("status", m.agrees() ? "ok" : "wrong");
        node.put("error", Double.isFinite(m.error()) ? m.error() : -1).put("bound", m.bound());
        if (m.times() != null && m.agrees()) {
            Times t = m.times();
            node.put("seconds", t.median()).put("least", t.least()).put("most", t.most());
            node.put("repetitions", t.repetitions()).put("calls", t.calls());
            m.extra().forEach(node::put);
        }
        if (!m.agrees()) {
            node.put("message",
                    "differs from the float64 reference by " + m.error() + " of its largest magnitude, allowed "
                            + m.bound());
        }
        write(node);
        done.add(c.id());
    }

    /** Any line beside results. */
    synchronized void write(ObjectNode node) {
        try {
            Files.writeString(file, JSON.writeValueAsString(node) + "\n", StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
