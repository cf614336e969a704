package dev.gramian.io;

import dev.gramian.core.DType;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;

/**
 * Element type of an npy file.
 *
 * <p>NumPy has no bfloat16 of its own: {@code ml_dtypes.bfloat16} is stored as two opaque bytes, {@code <V2} or
 * {@code |V2}. Two opaque bytes are therefore read as BF16, and BF16 is written as {@code <V2}; in Python
 * {@code np.load(f).view(ml_dtypes.bfloat16)} gives the numbers back.
 *
 * @param descr as in the file, {@code <f4}
 * @param dtype null where there is no counterpart; {@link #problem} then says why
 * @param order of the bytes of one element
 * @param itemBytes bytes of one element, -1 if unknown
 * @param problem null, or the fact why elements cannot be read
 * @param remedy what the reader of an error should do about the problem
 */
record NpyType(String descr, DType dtype, ByteOrder order, long itemBytes, String problem, String remedy) {
    private static final Map<String, DType> CODES = Map.of(
            "f8", DType.F64,
            "f4", DType.F32,
            "f2", DType.F16,
            "V2", DType.BF16,
            "i8", DType.I64,
            "i4", DType.I32,
            "u1", DType.U8,
            "b1", DType.BOOL);

    private static final String READABLE = "f8, f4, f2, i8, i4, u1, b1 or V2 (bfloat16)";

    private record Advice(String name, String convert) {}

    private static final Map<String, Advice> KNOWN = Map.ofEntries(
            Map.entry("i1", new Advice("int8", "int32")),
            Map.entry("i2", new Advice("int16", "int32")),
            Map.entry("u2", new Advice("uint16", "int32")),
            Map.entry("u4", new Advice("uint32", "int64")),
            Map.entry("u8", new Advice("uint64", "int64")),
            Map.entry("f16", new Advice("longdouble", "float64")),
            Map.entry("f12", new Advice("longdouble", "float64")));

    /** What NumPy writes for a type: little-endian, no order for single bytes. */
    static String descr(DType dtype) {
        return switch (dtype) {
            case F64 -> "<f8";
            case F32 -> "<f4";
            case F16 -> "<f2";
            case BF16 -> "<V2";
            case I64 -> "<i8";
            case I32 -> "<i4";
            case U8 -> "|u1";
            case BOOL -> "|b1";
        };
    }

    /** The type a header's {@code descr} value means; null if it is not a type description at all. */
    static NpyType of(Object descr) {
        return switch (descr) {
            case String s -> simple(s);
            case List<?> fields ->
                new NpyType("structured", null, ByteOrder.nativeOrder(), -1,
                        "structured element type with " + fields.size() + " field" + (fields.size() == 1 ? "" : "s"),
                        "one number per element; save one field with np.save(f, arr['name'])");
            case PyLiteral.Tuple _ ->
                new NpyType("subarray", null, ByteOrder.nativeOrder(), -1,
                        "sub-array element type", "one number per element; save arr.view of the base type");
            default -> null;
        };
    }

    private static NpyType simple(String s) {
        if (s.equals("bfloat16")) {
            return new NpyType(s, DType.BF16, ByteOrder.LITTLE_ENDIAN, 2, null, null);
        }
        boolean marked = !s.isEmpty() && "<>=|".indexOf(s.charAt(0)) >= 0;
        String code = marked ? s.substring(1) : s;
        ByteOrder order = !marked || s.charAt(0) == '=' || s.charAt(0) == '|'
                ? ByteOrder.nativeOrder()
                : s.charAt(0) == '<' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        DType dtype = CODES.get(code);
        if (dtype != null) {
            return new NpyType(s, dtype, order, dtype.bytes(), null, null);
        }
        String shown = "'" + Place.shown(s) + "'";
        long width = width(code);
        Advice known = KNOWN.get(code);
        if (known != null) {
            return new NpyType(s, null, order, width,
                    "element type " + known.name + " (" + shown + ") is not supported",
                    READABLE + "; convert with arr.astype('" + known.convert + "')");
        }
        char kind = code.isEmpty() ? '?' : code.charAt(0);
        return switch (kind) {
            case 'c' ->
                new NpyType(s, null, order, width, "element type complex (" + shown + ") is not supported",
                        READABLE + "; save arr.real and arr.imag, or convert with arr.real.astype('float32')");
            case 'S', 'a', 'U' ->
                new NpyType(s, null, order, kind == 'U' && width >= 0 ? 4 * width : width,
                        "element type text (" + shown + ") is not supported",
                        READABLE + "; convert numbers in text with arr.astype('float32')");
            case 'O' ->
                new NpyType(s, null, order, -1,
                        "element type Python object (" + shown + ") is never loaded: it would run code from the file",
                        READABLE + "; convert with arr.astype('float32')");
            case 'M', 'm' ->
                new NpyType(s, null, order, 8, "element type date or time (" + shown + ") is not supported",
                        READABLE + "; convert with arr.astype('int64')");
            case 'V' ->
                new NpyType(s, null, order, width, "element type of opaque bytes (" + shown + ") is not supported",
                        READABLE + "; convert with arr.astype('float32') where it was written");
            default ->
                new NpyType(s, null, order, -1, "element type " + shown + " is unknown",
                        READABLE + "; convert with arr.astype('float32')");
        };
    }

    private static long width(String code) {
        if (code.length() < 2 || code.length() > 10) {
            return -1;
        }
        for (int i = 1; i < code.length(); i++) {
            if (code.charAt(i) < '0' || code.charAt(i) > '9') {
                return -1;
            }
        }
        return Long.parseLong(code.substring(1));
    }
}
