package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.adapt.LoraAdapter;
import dev.gramian.adapt.LoraConfig;
import dev.gramian.adapt.LoraPair;
import dev.gramian.analysis.Pca;
import dev.gramian.analysis.Steering;
import dev.gramian.core.DType;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.TensorFiles;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.spec.Seed;
import dev.gramian.vectors.Concentration;
import dev.gramian.vectors.Metric;
import dev.gramian.vectors.Neighbors;
import dev.gramian.vectors.Similarity;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The oracles of {@code --check} for vectors, activations and adapters: right results pass, wrong ones do not. */
final class ReferencesTest {
    @TempDir
    Path dir;

    private static void passes(List<Verdict> verdicts) {
        verdicts.forEach(v -> assertTrue(v.passed(), v.line()));
    }

    /** Number {@code at} fails, alone. */
    private static void fails(int at, List<Verdict> verdicts) {
        for (int i = 0; i < verdicts.size(); i++) {
            assertEquals(i != at, verdicts.get(i).passed(), verdicts.get(i).line());
        }
    }

    private static Scope open() {
        return Device.of("cpu:scalar").open();
    }

    @Test
    void likeness() {
        try (Scope s = open()) {
            for (DType t : new DType[] {DType.F64, DType.F32, DType.BF16}) {
                Tensor x = s.normal(DType.F64, Seed.VALUE, 2, 9, 5).add(2).to(t);
                Tensor y = s.normal(DType.F64, Seed.VALUE + 1, 4, 5).add(2).to(t);
                for (Metric m : Metric.values()) {
                    passes(List.of(VectorReference.similarity(m, x, null, Similarity.of(m, x)),
                            VectorReference.similarity(m, x, y, Similarity.of(m, x, y))));
                    fails(0, List.of(VectorReference.similarity(m, x, y, Similarity.of(m, x, y).mul(1.05))));
                }
            }
            Tensor zero = s.zeros(3, 4);
            passes(List.of(VectorReference.similarity(Metric.COSINE, zero, null, Similarity.of(Metric.COSINE, zero))));
            Tensor huge = s.normal(DType.F64, Seed.VALUE, 4, 3).mul(1e200);
            passes(List.of(VectorReference.similarity(Metric.COSINE, huge, null, Similarity.of(Metric.COSINE, huge))));
        }
    }

    @Test
    void nearest() {
        try (Scope s = open()) {
            Tensor x = s.normal(DType.F32, Seed.VALUE, 50, 6);
            Tensor q = s.normal(DType.F32, Seed.VALUE + 1, 7, 6);
            for (Metric m : Metric.values()) {
                Neighbors n = Neighbors.of(x, q, 4, m);
                passes(VectorReference.neighbors(m, x, q, n));
                fails(0, VectorReference.neighbors(m, x, q, new Neighbors(n.indices().flip(1), n.scores())));
                // the best is left out
                Neighbors more = Neighbors.of(x, q, 5, m);
                fails(1, VectorReference.neighbors(m, x, q, new Neighbors(
                        more.indices().slice(1, 1, 5), more.scores().slice(1, 1, 5))));
                Tensor first = s.zeros(DType.I64, 7, 4).add(n.indices().slice(1, 0, 1));
                Tensor same = s.zeros(DType.F32, 7, 4).add(n.scores().slice(1, 0, 1));
                assertFalse(VectorReference.neighbors(m, x, q, new Neighbors(first, same)).get(0).passed());
            }
        }
    }

    @Test
    void concentrated() {
        try (Scope s = open()) {
            Tensor x = s.normal(DType.F32, Seed.VALUE, 40, 6);
            for (Tensor y : List.of(x, Join.concat(0, x, x.slice(0, 0, 10)), x.mul(2).round())) {
                Concentration c = Concentration.of(y, 5);
                passes(List.of(VectorReference.concentration(y, 5, c, 40)));
                fails(0, List.of(VectorReference.concentration(y, 5, new Concentration(c.nearest(), c.farthest(),
                        c.ratio() * 1.001, c.contrast(), c.likelihoodDimension(), c.twoNearestDimension(), c.hubness(),
                        c.meanCosine(), c.cosineSpread()), 40)));
            }
        }
    }

    @Test
    void components() {
        try (Scope s = open()) {
            Tensor x = s.normal(DType.F32, Seed.VALUE, 2, 40, 6).mul(s.tensor(new float[] {6, 5, 4, 3, 2, 1})).add(20);
            Pca p = Pca.exact(x, 3);
            Tensor y = p.transform(x);
            passes(PcaReference.check(x, p, y, false, false));
            passes(PcaReference.check(x, p, p.whiten(x), true, false));
            Pca squares = Pca.byCovariance(x, 3);
            passes(PcaReference.check(x, squares, squares.transform(x), false, false));
            Tensor one = x.select(0, 0);
            Pca sampled = Pca.randomized(one, 2, new RandomizedSvd(Seed.VALUE));
            passes(PcaReference.check(one, sampled, sampled.transform(one), false, true));

            fails(5, PcaReference.check(x, p, y.mul(1.01), false, false));
            fails(5, PcaReference.check(x, p, y, true, false));
            fails(0, PcaReference.check(x, with(p, p.mean().add(1), p.components(), p.singularValues()), y, false,
                    false));
            // the second, third and fourth in place of the first three
            Pca four = Pca.exact(x, 4);
            Pca later = new Pca(four.mean(), four.components().slice(-2, 1, 4), four.singularValues().slice(-1, 1, 4),
                    four.explainedVariance().slice(-1, 1, 4), four.explainedVarianceRatio().slice(-1, 1, 4), 40);
            fails(3, PcaReference.check(x, later, later.transform(x), false, false));
            Tensor tilted = p.components().add(p.components().flip(-2).mul(0.01));
            assertFalse(PcaReference.check(x, with(p, p.mean(), tilted, p.singularValues()), y, false, false).get(1)
                    .passed());
            assertFalse(PcaReference.check(x, with(p, p.mean(), p.components(), p.singularValues().mul(1.01)), y, false,
                    false).get(2).passed());
        }
    }

    private static Pca with(Pca p, Tensor mean, Tensor components, Tensor values) {
        return new Pca(mean, components, values, p.explainedVariance(), p.explainedVarianceRatio(), p.samples());
    }

    @Test
    void steered() {
        try (Scope s = open()) {
            Tensor with = s.normal(DType.F32, Seed.VALUE, 2, 12, 5).add(1);
            Tensor without = s.normal(DType.F32, Seed.VALUE + 1, 2, 12, 5);
            Tensor v = Steering.meanDifference(with, without);
            passes(SteeringReference.meanDifference(with, without, v));
            fails(0, SteeringReference.meanDifference(with, without, v.mul(1.01)));
            Tensor first = Steering.principalDifference(with, without);
            passes(SteeringReference.principalDifference(with, without, first));
            fails(3, SteeringReference.principalDifference(with, without, first.neg()));
            assertFalse(SteeringReference.principalDifference(with, without, first.mul(1.1)).get(0).passed());
            for (boolean out : new boolean[] {false, true}) {
                Tensor y = out ? Steering.projectOut(with, v, 0.5) : Steering.add(with, v, 0.5);
                passes(List.of(SteeringReference.steered(with, v, 0.5, out, y)));
                fails(0, List.of(SteeringReference.steered(with, v, 0.6, out, y)));
            }
            Tensor zero = s.zeros(5);
            passes(List.of(SteeringReference.steered(with, zero, 1, true, Steering.projectOut(with, zero, 1))));
        }
    }

    @Test
    void merged() {
        for (boolean flipped : new boolean[] {false, true}) {
            try (Scope s = open()) {
                Map<String, Tensor> weights = Map.of("x.weight", s.normal(DType.F32, 1, 6, 8), "y.weight",
                        s.normal(DType.F32, 2, 6, 8).to(DType.BF16));
                TensorFiles.write(dir.resolve("base.safetensors"), weights, Map.of());
                LoraConfig config = new LoraConfig(2, 3, false, flipped, Map.of(), Map.of(), List.of("x", "y"), null);
                LoraPair pair = flipped
                        ? new LoraPair(s.normal(DType.F32, 3, 2, 6), s.normal(DType.F32, 4, 8, 2), 1.5)
                        : new LoraPair(s.normal(DType.F32, 3, 2, 8), s.normal(DType.F32, 4, 6, 2), 1.5);
                LoraAdapter.write(dir.resolve("ad"), config, Map.of("x", pair, "y", pair));
            }
            Path merged = dir.resolve("m.safetensors");
            Cli r = lora("merge", dir.resolve("base.safetensors"), dir.resolve("ad"), "-o", merged, "--check");
            assertEquals(0, r.code, r.toString());
            assertEquals(2, r.out.lines().filter(l -> l.matches("check  weights in float64: 48 values, all; .*pass"))
                    .count(), r.out);
            r = lora("unmerge", merged, dir.resolve("ad"), "-o", dir.resolve("b.safetensors"), "--check");
            assertEquals(0, r.code, r.toString());
            LoraAdapter adapter = LoraAdapter.open(dir.resolve("ad"));
            Checkpoint base = Checkpoint.open(dir.resolve("base.safetensors"));
            Device device = Device.of("cpu:scalar");
            try (Scope s = device.open()) {
                fails(-1, AdapterReference.merged(device, base, Checkpoint.open(merged), adapter, false));
                assertFalse(AdapterReference.merged(device, base, Checkpoint.open(merged), adapter, true).get(0)
                        .passed());
                assertFalse(AdapterReference.merged(device, base, base, adapter, false).get(0).passed());
            }
        }
    }

    private static Cli lora(Object... args) {
        Object[] all = new Object[args.length + 1];
        all[0] = "lora";
        System.arraycopy(args, 0, all, 1, args.length);
        return Cli.run(all);
    }

    @Test
    void everyCommandPasses() {
        Path x = dir.resolve("x.npy");
        Path q = dir.resolve("q.npy");
        Cli.write(x, s -> s.normal(DType.F32, Seed.VALUE, 30, 6));
        Cli.write(q, s -> s.normal(DType.F32, Seed.VALUE + 1, 30, 6));
        Path o = dir.resolve("o.npy");
        Path o2 = dir.resolve("o2.npy");
        Object[][] lines = {
            {"similarity", x, "-o", o}, {"similarity", x, q, "--metric=euclidean", "-o", o},
            {"neighbors", x, "--query", q, "-k", 3, "-o", o, "--scores", o2},
            {"neighbors", x, "--query", q, "-k", 0, "-o", o, "--scores", o2}, {"pca", x, "-k", 2, "-o", o},
            {"pca", x, "-k", 2, "-o", o, "--incremental", "--batch=7", "--whiten"},
            {"pca", x, "-k", 2, "-o", o, "--randomized"}, {"pca", x, "-k", 0, "-o", o},
            {"steer", x, "--with", q, "--without", x, "-o", o},
            {"steer", x, "--with", q, "--without", x, "--method=pca", "--project-out", "-o", o},
            {"concentration", x, "-k", 4}, {"concentration", "--simulate", "--count=30", "--dimensions=2,5"}
        };
        for (Object[] line : lines) {
            Object[] all = Arrays.copyOf(line, line.length + 1);
            all[line.length] = "--check";
            Cli r = Cli.run(all);
            assertEquals(0, r.code, r.toString());
            assertTrue(r.out.lines().anyMatch(l -> l.startsWith("check  ") && l.endsWith("pass")), r.toString());
        }
        Cli r = Cli.run("steer", "--direction", x, "--check");
        assertEquals(0, r.code, "nothing was computed: " + r);
    }
}
