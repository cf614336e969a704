package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the README promises about code and versions. */
final class ReadmeTest {
    private static String readme() throws Exception {
        return Files.readString(Path.of("README.md"));
    }

    @Test
    void theExampleIsTheFileThatCompiles() throws Exception {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme());
        assertTrue(block.find());
        assertEquals(Files.readString(Path.of("src/examples/java/Quickstart.java")), block.group(1));
    }

    @Test
    void theExamplePrintsWhatIsSaid() throws Exception {
        Method main = Class.forName("Quickstart").getDeclaredMethod("main", String[].class);
        main.setAccessible(true);
        PrintStream usual = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            main.invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(usual);
        }
        String line = printed.toString(StandardCharsets.UTF_8).strip();
        assertTrue(readme().contains("`" + line + "`"), line);
    }

    @Test
    void dependenciesAreThoseOfThePom() throws Exception {
        String readme = readme();
        Matcher version = Pattern.compile("<version\\.(\\w+)>(.*?)</version")
                .matcher(Files.readString(Path.of("pom.xml")));
        int count = 0;
        while (version.find()) {
            assertTrue(readme.contains(" " + version.group(2)), version.group(1) + " " + version.group(2));
            count++;
        }
        assertTrue(count >= 6);
    }

    @Test
    void everyCommandIsMentioned() throws Exception {
        String readme = readme();
        for (String name : new picocli.CommandLine(new Main()).getSubcommands().keySet()) {
            assertTrue(readme.contains(name), name);
        }
    }
}
