package dev.gramian.cli;

import dev.gramian.Device;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/** Lists every device with what it is made of, and what was found of CUDA or how far it came. */
@Command(name = "devices", description = "List the devices, or why one cannot be used.")
final class DevicesCommand extends GramianCommand {
    @Override
    public Integer call() {
        Device chosen = Device.of(main().device);
        List<String[]> rows = new ArrayList<>();
        for (Device d : Device.all()) {
            rows.add(new String[] {d == chosen && d.isAvailable() ? "*" : " ", d.name(), text(d)});
        }
        Text.table(rows).forEach(out()::println);
        out().println();
        out().println("CUDA");
        Device.diagnosis().forEach(line -> out().println("   " + line));
        if (!main().quiet) {
            out().println();
            out().println(
                    chosen.isAvailable() ? "* chosen by --device " + main().device : chosen.name() + " cannot be used");
        }
        return 0;
    }

    /** What a card lacks is told at length below the table. */
    private static String text(Device d) {
        String text = d.description();
        return d.isAvailable() || !d.name().startsWith("cuda") ? text : text.replaceFirst("; .*", "");
    }
}
