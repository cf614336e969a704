package dev.gramian.cli;

import dev.gramian.core.GramianException;
import dev.gramian.core.MathMode;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line {@code gramian}. Exit codes: 0 success, 1 a check failed, 2 bad usage, files or operands, 70
 * anything unforeseen.
 */
@Command(
        name = "gramian",
        description = "Linear algebra and attention on .npy, .npz and .safetensors files.",
        footer = {
            "",
            "Tensors are named FILE.npy, FILE.npz:NAME or FILE.safetensors:NAME.",
            "A first look: gramian demo. Help on one command: gramian COMMAND --help."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        scope = ScopeType.INHERIT,
        sortOptions = false,
        usageHelpAutoWidth = true,
        subcommands = {
            DemoCommand.class,
            DevicesCommand.class,
            InfoCommand.class,
            AttendCommand.class,
            RopeCommand.class,
            MatMulCommand.class,
            EinsumCommand.class,
            SvdCommand.class,
            LowRankCommand.class,
            LoraCommand.class,
            BenchCommand.class,
            PcaCommand.class,
            SteerCommand.class,
            NeighborsCommand.class,
            SimilarityCommand.class,
            ConcentrationCommand.class,
            WordsCommand.class,
            AutoComplete.GenerateCompletion.class
        })
public final class Main implements Runnable {
    static final int CHECK_FAILED = 1;
    static final int BAD_INPUT = 2;
    static final int UNFORESEEN = 70;

    private static final String THREADS_PROPERTY = "gramian.threads";

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "auto",
            scope = ScopeType.INHERIT,
            description = "auto, cpu, cpu:native, cpu:vector, cpu:scalar, ...; see gramian devices. Default: auto.")
    String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            scope = ScopeType.INHERIT,
            description = "Threads of the CPU devices. Default: GRAMIAN_THREADS, else all cores.")
    Integer threads;

    @Option(
            names = "--math",
            paramLabel = "MODE",
            defaultValue = "ieee",
            completionCandidates = MathModes.class,
            scope = ScopeType.INHERIT,
            description = "What products may trade for speed on a GPU: ${COMPLETION-CANDIDATES}. Default: ieee.")
    MathMode math;

    @Option(
            names = "--quiet",
            scope = ScopeType.INHERIT,
            description = "Print only what was asked for: no closing line, no progress.")
    boolean quiet;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print the stack trace of a failure.")
    boolean debug;

    static final class MathModes implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("ieee", "tf32", "reduced").iterator();
        }
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {
                "gramian " + (version == null ? "(not from a jar)" : version) + ", Java "
                        + System.getProperty("java.version") + ", " + System.getProperty("os.name") + " "
                        + System.getProperty("os.arch")
            };
        }
    }

    public static void main(String[] args) {
        // UTF-8 whatever the locale: a container's POSIX locale would turn every arrow into a question mark
        PrintWriter out = utf8(FileDescriptor.out);
        PrintWriter err = utf8(FileDescriptor.err);
        int code = run(out, err, Ansi.AUTO, args);
        out.flush();
        err.flush();
        System.exit(code);
    }

    private static PrintWriter utf8(FileDescriptor to) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(to), StandardCharsets.UTF_8), true);
    }

    /** Runs one command line and returns its exit code. */
    static int run(PrintWriter out, PrintWriter err, Ansi ansi, String... args) {
        CommandLine line = new CommandLine(new Main());
        line.setOut(out);
        line.setErr(err);
        line.setColorScheme(CommandLine.Help.defaultColorScheme(ansi));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(Main::badUsage);
        line.setExecutionStrategy(Main::execute);
        return line.execute(args);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }

    private static int badUsage(ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        PrintWriter err = line.getErr();
        err.println(line.getColorScheme().errorText("gramian: " + e.getMessage()));
        CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
        err.println("Try '" + line.getCommandSpec().qualifiedName() + " --help'.");
        return BAD_INPUT;
    }

    private static int execute(ParseResult parsed) {
        Main main = parsed.commandSpec().commandLine().getCommand();
        try {
            main.prepare();
            return new CommandLine.RunLast().execute(parsed);
        } catch (ParameterException e) {
            throw e;
        } catch (Throwable e) { // an Error, too, ends in one line
            Throwable cause = e instanceof CommandLine.ExecutionException && e.getCause() != null ? e.getCause() : e;
            return main.failed(cause);
        }
    }

    /** Before any device loads. */
    private void prepare() {
        if (threads != null) {
            if (threads < 1 || threads > 4096) {
                throw new ParameterException(
                        spec.commandLine(),
                        "Invalid value for option '--threads': " + threads + " is not from 1 to 4096");
            }
            System.setProperty(THREADS_PROPERTY, threads.toString());
        }
    }

    private int failed(Throwable e) {
        PrintWriter err = spec.commandLine().getErr();
        boolean foreseen = e instanceof GramianException;
        String text;
        if (foreseen) {
            text = e.getMessage();
        } else if (e instanceof OutOfMemoryError) {
            text = "out of memory in the Java heap (" + e.getMessage()
                    + "); give it more with GRAMIAN_JAVA_OPTIONS=-Xmx8g; run again with --debug for details";
        } else {
            Throwable root = e;
            while (root.getCause() != null && root.getCause() != root) {
                root = root.getCause();
            }
            text = root + "; run again with --debug for details";
        }
        err.println(spec.commandLine().getColorScheme().errorText("gramian: " + text.replaceAll("\\s*\\R\\s*", " ")));
        if (debug) {
            e.printStackTrace(err);
        }
        return foreseen ? BAD_INPUT : UNFORESEEN;
    }
}
