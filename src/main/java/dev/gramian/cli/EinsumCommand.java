package dev.gramian.cli;

import dev.gramian.Einsum;
import dev.gramian.Tensor;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sums of products by index notation. */
@Command(
        name = "einsum",
        description = "Sums of products by index notation, as NumPy's einsum: gramian einsum \"bqd,bkd->bqk\" q.npy"
                + " k.npy.")
final class EinsumCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "SPEC", description = "Labels of the operands and the result: ij,jk->ik.")
    private String notation;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "A", description = "Operands, in the order of SPEC.")
    private List<String> paths;

    @Option(names = {"-o", "--output"}, paramLabel = "C", description = "Where to write the result. Default: print it.")
    private String output;

    @Option(names = "--explain", description = "Print the order of the products and what each costs.")
    private boolean explain;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if the result is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        try (Session s = session()) {
            Einsum einsum = Einsum.of(notation);
            List<Tensor> operands = new ArrayList<>();
            for (String path : paths) {
                operands.add(s.read(path));
            }
            Tensor[] x = operands.toArray(Tensor[]::new);
            if (explain) {
                out().println(einsum.explain(operands.stream().map(Tensor::shape).toArray(Shape[]::new)));
            }
            Tensor result = s.compute("einsum", 0, () -> einsum.apply(x));
            s.result(output, result);
            int code = check ? s.report(List.of(ProductReference.einsum("result", notation, operands, result))) : 0;
            s.close(operands.stream().map(Text::of).collect(Collectors.joining(", ")) + " → " + Text.of(result));
            return code;
        }
    }
}
