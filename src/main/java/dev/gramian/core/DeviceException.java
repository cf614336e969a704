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

    /** That a device has no room, in words. */
    public static DeviceException outOfMemory(String message) {
        return new OutOfMemory(message);
    }

    /** Whether the device had no room: with scopes closed, or in smaller parts, the same may work. */
    public boolean isOutOfMemory() {
        return getCause() instanceof DeviceException cause && cause.isOutOfMemory();
    }

    private static final class OutOfMemory extends DeviceException {
        private static final long serialVersionUID = 1L;

        OutOfMemory(String message) {
            super(message);
        }

        @Override
        public boolean isOutOfMemory() {
            return true;
        }
    }
}
