package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Header of NumPy's npy format, versions 1.0, 2.0 and 3.0: element type, order and shape, and where the elements begin.
 * Format: numpy.lib.format in NumPy's reference.
 *
 * @param type element type and byte order
 * @param fortranOrder true if the first axis runs fastest
 * @param shape sizes of the axes, {@code []} for one number
 * @param dataOffset bytes from the start of the npy bytes to the first element
 */
record NpyHeader(NpyType type, boolean fortranOrder, Shape shape, long dataOffset) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final String KEYS = "the keys descr, fortran_order and shape";
    private static final int ALIGN = 64;

    /** Room NumPy leaves so that the first axis can grow in place: digits of 8 * 2^64 - 1. */
    private static final int GROWTH_DIGITS = 21;

    /** No header of a tensor comes near; NumPy itself refuses more than 10,000 characters unless told otherwise. */
    private static final int LONGEST = 1 << 20;

    /** Reads a header; {@code available} bytes are there in all, from the magic to the end of the data. */
    static NpyHeader read(InputStream in, long available, Place place) throws IOException {
        if (available == 0) {
            throw place.bad("file is empty", "an npy header");
        }
        byte[] start = in.readNBytes(8);
        for (int i = 0; i < Math.min(MAGIC.length, start.length); i++) {
            if (start[i] != MAGIC[i]) {
                throw place.bad("not an npy file: begins with "
                        + HexFormat.ofDelimiter(" ").formatHex(start, 0, Math.min(MAGIC.length, start.length)), 0,
                        "93 4e 55 4d 50 59 (\\x93NUMPY)");
            }
        }
        if (start.length < 8) {
            throw place.bad("header is cut off", start.length, "magic and version, 8 bytes");
        }
        int major = start[6] & 0xFF;
        int minor = start[7] & 0xFF;
        if (major < 1 || major > 3 || minor != 0) {
            throw place.bad("npy version " + major + "." + minor + " is unknown", 6, "1.0, 2.0 or 3.0");
        }
        int width = major == 1 ? 2 : 4;
        byte[] sized = in.readNBytes(width);
        if (sized.length < width) {
            throw place.bad("header is cut off", 8 + sized.length, "the header's length, " + width + " bytes");
        }
        ByteBuffer b = ByteBuffer.wrap(sized).order(ByteOrder.LITTLE_ENDIAN);
        long length = major == 1 ? b.getShort() & 0xFFFF : b.getInt() & 0xFFFFFFFFL;
        int textAt = 8 + width;
        if (length > available - textAt) {
            throw place.bad("header is cut off", available, length + " bytes of header from byte " + textAt + " on");
        }
        if (length > LONGEST) {
            throw place.bad("header of " + length + " bytes is too long", 8, "at most " + LONGEST + " bytes");
        }
        byte[] text = in.readNBytes((int) length);
        if (text.length < length) {
            throw place.bad("header is cut off", textAt + text.length, length + " bytes of header");
        }
        NpyHeader h = parse(text, major == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1, textAt, place);
        long bytes = h.dataBytes();
        if (bytes > available - h.dataOffset) {
            throw place.bad("data is cut off: " + (available - h.dataOffset) + " bytes are there", h.dataOffset,
                    bytes + " bytes for " + h.type.descr() + " " + Place.shown(h.shape.toString()));
        }
        return h;
    }

    private static NpyHeader parse(byte[] text, Charset charset, int textAt, Place place) {
        Map<String, Object> d;
        try {
            d = PyLiteral.dict(text, charset);
        } catch (PyLiteral.Bad e) {
            throw place.bad(e.fact(), textAt + e.at(), e.expected());
        }
        for (String key : d.keySet()) {
            if (!key.equals("descr") && !key.equals("fortran_order") && !key.equals("shape")) {
                throw place.bad("unknown key '" + Place.shown(key) + "' in the header", textAt, KEYS);
            }
        }
        for (String key : List.of("descr", "fortran_order", "shape")) {
            if (!d.containsKey(key)) {
                throw place.bad("no key '" + key + "' in the header", textAt, KEYS);
            }
        }
        if (!(d.get("fortran_order") instanceof Boolean fortran)) {
            throw place.bad("fortran_order is " + text(d.get("fortran_order")), textAt, "True or False");
        }
        NpyType type = NpyType.of(d.get("descr"));
        if (type == null) {
            throw place.bad("descr is " + text(d.get("descr")), textAt, "an element type such as '<f4'");
        }
        Shape shape = shape(d.get("shape"), type, textAt, place);
        return new NpyHeader(type, fortran, shape, (long) textAt + text.length);
    }

    private static Shape shape(Object value, NpyType type, int textAt, Place place) {
        if (!(value instanceof PyLiteral.Tuple t)) {
            throw place.bad("shape is " + text(value), textAt, "a tuple of sizes such as (2, 3) or (4,)");
        }
        List<Object> items = t.items();
        long[] sizes = new long[items.size()];
        for (int i = 0; i < sizes.length; i++) {
            if (!(items.get(i) instanceof BigInteger n)) {
                throw place.bad("size of axis " + i + " is " + text(items.get(i)), textAt, "an integer");
            }
            if (n.signum() < 0) {
                throw place.bad("size of axis " + i + " is negative: " + n, textAt, "sizes of 0 or more");
            }
            if (n.bitLength() > 63) {
                throw place.bad("size of axis " + i + " is too large: " + n, textAt, "at most 2^59 elements");
            }
            sizes[i] = n.longValue();
        }
        try {
            Shape shape = Shape.of(sizes);
            if (type.itemBytes() > 0) {
                Math.multiplyExact(shape.size(), type.itemBytes());
            }
            return shape;
        } catch (ShapeException | ArithmeticException e) {
            throw place.bad("shape " + Place.shown(java.util.Arrays.toString(sizes)) + " has too many elements", textAt,
                    "at most 2^59 elements");
        }
    }

    private static String text(Object value) {
        return switch (value) {
            case String s -> "'" + Place.shown(s) + "'";
            case PyLiteral.Tuple t -> "a tuple of " + t.items().size();
            case List<?> l -> "a list of " + l.size();
            case Map<?, ?> _ -> "a dict";
            case Boolean b -> b ? "True" : "False";
            default -> Place.shown(value.toString());
        };
    }

    /** Bytes of all elements; 0 where the element type's width is unknown. */
    long dataBytes() {
        return type.itemBytes() < 0 ? 0 : shape.size() * type.itemBytes();
    }

    /** The element type, or the error that says why elements of this file cannot be read. */
    DType dtype(Place place) {
        if (type.problem() != null) {
            throw unsupported(place);
        }
        return type.dtype();
    }

    FormatException unsupported(Place place) {
        return place.bad(type.problem(), type.remedy());
    }

    Layout layout() {
        return fortranOrder ? Layout.columnMajor(shape) : Layout.contiguous(shape);
    }

    /** The bytes {@code numpy.save} writes before the elements of a C-ordered array. */
    static byte[] bytes(DType dtype, Shape shape) {
        List<String> sizes = new ArrayList<>();
        for (long n : shape.toArray()) {
            sizes.add(Long.toString(n));
        }
        String tuple = "(" + String.join(", ", sizes) + (sizes.size() == 1 ? ",)" : ")");
        StringBuilder text = new StringBuilder("{'descr': '" + NpyType.descr(dtype)
                + "', 'fortran_order': False, 'shape': " + tuple + ", }");
        if (!sizes.isEmpty()) {
            text.append(" ".repeat(GROWTH_DIGITS - sizes.get(0).length()));
        }
        int version = 1;
        int prefix = 10;
        if (padded(prefix, text.length()) - prefix > 0xFFFF) {
            version = 2;
            prefix = 12;
        }
        int total = padded(prefix, text.length());
        ByteBuffer out = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
        out.put(MAGIC).put((byte) version).put((byte) 0);
        if (version == 1) {
            out.putShort((short) (total - prefix));
        } else {
            out.putInt(total - prefix);
        }
        out.put(text.toString().getBytes(StandardCharsets.ISO_8859_1));
        while (out.position() < total - 1) {
            out.put((byte) ' ');
        }
        return out.put((byte) '\n').array();
    }

    /**
     * Bytes up to the first element. Where the text and its line end already fill a multiple of 64, NumPy adds another
     * 64 bytes of spaces; so does this.
     */
    private static int padded(int prefix, int text) {
        int used = prefix + text + 1;
        return used + ALIGN - used % ALIGN;
    }
}
