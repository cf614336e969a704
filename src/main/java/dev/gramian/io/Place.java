package dev.gramian.io;

import dev.gramian.core.FormatException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A file, or {@code file:member}, as errors name it; makes the one-line errors of reading. */
record Place(String name) {
    private static final int LONGEST = 120;

    static Place of(Path file) {
        return new Place(printable(file.toString(), Integer.MAX_VALUE));
    }

    Place member(String member) {
        return new Place(name + ":" + shown(member));
    }

    FormatException bad(String fact, String expected) {
        return new FormatException("read: " + fact + "; " + name + "; expected " + expected);
    }

    /** As {@link #bad(String, String)} with the byte of the file (or of an inflated member) where it went wrong. */
    FormatException bad(String fact, long at, String expected) {
        return new FormatException("read: " + fact + "; " + name + ", at byte " + at + "; expected " + expected);
    }

    FormatException failed(IOException e) {
        String expected = "a readable file";
        String fact = switch (e) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            case ClosedByInterruptException _ -> "interrupted";
            default -> reason(e);
        };
        return new FormatException("read: " + fact + "; " + name + "; expected " + expected, e);
    }

    /** What the system said, on one line. */
    static String reason(IOException e) {
        String said = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
        return said == null ? e.getClass().getSimpleName() : printable(said, LONGEST);
    }

    /** Text from a file as errors show it: one line, not too long. */
    static String shown(String text) {
        return printable(text, LONGEST);
    }

    private static String printable(String text, int longest) {
        StringBuilder s = new StringBuilder(Math.min(text.length(), longest) + 8);
        for (int i = 0; i < text.length(); i++) {
            if (i >= longest) {
                return s.append("...").toString();
            }
            char c = text.charAt(i);
            int kind = Character.getType(c);
            boolean hidden = Character.isISOControl(c)
                    || kind == Character.LINE_SEPARATOR
                    || kind == Character.PARAGRAPH_SEPARATOR
                    || kind == Character.FORMAT
                    || kind == Character.SURROGATE && !paired(text, i);
            if (hidden) {
                s.append(String.format("\\u%04x", (int) c));
            } else {
                s.append(c);
            }
        }
        return s.toString();
    }

    private static boolean paired(String text, int i) {
        return Character.isHighSurrogate(text.charAt(i))
                ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }
}
