package dev.gramian.core;

/**
 * Root of every failure this library reports. Messages read {@code op: fact; operands; hint}.
 */
public class GramianException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public GramianException(String message) {
        super(message);
    }

    public GramianException(String message, Throwable cause) {
        super(message, cause);
    }
}
