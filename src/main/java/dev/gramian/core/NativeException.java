package dev.gramian.core;

/**
 * A native library could not be loaded or reported a failure.
 */
public class NativeException extends GramianException {
    private static final long serialVersionUID = 1L;

    public NativeException(String message) {
        super(message);
    }

    public NativeException(String message, Throwable cause) {
        super(message, cause);
    }
}
