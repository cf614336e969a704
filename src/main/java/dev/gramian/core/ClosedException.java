package dev.gramian.core;

/**
 * A tensor or scope was used after its end, on the wrong thread, or with no scope open.
 */
public class ClosedException extends GramianException {
    private static final long serialVersionUID = 1L;

    public ClosedException(String message) {
        super(message);
    }

    public ClosedException(String message, Throwable cause) {
        super(message, cause);
    }
}
