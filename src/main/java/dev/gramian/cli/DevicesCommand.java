package dev.gramian.cli;

import dev.gramian.Device;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/** Lists every device with what it is made of, or why it cannot be used. */
@Command(name = "devices", description = "List the devices, or why one cannot be used.")
final class DevicesCommand extends GramianCommand {
    @Override
    public Integer call() {
        Device chosen = Device.of(main.device);
        List<String[]> rows = new ArrayList<>();
        for (Device d : Device.all()) {
            rows.add(new String[] {d == chosen && d.isAvailable() ? "*" : " ", d.name(), d.description()});
        }
        Text.table(rows).forEach(out()::println);
        if (!main.quiet) {
            out().println();
            out().println(
                    chosen.isAvailable() ? "* chosen by --device " + main.device : chosen.name() + " cannot be used");
        }
        return 0;
    }
}
