package dev.gramian.cli;

import dev.gramian.Tensor;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code C = A B}. */
@Command(name = "matmul",
        description = "Multiply two tensors: vectors, matrices, or stacks of matrices that broadcast as in NumPy.")
final class MatMulCommand extends ComputeCommand {
    @Parameters(index = "0", paramLabel = "A", description = "Left operand, (..., m, k) or (k).")
    private String a;

    @Parameters(index = "1", paramLabel = "B", description = "Right operand, (..., k, n) or (k).")
    private String b;

    @Option(names = {"-o",
        "--output"}, paramLabel = "C", description = "Where to write the product. Default: print it.")
    private String output;

    @Option(names = "--check", description = "Recompute in float64 by plain loops; exit code 1 if the result is wrong.")
    private boolean check;

    @Override
    public Integer call() {
        try (Session s = session()) {
            Tensor left = s.read(a);
            Tensor right = s.read(b);
            Tensor product = s.compute("matmul", 0, () -> left.matmul(right));
            s.result(output, product);
            int code = check ? s.report(List.of(ProductReference.matmul(left, right, product))) : 0;
            s.close(Text.of(left) + " × " + Text.of(right) + " → " + Text.of(product));
            return code;
        }
    }
}
