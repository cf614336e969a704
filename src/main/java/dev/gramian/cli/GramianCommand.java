package dev.gramian.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** What every command has: the global options and the two streams. Its value is the exit code. */
abstract class GramianCommand implements Callable<Integer> {
    @ParentCommand
    private Object parent;

    @Spec
    CommandSpec spec;

    /** Also of a command below another. */
    Main main() {
        return parent instanceof GramianCommand g ? g.main() : (Main) parent;
    }

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    PrintWriter err() {
        return spec.commandLine().getErr();
    }

    Session session() {
        return new Session(main(), out(), err());
    }
}
