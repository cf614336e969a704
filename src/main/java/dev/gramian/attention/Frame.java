package dev.gramian.attention;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.NativeException;
import dev.gramian.core.ShapeException;

/** Names the composed operation in the errors of its parts. */
final class Frame {
    private Frame() {}

    /** The same kind of exception, {@code in op} in its text; {@code e} itself where it speaks of the op already. */
    static GramianException in(String op, GramianException e) {
        String text = e.getMessage();
        return text.startsWith(op + ":") || text.contains("; in " + op) ? e : more(e, "; in " + op);
    }

    /** The same kind of exception with {@code end} after its text. */
    static GramianException more(GramianException e, String end) {
        String text = e.getMessage() + end;
        return switch (e) {
            case ShapeException x -> new ShapeException(text, x);
            case DTypeException x -> new DTypeException(text, x);
            case DeviceException x -> new DeviceException(text, x);
            case ClosedException x -> new ClosedException(text, x);
            case NativeException x -> new NativeException(text, x);
            default -> new GramianException(text, e);
        };
    }
}
