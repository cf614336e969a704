package dev.gramian.core;

/**
 * Shapes, axes or indices do not fit the operation.
 */
public class ShapeException extends GramianException {
    private static final long serialVersionUID = 1L;

    public ShapeException(String message) {
        super(message);
    }

    public ShapeException(String message, Throwable cause) {
        super(message, cause);
    }
}
