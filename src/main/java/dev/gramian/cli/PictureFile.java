package dev.gramian.cli;

import dev.gramian.core.FormatException;
import dev.gramian.core.GramianException;
import java.nio.file.Path;
import java.util.Locale;

/** What can be said of a picture before it is drawn. Needs no class of java.desktop, which a small runtime lacks. */
final class PictureFile {
    private PictureFile() {}

    /** Refuses what {@link Picture} could not draw or write, before the work is done; null is fine. */
    static void check(Path file) {
        if (file != null && !named(file, ".png") && !isSvg(file)) {
            throw new FormatException(
                    "plot: unknown kind of picture; " + file + "; give a name that ends with .png or .svg");
        }
        checkRuntime(file);
    }

    /** Refuses any picture where this runtime cannot draw; null is fine. */
    static void checkRuntime(Path file) {
        if (file != null && ClassLoader.getPlatformClassLoader().getResource("java/awt/Font.class") == null) {
            throw new GramianException("plot: this runtime has no java.desktop module; " + file
                    + "; leave out --plot, or run on a full JDK");
        }
    }

    static boolean isSvg(Path file) {
        return named(file, ".svg");
    }

    private static boolean named(Path file, String end) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(end);
    }
}
