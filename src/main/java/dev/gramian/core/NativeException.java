package dev.gramian.core;

/**
 * A native library could not be loaded or reported a failure. On CUDA the text names the library, its status and what the
 * call was for; where it ends in {@code the device's context is lost} every later operation on that device fails the same
 * way.
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
