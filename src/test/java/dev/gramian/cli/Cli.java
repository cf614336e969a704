package dev.gramian.cli;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.io.TensorFiles;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.Function;
import picocli.CommandLine.Help.Ansi;

/** Runs command lines in this process and keeps what they print. */
final class Cli {
    final int code;
    final String out;
    final String err;

    private Cli(int code, String out, String err) {
        this.code = code;
        this.out = out;
        this.err = err;
    }

    static Cli run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = new String[args.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = args[i].toString();
        }
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), Ansi.OFF, words);
        return new Cli(code, out.toString(), err.toString());
    }

    /** The last line of the output. */
    String closing() {
        String[] lines = out.split("\n");
        return lines[lines.length - 1];
    }

    /** Writes a tensor made in a scope of its own. */
    static void write(Object path, Function<Scope, Tensor> make) {
        try (Scope s = Device.of("cpu:scalar").open()) {
            TensorFiles.write(path.toString(), make.apply(s));
        }
    }

    static double[] values(Object path) {
        try (Scope s = Device.of("cpu:scalar").open()) {
            return TensorFiles.read(s, path.toString()).toDoubleArray();
        }
    }

    @Override
    public String toString() {
        return "exit code " + code + "\n" + out + err;
    }
}
