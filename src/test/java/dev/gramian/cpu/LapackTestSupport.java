package dev.gramian.cpu;

import java.util.stream.Stream;

/** The implementations there are on this machine. */
final class LapackTestSupport {
    private LapackTestSupport() {}

    static Stream<Lapack> implementations() {
        return Stream.of(new JavaLapack());
    }
}
