package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.DeviceSpec;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds native-notes/semantics.md against the tests it names. */
class SemanticsPageTest {
    private static final int RULES = 44;
    /** A number, a sentence and tests, over several lines. */
    private static final Pattern RULE = Pattern.compile("(?ms)^(\\d+)\\. (.*?)(?=^\\d+\\. |^$|\\z)");
    private static final Pattern NAME = Pattern.compile("`(\\w+Test)\\.(\\w+)`");

    private static Map<Integer, String> rules() throws IOException {
        Map<Integer, String> rules = new TreeMap<>();
        Matcher m = RULE.matcher(Files.readString(Path.of("native-notes/semantics.md")));
        while (m.find()) {
            assertEquals(null, rules.put(Integer.parseInt(m.group(1)), m.group(2)), "rule " + m.group(1) + " twice");
        }
        return rules;
    }

    /** Test classes by simple name. */
    private static Map<String, List<Class<?>>> tests() throws Exception {
        Path root = Path.of(SemanticsPageTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(root)) {
            List<Class<?>> all = new ArrayList<>();
            for (Path f : files.filter(f -> f.toString().endsWith("Test.class")).toList()) {
                String path = root.relativize(f).toString();
                String name = path.substring(0, path.length() - ".class".length()).replace(f.getFileSystem()
                        .getSeparator(), ".");
                all.add(Class.forName(name, false, SemanticsPageTest.class.getClassLoader()));
            }
            return all.stream().collect(Collectors.groupingBy(Class::getSimpleName));
        }
    }

    private static boolean isTest(Class<?> c, String method) {
        for (Method m : c.getDeclaredMethods()) {
            if (m.getName().equals(method)
                    && (m.isAnnotationPresent(Test.class) || m.isAnnotationPresent(DeviceSpec.class))) {
                return true;
            }
        }
        return false;
    }

    @Test
    void everyRuleIsThereOnce() throws IOException {
        assertEquals(IntStream.rangeClosed(1, RULES).boxed().toList(), List.copyOf(rules().keySet()));
    }

    @Test
    void everyRuleIsASentenceWithTestsThatExist() throws Exception {
        Map<String, List<Class<?>>> tests = tests();
        List<String> wrong = new ArrayList<>();
        rules().forEach((number, text) -> {
            Matcher m = NAME.matcher(text);
            int names = 0;
            int end = -1;
            while (m.find()) {
                end = names++ == 0 ? m.start() : end;
                String method = m.group(2);
                if (tests.getOrDefault(m.group(1), List.of()).stream().noneMatch(c -> isTest(c, method))) {
                    wrong.add("rule " + number + ": there is no test " + m.group());
                }
            }
            if (names == 0 || !text.substring(0, end).strip().endsWith(".")) {
                wrong.add("rule " + number + " is no sentence with a test: " + text);
            }
        });
        assertEquals(List.of(), wrong);
    }

    /** Where epsilon goes and how steps are counted are to be stated by whoever adds one. */
    @Test
    void noOptimiserWithoutARule() throws Exception {
        Path root = Path.of(Device.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(root)) {
            assertEquals(List.of(), files.map(f -> String.valueOf(f.getFileName()))
                    .filter(n -> n.matches("(?i).*(adam|optimi[sz]er).*\\.class")).toList());
        }
    }

    @Test
    void thePageIsLinked() throws IOException {
        for (String page : List.of("README.md", "native-notes/README.md")) {
            assertTrue(Files.readString(Path.of(page)).contains("semantics.md"), page);
        }
    }
}
