package dev.gramian.cpu;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether the JDK brings vector forms of exp, log, sin and the like (Intel's SVML on x64, SLEEF on Linux arm64). Without
 * them the Vector API runs such functions lane by lane through boxes, slower than a scalar loop.
 */
final class VectorLibrary {
    static final boolean PRESENT = present();

    private VectorLibrary() {}

    private static boolean present() {
        Path home = Path.of(System.getProperty("java.home", ""));
        return Files.exists(home.resolve("lib").resolve(System.mapLibraryName("jsvml")))
                || Files.exists(home.resolve("bin").resolve(System.mapLibraryName("jsvml")))
                || Files.exists(home.resolve("lib").resolve(System.mapLibraryName("sleef")));
    }
}
