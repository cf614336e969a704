package dev.gramian.core;

/**
 * A device is unavailable, out of memory, or operands live on different devices.
 */
public class DeviceException extends GramianException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }

    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
