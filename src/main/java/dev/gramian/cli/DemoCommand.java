package dev.gramian.cli;

import picocli.CommandLine.Command;

/** The walk of {@link Demo} over files that come with the program. */
@Command(
        name = "demo",
        description = "A walk through attention and the SVD on files that come with the program, every step with its"
                + " shape.")
final class DemoCommand extends GramianCommand {
    @Override
    public Integer call() {
        try (Session s = session()) {
            return new Demo(s, out(), spec.commandLine().getColorScheme().ansi()).run();
        }
    }
}
