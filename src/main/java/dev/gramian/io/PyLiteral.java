package dev.gramian.io;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the Python literal of an npy header: dicts, tuples, lists, strings, integers (with the {@code L} of Python 2),
 * {@code True}, {@code False} and {@code None}. Works on bytes so that positions in errors are positions in the file.
 *
 * <p>Values: {@link Map}, {@link Tuple}, {@link List}, {@link String}, {@link BigInteger}, {@link Boolean},
 * {@link #NONE}.
 */
final class PyLiteral {
    static final Object NONE = new Object() {
        @Override
        public String toString() {
            return "None";
        }
    };

    /** Deeper nesting than any dtype NumPy makes; keeps hostile headers off the stack's end. */
    private static final int DEEPEST = 32;

    record Tuple(List<Object> items) {}

    /** What was found where something else was expected; {@link #at} counts from the literal's first byte. */
    static final class Bad extends Exception {
        private static final long serialVersionUID = 1L;
        private final String fact;
        private final String expected;
        private final int at;

        Bad(String fact, int at, String expected) {
            super(fact, null, false, false);
            this.fact = fact;
            this.expected = expected;
            this.at = at;
        }

        String fact() {
            return fact;
        }

        String expected() {
            return expected;
        }

        int at() {
            return at;
        }
    }

    private final byte[] text;
    private final Charset charset;
    private int at;

    private PyLiteral(byte[] text, Charset charset) {
        this.text = text;
        this.charset = charset;
    }

    /** The dict that fills {@code text}, white space around it allowed. */
    static Map<String, Object> dict(byte[] text, Charset charset) throws Bad {
        PyLiteral p = new PyLiteral(text, charset);
        p.skip();
        if (p.peek() != '{') {
            throw p.unexpected("a dict '{...}'");
        }
        Map<String, Object> d = p.dict(0);
        p.skip();
        if (p.at < text.length) {
            throw p.unexpected("nothing after the dict");
        }
        return d;
    }

    private Object value(int depth) throws Bad {
        if (depth > DEEPEST) {
            throw new Bad("header is nested too deeply", at, "at most " + DEEPEST + " levels");
        }
        int c = peek();
        return switch (c) {
            case '{' -> dict(depth);
            case '(' -> tuple(depth);
            case '[' -> list(depth);
            case '\'', '"' -> string();
            case 'T', 'F', 'N' -> word();
            default -> {
                if (c == '-' || c == '+' || isDigit(c)) {
                    yield integer();
                }
                throw unexpected("a value");
            }
        };
    }

    private Map<String, Object> dict(int depth) throws Bad {
        at++;
        Map<String, Object> d = new LinkedHashMap<>();
        skip();
        while (peek() != '}') {
            int keyAt = at;
            if (peek() != '\'' && peek() != '"') {
                throw unexpected("a key in quotes");
            }
            String key = string();
            skip();
            require(':');
            skip();
            if (d.put(key, value(depth + 1)) != null) {
                throw new Bad("key '" + Place.shown(key) + "' occurs twice", keyAt, "each key once");
            }
            skip();
            if (peek() != '}') {
                require(',');
                skip();
            }
        }
        at++;
        return d;
    }

    /** {@code (1, 2)}, {@code (1,)}, {@code ()}; parentheses around one value without a comma only group. */
    private Object tuple(int depth) throws Bad {
        at++;
        List<Object> items = new ArrayList<>();
        boolean comma = items(')', items, depth);
        return items.size() == 1 && !comma ? items.get(0) : new Tuple(items);
    }

    private List<Object> list(int depth) throws Bad {
        at++;
        List<Object> items = new ArrayList<>();
        items(']', items, depth);
        return items;
    }

    /** True if a comma was seen. */
    private boolean items(char close, List<Object> items, int depth) throws Bad {
        boolean comma = false;
        skip();
        while (peek() != close) {
            items.add(value(depth + 1));
            skip();
            if (peek() != close) {
                require(',');
                comma = true;
                skip();
            }
        }
        at++;
        return comma;
    }

    private String string() throws Bad {
        int quote = text[at];
        int start = ++at;
        while (at < text.length && text[at] != quote) {
            if (text[at] == '\\' || text[at] == '\n') {
                throw unexpected("a string without escapes or line ends");
            }
            at++;
        }
        if (at >= text.length) {
            throw unexpected("a closing quote");
        }
        try {
            return charset.newDecoder()
                    .decode(ByteBuffer.wrap(text, start, at++ - start))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Bad("text is not " + charset, start, charset + " text");
        }
    }

    private Object word() throws Bad {
        for (Map.Entry<String, Object> w : Map.of("True", (Object) true, "False", false, "None", NONE).entrySet()) {
            int end = at + w.getKey().length();
            if (end <= text.length
                    && new String(text, at, end - at, charset).equals(w.getKey())
                    && (end == text.length || !Character.isLetterOrDigit(text[end]) && text[end] != '_')) {
                at = end;
                return w.getValue();
            }
        }
        throw unexpected("True, False or None");
    }

    private BigInteger integer() throws Bad {
        int start = at;
        if (text[at] == '-' || text[at] == '+') {
            at++;
        }
        int digits = at;
        while (isDigit(peek())) {
            at++;
        }
        if (at == digits || at - digits > 40) {
            throw new Bad(at == digits ? "number without digits" : "number of " + (at - digits) + " digits", start,
                    "an integer");
        }
        BigInteger v = new BigInteger(new String(text, start, at - start, charset));
        if (peek() == 'L') {
            at++;
        }
        return v;
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private void skip() {
        while (at < text.length && (text[at] == ' ' || text[at] >= '\t' && text[at] <= '\r')) {
            at++;
        }
    }

    /** The next byte, -1 at the end. */
    private int peek() {
        return at < text.length ? text[at] & 0xFF : -1;
    }

    private void require(char c) throws Bad {
        if (peek() != c) {
            throw unexpected("'" + c + "'");
        }
        at++;
    }

    private Bad unexpected(String expected) {
        int c = peek();
        String found = c < 0
                ? "header ends too early"
                : c > ' ' && c < 0x7F ? "header has '" + (char) c + "'" : String.format("header has byte %02x", c);
        return new Bad(found, at, expected);
    }
}
