package dev.gramian.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gramian.core.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A JSON object of named values, such as a checkpoint's {@code config.json}: each is asked for by key and kind, and one
 * that is not there or of another kind is a {@link FormatException} that names file and key. A value of null counts as
 * not there.
 */
public final class JsonConfig {
    private static final long LONGEST = 100_000_000;

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Place place;
    /** Before a key in errors: the keys of the objects around this one. */
    private final String path;
    private final JsonNode node;

    private JsonConfig(Place place, String path, JsonNode node) {
        this.place = place;
        this.path = path;
        this.node = node;
    }

    /** Reads and checks a file that holds one object. */
    public static JsonConfig read(Path file) {
        try (FileBytes bytes = FileBytes.open(file)) {
            Place place = bytes.place();
            if (bytes.size() > LONGEST) {
                throw place.bad("file of " + bytes.size() + " bytes is too long", "at most " + LONGEST + " bytes");
            }
            JsonNode node = JSON.readTree(bytes.read(0, (int) bytes.size()));
            if (!node.isObject()) {
                throw place.bad("file is no JSON object", "an object of named values");
            }
            return new JsonConfig(place, "", node);
        } catch (JsonProcessingException e) {
            long at = Math.max(0, e.getLocation() == null ? 0 : e.getLocation().getByteOffset());
            throw Place.of(file).bad("file is not JSON: " + Place.shown(e.getOriginalMessage()), at,
                    "a JSON object, each key once");
        } catch (IOException e) {
            throw Place.of(file).failed(e);
        }
    }

    /** Writes an object of maps, lists, texts, numbers, booleans and null. */
    public static void write(Path file, Map<String, ?> object) {
        try {
            String text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(object) + "\n";
            PlainFile.write(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e); // from memory to memory
        }
    }

    /** All values as maps, lists, texts, numbers, booleans and null. */
    public Map<String, Object> values() {
        return JSON.convertValue(node, new TypeReference<LinkedHashMap<String, Object>>() {});
    }

    /** An error about a value: {@code read: fact; file; expected ...}. */
    public FormatException bad(String fact, String expected) {
        return place.bad(Place.shown(fact), expected);
    }

    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    private JsonNode get(String key, String expected) {
        if (!has(key)) {
            throw bad("no " + path + key, expected);
        }
        return node.get(key);
    }

    private FormatException wrong(String key, String expected) {
        return bad(path + key + " is " + node.get(key), expected);
    }

    /** A size or number of things: a whole number of 1 or more. */
    public int count(String key) {
        String expected = "a whole number from 1 to " + Integer.MAX_VALUE;
        JsonNode n = get(key, expected);
        if (!n.isIntegralNumber() || !n.canConvertToInt() || n.intValue() < 1) {
            throw wrong(key, expected);
        }
        return n.intValue();
    }

    public int count(String key, int otherwise) {
        return has(key) ? count(key) : otherwise;
    }

    /** A finite number. */
    public double number(String key) {
        JsonNode n = get(key, "a number");
        if (!n.isNumber() || !Double.isFinite(n.doubleValue())) {
            throw wrong(key, "a number");
        }
        return n.doubleValue();
    }

    public double number(String key, double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    public boolean flag(String key, boolean otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        if (!node.get(key).isBoolean()) {
            throw wrong(key, "true or false");
        }
        return node.get(key).booleanValue();
    }

    public String text(String key) {
        if (!get(key, "text").isTextual()) {
            throw wrong(key, "text");
        }
        return node.get(key).textValue();
    }

    public String text(String key, String otherwise) {
        return has(key) ? text(key) : otherwise;
    }

    /** A list of finite numbers. */
    public double[] numbers(String key) {
        JsonNode list = get(key, "a list of numbers");
        double[] all = new double[list.size()];
        boolean numbers = list.isArray();
        for (int i = 0; i < all.length && numbers; i++) {
            all[i] = list.get(i).doubleValue();
            numbers = list.get(i).isNumber() && Double.isFinite(all[i]);
        }
        if (!numbers) {
            throw wrong(key, "a list of numbers");
        }
        return all;
    }

    /** An object inside this one. */
    public JsonConfig object(String key) {
        if (!get(key, "an object").isObject()) {
            throw wrong(key, "an object");
        }
        return new JsonConfig(place, path + key + ".", node.get(key));
    }

    /** Every value, all of them texts, in file order. */
    Map<String, String> texts() {
        Map<String, String> all = new LinkedHashMap<>();
        node.properties().forEach(e -> all.put(e.getKey(), text(e.getKey())));
        return all;
    }
}
