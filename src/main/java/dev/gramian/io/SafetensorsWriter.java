package dev.gramian.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import dev.gramian.core.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Writes safetensors bytes as the reference implementation does: types in its order, widest first, then names by their
 * bytes, the header padded with spaces to a multiple of 8, so that every element is aligned.
 */
final class SafetensorsWriter {
    /** The reference's order of types, its last first. */
    private static final List<DType> ORDER = List.of(
            DType.I64, DType.F64, DType.F32, DType.I32, DType.BF16, DType.F16, DType.U8, DType.BOOL);

    private static final JsonFactory JSON = JsonFactory.builder().disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
            .build();

    private SafetensorsWriter() {}

    static void write(AtomicFile out, Map<String, Elements> tensors, Map<String, String> metadata) throws IOException {
        List<Map.Entry<String, Elements>> sorted = new ArrayList<>(tensors.entrySet());
        sorted.sort(Comparator.comparingInt(
                (Map.Entry<String, Elements> t) -> ORDER.indexOf(t.getValue().dtype()))
                .thenComparing(t -> t.getKey().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned));
        byte[] header = header(sorted, metadata);
        out.write(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .flip());
        out.write(header);
        for (Map.Entry<String, Elements> t : sorted) {
            out.write(t.getValue(), null);
        }
    }

    private static byte[] header(List<Map.Entry<String, Elements>> tensors, Map<String, String> metadata)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator j = JSON.createGenerator(bytes)) {
            j.writeStartObject();
            if (!metadata.isEmpty()) {
                j.writeObjectFieldStart(Safetensors.METADATA);
                for (Map.Entry<String, String> m : metadata.entrySet()) {
                    j.writeStringField(m.getKey(), m.getValue());
                }
                j.writeEndObject();
            }
            long offset = 0;
            for (Map.Entry<String, Elements> t : tensors) {
                Elements e = t.getValue();
                j.writeObjectFieldStart(t.getKey());
                j.writeStringField("dtype", e.dtype().name());
                j.writeFieldName("shape");
                long[] sizes = e.shape().toArray();
                j.writeArray(sizes, 0, sizes.length);
                j.writeFieldName("data_offsets");
                j.writeArray(new long[] {offset, offset + e.bytes()}, 0, 2);
                j.writeEndObject();
                offset += e.bytes();
            }
            j.writeEndObject();
        }
        while (bytes.size() % 8 != 0) {
            bytes.write(' ');
        }
        return bytes.toByteArray();
    }
}
