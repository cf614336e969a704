package dev.gramian.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@code .safetensors} file: named tensors in C order, little-endian, and a text map. Element types this library
 * lacks are listed and refused only when such a tensor is asked for. As the format demands, the tensors fill the rest
 * of the file without overlap or holes. {@link FormatException} for anything else. Format: the safetensors README.
 */
public final class Safetensors extends TensorFile {
    static final String METADATA = "__metadata__";

    /** The reference implementation's limit. */
    private static final long LONGEST_HEADER = 100_000_000;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength((int) LONGEST_HEADER)
                    .maxNameLength((int) LONGEST_HEADER)
                    .maxNestingDepth(64)
                    .build())
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    /** Bits of one element of every type the format knows. */
    private static final Map<String, Integer> BITS = Map.ofEntries(
            Map.entry("BOOL", 8), Map.entry("U8", 8), Map.entry("I8", 8), Map.entry("F4", 4),
            Map.entry("F6_E2M3", 6), Map.entry("F6_E3M2", 6), Map.entry("F8_E5M2", 8), Map.entry("F8_E4M3", 8),
            Map.entry("F8_E8M0", 8), Map.entry("I16", 16), Map.entry("U16", 16), Map.entry("F16", 16),
            Map.entry("BF16", 16), Map.entry("I32", 32), Map.entry("U32", 32), Map.entry("F32", 32),
            Map.entry("C64", 64), Map.entry("F64", 64), Map.entry("I64", 64), Map.entry("U64", 64));

    private final Map<String, String> metadata;

    private Safetensors(Path path, List<TensorEntry> entries, Map<String, String> metadata) {
        super(path, entries);
        this.metadata = Collections.unmodifiableMap(metadata);
    }

    /** Reads and checks the header. */
    public static Safetensors open(Path path) {
        try (FileBytes file = FileBytes.open(path)) {
            Place place = file.place();
            if (file.size() == 0) {
                throw place.bad("file is empty", "a safetensors header");
            }
            if (file.size() < 8) {
                throw place.bad("header is cut off", file.size(), "the header's length, 8 bytes");
            }
            long length = ByteBuffer.wrap(file.read(0, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (length < 0 || length > LONGEST_HEADER) {
                throw place.bad("header of " + Long.toUnsignedString(length) + " bytes is too long", 0,
                        "at most " + LONGEST_HEADER + " bytes");
            }
            if (length > file.size() - 8) {
                throw place.bad("header is cut off", file.size(), length + " bytes of header from byte 8 on");
            }
            byte[] text = file.read(8, (int) length);
            checkText(text, place);
            return new Header(text, file.size(), place).parse(path);
        }
    }

    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    HostTensor load(TensorEntry e) {
        try (FileBytes file = FileBytes.open(path())) {
            Place place = file.place().member(e.name());
            if (e.problem() != null) {
                throw new FormatException(e.problem());
            }
            if (e.offset() + e.bytes() > file.size()) {
                throw place.bad("file has changed since it was opened", "the same file");
            }
            HostBytes mapped = file.map(e.offset(), e.bytes());
            return new HostTensor(e.dtype(), Layout.contiguous(e.shape()),
                    mapped.asNative(e.dtype(), ByteOrder.LITTLE_ENDIAN, place));
        }
    }

    /** UTF-8 that begins with a brace: other encodings of JSON would be guessed from zero bytes. */
    private static void checkText(byte[] text, Place place) {
        if (text.length == 0 || text[0] != '{') {
            throw place.bad("header does not begin with '{'", 8, "a JSON object");
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(text);
        CharBuffer out = CharBuffer.allocate(1 << 13);
        CoderResult r;
        do {
            out.clear();
            r = decoder.decode(in, out, true);
            if (r.isError()) {
                throw place.bad("header is not UTF-8", 8L + in.position(), "UTF-8 text");
            }
        } while (r.isOverflow());
        for (int i = 0; i < Math.min(4, text.length); i++) {
            if (text[i] == 0) {
                throw place.bad("header has byte 00", 8L + i, "JSON text");
            }
        }
    }

    private static DType dtype(String type) {
        for (DType d : DType.values()) {
            if (d.name().equals(type)) {
                return d;
            }
        }
        return null;
    }

    /** One pass over the JSON; places in errors are bytes of the file. */
    private static final class Header {
        private final byte[] text;
        private final long dataAt;
        private final long dataBytes;
        private final Place place;
        private final List<TensorEntry> entries = new ArrayList<>();
        private Map<String, String> metadata = new LinkedHashMap<>();
        private JsonParser json;

        Header(byte[] text, long fileSize, Place place) {
            this.text = text;
            this.dataAt = 8L + text.length;
            this.dataBytes = fileSize - dataAt;
            this.place = place;
        }

        Safetensors parse(Path path) {
            try (JsonParser p = JSON.createParser(text)) {
                json = p;
                require(p.nextToken() == JsonToken.START_OBJECT, place, "header is not an object", "a JSON object");
                while (p.nextToken() == JsonToken.FIELD_NAME) {
                    String name = p.currentName();
                    p.nextToken();
                    if (name.equals(METADATA)) {
                        metadata();
                    } else {
                        tensor(name);
                    }
                }
                long end = 8 + p.currentLocation().getByteOffset();
                if (p.nextToken() != null) {
                    throw place.bad("text after the header's object", end, "spaces at most");
                }
            } catch (JsonProcessingException e) {
                long at = 8 + Math.max(0, e.getLocation() == null ? 0 : e.getLocation().getByteOffset());
                throw place.bad("header is not JSON: " + Place.shown(e.getOriginalMessage()), at,
                        "a JSON object, each key once");
            } catch (IOException e) {
                throw place.failed(e);
            }
            checkRanges();
            return new Safetensors(path, entries, metadata);
        }

        private void metadata() throws IOException {
            require(json.currentToken() == JsonToken.START_OBJECT, place, METADATA + " is not an object",
                    "an object of texts");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                require(json.nextToken() == JsonToken.VALUE_STRING, place,
                        METADATA + " value of '" + Place.shown(key) + "' is not text", "an object of texts");
                metadata.put(key, json.getText());
            }
        }

        private void tensor(String name) throws IOException {
            Place member = place.member(name);
            require(json.currentToken() == JsonToken.START_OBJECT, member, "entry is not an object",
                    "an object of dtype, shape and data_offsets");
            String type = null;
            long[] sizes = null;
            long[] range = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                JsonToken t = json.nextToken();
                switch (key) {
                    case "dtype" -> {
                        require(t == JsonToken.VALUE_STRING, member, "dtype is not text", "a name such as \"F32\"");
                        type = json.getText();
                    }
                    case "shape" -> sizes = integers(member, "shape");
                    case "data_offsets" -> range = integers(member, "data_offsets");
                    default -> json.skipChildren();
                }
            }
            String missing = type == null ? "dtype" : sizes == null ? "shape" : range == null ? "data_offsets" : null;
            require(missing == null, member, "no " + missing, "dtype, shape and data_offsets");
            require(range.length == 2, member, "data_offsets has " + range.length + " numbers", "begin and end");
            require(range[0] <= range[1], member, "data begins at " + range[0] + " and ends at " + range[1],
                    "begin <= end");
            require(range[1] <= dataBytes, member, "data ends at " + range[1] + " of " + dataBytes,
                    "data inside the file; it may be cut off");
            entries.add(entry(name, type, shape(sizes, member), range[0], range[1] - range[0], member));
        }

        private Shape shape(long[] sizes, Place member) {
            try {
                return Shape.of(sizes);
            } catch (ShapeException e) {
                throw at(member, "shape " + Place.shown(Arrays.toString(sizes)) + " has too many elements",
                        "at most 2^59 elements");
            }
        }

        private TensorEntry entry(String name, String type, Shape shape, long begin, long bytes, Place member) {
            Integer bits = BITS.get(type);
            // 2^59 elements of 64 bits would overflow; of bytes and a remainder they do not
            if (bits != null) {
                boolean whole = bits % 8 == 0 || shape.size() % 8 * bits % 8 == 0;
                long need = bits % 8 == 0
                        ? shape.size() * (bits / 8)
                        : shape.size() / 8 * bits
                                + shape.size() % 8 * bits / 8;
                require(whole && need == bytes, member, "data_offsets give " + bytes + " bytes",
                        need + " bytes for " + type + " " + Place.shown(shape.toString()));
            }
            DType dtype = dtype(type);
            String problem = dtype != null
                    ? null
                    : member.bad("element type " + Place.shown(type) + " is not supported",
                            "F64, F32, F16, BF16, I64, I32, U8 or BOOL; convert it where it was written")
                            .getMessage();
            return new TensorEntry(name, type, dtype, shape, false, ByteOrder.LITTLE_ENDIAN, dataAt + begin, bytes,
                    problem);
        }

        private long[] integers(Place member, String key) throws IOException {
            require(json.currentToken() == JsonToken.START_ARRAY, member, key + " is not a list", "a list of integers");
            long[] v = new long[4];
            int n = 0;
            while (json.nextToken() != JsonToken.END_ARRAY) {
                require(json.currentToken() == JsonToken.VALUE_NUMBER_INT, member, key + " holds something else",
                        "a list of integers");
                require(json.getNumberType() != JsonParser.NumberType.BIG_INTEGER, member,
                        key + " holds a number beyond 64 bits", "a list of integers");
                long x = json.getLongValue();
                require(x >= 0, member, key + " holds a negative number: " + x, "integers of 0 or more");
                if (n == v.length) {
                    v = Arrays.copyOf(v, 2 * n);
                }
                v[n++] = x;
            }
            return Arrays.copyOf(v, n);
        }

        /** The tensors, sorted by place, must fill the data exactly. */
        private void checkRanges() {
            List<TensorEntry> sorted = new ArrayList<>(entries);
            sorted.sort(Comparator.comparingLong(TensorEntry::offset).thenComparingLong(TensorEntry::bytes));
            long end = dataAt;
            for (TensorEntry e : sorted) {
                if (e.offset() != end) {
                    throw place.member(e.name()).bad(
                            e.offset() < end
                                    ? "data overlaps another tensor's"
                                    : "hole of " + (e.offset() - end)
                                            + " bytes before the data",
                            e.offset(), "data from byte " + end + " on");
                }
                end += e.bytes();
            }
            if (end != dataAt + dataBytes) {
                throw place.bad((dataAt + dataBytes - end) + " bytes after the last tensor", end,
                        "the end of the file");
            }
        }

        private void require(boolean holds, Place where, String fact, String expected) {
            if (!holds) {
                throw at(where, fact, expected);
            }
        }

        private FormatException at(Place where, String fact, String expected) {
            return where.bad(fact, 8 + Math.max(0, json.currentTokenLocation().getByteOffset()), expected);
        }
    }
}
