package dev.gramian.cli;

import dev.gramian.core.Bytes;
import dev.gramian.core.GramianException;
import dev.gramian.io.TensorEntry;
import dev.gramian.io.TensorFile;
import dev.gramian.io.TensorFiles;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Lists the tensors of files by their headers; no element is read. */
@Command(name = "info", description = "List the tensors of .npy, .npz and .safetensors files without reading them.")
final class InfoCommand extends GramianCommand {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Files to list.")
    private List<Path> files;

    @Override
    public Integer call() {
        int code = 0;
        boolean first = true;
        for (Path file : files) {
            try {
                TensorFile f = TensorFiles.open(file);
                if (!first) {
                    out().println();
                }
                print(f);
                first = false;
            } catch (GramianException e) {
                // the other files are still worth listing
                err().println("gramian: " + e.getMessage());
                if (main().debug) {
                    e.printStackTrace(err());
                }
                code = Main.BAD_INPUT;
            }
        }
        return code;
    }

    private void print(TensorFile file) {
        List<TensorEntry> entries = file.entries();
        long bytes = entries.stream().mapToLong(e -> Math.max(0, e.bytes())).sum();
        out().println(file.path() + "  " + entries.size() + (entries.size() == 1 ? " tensor, " : " tensors, ")
                + Bytes.text(bytes));
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"  name", "dtype", "shape", "axes", "byte order", "offset", "bytes"});
        for (TensorEntry e : entries) {
            rows.add(row(e));
        }
        Text.table(rows, false, false, false, false, false, true, true).forEach(out()::println);
        for (TensorEntry e : entries) {
            if (e.problem() != null) {
                out().println("  " + e.problem());
            }
        }
        file.metadata().forEach((key, value) -> out().println("  metadata " + oneLine(key) + " = " + oneLine(value)));
    }

    private static String[] row(TensorEntry e) {
        boolean single = e.byteOrder() == null || e.dtype() != null && e.dtype().bytes() == 1;
        return new String[] {
            "  " + (e.name().isEmpty() ? "-" : oneLine(e.name())),
            e.dtype() == null ? oneLine(e.type()) : e.dtype().toString(),
            e.shape() == null ? "-" : e.shape().toString(),
            e.shape() == null ? "-" : e.fortranOrder() ? "F" : "C",
            single ? "-" : e.byteOrder() == ByteOrder.BIG_ENDIAN ? "big" : "little",
            e.offset() < 0 ? "compressed" : Text.count(e.offset()),
            e.bytes() < 0 ? "?" : Text.count(e.bytes())
        };
    }

    /** File contents never reach the terminal as control characters. */
    private static String oneLine(String text) {
        StringBuilder r = new StringBuilder();
        text.codePoints().forEach(c -> r.appendCodePoint(Character.isISOControl(c) ? 0xFFFD : c));
        return r.toString();
    }
}
