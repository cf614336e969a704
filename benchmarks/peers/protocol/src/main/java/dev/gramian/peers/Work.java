package dev.gramian.peers;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One thing that all peers do.
 *
 * @param kind what is done
 * @param shape the numbers that {@code kind} names
 */
public record Work(Kind kind, List<Long> shape) {
    public Work {
        if (shape.size() != kind.rank()) {
            throw new IllegalArgumentException(kind + " " + shape + ": takes " + kind.rank() + " numbers");
        }
    }

    /** From its {@link #id}. */
    public static Work of(String id) {
        String[] parts = id.split(" ");
        return new Work(Kind.valueOf(parts[0].toUpperCase(java.util.Locale.ROOT)),
                Arrays.stream(parts[1].split("x")).map(Long::valueOf).toList());
    }

    /** As "gemm 512x512x512". */
    public String id() {
        return kind.name().toLowerCase(java.util.Locale.ROOT) + " "
                + shape.stream().map(String::valueOf).collect(Collectors.joining("x"));
    }

    public long[] sizes() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    /** A number of the shape. */
    public int size(int axis) {
        return Math.toIntExact(shape.get(axis));
    }

    public List<Operand> operands() {
        return kind.operands(sizes());
    }

    /** About how time grows among works of a kind. */
    public double cost() {
        return kind.cost(sizes());
    }

    /** The ratio of the best peer's time to ours that is aimed at. */
    public double target(int threads) {
        return switch (kind) {
            case ATTENTION -> threads == 1 ? 1.2 : 1.4;
            case CAUSAL -> shape.get(2) <= 512 ? 2 : 1.5;
            case GEMM -> 0.97;
            case BGEMM -> shape.get(3) <= 64 && shape.get(1) <= 64 && threads > 1 ? 1.5 : 1.1;
            case SVD -> shape.get(0) > 1 && threads > 1 ? 1.8 : 1;
            case RANK -> 15;
            default -> 1;
        };
    }
}
