package dev.gramian.core;

/**
 * An element type does not fit the operation, or operands differ in element type.
 */
public class DTypeException extends GramianException {
    private static final long serialVersionUID = 1L;

    public DTypeException(String message) {
        super(message);
    }

    public DTypeException(String message, Throwable cause) {
        super(message, cause);
    }
}
