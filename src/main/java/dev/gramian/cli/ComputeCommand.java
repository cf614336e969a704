package dev.gramian.cli;

import picocli.CommandLine.Option;

/** A command that computes: its operations can be listed. */
abstract class ComputeCommand extends GramianCommand {
    @Option(
            names = "--trace",
            description = "At the end print each operation with its shapes, time and GFLOP/s to the error stream.")
    private boolean trace;

    @Override
    Session session() {
        Session s = super.session();
        return trace ? s.tracing() : s;
    }
}
