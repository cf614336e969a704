package dev.gramian.cpu;

import java.util.stream.Stream;

/** The implementations there are on this machine. */
final class LapackTestSupport {
    private LapackTestSupport() {}

    static Stream<Lapack> implementations() {
        NativeLibrary library = NativeLibrary.openBlas();
        if (!library.isPresent()) {
            System.out.println("LAPACK is not tested here: " + library.reason());
            return Stream.of(new JavaLapack());
        }
        return Stream.of(new JavaLapack(), new OpenBlasLapack(library));
    }
}
