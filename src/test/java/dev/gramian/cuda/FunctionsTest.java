package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** functions.txt is what this package calls: compared with its byte code and with what JCuda's natives import. */
final class FunctionsTest {
    private record Binding(String library, String natives) {}

    private static final Map<String, Binding> BINDINGS = Map.of(
            "jcuda.driver.JCudaDriver", new Binding("libcuda", "JCudaDriver"),
            "jcuda.jcublas.JCublas2", new Binding("libcublas", "JCublas2"),
            "jcuda.jcusolver.JCusolverDn", new Binding("libcusolver", "JCusolver"),
            "jcuda.nvrtc.JNvrtc", new Binding("libnvrtc", "JNvrtc"));

    @TempDir
    Path dir;

    @Test
    void theListIsWhatIsCalled() throws Exception {
        JavaClasses classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.gramian.cuda");
        Map<String, Set<String>> called = new TreeMap<>();
        for (var c : classes) {
            for (JavaCodeUnitAccess<?> call : c.getCodeUnitAccessesFromSelf()) {
                Binding b = BINDINGS.get(call.getTargetOwner().getName());
                if (b != null) {
                    called.computeIfAbsent(b.library, k -> new TreeSet<>()).addAll(imported(b, call.getName()));
                }
            }
        }
        assertTrue(called.size() >= 3, called.toString());
        for (Binding b : BINDINGS.values()) {
            String expected = called.getOrDefault(b.library, Set.of()).stream().map(f -> b.library + " " + f + "\n")
                    .collect(Collectors.joining());
            String listed = Functions.of(b.library).stream().map(f -> b.library + " " + f + "\n")
                    .collect(Collectors.joining());
            assertEquals(expected, listed, "src/main/resources/dev/gramian/cuda/functions.txt");
        }
    }

    /** The C functions behind a method, whose names may have suffixes. */
    private Set<String> imported(Binding b, String method) throws Exception {
        String name = method.replaceFirst("_new$", "");
        Set<String> all = imports(b.natives);
        Set<String> found = new TreeSet<>();
        for (String suffix : List.of("", "_v2", "_v3", "WithFlags")) {
            if (found.isEmpty() && all.contains(name + suffix)) {
                found.add(name + suffix);
            }
        }
        // setExceptionsEnabled and the like are JCuda's own
        assertTrue(!found.isEmpty() || !name.matches("(cu|cublas|cusolverDn|nvrtc)[A-Z].*"),
                method + " is bound to a function of another name");
        return found;
    }

    private final Map<String, Set<String>> importsOf = new TreeMap<>();

    private Set<String> imports(String natives) throws IOException, InterruptedException {
        if (!importsOf.containsKey(natives)) {
            Path file = dir.resolve(natives + ".so");
            try (InputStream in = FunctionsTest.class
                    .getResourceAsStream("/lib/lib" + natives + "-12.6.0-linux-x86_64.so")) {
                Files.write(file, in.readAllBytes());
            }
            Process p;
            try {
                p = new ProcessBuilder("nm", "-D", "-u", file.toString()).start();
            } catch (IOException e) {
                assumeTrue(false, "no nm: " + e.getMessage());
                throw e;
            }
            String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, p.waitFor());
            importsOf.put(natives, text.lines().map(l -> l.replaceFirst(".* U ", "").replaceFirst("@.*", "").strip())
                    .collect(Collectors.toSet()));
        }
        return importsOf.get(natives);
    }
}
