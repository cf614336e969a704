package dev.gramian.adapt;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.TensorEntry;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.linalg.Spectrum;
import dev.gramian.linalg.Svd;
import dev.gramian.linalg.TruncatedSvd;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * An adapter from two checkpoints: of each weight's difference the best approximation of a rank, b = u √s and a = √s vᵀ,
 * scale 1. The rank is given, or is the smallest one that keeps a share of the difference's squared singular values. Layers
 * are read one at a time.
 *
 * @param rank of every layer, at most its smaller side; 0 where {@code energy} decides
 * @param energy share of the squares to keep, 0 to 1; NaN where {@code rank} decides
 * @param exactUpTo smaller side up to which the full decomposition is computed; larger ones are sampled
 */
public record LoraExtract(long rank, double energy, long exactUpTo) {
    private static final long EXACT = 2048;
    private static final long SEED = 1;

    public LoraExtract {
        if (Double.isNaN(energy) ? rank < 1 : !(energy > 0 && energy <= 1)) {
            throw new GramianException(Double.isNaN(energy)
                    ? "lora extract: rank is " + rank + "; it counts from 1; use for example 16"
                    : "lora extract: energy is " + energy + "; it is a share; use above 0 to 1, such as 0.9");
        }
    }

    public static LoraExtract ofRank(long rank) {
        return new LoraExtract(rank, Double.NaN, EXACT);
    }

    public static LoraExtract ofEnergy(double energy) {
        return new LoraExtract(0, energy, EXACT);
    }

    /**
     * What became of one weight. Norms are Frobenius.
     *
     * @param pair factors, F32 (F64 of F64 weights); null where the difference is zero
     * @param predicted error by the singular values left out, as a share of the difference's norm
     * @param measured the same from the product of the factors
     */
    public record Layer(
            String module, Shape shape, LoraPair pair, double weightNorm, double deltaNorm, double predicted,
            double measured) {

        public long rank() {
            return pair == null ? 0 : pair.rank();
        }
    }

    /** A tensor that differs and that the adapter cannot hold. */
    public record LeftOut(String name, String why) {}

    public record Result(List<Layer> layers, List<LeftOut> leftOut) {}

    /**
     * Every matrix {@code MODULE.weight} whose module is wanted. Factors stay in the innermost open scope of the device;
     * everything else is freed layer by layer. {@code watch} is told of each layer when it is done.
     */
    public Result run(
            Device device, Checkpoint base, Checkpoint tuned, Predicate<String> wanted, Consumer<Layer> watch) {
        List<Layer> layers = new ArrayList<>();
        List<LeftOut> left = new ArrayList<>();
        for (String name : base.entries().keySet()) {
            TensorEntry b = base.entries().get(name);
            TensorEntry t = tuned.entries().get(name);
            if (t == null) {
                left.add(new LeftOut(name, "not in the tuned checkpoint"));
                continue;
            }
            readable(b);
            readable(t);
            if (!b.shape().equals(t.shape()) || b.dtype() != t.dtype()) {
                left.add(new LeftOut(name, b.dtype() + " " + b.shape() + " became " + t.dtype() + " " + t.shape()));
                continue;
            }
            boolean matrix = b.shape().rank() == 2 && b.dtype().isFloat() && name.endsWith(".weight");
            String module = matrix ? name.substring(0, name.length() - ".weight".length()) : name;
            try (Scope s = Scope.inner("lora extract", device)) {
                Tensor from = base.read(s, name);
                Tensor to = tuned.read(s, name);
                if (matrix && wanted.test(module)) {
                    Layer layer = layer(s, module, from, to);
                    layers.add(layer);
                    watch.accept(layer);
                } else if (from.size() > 0 && to.ne(from).any().itemLong() != 0) {
                    left.add(new LeftOut(name, matrix ? "not among the targets" : "not the matrix of a module"));
                }
            }
        }
        for (String name : tuned.entries().keySet()) {
            if (base.entries().get(name) == null) {
                left.add(new LeftOut(name, "not in the base checkpoint"));
            }
        }
        return new Result(layers, left);
    }

    private static void readable(TensorEntry e) {
        if (e.problem() != null) {
            throw new FormatException(e.problem());
        }
    }

    private Layer layer(Scope s, String module, Tensor from, Tensor to) {
        DType t = from.dtype() == DType.F64 ? DType.F64 : DType.F32;
        Tensor w = from.to(t);
        Tensor delta = to.to(t).sub(w);
        double weightNorm = Linalg.norm(w).item();
        double norm = Linalg.norm(delta).item();
        if (norm == 0) {
            return new Layer(module, from.shape(), null, weightNorm, 0, 0, 0);
        }
        long k = Math.min(delta.dim(0), delta.dim(1));
        Svd svd;
        double predicted;
        if (k <= exactUpTo) {
            Svd full = Linalg.svd(delta);
            Spectrum spectrum = Spectrum.of(full.s());
            int r = Math.max(1, Double.isNaN(energy) ? (int) Math.min(rank, k) : spectrum.rankOfEnergy(energy));
            predicted = spectrum.error(r);
            svd = new Svd(full.u().slice(1, 0, r), full.s().slice(0, 0, r), full.vt().slice(0, 0, r));
        } else {
            RandomizedSvd sampler = new RandomizedSvd(SEED);
            TruncatedSvd found = Double.isNaN(energy)
                    ? sampler.ofRank(delta, Math.min(rank, k))
                    : sampler.ofTolerance(delta, Math.sqrt(1 - energy));
            predicted = found.relativeError();
            svd = found.svd();
        }
        Tensor root = svd.s().sqrt();
        LoraPair pair = new LoraPair(
                s.keep(root.unsqueeze(1).mul(svd.vt())), s.keep(svd.u().mul(root.unsqueeze(0))), 1);
        double measured = Linalg.norm(delta.sub(pair.delta())).item() / norm;
        return new Layer(module, from.shape(), pair, weightNorm, norm, predicted, measured);
    }
}
