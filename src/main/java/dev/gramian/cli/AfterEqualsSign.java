package dev.gramian.cli;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Of an option whose value may be left out: takes one after = alone, since {@code --causal q.npy} would take the file. */
final class AfterEqualsSign implements IParameterPreprocessor {
    @Override
    public boolean preprocess(Stack<String> args, CommandSpec command, ArgSpec option, Map<String, Object> info) {
        if (" ".equals(info.get("separator"))) { // and not "="
            args.push(((OptionSpec) option).fallbackValue());
        }
        return false;
    }
}
