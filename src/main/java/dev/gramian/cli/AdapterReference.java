package dev.gramian.cli;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.adapt.LoraAdapter;
import dev.gramian.adapt.LoraExtract;
import dev.gramian.adapt.LoraPair;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.io.Checkpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The oracle of the {@code --check} of {@code lora}: updates in float64 by plain loops, of the files that were written. */
final class AdapterReference {
    /** Multiply-adds per check, about a second; beyond, evenly spread modules or rows stand for all. */
    private static final double BUDGET = 500e6;

    private AdapterReference() {}

    /** {@code sum} += row i of {@code factor} · b a; magnitudes of its terms go to {@code size}. */
    private static void update(double[] b, double[] a, long r, int i, double factor, double[] sum, double[] size) {
        int rank = Math.toIntExact(r);
        for (int k = 0; k < rank; k++) {
            double f = factor * b[i * rank + k];
            for (int j = 0; j < sum.length; j++) {
                double p = f * a[k * sum.length + j];
                sum[j] += p;
                size[j] += Math.abs(p);
            }
        }
    }

    /** That the adapter is as far from the difference of two checkpoints as the table says. */
    static Verdict extracted(
            Device device, Checkpoint base, Checkpoint tuned, LoraAdapter adapter, List<LoraExtract.Layer> layers) {
        List<LoraExtract.Layer> some = new ArrayList<>();
        double cost = 0;
        for (LoraExtract.Layer l : layers) {
            cost += l.pair() == null ? 0 : (double) l.shape().size() * l.rank();
        }
        for (LoraExtract.Layer l : layers) {
            if (l.pair() != null) {
                some.add(l);
            }
        }
        int modules = some.size();
        long[] chosen = PlainRows.sample(modules, cost / Math.max(1, modules), BUDGET);
        long side = some.stream().mapToLong(l -> Math.max(l.shape().at(0), l.shape().at(1))).max().orElse(0);
        DType t = some.stream().anyMatch(l -> l.pair().a().dtype() == DType.F32) ? DType.F32 : DType.F64;
        Residual r = new Residual("‖Δ - b a‖ against what is said of it, / ‖Δ‖", "modules",
                8 * (side + 4.0) * Check.roundoff(t));
        r.all = modules;
        r.checked = chosen.length;
        for (long c : chosen) {
            LoraExtract.Layer l = some.get((int) c);
            try (Scope s = Scope.inner("check", device)) {
                String name = LoraAdapter.weight(l.module());
                double[] rest = tuned.read(s, name).toDoubleArray();
                PlainRows.add(rest, -1, base.read(s, name).toDoubleArray());
                double norm = PlainRows.norm(rest);
                LoraPair stored = adapter.pair(s, l.module());
                LoraPair pair = adapter.config().fanInFanOut() ? stored.transposed() : stored;
                double[] a = pair.a().toDoubleArray();
                double[] b = pair.b().toDoubleArray();
                int n = Math.toIntExact(l.shape().at(1));
                double[] row = new double[n];
                double[] size = new double[n];
                for (int i = 0; i < l.shape().at(0); i++) {
                    System.arraycopy(rest, i * n, row, 0, n);
                    update(b, a, pair.rank(), i, -pair.scale(), row, size);
                    System.arraycopy(row, 0, rest, i * n, n);
                }
                double error = PlainRows.norm(rest);
                r.add(Math.abs(error - l.measured() * norm), norm);
                r.add(Math.abs(error - l.predicted() * norm), norm);
            }
        }
        return r.verdict();
    }

    /** That each weight of {@code to} is that of {@code from} with the update, or without it where {@code take}. */
    static List<Verdict> merged(
            Device device, Checkpoint from, Checkpoint to, LoraAdapter adapter, boolean take) {
        Map<DType, List<String>> types = new TreeMap<>();
        for (String module : adapter.modules()) {
            types.computeIfAbsent(from.entries().get(LoraAdapter.weight(module)).dtype(), _ -> new ArrayList<>())
                    .add(module);
        }
        List<Verdict> all = new ArrayList<>();
        types.forEach((t, modules) -> all.add(merged(device, from, to, adapter, take, t, modules)));
        return all;
    }

    private static Verdict merged(
            Device device, Checkpoint from, Checkpoint to, LoraAdapter adapter, boolean take, DType t,
            List<String> modules) {
        Map<String, long[]> rows = new TreeMap<>();
        long count = 0;
        long checked = 0;
        boolean flipped = adapter.config().fanInFanOut();
        for (String module : modules) {
            Shape shape = from.entries().get(LoraAdapter.weight(module)).shape();
            long m = shape.at(flipped ? 1 : 0);
            long[] some = PlainRows.sample(m, (double) shape.size() / Math.max(1, m) * adapter.config().rankOf(module),
                    BUDGET / modules.size());
            rows.put(module, some);
            count += m;
            checked += some.length;
        }
        Check check = new Check("weights", t, PlainRows.coverage(checked, count, "rows"));
        for (String module : modules) {
            try (Scope s = Scope.inner("check", device)) {
                Tensor w = from.read(s, LoraAdapter.weight(module));
                Tensor y = to.read(s, LoraAdapter.weight(module));
                LoraPair pair = adapter.pair(s, module);
                double[] a = pair.a().toDoubleArray();
                double[] b = pair.b().toDoubleArray();
                for (long i : rows.get(module)) {
                    double[] sum = w.select(flipped ? 1 : 0, i).toDoubleArray();
                    double[] before = sum.clone();
                    double[] size = new double[sum.length];
                    double[] actual = y.select(flipped ? 1 : 0, i).toDoubleArray();
                    update(b, a, pair.rank(), (int) i, take ? -pair.scale() : pair.scale(), sum, size);
                    for (int j = 0; j < sum.length; j++) {
                        double slack = Check.roundoff(t)
                                * ((PlainRows.additions(pair.rank()) + 2) * size[j] + 2 * Math.abs(before[j]));
                        // what is taken out of may have been rounded when it was put in
                        slack += take ? Check.storage(t) * Math.abs(before[j]) : 0;
                        check.add(actual[j], sum[j], Math.abs(before[j]) + size[j], slack);
                    }
                }
            }
        }
        return check.verdict();
    }
}
