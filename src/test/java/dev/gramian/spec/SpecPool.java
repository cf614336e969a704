package dev.gramian.spec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Runs the device specs and the tests of the CUDA package without Maven, in several JVMs that take turns at the classes:
 *
 * <pre>SpecPool [-w WORKERS] [-u UNTIL] [-c SECONDS_PER_CLASS] [-m REGEX] OUTPUT_DIRECTORY</pre>
 *
 * <p>UNTIL is in seconds since 1970: on a busy machine some pass before this JVM can count them. JVM flags and properties
 * are those it was started with. A JVM that dies, hangs or loses its device costs the class that ran; the next class gets
 * a new one. Writes {@code spec-summary.json} (devices as the build's file of that name has them, failures with their
 * messages, what was stopped or not run). Exit codes: 0 all passed, 1 some failed or were stopped, 4 none did but time
 * ran out.
 */
public final class SpecPool {
    private static final int CUT_SHORT = 4;

    /** Begun last: gigabytes, which take a slow machine minutes. */
    private static final Set<String> LAST = Set.of("dev.gramian.LargeTensorTest");

    private final Path out;
    private final long deadline;
    private final long perClass;
    private final Queue<String> classes = new ConcurrentLinkedQueue<>();
    private final List<ObjectNode> stopped = new ArrayList<>();

    private SpecPool(Path out, double seconds, long perClass) {
        this.out = out;
        this.deadline = System.nanoTime() + (long) (1e9 * seconds);
        this.perClass = perClass;
    }

    public static void main(String[] args) throws Exception {
        int workers = 1;
        double until = System.currentTimeMillis() / 1e3 + 3600;
        long perClass = 120;
        String match = ".*";
        int i = 0;
        for (; i + 1 < args.length && args[i].startsWith("-"); i += 2) {
            switch (args[i]) {
                case "-w" -> workers = Integer.parseInt(args[i + 1]);
                case "-u" -> until = Double.parseDouble(args[i + 1]);
                case "-c" -> perClass = Long.parseLong(args[i + 1]);
                case "-m" -> match = args[i + 1];
                default -> throw new IllegalArgumentException(args[i]);
            }
        }
        Path out = Path.of(args[i]).toAbsolutePath();
        Files.createDirectories(out);
        String pattern = match;
        List<String> names = specClasses().stream().filter(n -> n.matches(pattern)).toList();
        if (names.isEmpty()) {
            System.err.println("no test classes match " + match);
            System.exit(1);
        }
        System.exit(run(names, workers, until - System.currentTimeMillis() / 1e3, perClass, out));
    }

    /** Runs classes; the exit code. */
    static int run(List<String> names, int workers, double seconds, long perClass, Path out)
            throws IOException, InterruptedException {
        SpecPool pool = new SpecPool(out, seconds, perClass);
        names.stream().filter(n -> !LAST.contains(n)).forEach(pool.classes::add);
        names.stream().filter(LAST::contains).forEach(pool.classes::add);
        pool.run(workers);
        return pool.summarise();
    }

    /** Classes with device specs, and those of the CUDA package with tests of any kind. */
    static List<String> specClasses() throws IOException, URISyntaxException {
        Path root = Path.of(SpecPool.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path f : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
                String path = root.relativize(f).toString();
                String name = path.substring(0, path.length() - 6).replace(File.separatorChar, '.');
                if (!name.contains("$") && hasSpecs(name)) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    private static boolean hasSpecs(String name) {
        try {
            Class<?> c = Class.forName(name, false, SpecPool.class.getClassLoader());
            for (Method m : c.getDeclaredMethods()) {
                if (m.isAnnotationPresent(DeviceSpec.class)
                        || c.getPackageName().equals("dev.gramian.cuda") && m.isAnnotationPresent(Test.class)) {
                    return true;
                }
            }
        } catch (ClassNotFoundException | LinkageError e) {
            // tests of what is not on the class path: nothing that is run here
        }
        return false;
    }

    private void run(int workers) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            int number = i;
            Thread t = new Thread(() -> work(number), "worker " + i);
            t.start();
            threads.add(t);
        }
        for (Thread t : threads) {
            t.join();
        }
    }

    private void work(int number) {
        Child child = null;
        try {
            for (String name = classes.poll(); name != null; name = classes.poll()) {
                long left = (deadline - System.nanoTime()) / 1_000_000_000L;
                if (left < 1) {
                    stop(name, null, "left out", "no time left");
                    continue;
                }
                if (child == null) {
                    child = new Child(number);
                }
                String answer = child.ask(name, Math.min(left, perClass));
                System.out.println(name + ": " + answer);
                if (!answer.equals("done")) {
                    child.kill();
                    child = null;
                    boolean late = answer.startsWith("no end") && left < perClass;
                    stop(name, lastStarted(number, name), late ? "left out" : "stopped", answer.equals("lost")
                            ? "the device was lost; a new process went on with the next class"
                            : late ? "no time left" : answer);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            if (child != null) {
                child.end();
            }
        }
    }

    private synchronized void stop(String name, String test, String status, String why) {
        ObjectNode node = SpecRun.JSON.createObjectNode().put("class", name).put("status", status).put("message", why);
        if (test != null) {
            node.put("test", test);
        }
        stopped.add(node);
    }

    private Path results(int number) {
        return out.resolve("specs-" + number + ".jsonl");
    }

    /** The test of the class that started last, where it did not end. */
    private String lastStarted(int number, String name) throws IOException {
        String test = null;
        for (JsonNode n : read(results(number))) {
            if (n.path("class").asText().equals(name)) {
                test = n.path("status").asText().equals("started") ? n.path("test").asText() : null;
            }
        }
        return test;
    }

    /** One JVM that runs classes. */
    private final class Child {
        private final Process process;
        private final BufferedWriter to;
        private final BufferedReader from;

        Child(int number) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
            // where this runs there are no sources to build the emulation of; gramian.cuda.libraries may name a built one
            command.add("-Dgramian.cuda.emulated=false");
            command.addAll(List.of("-cp", classPath(), SpecRun.class.getName(), results(number).toString()));
            Path directory = Files.createDirectories(out.resolve("work-" + number));
            process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectError(ProcessBuilder.Redirect.appendTo(out.resolve("specs-" + number + ".log").toFile()))
                    .start();
            to = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
            from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        /** Absolute: the child runs in a directory of its own, where tests may write. */
        private static String classPath() {
            return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                    .map(p -> Path.of(p).toAbsolutePath().toString()).collect(Collectors.joining(File.pathSeparator));
        }

        /** {@code done}, {@code lost}, or what became of the process. */
        String ask(String name, long seconds) throws IOException {
            String[] answer = new String[1];
            Thread reader = new Thread(() -> {
                try {
                    answer[0] = from.readLine();
                } catch (IOException e) {
                    // the process is gone
                }
            });
            try {
                to.write(name + "\n");
                to.flush();
                reader.start();
                reader.join(TimeUnit.SECONDS.toMillis(seconds));
                if (reader.isAlive()) {
                    return "no end after " + seconds + " s";
                }
                if (answer[0] == null) {
                    return process.waitFor(5, TimeUnit.SECONDS)
                            ? "the JVM ended with exit code " + process.exitValue()
                            : "the JVM closed its output";
                }
                return answer[0];
            } catch (IOException e) {
                return "the JVM is gone: " + e.getMessage();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return "interrupted";
            }
        }

        void kill() {
            process.destroyForcibly();
        }

        void end() {
            try {
                to.close();
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    kill();
                }
            } catch (IOException e) {
                kill();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // ---- summary -----------------------------------------------------------------------------------------------------

    private static List<JsonNode> read(Path file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
            try {
                lines.add(SpecRun.JSON.readTree(line));
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                // cut off when the process was stopped
            }
        }
        return lines;
    }

    private int summarise() throws IOException {
        Map<String, SpecSummary.Counts> devices = new TreeMap<>();
        ArrayNode failures = SpecRun.JSON.createArrayNode();
        try (Stream<Path> files = Files.list(out)) {
            for (Path f : files.filter(f -> f.toString().endsWith(".jsonl")).sorted().toList()) {
                for (JsonNode n : read(f)) {
                    count(devices.computeIfAbsent(n.path("device").asText("any"), d -> new SpecSummary.Counts()), n);
                    if (n.path("status").asText().equals("failed")) {
                        failures.add(n);
                    }
                }
            }
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("devices", devices);
        json.put("failures", failures);
        json.put("stopped", stopped);
        SpecRun.JSON.writer(SerializationFeature.INDENT_OUTPUT)
                .writeValue(out.resolve("spec-summary.json").toFile(), json);
        devices.forEach((name, c) -> System.out.printf("%-12s %6d passed %4d failed %4d skipped%n", name, c.passed,
                c.failed, c.skipped));
        long late = stopped.stream().filter(s -> s.path("status").asText().equals("left out")).count();
        long dead = stopped.size() - late;
        System.out.println(failures.size() + " tests failed, " + dead + " classes were stopped, " + late
                + " left out for time");
        return failures.size() + dead > 0 ? 1 : late > 0 ? CUT_SHORT : 0;
    }

    private static void count(SpecSummary.Counts c, JsonNode n) {
        switch (n.path("status").asText()) {
            case "passed" -> c.passed++;
            case "failed" -> c.failed++;
            case "skipped" -> SpecSummary.skip(c, n.path("message").asText("skipped"));
            default -> {
                // started
            }
        }
    }
}
