package dev.gramian.cli;

import dev.gramian.Tensor;
import dev.gramian.analysis.Steering;
import dev.gramian.linalg.Linalg;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Directions in activations, added or taken out. */
@Command(
        name = "steer",
        description = "Finds a direction in activations from examples with and without a trait, and adds it to others or"
                + " takes it out of them.")
final class SteerCommand extends ComputeCommand {
    /** How a direction is found. */
    enum Method {
        mean,
        pca
    }

    @Parameters(index = "0", arity = "0..1", paramLabel = "X",
            description = "Activations to change, (..., tokens, channels).")
    private String x;

    @Option(names = "--with", paramLabel = "P", description = "Examples with the trait, (..., rows, channels).")
    private String with;

    @Option(names = "--without", paramLabel = "N", description = "Examples without it, (..., rows, channels).")
    private String without;

    @Option(names = "--method", paramLabel = "M", defaultValue = "mean",
            description = "mean: difference of the means; pca: first principal direction of the differences of pairs, of"
                    + " length 1. Default: mean.")
    private Method method;

    @Option(names = "--direction", paramLabel = "V", description = "A direction found before, (..., channels).")
    private String direction;

    @Option(names = "--direction-out", paramLabel = "V", description = "Where to write the direction.")
    private String directionOut;

    @Option(names = "--strength", paramLabel = "S", defaultValue = "1",
            description = "How much of it to add or take out. Default: 1.")
    private double strength;

    @Option(names = "--project-out",
            description = "Take the part along the direction out instead of adding the direction.")
    private boolean projectOut;

    @Option(names = {"-o", "--output"}, paramLabel = "Y",
            description = "Where to write the changed activations. Default: print them.")
    private String output;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if it is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        if ((with == null) != (without == null) || (with == null) == (direction == null)) {
            throw new ParameterException(spec.commandLine(), "give --with and --without, or --direction");
        }
        if (output != null && x == null) {
            throw new ParameterException(spec.commandLine(), "--output needs activations X");
        }
        try (Session s = session()) {
            Tensor given = s.readIfGiven(direction);
            Tensor p = s.readIfGiven(with);
            Tensor n = s.readIfGiven(without);
            Tensor rows = s.readIfGiven(x);
            Tensor v = given != null
                    ? given
                    : s.compute("steer", 0, () -> method == Method.mean
                            ? Steering.meanDifference(p, n)
                            : Steering.principalDifference(p, n));
            if (directionOut != null || rows == null) {
                s.result(directionOut, v);
            }
            Tensor y = rows == null
                    ? null
                    : s.compute("steer", 0, () -> projectOut
                            ? Steering.projectOut(rows, v, strength)
                            : Steering.add(rows, v, strength));
            if (y != null) {
                s.result(output, y);
            }
            if (v.rank() == 1) {
                s.say(String.format(Locale.ROOT, "direction of length %.4g", Linalg.norm(v).item()));
            }
            List<Verdict> verdicts = new ArrayList<>();
            if (check && given == null) {
                verdicts.addAll(method == Method.mean
                        ? SteeringReference.meanDifference(p, n, v)
                        : SteeringReference.principalDifference(p, n, v));
            }
            if (check && y != null) {
                verdicts.add(SteeringReference.steered(rows, v, strength, projectOut, y));
            }
            int code = s.report(verdicts);
            s.closeUncounted((rows == null ? "" : Text.of(rows) + ", ") + "direction " + v.shape()
                    + (y == null ? "" : " → " + y.shape()));
            return code;
        }
    }
}
