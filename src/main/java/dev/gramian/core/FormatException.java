package dev.gramian.core;

/**
 * A tensor file could not be read or written: missing, damaged, of an unknown or unsupported form. Messages are one line,
 * {@code read: fact; file, at byte N; expected ...}.
 */
public class FormatException extends GramianException {
    private static final long serialVersionUID = 1L;

    public FormatException(String message) {
        super(message);
    }

    public FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
