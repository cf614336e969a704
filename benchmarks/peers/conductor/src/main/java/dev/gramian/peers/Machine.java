package dev.gramian.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the processor is, from /proc and /sys. */
final class Machine {
    private Machine() {}

    static String describe() {
        String family = field("cpu family");
        String widest = List.of("avx512f", "avx2", "avx").stream()
                .filter(f -> (" " + field("flags") + " ").contains(" " + f + " ")).findFirst().orElse("no AVX");
        return Runtime.getRuntime().availableProcessors() + " cores of " + field("model name") + " (family " + family
                + ", model " + field("model") + ", " + widest + "; L2 " + cache(2) + " a core, L3 " + cache(3) + "), "
                + field("/proc/meminfo", "MemTotal") + ", Linux " + System.getProperty("os.version");
    }

    private static String field(String name) {
        return field("/proc/cpuinfo", name);
    }

    private static String field(String file, String name) {
        try (var lines = Files.lines(Path.of(file))) {
            return lines.filter(l -> l.matches(name + "\\s*:.*")).map(l -> l.substring(l.indexOf(':') + 1).strip())
                    .findFirst().orElse("?");
        } catch (IOException e) {
            return "?";
        }
    }

    private static String cache(int level) {
        for (int i = 0; i < 8; i++) {
            Path p = Path.of("/sys/devices/system/cpu/cpu0/cache/index" + i);
            try {
                if (Files.readString(p.resolve("level")).strip().equals(String.valueOf(level))) {
                    return Files.readString(p.resolve("size")).strip();
                }
            } catch (IOException e) {
                return "?";
            }
        }
        return "?";
    }
}
