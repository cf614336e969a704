package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.cuda.StandIns;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Commands with {@code --plot} on a runtime without java.desktop, as the one in the bundle for GPU hosts. */
final class NoDesktopTest {
    /** Files that are not there: what is said about the picture comes before any is read. */
    private static final List<String> LINES = List.of(
            "attend Q.npy K.npy V.npy --plot P.png",
            "bench add --shape 1,1 --sweep N=1 --plot P.png",
            "concentration X.npy --plot P.svg",
            "lora extract BASE TUNED --rank 2 -o DIR --plot P.png",
            "lowrank W.npy --rank 2 --plot P.png",
            "pca X.npy -k 2 --plot P.svg",
            "similarity X.npy --plot P.png",
            "svd A.npy --plot P.png",
            "words T.txt --plot P.png");

    @Test
    void eachCommandSaysThatItCannotDraw() throws Exception {
        Process p = StandIns.java(List.of("--limit-modules", "java.logging,java.xml,jdk.incubator.vector",
                "-Dgramian.cuda.libraries=none"), Commands.class).start();
        String said;
        try {
            said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            p.destroyForcibly();
        }
        assertEquals(LINES.stream()
                .map(l -> l + ": exit code 2\ngramian: plot: this runtime has no java.desktop module; "
                        + l.substring(l.lastIndexOf(' ') + 1) + "; leave out --plot, or run on a full JDK\n")
                .collect(Collectors.joining()), said);
    }

    @Test
    void thoseAreAllCommandsWithPlot() {
        assertEquals(
                new TreeSet<>(LINES.stream().map(l -> l.startsWith("lora") ? "extract" : l.split(" ")[0]).toList()),
                withPlot(new CommandLine(new Main()), new TreeSet<>()));
    }

    private static Set<String> withPlot(CommandLine line, Set<String> names) {
        if (line.getCommandSpec().findOption("--plot") != null) {
            names.add(line.getCommandName());
        }
        line.getSubcommands().values().forEach(c -> withPlot(c, names));
        return names;
    }

    /** Runs the lines and prints what they said. */
    static final class Commands {
        private Commands() {}

        public static void main(String[] args) {
            for (String l : LINES) {
                System.out.print(l + ": " + Cli.run(new ArrayList<Object>(List.of(l.split(" "))).toArray()));
            }
        }
    }
}
